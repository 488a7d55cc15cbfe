extract-parquet = 导出 Parquet
extract-csv = 导出 CSV
extract-text = 文件以行的顺序带有其裁决的标记，副本可追溯至本授权；数值不作任何改动。文件的 SHA-256 记入账本。
