grants-title = Grants
grants-lead = Everything that was granted here: to whom, what for and until when.
grants-none = There are no grants.
grants-workbench = Open the workbench
my-grants-title = Workbench
my-grants-lead = Your party’s grants. Each is a database that holds exactly what was granted.
grant-connect = Connect with psql or Python
grant-columns = Columns
grant-use = What was decided
grant-revoke = End this grant
grant-revoke-text = The provider may not stop without cause (article 27). The reasons stand in the ledger.
grant-party = Holder
grant-providers = Provider
grant-datasets = Datasets
workbench-title = Workbench
workbench-tables = Tables
workbench-why = Why
workbench-sql = Query
workbench-sql-hint = Ctrl + Enter runs it. Choose a table or column name at the side to insert it.
workbench-run = Run
workbench-explain = Explain without running
workbench-csv = Download CSV
workbench-arrow = Download Arrow
workbench-result = Result
workbench-explained = What the rulebook would say
workbench-labels = What each column is, and why
workbench-clauses = Clauses that decided
workbench-entry = Ledger entry { $count }
workbench-null = null
workbench-rows = { $n ->
    [one] One row.
   *[other] { $count } rows.
  }
workbench-first = The first { $count } rows are shown; download for all.
workbench-refused = Refused
workbench-wrong = The query could not be answered
workbench-chart = { $value } by { $label }
workbench-chart-text = Horizontal bars, one a row of the table below.
