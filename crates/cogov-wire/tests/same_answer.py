"""Every door gives the same answer: the PostgreSQL protocol, simple and extended (text and binary results), and HTTP,
compared with the same SQL run by DuckDB over tables that were filtered and masked beforehand.

Usage: same_answer.py $COGOV_HOME/demo.json [WORD]      (needs psycopg[binary] and duckdb; exits 1 on any failure)

With WORD, only the cases whose grant or SQL holds it are run.
"""

import base64
import collections
import datetime
import decimal
import json
import math
import pathlib
import sys
import urllib.error
import urllib.request

import duckdb
import psycopg

import same_answer_refusals
import same_answer_rows
import same_answer_statistics
from same_answer_tables import HASHED, prepared

HASH_LENGTH = 32


class Refused(Exception):
    """What a door says in place of rows: an SQLSTATE or an HTTP status."""


class Postgres:
    """The PostgreSQL protocol: one connection, one form of it."""

    def __init__(self, demo, grant, account, cursor, binary):
        host, port = demo["pg"].rsplit(":", 1)
        self.connection = psycopg.connect(
            host=host, port=port, user=account["name"], password=account["password"], dbname=grant, autocommit=True
        )
        self.cursor, self.binary = cursor, binary

    def ask(self, sql, params):
        extended = self.cursor is psycopg.RawCursor
        options = {"prepare": True, "binary": self.binary} if extended else {}
        with self.cursor(self.connection) as cursor:
            try:
                if extended:
                    cursor.execute(sql, params or None, **options)
                else:
                    cursor.execute(written_in(sql, params))
                return [column.name for column in cursor.description], cursor.fetchall()
            except psycopg.Error as error:
                raise Refused(error.sqlstate or str(error)) from error


class Http:
    """`POST …/query` for JSON."""

    def __init__(self, demo, grant, account):
        self.url = f"{demo['http'].rstrip('/')}/api/v1/grants/{grant}/query"
        pair = f"{account['name']}:{account['password']}"
        token = account.get("token")
        self.proof = f"Bearer {token}" if token else "Basic " + base64.b64encode(pair.encode()).decode()

    def ask(self, sql, params):
        body = {"sql": sql, "params": list(params)} if params else {"sql": sql}
        headers = {"Authorization": self.proof, "Content-Type": "application/json", "Accept": "application/json"}
        request = urllib.request.Request(self.url, data=json.dumps(body).encode(), headers=headers)
        try:
            with urllib.request.urlopen(request) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise Refused(error.code) from error
        columns = answer["columns"]
        return [column["name"] for column in columns], [tuple(map(decoded, row, columns)) for row in answer["rows"]]


def decoded(value, column):
    """JSON has no exact decimals, no infinities and no times: they come as texts."""
    if not isinstance(value, str):
        return value
    for kind, read in DECODERS.items():
        if column["type"].startswith(kind):
            return read(value)
    return value


DECODERS = {
    "Decimal": decimal.Decimal,
    "Float": float,
    "Timestamp": datetime.datetime.fromisoformat,
    "Date": datetime.date.fromisoformat,
}


def written_in(sql, params):
    """A statement with its parameters as literals: the simple protocol has no parameters."""
    for number in range(len(params), 0, -1):
        value = params[number - 1]
        literal = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)
        sql = sql.replace(f"${number}", literal)
    return sql


def doors(demo, grant, account):
    return {
        "simple": Postgres(demo, grant, account, psycopg.ClientCursor, False),
        "extended, text": Postgres(demo, grant, account, psycopg.RawCursor, False),
        "extended, binary": Postgres(demo, grant, account, psycopg.RawCursor, True),
        "HTTP": Http(demo, grant, account),
    }


def plain(value):
    """One form for what the clients write differently: times as ISO 8601, decimals as numbers."""
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


class Hashes:
    """One hash for each value and one value for each hash, over all doors and cases."""

    def __init__(self):
        self.of, self.back = {}, {}

    def same(self, ours, raw):
        if not isinstance(ours, str) or len(ours) != HASH_LENGTH or ours in raw:
            return False
        return self.of.setdefault(raw, ours) == ours and self.back.setdefault(ours, raw) == raw


