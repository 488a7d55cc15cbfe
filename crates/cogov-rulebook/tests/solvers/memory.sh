#!/bin/sh
# A solver that says how much memory it may have, in KiB.
[ "$1" = "--version" ] && echo "This is cvc5 version 1.3.1" && exit
while read -r line; do
    [ "$line" = "(check-sat)" ] && echo "(error \"$(ulimit -v)\")"
done
