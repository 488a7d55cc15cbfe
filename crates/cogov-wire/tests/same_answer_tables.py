"""The tables of a grant, filtered and masked beforehand by an engine that knows nothing of cogov.

Written by hand from `demo/grants.toml` and from what the rulebook in force decides: row scopes are WHERE clauses over the
raw files, masks are expressions of DuckDB's. A keyed hash cannot be computed without the key: in its place stands the
raw value behind `HASHED`, and the comparison wants one hash for each value and one value for each hash.
"""

import pathlib

import duckdb

HASHED = "hashed:"

# Per grant: schema, table, columns as SQL over the raw file, row scope as SQL.
TABLES = {
    "g-north-revenue": [
        (
            "revenue",
            "tax_units",
            "recid, fips, tax_year, filing_status, exemptions, agi_band, wages, business_income, interest, pensions,"
            " local_taxes, real_estate_taxes",
            "fips = 6",
        ),
        (
            "registry",
            "persons",
            "recid, fips, left(name, 1) || '…' AS name,"
            f" '{HASHED}' || identity_number AS identity_number, year(birth_date)::INTEGER AS birth_date",
            "fips = 6",
        ),
    ],
    "g-welfare-revenue": [
        (
            "revenue",
            "tax_units",
            "recid, fips, tax_year, filing_status, exemptions, wages, business_income, farm_income, interest,"
            " dividends, pensions",
            "recid IN (SELECT recid FROM {welfare.benefits} WHERE snap_ben > 0 OR ssi_ben > 0 OR tanf_ben > 0"
            " OR wic_ben > 0 OR housing_ben > 0)",
        ),
    ],
    "g-health-welfare": [
        (
            "welfare",
            "benefits",
            "recid, fips, snap_ben, wic_ben, children_under_6",
            "recid IN (SELECT recid FROM {health.coverage} WHERE mcaid_ben > 0)",
        ),
    ],
    "g-wren-regions": [("regions", "regions", "fips, name_en, name_zh", "true")],
    "g-lab-statistics": [
        (
            "revenue",
            "tax_units",
            "recid, fips, tax_year, weight, filing_status, exemptions, agi_band, wages, business_income, interest,"
            " dividends, pensions, medical_expenses",
            "true",
        ),
        ("health", "coverage", "recid, fips, age_head, age_spouse, mcaid_ben, mcare_ben", "true"),
    ],
}


def raw_files(home):
    """The raw file of every table, as SQL that reads it."""
    files = {}
    for file in pathlib.Path(home, "objects", "datasets").glob("*/*.parquet"):
        name = f"{file.parent.name}.{file.stem.rsplit('-', 1)[0]}"
        if name in files:
            raise SystemExit(f"FAILED {name} has several versions; this suite wants a fresh demo world")
        files[name] = f"read_parquet('{file}')"
    return files


def prepared(home, grant):
    """A DuckDB of its own that holds a grant's tables and nothing else, with PostgreSQL's order of nulls."""
    files = raw_files(home)
    connection = duckdb.connect(":memory:")
    connection.execute("SET default_null_order = 'nulls_last_on_asc_first_on_desc'")
    connection.execute("SET integer_division = true")
    schemas = []
    for schema, table, columns, scope in TABLES[grant]:
        for name, file in files.items():
            scope = scope.replace("{" + name + "}", file)
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        source = files[f"{schema}.{table}"]
        connection.execute(f"CREATE TABLE {schema}.{table} AS SELECT {columns} FROM {source} WHERE {scope}")
        schemas.append(schema)
    connection.execute(f"SET search_path = '{','.join(schemas)}'")
    return connection
