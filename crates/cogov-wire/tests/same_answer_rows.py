"""Cases over grants of rows and extracts: statements that stand for every kind of question a grant may answer."""

from same_answer_case import Case

NORTH, WELFARE, HEALTH, WREN = "g-north-revenue", "g-welfare-revenue", "g-health-welfare", "g-wren-regions"

# Conditions over the region's own tax units; each is counted, and its first rows are read.
NORTH_CONDITIONS = [
    "wages > 100000",
    "wages BETWEEN 20000 AND 20500",
    "wages NOT BETWEEN 0 AND 150000",
    "agi_band IN (0, 3, 16)",
    "agi_band NOT IN (0, 1, 2, 3, 4, 5)",
    "filing_status = 4 AND exemptions >= 3",
    "filing_status <> 1 OR interest > 10000",
    "NOT (wages > 0 OR business_income <> 0)",
    "business_income < 0",
    "fips = 6",
    "nullif(wages, 0) IS NULL AND pensions > 50000",
    "nullif(wages, 0) IS NOT NULL AND interest > 5000",
    "wages % 1000 = 0 AND wages > 0",
    "wages / 1000 = 42",
    "wages + business_income > 250000",
    "coalesce(nullif(pensions, 0), wages) > 200000",
    "CASE WHEN filing_status = 2 THEN wages / 2 ELSE wages END > 120000",
    "CAST(wages AS TEXT) LIKE '777%'",
    "wages IS DISTINCT FROM 0 AND recid % 100 = 6",
    "EXISTS (SELECT 1 FROM registry.persons p WHERE p.recid = tax_units.recid AND p.birth_date > 1998)",
    "recid IN (SELECT recid FROM registry.persons WHERE name = 'Q…')",
    "recid NOT IN (SELECT recid FROM registry.persons WHERE birth_date < 1990)",
    "wages > (SELECT 6 * avg(wages) FROM revenue.tax_units)",
    "interest = (SELECT max(interest) FROM revenue.tax_units)",
    "sqrt(wages) > 400",
    "abs(business_income) >= 100000",
]

# Over masked columns: the mask is all there is.
PERSON_CONDITIONS = [
    "name LIKE 'A%'",
    "name NOT LIKE '_…'",
    "name LIKE '李%'",
    "name ILIKE 'b%'",
    "name = '王…'",
    "name IN ('L…', 'M…', '陈…')",
    "name > 'X'",
    "name LIKE '__%'",
    "birth_date = 1980",
    "birth_date BETWEEN 1950 AND 1955",
    "birth_date % 10 = 0 AND name LIKE 'S%'",
    "birth_date IS NULL",
    "length(identity_number) = 9",
    "identity_number IS NOT NULL AND birth_date < 1935",
    "identity_number LIKE '%@%'",
    "identity_number = '992325195712018397'",
    "upper(name) = lower(name)",
    "strpos(name, '…') = 2",
    "starts_with(name, 'K')",
    "CAST(birth_date AS TEXT) LIKE '197_'",
]

# Expressions of one row.
EXPRESSIONS = [
    "wages + interest * 2 - pensions",
    "wages / 7",
    "wages % 7",
    "-business_income",
    "CAST(wages AS DOUBLE PRECISION) / 7",
    "round(CAST(wages AS DOUBLE PRECISION) / 7, 2)",
    "CAST(CAST(wages AS DOUBLE PRECISION) / 7 AS BIGINT)",
    "wages::text || '-' || agi_band::text",
    "CAST(agi_band AS SMALLINT)",
    "CAST(filing_status AS REAL)",
    "TRY_CAST(substr(CAST(wages AS TEXT), 2) AS BIGINT)",
    "CAST(wages AS DECIMAL(12, 2))",
    "wages > 30000",
    "wages > 30000 AND interest = 0",
    "nullif(wages, 0)",
    "coalesce(nullif(wages, 0), nullif(pensions, 0), -1)",
    "greatest(wages, pensions, interest)",
    "least(wages, business_income)",
    "CASE filing_status WHEN 1 THEN 'single' WHEN 2 THEN 'joint' ELSE 'other' END",
    "CASE WHEN wages > 50000 THEN 'high' WHEN wages > 0 THEN 'low' END",
    "floor(ln(wages + 1.0))",
    "power(agi_band, 2)",
    "make_date(CAST(tax_year AS INTEGER), 1 + CAST(agi_band % 12 AS INTEGER), 28)",
    "date_part('year', make_date(CAST(tax_year AS INTEGER), 6, 30))",
    "extract(month FROM make_date(2014, 1 + CAST(agi_band % 12 AS INTEGER), 1))",
    "CAST(date_trunc('year', make_date(CAST(tax_year AS INTEGER), 7, 4)) AS DATE)",
    "CAST(DATE '2014-01-31' + INTERVAL '1 month' AS DATE)",
    "TIMESTAMP '2014-03-01 12:34:56'",
    "TIMESTAMP '2014-03-01 12:34:56.789'",
    "CAST(wages AS DOUBLE PRECISION) / 3e-5",
    "NULL",
]

