rulebook-contents = Clauses
rulebook-rule = The rule that enforces it
rulebook-share = { $count } clauses in force. The share that software enforces; the rest is text that only people can keep.
