#!/bin/sh
# A solver that is too old.
echo "This is cvc5 version 1.0.3"