TEXTS = [
    "upper(name)",
    "lower(name)",
    "length(name)",
    "character_length(name)",
    "bit_length(name)",
    "substr(name, 1, 1)",
    "substring(name FROM 2 FOR 1)",
    "left(name, 1)",
    "right(name, 1)",
    "reverse(name)",
    "replace(name, '…', '.')",
    "concat(name, ' ', birth_date)",
    "concat_ws('/', name, CAST(birth_date AS TEXT))",
    "name || NULL",
    "trim('…' FROM name)",
    "rtrim(name, '…')",
    "split_part(name, '…', 1)",
    "strpos(name, '…')",
    "position('…' IN name)",
    "ascii(name)",
    "translate(name, '…', '*')",
    "starts_with(name, 'M')",
    "regexp_replace(name, '[A-M]', '?')",
    "name LIKE 'L%'",
    "identity_number",
    "coalesce(identity_number, 'none')",
    "nullif(identity_number, 'x')",
    "CASE WHEN birth_date > 1980 THEN identity_number END",
    "make_date(birth_date, 1, 1)",
    "2026 - birth_date",
]


# Whole statements whose ORDER BY is total.
ORDERED = [
    (NORTH, "SELECT recid, wages FROM tax_units ORDER BY wages DESC, recid LIMIT 20"),
    (NORTH, "SELECT recid, wages FROM tax_units ORDER BY wages DESC, recid LIMIT 10 OFFSET 1000"),
    (NORTH, "SELECT recid, nullif(wages, 0) AS w FROM tax_units ORDER BY w, recid LIMIT 40"),
    (NORTH, "SELECT recid, nullif(wages, 0) AS w FROM tax_units ORDER BY w DESC, recid LIMIT 40"),
    (NORTH, "SELECT recid, nullif(wages, 0) AS w FROM tax_units ORDER BY w DESC NULLS LAST, recid LIMIT 40"),
    (NORTH, "SELECT * FROM tax_units ORDER BY recid LIMIT 1000"),
    (NORTH, "SELECT * FROM registry.persons ORDER BY recid DESC LIMIT 1000"),
    (NORTH, "SELECT DISTINCT name FROM persons ORDER BY name"),
    (NORTH, "SELECT recid, wages, interest, local_taxes FROM tax_units ORDER BY recid"),
    (NORTH, "SELECT recid, name, identity_number, birth_date FROM persons ORDER BY recid"),
    (WELFARE, "SELECT recid, fips, wages, pensions FROM tax_units ORDER BY wages, recid DESC"),
    (NORTH, "SELECT p.recid, p.name, u.wages FROM persons p JOIN tax_units u ON u.recid = p.recid"
     " WHERE u.wages > 150000 ORDER BY u.wages DESC, p.recid LIMIT 50"),
    (NORTH, "SELECT recid, rank() OVER (PARTITION BY agi_band ORDER BY wages DESC) AS r FROM tax_units"
     " WHERE agi_band IN (1, 2) ORDER BY recid LIMIT 200"),
    (NORTH, "SELECT recid, row_number() OVER (ORDER BY interest DESC, recid) AS n FROM tax_units ORDER BY n LIMIT 100"),
    (NORTH, "SELECT recid, lag(wages) OVER (ORDER BY recid) AS b, lead(wages, 2, -1) OVER (ORDER BY recid) AS a"
     " FROM tax_units ORDER BY recid LIMIT 100"),
    (NORTH, "SELECT recid, sum(wages) OVER (ORDER BY recid ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s"
     " FROM tax_units ORDER BY recid LIMIT 100"),
    (NORTH, "SELECT recid, avg(wages) OVER (PARTITION BY filing_status) AS m FROM tax_units ORDER BY recid LIMIT 100"),
    (NORTH, "SELECT recid, ntile(4) OVER (ORDER BY wages, recid) AS q FROM tax_units ORDER BY recid LIMIT 100"),
    (NORTH, "SELECT recid, first_value(recid) OVER (PARTITION BY agi_band ORDER BY wages DESC, recid) AS top"
     " FROM tax_units ORDER BY recid LIMIT 100"),
    (NORTH, "WITH t AS (SELECT agi_band, count(*) AS n FROM tax_units GROUP BY agi_band)"
     " SELECT agi_band, n, dense_rank() OVER (ORDER BY n DESC) AS r FROM t ORDER BY r, agi_band"),
    (NORTH, "SELECT birth_date, count(*) AS n FROM persons GROUP BY birth_date ORDER BY n DESC, birth_date LIMIT 15"),
    (WELFARE, "SELECT fips, count(*) AS n, sum(wages) AS s FROM tax_units GROUP BY fips ORDER BY n DESC, fips"),
    (WELFARE, "SELECT * FROM revenue.tax_units ORDER BY dividends DESC, recid LIMIT 300"),
    (HEALTH, "SELECT * FROM benefits ORDER BY snap_ben DESC, wic_ben DESC, recid LIMIT 300"),
    (HEALTH, "SELECT fips, avg(snap_ben) AS m FROM benefits GROUP BY fips ORDER BY m DESC, fips LIMIT 10"),
    (WREN, "SELECT * FROM regions ORDER BY fips"),
    (WREN, "SELECT name_zh, name_en FROM regions ORDER BY name_zh DESC"),
    (WREN, "SELECT left(name_en, 1) AS l, count(*) AS n FROM regions GROUP BY 1 ORDER BY 2 DESC, 1"),
    (WREN, "SELECT string_agg(name_en, '+' ORDER BY name_en) AS all_names FROM regions ORDER BY 1"),
]

