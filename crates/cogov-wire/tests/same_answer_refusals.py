"""What every door refuses, and refuses alike: grant, statement, SQLSTATE, HTTP status."""

NORTH, WELFARE, HEALTH = "g-north-revenue", "g-welfare-revenue", "g-health-welfare"
WREN, LAB, NOISE, VERIFY = "g-wren-regions", "g-lab-statistics", "g-operator-noise", "g-south-verify"

REFUSALS = [
    # No statements but SELECT.
    (NORTH, "EXPLAIN SELECT * FROM tax_units", "0A000", 400),
    (NORTH, "DELETE FROM tax_units", "0A000", 400),
    (NORTH, "INSERT INTO tax_units (recid) VALUES (1)", "0A000", 400),
    (NORTH, "CREATE TABLE copy AS SELECT * FROM tax_units", "0A000", 400),
    (NORTH, "SELEC 1", "42601", 400),
    (NORTH, "SELECT 'open", "42601", 400),
    # Columns and tables that the grant does not hold do not exist.
    (NORTH, "SELECT medical_expenses FROM tax_units", "42703", 400),
    (NORTH, "SELECT phone FROM persons", "42703", 400),
    (NORTH, "SELECT count(*) FROM persons WHERE address LIKE 'A%'", "42703", 400),
    (NORTH, "SELECT no_such_column FROM tax_units", "42703", 400),
    (NORTH, "SELECT recid FROM tax_units u JOIN persons p ON u.recid = p.recid", "42702", 400),
    (NORTH, "SELECT * FROM welfare.benefits", "42P01", 400),
    (NORTH, "SELECT * FROM no_such_table", "42P01", 400),
    (WELFARE, "SELECT * FROM registry.persons", "42P01", 400),
    (HEALTH, "SELECT housing_ben FROM benefits", "42703", 400),
    (HEALTH, "SELECT * FROM health.coverage", "42P01", 400),
    (WREN, "SELECT * FROM revenue.tax_units", "42P01", 400),
    # Functions that are not there.
    (NORTH, "SELECT pg_read_file('/etc/passwd')", "42883", 400),
    (NORTH, "SELECT arrow_typeof(wages) FROM tax_units", "42883", 400),
    (NORTH, "SELECT random()", "42883", 400),
    (NORTH, "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r", "0A000", 400),
    # What is SQL, but not governed yet: once it is, it belongs among the answers.
    (NORTH, "SELECT DISTINCT ON (name) name, recid FROM persons ORDER BY name, recid", "0A000", 400),
    # Values that cannot be computed with.
    (NORTH, "SELECT wages / 0 FROM tax_units", "22000", 400),
    (NORTH, "SELECT CAST(name AS BIGINT) FROM persons", "22000", 400),
    (NORTH, "SELECT 9223372036854775807 + 1 AS x", "22000", 400),
    (NORTH, "SELECT sum(wages + 9223372036854775807) AS x FROM tax_units", "22000", 400),
    # Statistics show no single row.
    (LAB, "SELECT * FROM revenue.tax_units", "42501", 403),
    (LAB, "SELECT wages FROM tax_units WHERE recid = 1", "42501", 403),
    (LAB, "SELECT wages FROM tax_units LIMIT 1", "42501", 403),
    (LAB, "SELECT DISTINCT fips FROM tax_units", "42501", 403),
    (LAB, "SELECT max(wages) FROM tax_units", "0A000", 400),
    (LAB, "SELECT min(age_head) FROM coverage", "0A000", 400),
    (LAB, "SELECT sum(CASE WHEN recid = 1 THEN wages END) FROM tax_units", "0A000", 400),
    (LAB, "SELECT sum(wages) FILTER (WHERE recid = 1) FROM tax_units", "0A000", 400),
    (LAB, "SELECT fips, count(*) FROM tax_units GROUP BY ROLLUP (fips)", "0A000", 400),
    (LAB, "SELECT wages FROM tax_units UNION SELECT mcaid_ben FROM coverage", "42501", 403),
    (LAB, "SELECT recid, row_number() OVER (ORDER BY wages) FROM tax_units", "42501", 403),
    (LAB, "SELECT 1 WHERE EXISTS (SELECT 1 FROM tax_units WHERE recid = 1 AND wages > 0)", "42501", 403),
    # Under noise: no rows, nothing without bounds, no more of the budget than there is.
    (NOISE, "SELECT wages FROM tax_units", "42501", 403),
    (NOISE, "SELECT sum(agi_band) FROM tax_units", "42501", 403),
    (NOISE, "SELECT max(wages) FROM tax_units", "0A000", 400),
    # Nor do they pick single units out.
    (LAB, "SELECT sum(wages) FROM tax_units WHERE recid = 266128", "42501", 403),
    (LAB, "SELECT sum(wages) FROM tax_units WHERE recid <> 5", "42501", 403),
    (LAB, "SELECT recid, count(*) FROM tax_units GROUP BY recid", "42501", 403),
    (LAB, "SELECT age_head, sum(mcaid_ben) FROM coverage WHERE recid < 5 GROUP BY age_head", "42501", 403),
    # Forms that the engine cannot yet govern.
    (VERIFY, "SELECT count(*) FROM benefits", "42501", 403),
    (VERIFY, "SELECT identity_number FROM persons", "42501", 403),
]

# Grants that let an account in by no door: expired, refused, another party's, without the role, not there. HTTP status.
CLOSED = [
    ("g-east-housing", "yuki", 403),
    ("g-lantern-veterans", "marco", 403),
    (NORTH, "zhou", 404),
    (NORTH, "hanna", 403),
    ("g-not-there", "lin", 404),
]
