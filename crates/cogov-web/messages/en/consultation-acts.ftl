kind-consultation = Consultation opened
kind-participation = Joined a consultation
kind-contribution = Contribution
kind-vote = Vote
kind-moderation = Moderation
kind-answer = Answer
kind-conclusion = Consultation concluded
fact-consultation = Consultation
fact-participant = Participant’s key
fact-number = Number
fact-class = Class
fact-verified = Verified
fact-clause = Clause
fact-opens = Opens
fact-closes = Closes
fact-contribution = Contribution
fact-contributions = Contributions
fact-moderation = Act
fact-because = Because of
fact-into = Merged into
fact-outcome = Outcome
fact-answers = Answers
sealed-content = Content
register-title = Make an account
register-lead = An account of a member of the public: to comment and vote in consultations, and nothing else.
register-account-hint = Your sign-in name: letters a–z, digits, dot, hyphen.
register-name = Your name
register-name-hint = Shown to others only where you choose so.
register-password-hint = At least 10 characters.
register-has-account = I have an account
sign-in-register = Make an account to take part in consultations
consultation-new-lead = Paste the text or choose a file; its headings make the clauses. Once opened, text and dates stay as they are.
consultation-new-draft-lead = The text is the draft’s published one, to the letter, with its rules. Once opened, text and dates stay as they are.
consultation-new-of-draft = To consult on a draft of the rules, open its page.
fact-consulted = Text consulted on
consultation-new-clauses = { $n ->
    [one] The text has one clause
   *[other] The text has { $count } clauses
  }
consultation-new-title-en = Title, in English
consultation-new-title-zh = Title, in Chinese
consultation-new-summary-en = What it is about and why, in English
consultation-new-summary-zh = What it is about and why, in Chinese
consultation-new-text-en = Text, in English
consultation-new-text-zh = Text, in Chinese
consultation-new-text-hint = Markdown, in one language or both. Each line that begins with # opens a clause; write an anchor in braces at its end, such as “## Names {"{"}#names{"}"}”, or leave it out. A text without such anchors is also divided by its own numbers (Article 3, § 5, 1.2, 第三条).
consultation-new-text = The text
consultation-new-file-en = Or a file with the English text
consultation-new-file-zh = Or a file with the Chinese text
consultation-new-check = Check the clauses
consultation-new-questions-en = Questions, in English
consultation-new-questions-zh = Questions, in Chinese
consultation-new-questions-hint = One question a line; the same order in both languages.
consultation-new-opens = Opens (UTC)
consultation-new-closes = Closes (UTC)
consultation-new-moment = { $field }: write year, month, day, hour and minute like this: 2026-12-31T17:00
consultation-new-days = { $n ->
    [one] The rulebook in force prescribes that it is open for at least one day.
   *[other] The rulebook in force prescribes that it is open for at least { $count } days.
  }
consultation-new-clock = It opens and closes by the clock, without anybody’s click.
consultation-new-open = Open the consultation