# Whole statements whose rows may come in any order.
STATEMENTS = [
    (NORTH, "SELECT birth_date FROM persons EXCEPT SELECT birth_date FROM persons WHERE name LIKE 'M%'"),
    (NORTH, "SELECT fips FROM persons INTERSECT SELECT fips FROM tax_units"),
    (NORTH, "SELECT agi_band, count(*) AS n, sum(wages) AS s, avg(wages) AS m FROM tax_units GROUP BY agi_band"),
    (NORTH, "SELECT agi_band, filing_status, min(wages) AS a, max(wages) AS b FROM tax_units GROUP BY 1, 2"),
    (NORTH, "SELECT agi_band, count(*) AS n FROM tax_units GROUP BY agi_band HAVING count(*) > 2000"),
    (NORTH, "SELECT filing_status, stddev(wages) AS s, var_pop(interest) AS v FROM tax_units GROUP BY filing_status"),
    (NORTH, "SELECT corr(wages, local_taxes) AS c, covar_pop(wages, interest) AS v FROM tax_units"),
    (NORTH, "SELECT median(CAST(wages AS DOUBLE PRECISION)) AS m FROM tax_units WHERE wages > 0"),
    (NORTH, "SELECT count(*) FILTER (WHERE wages > 0) AS n, sum(interest) FILTER (WHERE wages = 0) AS s FROM tax_units"),
    (NORTH, "SELECT agi_band, filing_status, count(*) AS n FROM tax_units GROUP BY ROLLUP (agi_band, filing_status)"),
    (NORTH, "SELECT filing_status, exemptions, count(*) AS n FROM tax_units GROUP BY CUBE (filing_status, exemptions)"),
    (NORTH, "SELECT filing_status, tax_year, sum(wages) AS s FROM tax_units"
     " GROUP BY GROUPING SETS ((filing_status), (tax_year), ())"),
    (NORTH, "SELECT count(DISTINCT agi_band) AS a, count(DISTINCT wages) AS b, count(nullif(wages, 0)) AS c FROM tax_units"),
    (NORTH, "SELECT bool_or(wages > 500000) AS a, bool_and(wages >= 0) AS b FROM tax_units"),
    (NORTH, "SELECT count(DISTINCT identity_number) AS d, count(*) AS n, min(length(name)) AS l FROM persons"),
    (NORTH, "SELECT name, count(*) AS n, min(birth_date) AS y FROM persons GROUP BY name HAVING count(*) >= 50"),
    (NORTH, "SELECT count(*) AS groups FROM (SELECT identity_number FROM persons GROUP BY identity_number) g"),
    (NORTH, "SELECT recid, identity_number, name FROM persons WHERE birth_date = 1944"),
    (NORTH, "SELECT count(*) AS n FROM persons a JOIN persons b ON a.identity_number = b.identity_number"),
    (NORTH, "SELECT count(*) AS n FROM persons a JOIN persons b ON a.identity_number = b.identity_number"
     " WHERE a.recid <> b.recid"),
    (NORTH, "SELECT p.birth_date, sum(u.wages) AS s FROM persons p JOIN tax_units u USING (recid) GROUP BY p.birth_date"),
    (NORTH, "SELECT u.agi_band, count(p.recid) AS n, count(*) AS a FROM tax_units u LEFT JOIN persons p"
     " ON p.recid = u.recid AND p.name LIKE 'J%' GROUP BY u.agi_band"),
    (NORTH, "SELECT count(*) AS n, count(u.recid) AS l, count(p.recid) AS r FROM (SELECT recid FROM tax_units"
     " WHERE wages > 50000) u FULL JOIN (SELECT recid FROM persons WHERE birth_date < 1960) p ON u.recid = p.recid"),
    (NORTH, "SELECT a.agi_band, b.filing_status FROM (SELECT DISTINCT agi_band FROM tax_units) a"
     " CROSS JOIN (SELECT DISTINCT filing_status FROM tax_units) b"),
    (NORTH, "SELECT name FROM persons WHERE birth_date < 1945 UNION SELECT name FROM persons WHERE birth_date > 1998"),
    (NORTH, "SELECT agi_band FROM tax_units WHERE wages > 90000 UNION ALL SELECT filing_status FROM tax_units"
     " WHERE interest > 20000"),
    (NORTH, "SELECT DISTINCT p.birth_date FROM persons p WHERE NOT EXISTS (SELECT 1 FROM tax_units u"
     " WHERE u.recid = p.recid AND u.wages > 20000)"),
    (NORTH, "SELECT count(*) AS n FROM tax_units WHERE (wages > 0) IS DISTINCT FROM true AND filing_status = 2"),
    (NORTH, "SELECT count(*) AS n FROM tax_units WHERE ((wages > 0) IS DISTINCT FROM true) AND filing_status = 2"),
    (NORTH, "WITH rich AS (SELECT recid FROM tax_units WHERE wages > 100000), old AS (SELECT recid, name FROM persons"
     " WHERE birth_date < 1955) SELECT name, count(*) AS n FROM old JOIN rich USING (recid) GROUP BY name"),
    (NORTH, "SELECT u.agi_band, (SELECT max(w.wages) FROM tax_units w WHERE w.agi_band = u.agi_band) AS m"
     " FROM (SELECT DISTINCT agi_band FROM tax_units) u"),
    (NORTH, "SELECT t.b, t.c FROM (VALUES (1, 'one'), (2, 'two')) AS t(b, c)"),
    (NORTH, "SELECT v.label, count(*) AS n FROM tax_units u JOIN (VALUES (1, 'single'), (2, 'joint')) AS v(code, label)"
     " ON v.code = u.filing_status GROUP BY v.label"),
    (NORTH, "SELECT 1 + 1 AS two, 'x' || 'y' AS xy, 2.5 * 2 AS five, true AND NULL AS unknown"),
    (WELFARE, "SELECT count(*) AS n, count(DISTINCT fips) AS f, sum(wages) AS s, sum(farm_income) AS i FROM tax_units"),
    (WELFARE, "SELECT filing_status, avg(wages + business_income) AS m FROM tax_units GROUP BY filing_status"),
    (WELFARE, "SELECT fips, max(wages) AS m FROM tax_units WHERE dividends > 0 GROUP BY fips HAVING count(*) > 50"),
    (WELFARE, "SELECT recid, wages FROM tax_units WHERE farm_income < 0"),
    (WELFARE, "SELECT tax_year, exemptions, count(*) AS n FROM tax_units GROUP BY tax_year, exemptions"),
    (WELFARE, "SELECT a.fips, count(*) AS n FROM tax_units a JOIN tax_units b ON a.recid = b.recid - 1 AND a.fips = b.fips"
     " GROUP BY a.fips"),
    (HEALTH, "SELECT fips, count(*) AS n FROM benefits WHERE snap_ben = 0 GROUP BY fips"),
    (HEALTH, "SELECT children_under_6, sum(wic_ben) AS s, count(*) AS n FROM benefits GROUP BY children_under_6"),
    (HEALTH, "SELECT recid FROM benefits WHERE wic_ben > 0 AND snap_ben = 0 AND children_under_6 > 1"),
    (HEALTH, "SELECT snap_ben > 0 AS food, wic_ben > 0 AS young, count(*) AS n FROM benefits GROUP BY 1, 2"),
    (HEALTH, "SELECT fips FROM benefits WHERE wic_ben > 3000 UNION SELECT fips FROM benefits WHERE snap_ben > 9000"),
    (WREN, "SELECT name_en FROM regions WHERE name_en LIKE '%mark'"),
    (WREN, "SELECT fips, length(name_en) AS l, char_length(name_zh) AS c FROM regions WHERE fips BETWEEN 1 AND 20"),
    (WREN, "SELECT a.name_zh, b.name_zh AS next FROM regions a JOIN regions b ON b.fips = a.fips + 1"),
    (WREN, "SELECT upper(left(name_en, 1)) = left(name_en, 1) AS same, count(*) AS n FROM regions GROUP BY 1"),
]

