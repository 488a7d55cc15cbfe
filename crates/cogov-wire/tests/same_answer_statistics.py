"""Cases over a grant of statistics: every group has at least `LEAST` units, every figure at least `LEAST` contributors.

DuckDB holds the whole tables here, so the suite writes the rule out for it: a group of fewer units is no row, and a
figure of a column that is null for most of the group is null. Units are told apart by `recid` in every table.

Ours may show less: what few units dominate, what tells the value of each, and what could be subtracted from earlier
answers. So a group may be absent and a figure null; what is shown must be the same, and most of it must be shown.
"""

from same_answer_case import Case

LAB = "g-lab-statistics"
LEAST = 10

UNITS, COVER = "revenue.tax_units", "health.coverage"
JOINED = "revenue.tax_units u JOIN health.coverage c ON u.recid = c.recid"

# Statistics of one table: from, groups, figures as (function, argument), condition, condition on groups.
STATISTICS = [
    (UNITS, "", [("count", "*")], "", ""),
    (UNITS, "", [("sum", "wages"), ("avg", "wages"), ("count", "wages")], "", ""),
    (UNITS, "", [("sum", "medical_expenses")], "wages > 100000", ""),
    (UNITS, "", [("avg", "interest + dividends")], "", ""),
    (UNITS, "", [("sum", "wages * 2 - pensions")], "fips = 6", ""),
    (UNITS, "", [("stddev", "wages"), ("var_pop", "interest")], "filing_status = 2", ""),
    (UNITS, "", [("count", "wages")], "", ""),
    (UNITS, "fips", [("count", "*"), ("sum", "wages")], "", ""),
    (UNITS, "agi_band", [("count", "*"), ("avg", "medical_expenses")], "", ""),
    (UNITS, "filing_status, tax_year", [("count", "*"), ("avg", "wages")], "", ""),
    (UNITS, "exemptions", [("count", "*")], "", ""),
    (UNITS, "exemptions, filing_status", [("count", "*"), ("sum", "weight")], "", ""),
    (UNITS, "fips, agi_band", [("count", "*")], "wages > 0", ""),
    (UNITS, "fips, agi_band, filing_status", [("avg", "wages")], "interest > 1000", ""),
    (UNITS, "fips", [("avg", "business_income")], "business_income < 0", ""),
    (UNITS, "fips", [("count", "*")], "medical_expenses > 20000", ""),
    (UNITS, "fips", [("sum", "dividends")], "", "count(*) > 5000"),
    (UNITS, "agi_band", [("avg", "pensions")], "", "avg(pensions) > 2000"),
    (UNITS, "fips", [("count", "interest"), ("count", "*")], "agi_band = 1", ""),
    (UNITS, "wages > 50000", [("count", "*"), ("avg", "interest")], "", ""),
    (UNITS, "exemptions", [("avg", "wages")], "agi_band BETWEEN 10 AND 16", ""),
    (UNITS, "tax_year", [("stddev_pop", "wages"), ("var", "pensions")], "fips IN (1, 2, 4, 6)", ""),
    (COVER, "", [("count", "*"), ("sum", "mcaid_ben")], "", ""),
    (COVER, "age_head", [("count", "*"), ("avg", "mcare_ben")], "", ""),
    (COVER, "age_head, age_spouse", [("count", "*")], "mcaid_ben > 0", ""),
    (COVER, "fips", [("sum", "mcaid_ben"), ("sum", "mcare_ben")], "age_head >= 65", ""),
    (COVER, "age_spouse", [("avg", "mcaid_ben")], "age_spouse > 0 AND fips = 48", ""),
    (COVER, "fips", [("count", "*")], "age_head < 18", ""),
    (JOINED, "", [("count", "*"), ("avg", "u.wages")], "c.mcaid_ben > 0", ""),
    (JOINED, "u.filing_status", [("avg", "c.mcaid_ben"), ("avg", "u.wages")], "", ""),
    (JOINED, "c.age_head", [("avg", "u.medical_expenses"), ("count", "*")], "", ""),
    (JOINED, "u.filing_status", [("avg", "c.mcaid_ben"), ("avg", "u.wages")], "u.fips = 6", ""),
    (JOINED, "u.fips, u.agi_band", [("sum", "c.mcare_ben")], "c.age_head > 64", ""),
    (JOINED, "c.age_head, u.filing_status", [("count", "*")], "u.interest > 5000", "count(*) < 30"),
]

