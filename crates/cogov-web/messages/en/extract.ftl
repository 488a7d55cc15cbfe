extract-parquet = Extract as Parquet
extract-csv = Extract as CSV
extract-text = A file carries the mark of its decision in the order of its rows: a copy can be traced to this grant. No value is changed. Its SHA-256 is written to the ledger.
