rulebook-contents = Clauses
rulebook-rule = The rule that enforces it
rulebook-share = { $count } clauses in force. The share that software enforces; the rest is text that only people can keep.
rulebook-origins = How this clause came to be
rulebook-origin-adopted = adopted on { $day }
rulebook-origin-nobody = No contribution is linked to this change.