# A group of fewer than ten: no row at either side.
SMALL = [
    (UNITS, "exemptions", [("sum", "wages")], "exemptions > 13 AND agi_band = 16", ""),
]

# Groups by the thousand, weighed against all that was answered before.
MANY = [
    (COVER, "fips, age_head", [("count", "*")], "mcaid_ben > 5000", ""),
]

# Questions about released figures: DuckDB is given what we released.
ABOVE = [
    "SELECT max(n) AS most, min(n) AS least, count(*) AS groups FROM {groups} g",
    "SELECT agi_band, n FROM {groups} g WHERE n > 3000 AND s IS NOT NULL",
    "SELECT agi_band, n, rank() OVER (ORDER BY n DESC) AS r FROM {groups} g",
    "WITH g AS {groups} SELECT agi_band, s / n AS m FROM g WHERE fips = 6",
    "SELECT a.fips FROM {groups} a WHERE a.agi_band = 12 AND a.n BETWEEN 10 AND 200",
]
GROUPS = "SELECT fips, agi_band, count(*) AS n, sum(wages) AS s FROM revenue.tax_units GROUP BY fips, agi_band"


def statement(source, groups, figures, where, having, tail):
    names = ", ".join(f"g{n}" for n in range(len(groups)))
    columns = [f"{group} AS g{number}" for number, group in enumerate(groups)]
    columns += [f"{figure} AS f{number}" for number, figure in enumerate(figures)]
    sql = f"SELECT {', '.join(columns)} FROM {source}"
    sql += f" WHERE {where}" if where else ""
    sql += f" GROUP BY {', '.join(groups)}" if groups else ""
    sql += f" HAVING {having}" if having else ""
    return sql + (f" ORDER BY {names}" if names and tail else "")


def governed(source, figures, having):
    """The figures and the condition on groups, with the rule written out."""
    units = ["u.recid", "c.recid"] if " JOIN " in source else ["recid"]
    enough = " AND ".join(f"count(DISTINCT {unit}) >= {LEAST}" for unit in units)
    shown = []
    for function, argument in figures:
        known = [f"count(DISTINCT CASE WHEN {argument} IS NOT NULL THEN {unit} END) >= {LEAST}" for unit in units]
        whole = f"{function}({argument})"
        shown.append(whole if argument == "*" else f"CASE WHEN {' AND '.join(known)} THEN {whole} END")
    return shown, f"{enough} AND ({having})" if having else enough


def statistic(source, groups, figures, where, having, empty=False):
    groups = [group.strip() for group in groups.split(",")] if groups else []
    asked = [f"{function}({argument})" for function, argument in figures]
    shown, rule = governed(source, figures, having)
    shown = [figure.replace("var(", "var_samp(") for figure in shown]
    ours = statement(source, groups, asked, where, having, tail=True)
    theirs = statement(source, groups, shown, where, rule, tail=True)
    return Case(LAB, ours, theirs=theirs, ordered=True, empty=empty, groups=len(groups))


def cases():
    for parts in STATISTICS:
        yield statistic(*parts)
    for parts in SMALL:
        yield statistic(*parts, empty=True)
    for sql in ABOVE:
        theirs = sql.format(groups="(SELECT * FROM released)")
        yield Case(LAB, sql.format(groups=f"({GROUPS})"), theirs=theirs, released=GROUPS)
    for parts in MANY:
        yield statistic(*parts)
