apply-title = Apply for data
apply-heading = Apply for { $dataset }
apply-columns = Which columns?
apply-columns-hint = Ask for what the purpose needs and no more.
apply-purpose = What for?
apply-purpose-code = Purpose
apply-words = In your words
apply-legal-basis = Legal basis: the law or duty it rests on
apply-scenario = Scenario: the procedure or service in which it is used
apply-scope = Which rows?
apply-scope-hint = All rows when left empty. Conditions on one table must all hold.
apply-region = Only my region: { $column } = { $code }
apply-scope-column = Column
apply-scope-op = is
apply-scope-value = Value
apply-scope-none = no condition
apply-form = Form of use
apply-lane = Lane
apply-days = Days
apply-preview = What would the rulebook say?
apply-submit = Submit the application
apply-rulebook-says = What the rulebook says
preview-pick = Choose columns to see, column by column, what the rulebook would say.
preview-refused = The rulebook would refuse this
preview-caption = Rulings column by column
preview-treatment = Treatment
preview-why = Why
preview-answer = { $n ->
    [one] The provider must answer within one working day.
   *[other] The provider must answer within { $count } working days.
  }
applications-title = My applications
applications-lead = What your party has asked for, and where it stands.
applications-receipt = Your application { $id } is submitted. This page shows where it stands.
apply-bad-value = The value does not fit the type of { $column }: write whole numbers without separators, dates as 2026-01-31.
preview-requester-head = The requester’s head must agree before it goes to the provider.
preview-provider-head = The provider’s head must agree after the approver.
