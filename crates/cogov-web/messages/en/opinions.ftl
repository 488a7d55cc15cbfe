opinion-verdict-stable = These groups came back each time the map was made again from separate halves of the votes.
opinion-verdict-not-stable = There are no stable groups: other votes of the same people would draw other lines.
opinion-verdict-too-few = There are no groups yet: too few people have voted on enough statements.
opinion-placed = { $n ->
    [one] One person has voted on enough statements to be placed.
   *[other] { $count } people have voted on enough statements to be placed.
  }
opinion-agreement = Agreement between halves: { $value }; groups are shown from { $label } on (1 is the same, 0 is chance).
opinion-unsettled = The newest votes are counted already; the groups are being made anew with them.
opinion-map-title = { $n ->
    [one] One person
   *[other] { $count } people by how they vote
  }
opinion-map-text = Each mark is a person. People who vote alike stand close together. The tables below tell the same in numbers.
opinion-group = Group { $letter }
opinion-groups = What tells the groups apart
opinion-people = { $n ->
    [one] one person
   *[other] { $count } people
  }
opinion-group-agrees = { $value } agree, { $label } elsewhere
opinion-group-disagrees = { $value } disagree, { $label } elsewhere
opinion-agree-share = { $percent } agree
opinion-all-agree = Where most of every group and every class that voted agree
opinion-all-agree-how = { $value } agree; { $label } sure that a majority of each does
opinion-all-disagree = Where most of every group and every class that voted disagree
opinion-all-disagree-how = { $value } agree; { $label } sure that a majority of each disagrees
opinion-divisive = What opinions differ on most
opinion-classes = By declared class
opinion-classes-text = Each class counts as much as any other. Who only declares a class is in the totals of each statement, in no class and not on the map.
opinion-class = Class
opinion-class-counted = counted
opinion-class-declared = declared only
opinion-figures = The figures
opinion-figures-text = Share that agrees, of all who voted on the statement.
opinion-everybody = Everybody
opinion-shared = Shared by all
opinion-all-agree-sure = a majority of all agrees ({ $percent } sure)
opinion-all-disagree-sure = a majority of all disagrees ({ $percent } sure)
opinion-not-shared = not sure yet
open-data-votes = every vote as it was cast, as Polis exports it
open-data-comments = every statement, as Polis exports it
open-data-participants-votes = participants by statements, as Polis exports it
open-data-summary = the figures, as Polis exports them
open-data-coverage = which contribution was answered how
open-data-record = every ledger entry with its salt and content, to be checked
open-data-results = the results
