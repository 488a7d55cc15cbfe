#!/bin/sh
# A solver that never answers. The test looks for its process by the number.
[ "$1" = "--version" ] && echo "This is cvc5 version 1.3.1" && exit
exec sleep 86421