def same_value(ours, theirs, hashes):
    if isinstance(theirs, str) and theirs.startswith(HASHED):
        return hashes.same(ours, theirs)
    if ours is None or theirs is None:
        return ours is None and theirs is None
    if isinstance(theirs, bool) or isinstance(ours, bool):
        return ours is theirs
    numbers = isinstance(ours, (int, float)) and isinstance(theirs, (int, float))
    if numbers and (isinstance(ours, float) or isinstance(theirs, float)):
        return ours == theirs or math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)
    return type(ours) is type(theirs) and ours == theirs


def by_first_columns(row):
    """A key for rows whose order the statement leaves open. Floats are rounded, so that noise in the last digit does
    not part equal rows; hashes are left out, since the two sides write them differently."""
    key = []
    for value in row:
        hashed = isinstance(value, str) and (value.startswith(HASHED) or is_hash(value))
        value = "" if hashed else value
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        key.append((value is None, not number, float(f"{value:.9g}") if number else str(value)))
    return key


def is_hash(value):
    return len(value) == HASH_LENGTH and set(value) <= set("0123456789abcdef")


def difference(ours, theirs, ordered, hashes):
    """What differs between two lists of rows; none when they are the same."""
    ours = [tuple(map(plain, row)) for row in ours]
    theirs = [tuple(map(plain, row)) for row in theirs]
    if len(ours) != len(theirs):
        return f"{len(ours)} rows in place of {len(theirs)}: {ours[:3]} in place of {theirs[:3]}"
    if not ordered:
        ours, theirs = sorted(ours, key=by_first_columns), sorted(theirs, key=by_first_columns)
    for number, (mine, other) in enumerate(zip(ours, theirs)):
        if len(mine) != len(other) or not all(same_value(a, b, hashes) for a, b in zip(mine, other)):
            return f"row {number}: {mine} in place of {other}"
    return None


def shown_difference(ours, theirs, groups, hashes):
    """As `difference` for a statistic: groups may be absent and figures null. With it, how many figures are shown and how
    many could be."""
    ours = {tuple(map(plain, row[:groups])): tuple(map(plain, row)) for row in ours}
    theirs = {tuple(map(plain, row[:groups])): tuple(map(plain, row)) for row in theirs}
    for group, row in ours.items():
        if group not in theirs:
            return f"the group {group} in place of none", 0, 0
        for mine, other in zip(row[groups:], theirs[group][groups:]):
            if mine is not None and not same_value(mine, other, hashes):
                return f"{row} in place of {theirs[group]}", 0, 0
    figures = sum(value is not None for row in theirs.values() for value in row[groups:])
    shown = sum(value is not None for row in ours.values() for value in row[groups:])
    return None, shown, figures


