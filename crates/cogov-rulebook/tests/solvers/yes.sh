#!/bin/sh
# A solver that finds facts for everything.
[ "$1" = "--version" ] && echo "This is cvc5 version 1.3.1 [git tag 1.3.1 branch HEAD]" && exit
while read -r line; do
    [ "$line" = "(check-sat)" ] && echo sat
done