# Statements with parameters: bound in the extended protocol and over HTTP, written in for the simple protocol.
BOUND = [
    (NORTH, "SELECT count(*) AS n FROM tax_units WHERE wages > $1", [(0,), (50000,), (10**7,), (-1,)]),
    (NORTH, "SELECT count(*) AS n FROM tax_units WHERE wages BETWEEN $1 AND $2", [(1, 1000), (30000, 40000)]),
    (NORTH, "SELECT recid, wages FROM tax_units WHERE agi_band = $1 AND wages > $2", [(4, 20000), (9, 60000)]),
    (NORTH, "SELECT count(*) AS n FROM persons WHERE name = $1", [("A…",), ("李…",), ("O'x",), ("",)]),
    (NORTH, "SELECT count(*) AS n FROM persons WHERE name LIKE $1 AND birth_date < $2", [("M%", 1950), ("%…", 1940)]),
    (NORTH, "SELECT count(*) AS n FROM tax_units WHERE CAST(wages AS DOUBLE PRECISION) / 12 > $1", [(2500.5,), (0.25,)]),
    (NORTH, "SELECT count(*) AS n FROM tax_units WHERE agi_band IN ($1, $2, $3)", [(1, 2, 3), (16, 0, 16)]),
    (NORTH, "SELECT filing_status, count(*) AS n FROM tax_units WHERE interest >= $1 GROUP BY filing_status HAVING"
     " count(*) > $2", [(1, 100), (1000, 5)]),
    (WELFARE, "SELECT count(*) AS n, sum(wages) AS s FROM tax_units WHERE fips = $1", [(6,), (48,), (36,)]),
    (HEALTH, "SELECT count(*) AS n FROM benefits WHERE children_under_6 >= $1 AND fips <> $2", [(1, 6), (2, 36)]),
    (WREN, "SELECT fips FROM regions WHERE name_zh = $1 OR name_en = $2", [("梣谷", "Frostmark"), ("x", "Redmesa")]),
]


def conditions():
    for condition in NORTH_CONDITIONS:
        yield Case(NORTH, f"SELECT count(*) AS n, sum(wages) AS s FROM tax_units WHERE {condition}")
        listed = f"SELECT recid, wages, interest FROM tax_units WHERE {condition} ORDER BY recid LIMIT 25"
        yield Case(NORTH, listed, ordered=True, empty=True)
    for condition in PERSON_CONDITIONS:
        yield Case(NORTH, f"SELECT count(*) AS n, min(recid) AS first FROM persons WHERE {condition}")


def cases():
    yield from conditions()
    for expression in EXPRESSIONS:
        yield Case(NORTH, f"SELECT recid, {expression} AS x FROM tax_units ORDER BY recid LIMIT 150", ordered=True)
    for expression in TEXTS:
        yield Case(NORTH, f"SELECT recid, {expression} AS x FROM persons ORDER BY recid LIMIT 150", ordered=True)
    for grant, sql in ORDERED:
        yield Case(grant, sql, ordered=True)
    for grant, sql in STATEMENTS:
        yield Case(grant, sql)
    for grant, sql, sets in BOUND:
        for params in sets:
            yield Case(grant, sql, params, empty=True)