class Suite:
    """Runs the cases, one set of doors and one DuckDB for each grant."""

    def __init__(self, path):
        self.home = pathlib.Path(path).resolve().parent
        self.demo = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
        self.accounts = {account["name"]: account for account in self.demo["accounts"]}
        self.holders = {grant["id"]: grant["account"] for grant in self.demo["grants"]}
        self.doors, self.tables, self.hashes = {}, {}, Hashes()
        self.passed, self.failed = collections.Counter(), []
        self.shown, self.figures = 0, 0

    def of(self, grant):
        if grant not in self.doors:
            self.doors[grant] = doors(self.demo, grant, self.accounts[self.holders[grant]])
        return self.doors[grant]

    def note(self, grant, sql, faults, kind):
        if not faults:
            self.passed[kind] += 1
            return
        self.failed.append(sql)
        print(f"MISMATCH\n  {grant}: {sql}", *faults, sep="\n  ")

    def answered(self, case):
        if case.grant not in self.tables:
            self.tables[case.grant] = prepared(self.home, case.grant)
        if case.released:
            self.release(case)
        try:
            expected = self.tables[case.grant].execute(case.theirs, list(case.params)).fetchall()
        except duckdb.Error as error:
            self.note(case.grant, case.sql, [f"DuckDB cannot answer: {error}"], "answers")
            return
        faults, names = [], set()
        if not expected and not case.empty:
            faults.append("DuckDB finds no row: the case shows nothing")
        for door, way in self.of(case.grant).items():
            try:
                columns, rows = way.ask(case.sql, case.params)
            except Refused as refusal:
                faults.append(f"{door}: refused with {refusal}")
                continue
            names.add(tuple(columns))
            if case.groups is None:
                wrong = difference(rows, expected, case.ordered, self.hashes)
            else:
                wrong, shown, figures = shown_difference(rows, expected, case.groups, self.hashes)
                self.shown, self.figures = self.shown + shown, self.figures + figures
            faults += [f"{door}: {wrong}"] if wrong else []
        if len(names) > 1:
            faults.append(f"the doors name the columns differently: {sorted(names)}")
        self.note(case.grant, case.sql, faults, "answers")

    def release(self, case):
        """What we release, as a table of DuckDB's."""
        columns, rows = self.of(case.grant)["simple"].ask(case.released, ())
        table = self.tables[case.grant]
        holes = ", ".join("?" for _ in columns)
        names = ", ".join(f"CAST(column{at} AS BIGINT) AS {name}" for at, name in enumerate(columns))
        values = ", ".join(f"({holes})" for _ in rows)
        plain_rows = [None if value is None else int(value) for row in rows for value in row]
        columns = ", ".join(f"column{at}" for at in range(len(columns)))
        table.execute(f"CREATE OR REPLACE TABLE released AS SELECT {names} FROM (VALUES {values}) v({columns})", plain_rows)

    def refused(self, grant, sql, sqlstate, status):
        faults = []
        for door, way in self.of(grant).items():
            wanted = status if door == "HTTP" else sqlstate
            try:
                _, rows = way.ask(sql, ())
                faults.append(f"{door}: answered with {len(rows)} rows in place of {wanted}")
            except Refused as refusal:
                if refusal.args[0] != wanted:
                    faults.append(f"{door}: refused with {refusal} in place of {wanted}")
        self.note(grant, sql, faults, "refusals")


    def closed(self, grant, account, status):
        """A grant that is not this account's, or not in force, opens no door."""
        faults = []
        try:
            Postgres(self.demo, grant, self.accounts[account], psycopg.RawCursor, False)
            faults.append("the PostgreSQL protocol lets the account in")
        except psycopg.OperationalError as error:
            faults += [] if "FATAL" in str(error) else [str(error)]
        try:
            Http(self.demo, grant, self.accounts[account]).ask("SELECT 1", ())
            faults.append("HTTP answers")
        except Refused as refusal:
            faults += [] if refusal.args[0] == status else [f"HTTP: {refusal} in place of {status}"]
        self.note(grant, f"(signing in as {account})", faults, "refusals")


def main():
    suite = Suite(sys.argv[1])
    word = sys.argv[2] if len(sys.argv) > 2 else ""
    for case in [*same_answer_rows.cases(), *same_answer_statistics.cases()]:
        if word in case.grant or word in case.sql:
            suite.answered(case)
    for grant, sql, sqlstate, status in same_answer_refusals.REFUSALS:
        if word in grant or word in sql:
            suite.refused(grant, sql, sqlstate, status)
    for grant, account, status in same_answer_refusals.CLOSED:
        if word in grant:
            suite.closed(grant, account, status)
    if suite.figures:
        share = suite.shown / suite.figures
        print(f"{100 * share:.1f} % of the figures that a threshold alone shows are shown")
        if share < 0.5:
            suite.failed.append("statistics: too little is shown to be useful")
    print(f"{suite.passed['answers']} answers and {suite.passed['refusals']} refusals are the same at every door")
    print(f"{sum(suite.passed.values())} passed, {len(suite.failed)} failed")
    sys.exit(1 if suite.failed else 0)


if __name__ == "__main__":
    main()
