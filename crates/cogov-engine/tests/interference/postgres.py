"""The fuzzer's answers, judged by PostgreSQL: the same statements over tables that were filtered and masked beforehand.

    postgres.py FILE      (what the test wrote to COGOV_FUZZ_DUMP; needs psycopg and PostgreSQL's programs; exits 1 on any difference)

Where both give rows, they must be the same rows: in the same order where the statement fixes one. Statements that one of
them ends in an error are counted and not compared: which rows meet an expression that raises is a matter of the plan.
RAISED=1 prints those that only cogov ends so.
"""

import collections
import decimal
import json
import math
import os
import pathlib
import sys

import psycopg

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from cluster import Cluster

SHOWN = 5
TYPES = {
    "Int64": "bigint", "Int32": "integer", "Float64": "double precision", "Utf8View": "text", "Date32": "date",
    "Decimal128(10, 2)": "numeric(10, 2)", "Boolean": "boolean",
}
# Names that the statements use beside PostgreSQL's own.
SETUP = """
CREATE DOMAIN public."double" AS double precision;
CREATE FUNCTION public.to_date(text) RETURNS date LANGUAGE sql AS 'SELECT $1::date';
"""


def connect(cluster):
    return psycopg.connect(host=cluster.host, user=cluster.USER, dbname="postgres", autocommit=True)


def load(connection, tables):
    for schema in {table["name"].split(".")[0] for table in tables}:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")
    for table in tables:
        columns = ", ".join(f'"{name}" {TYPES[type]}' for name, type in table["columns"])
        connection.execute(f"CREATE TABLE {table['name']} ({columns})")
        places = ", ".join(f"%s::{TYPES[type]}" for _, type in table["columns"])
        with connection.cursor() as cursor:
            if table["columns"]:
                cursor.executemany(f"INSERT INTO {table['name']} VALUES ({places})", table["rows"])


def value(text, kind):
    """A value of ours or of PostgreSQL's, so that equal ones are equal."""
    if text is None:
        return None
    if kind.startswith(("Int", "UInt")):
        return int(text)
    if kind.startswith("Float"):
        number = float(text)
        return "NaN" if math.isnan(number) else float(f"{number:.12g}") + 0.0
    if kind.startswith("Decimal"):
        # Means have as many digits as each engine likes.
        return decimal.Decimal(str(text)).quantize(decimal.Decimal("1e-4")) + 0
    if kind == "Boolean":
        return str(text).lower()
    return str(text)


def rows(all_rows, kinds, ordered):
    found = [tuple(value(cell, kind) for cell, kind in zip(row, kinds)) for row in all_rows]
    return found if ordered else sorted(found, key=repr)


def judge(connection, answer, told):
    raised = answer.get("raised", False)
    try:
        theirs = connection.execute(answer["sql"]).fetchall()
    except psycopg.Error as error:
        told["both raise" if raised else f"PostgreSQL: {error.sqlstate}"] += 1
        return None
    if raised:
        told["only cogov raises"] += 1
        if os.environ.get("RAISED"):
            print(answer["sql"])
        return None
    told["compared"] += 1
    try:
        theirs = rows(theirs, answer["types"], answer["ordered"])
    except (ValueError, decimal.InvalidOperation):
        return f"other types than {answer['types']}", theirs
    ours = rows(answer["rows"], answer["types"], answer["ordered"])
    return None if ours == theirs else (ours, theirs)


def main(file):
    told, wrong = collections.Counter(), []
    with Cluster() as cluster, connect(cluster) as connection:
        connection.execute(SETUP)
        connection.execute("SET statement_timeout = '10s'")
        for line in pathlib.Path(file).read_text().splitlines():
            pair = json.loads(line)
            load(connection, pair["tables"])
            for answer in pair["answers"]:
                found = judge(connection, answer, told)
                if found:
                    wrong.append((pair["pair"], answer["sql"], *found))
    for pair, sql, ours, theirs in wrong[:int(os.environ.get("SHOWN", SHOWN))]:
        print(f"\n{pair}\n{sql}\n--- cogov\n{ours}\n--- PostgreSQL\n{theirs}")
    errors = ", ".join(f"{count} {what}" for what, count in told.most_common() if what != "compared")
    print(f"{told['compared']} answers compared, {len(wrong)} other than PostgreSQL's; not compared: {errors}")
    if wrong or not told["compared"] or told["compared"] < sum(told.values()) / 2:
        sys.exit(1)


main(*sys.argv[1:])
