nav-consultations = Consultations
consultations-lead = Texts that public bodies ask about before they decide. Read them clause by clause, say what you think, vote on what others say, and see what came of it.
consultations-none = There is no consultation yet.
consultation-new = Open a consultation
consultation-tab-overview = Overview
consultation-tab-text = Text
consultation-tab-statements = Statements
consultation-tab-opinions = Opinion map
consultation-tab-answers = Answers
consultation-tab-mine = My part
consultation-tab-moderate = Moderation
consultation-parts = Parts of this consultation
consultation-state-announced = Announced
consultation-state-open = Open
consultation-state-answering = Closed, being answered
consultation-state-concluded = Concluded
consultation-opens-at = Opens { $at }.
consultation-open-until = Open until { $at }.
consultation-closed-at = Closed { $at }. Contributions are being answered.
consultation-concluded-at = Concluded { $at }.
consultation-participants = { $n ->
    [one] one participant
   *[other] { $count } participants
  }
consultation-contributions = { $n ->
    [one] one contribution
   *[other] { $count } contributions
  }
consultation-votes = { $n ->
    [one] one vote
   *[other] { $count } votes
  }
consultation-figure-participants = participants
consultation-figure-contributions = contributions
consultation-figure-votes = votes
consultation-figure-answers = answers
consultation-figure-unanswered = without an answer
consultation-said = { $n ->
    [0] nothing said yet
    [one] one comment or amendment
   *[other] { $count } comments and amendments
  }
consultation-untitled = Without a title
consultation-conclusion = What was made of it
consultation-take-part = Take part
consultation-you-are = Others read you here as { $name }.
consultation-vote-now = Vote on statements
consultation-write-statement = Write a statement
consultation-read-comment = Read and comment
consultation-questions = What is asked
consultation-contents = The text, clause by clause
consultation-changed = The draft changes these clauses:
consultation-about = About this consultation
consultation-host = Who asks
consultation-invited = Whose opinion is asked for
consultation-draft = Draft
consultation-draft-text = On text { $text } of the draft.
consultation-draft-later = Another text was published since.
consultation-to-draft = The draft: what it changes, clause by clause
consultation-on-record = On the ledger
consultation-open-data = Open data
consultation-open-data-text = Everything that results are made from, in the formats that Polis exports and as the record that anyone can check against the ledger.
consultation-text-lead = The text as it stood when the consultation was opened.
consultation-comment-here = Read and comment
consultation-clause-place = Clause { $matched } of { $examined }
consultation-clauses-nav = Clauses before and after
consultation-sign-in-first = Sign in to comment and vote. Reading needs no account.
consultation-join-first = Say first in which class you take part.
consultation-join = Take part
consultation-choose-class = Choose a class.
participant-class-public = Public
participant-class-scholar = Scholar
participant-class-practitioner = Practitioner
participant-class-regulated-entity = Regulated entity
participant-class-official = Official
participant-verified = { $class }, verified
participant-unverified = { $class }, declared only
participant-hint-public = Open to everybody.
participant-hint-verified = Verified, because you act for { $party }.
participant-hint-declared = Shown as declared only: your account’s party does not show it, so it does not count in the results by class.
join-class = In which class do you take part?
join-class-hint = Results are shown for each class. It cannot be changed later.
join-name = How do others read you?
join-name-hint = A pseudonym is another one in every consultation, so that it does not link them; who votes in two at the same time may be recognised by the times. Under your own name, each of your votes stands beside it in the open data, for good.
join-pseudonym = Under a pseudonym
join-own-name = Under my name: { $name }
contribution-kind-statement = Statement
contribution-kind-comment = Comment
contribution-kind-amendment = Amendment
contribution-own-name = own name
contribution-mine = yours
contribution-entry = entry { $entry }
contribution-answer = answer { $number }
contribution-hidden = Hidden: { $because }.
contribution-merged = Merged into statement { $into }; its votes count there.
hide-because-spam = spam
hide-because-personal-data = personal data
hide-because-abuse = abuse
hide-because-off-topic = off topic
tally-agree = { $count } agree
tally-disagree = { $count } disagree
tally-pass = { $count } pass
clause-comment = Comment on this clause
clause-comment-words = Your comment
clause-comment-hint = Others read it. Leave personal data of others out.
clause-comment-send = Send the comment
clause-amend = Propose other words
clause-amend-proposed = The clause as you would write it
clause-amend-reasons = Why
clause-amend-send = Send the amendment
statement-write = A statement that others can agree or disagree with
statement-hint = One thought, up to 280 characters.
statement-send = Send the statement
statement-vote = Vote on it
statements-all = All statements, newest first
statements-none = Nobody has written a statement yet.
vote-title = Vote
vote-word-agree = Agree
vote-word-disagree = Disagree
vote-word-pass = Pass
vote-progress = You have voted on { $matched } of { $examined } statements.
vote-current = your vote now: { $vote }
vote-explained = A vote can be changed until the consultation closes; the last one holds. It is published under your pseudonym.
vote-not-open = Votes are taken while the consultation is open.
vote-all-done = You have voted on every statement there is.
pager-at-most = { $count } a page
answers-open = { $n ->
    [0] Every contribution has its answer.
    [one] One contribution has no answer yet. The consultation cannot be concluded before.
   *[other] { $count } contributions have no answer yet. The consultation cannot be concluded before.
  }
