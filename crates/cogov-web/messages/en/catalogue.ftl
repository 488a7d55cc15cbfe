catalogue-title = Catalogue
catalogue-words = Words in the title, description, tables and columns
catalogue-search = Search
catalogue-narrow = Narrow down
catalogue-any = Any
catalogue-apply-facets = Apply
catalogue-clear = Clear all
catalogue-found = { $n ->
    [one] One dataset
   *[other] { $count } datasets
  }
catalogue-none = Nothing fits. Try fewer words, or clear the filters.
catalogue-rows = { $n ->
    [one] one row
   *[other] { $count } rows
  }
catalogue-columns = { $n ->
    [one] one column
   *[other] { $count } columns
  }
catalogue-grants = { $n ->
    [0] no grants yet
    [one] one grant
   *[other] { $count } grants
  }
catalogue-page = Page { $page }
dataset-apply = Apply for this data
dataset-unit = One row stands for one unit of { $column }; its privacy is protected.
dataset-columns = Columns
dataset-column = Column
dataset-type = Type
dataset-grade = Grade
dataset-categories = Categories
dataset-why = Why
dataset-sample = What it looks like
dataset-sample-mark = Invented.
dataset-sample-text = These rows have the shape of the data and none of its values.
dataset-use = How it was used
dataset-usage-decisions = { $n ->
    [0] It was not asked for yet.
    [one] Asked once.
   *[other] Asked { $count } times.
  }
dataset-usage-permits = { $count } permitted,
dataset-usage-denials = { $count } refused;
dataset-usage-rows = { $count } rows released.
dataset-chart = Decisions a day
dataset-chart-text = Horizontal bars, one a day, as long as the number of decisions on that day.
dataset-day = Day
dataset-decisions = Decisions
dataset-grants = Who holds grants
dataset-no-grants = Nobody holds a grant.
dataset-versions = Versions
dataset-version = Version
dataset-made = Made
dataset-rows = Rows
dataset-provider = Provider
dataset-frequency = Updated
dataset-changed = Last changed
dataset-regions = Regions
dataset-everywhere = Everywhere
dataset-conditions = Conditions
dataset-law = Law that forbids sharing
dataset-keywords = Keywords
until-day = until { $day }
