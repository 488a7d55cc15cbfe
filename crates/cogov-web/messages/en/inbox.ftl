inbox-title = Inbox
inbox-lead = Applications to your party, those that wait for you first.
inbox-empty = There is nothing here.
inbox-waits = Waits for you
inbox-overdue = Overdue
inbox-left = { $n ->
    [0] due today
    [one] one working day left
   *[other] { $count } working days left
  }
inbox-late = { $n ->
    [one] one working day late
   *[other] { $count } working days late
  }
inbox-closed = closed
application-title = Application: { $what }
application-id = Number
application-became = It became the grant
application-acts = What you may do
application-columns = Columns to grant
application-as-ruled = As the rulebook says
application-treatment-of = Treatment of { $column }
application-history = History, from the ledger
application-parties = From → to
application-purpose = Purpose
application-basis = Legal basis
application-scenario = Scenario
application-rows = Rows
application-all-rows = All rows
application-form = Form
application-lane = Lane
application-term = Term
application-due = Answer due
application-asked = Asked for
application-supplied = Supplied
application-reasons = Reasons
application-approvals = Agreements
application-asked-columns = Columns asked for
application-days = { $n ->
    [one] one day
   *[other] { $count } days
  }
act-done = Done. It stands in the ledger.
act-approve-as-requester-head = Agree as our head
act-agree = Agree
act-approve-as-provider-head = Agree as the provider’s head
act-ask-for-more = Ask once for what is missing
act-supply = Supply what was asked for
act-refuse = Refuse
act-withdraw = Withdraw the application
act-extend = Extend the deadline
act-agree-hint = Uncheck columns to grant in part. A treatment that you choose holds where it is stricter than the rulebook's.
act-ask-for-more-hint = One list of everything that is missing (article 21). The deadline stands still meanwhile.
act-refuse-hint = A refusal must give its reasons (article 21).
act-extend-hint = Once, with the authority’s consent and reasons (article 21).
act-words = Words for the record
act-reasons = Reasons
act-list = What is missing
act-answer = Your answer
application-words = In the requester’s words