answers-given = Answers given so far
answers-none = Nothing has been answered yet.
answers-answer = Answer contributions together
answers-filter = On clause
answers-filter-all = All
answers-choose = Contributions that wait
answers-nothing-waits = Nothing waits here.
answers-all-on = And every other contribution on { $clause } that waits
answers-title = What they have in common
answers-words = The answer
answers-changed = What came of it
answers-no-change = No change
answers-because = The change in words, or the reason for none
answers-send = Send the answer
answers-waiting = Waiting for an answer
answers-replies-to = { $n ->
    [one] Replies to one contribution
   *[other] Replies to { $count } contributions
  }
answers-conclude = Conclude the consultation
answers-conclude-not-yet = First every contribution needs its answer.
answers-conclude-words = What was made of it
answer-outcome-change = Changed
answer-outcome-no-change = No change
mine-key = Your key in the public record of this consultation:
mine-contributions = What I said
mine-votes = How I voted
mine-nothing = Nothing yet.
mine-statement = Statement
mine-vote = Vote
mine-receipt = Receipt
receipt-written = Written down.
receipt-link = Receipt { $entry }
receipt-title = Receipt { $entry }
receipt-lead = Checked now, from the ledger’s own bytes.
receipt-check-in-ledger = The entry leads to the signed root of the ledger.
receipt-check-same-content = The salted hash in the entry is that of the content.
receipt-check-counted = The records that results are made from hold it, word for word.
receipt-holds = Holds
receipt-fails = Does not hold
receipt-replaced = A later vote on the same statement holds instead:
receipt-entry = Ledger entry
receipt-hash = Hash in the entry
receipt-salt = Salt
receipt-content = Content
receipt-withheld = The content is hidden or belongs to somebody else; its hash stays.
receipt-keep = Keep this receipt
receipt-keep-text = With this text and the ledger’s key anyone can check, without this node, that the entry is in the ledger.
receipt-key = Verifier key
moderate-lead = Nothing is deleted. Whatever you do here stands in the ledger with its reason, and everybody can read it.
moderate-duplicates = May say the same
moderate-duplicates-text = Merging keeps every supporter: a person who agreed with either counts once, unless they disagreed with the one that stays.
moderate-alike = { $percent } % alike
moderate-merge = Merge into { $into }
moderate-reason = Reason, public
moderate-same = It says the same.
moderate-because = Because of
moderate-all = Contributions, newest first
moderate-hide = Hide
moderate-restore = Show again
