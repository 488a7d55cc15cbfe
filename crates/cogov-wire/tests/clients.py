"""Drives a running demo with the clients that people use: psycopg 3 and SQLAlchemy 2, over every form of a query.

Usage: clients.py $COGOV_HOME/demo.json      (needs psycopg[binary] and SQLAlchemy; exits 1 at the first failure)
"""

import base64
import concurrent.futures
import csv
import io
import json
import sys
import time
import urllib.error
import urllib.request

import psycopg
import sqlalchemy
from sqlalchemy import create_engine, inspect, select, text

DONE = []


def check(name, held, seen=""):
    if not held:
        sys.exit(f"FAILED {name}: {seen!r}")
    DONE.append(name)


def way_in(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def usable_grant(demo, form):
    """A grant that holds now, with the account that may use it."""
    accounts = {account["name"]: account for account in demo["accounts"]}
    for grant in demo["grants"]:
        if grant["state"] == "active" and grant["form"] == form and grant["account"] in accounts:
            return grant, accounts[grant["account"]]
    sys.exit(f"FAILED the demo has no active grant of form {form}")


def connect(demo, grant, account, secret="password", **more):
    host, port = demo["pg"].rsplit(":", 1)
    return psycopg.connect(
        host=host, port=port, user=account["name"], password=account[secret], dbname=grant["id"], **more
    )


def sqlstate(call, *arguments):
    try:
        call(*arguments)
    except psycopg.Error as error:
        return error.sqlstate or str(error)
    return None


def psycopg_asks(demo, grant, account):
    for secret in ("password", "token"):
        with connect(demo, grant, account, secret) as connection:
            check(f"psycopg signs in with a {secret}", connection.execute("SELECT 1").fetchone() == (1,))
    with connect(demo, grant, account) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2"
        ).fetchall()
        check("the grant shows its datasets alone", {schema for schema, _ in tables} == set(grant["datasets"]), tables)
        schema, table = tables[0]
        columns = connection.execute(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position",
            (schema, table),
        ).fetchall()
        check("the table has columns", bool(columns), columns)
        number = next((name for name, kind in columns if kind in ("bigint", "integer", "double precision")), None)
        total = connection.execute(f'SELECT count(*) FROM "{schema}"."{table}"').fetchone()[0]
        check("the table has rows", total > 0, total)
        bare = connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
        check("the search path makes the table's name enough", bare == total)
        sql = f'SELECT * FROM "{schema}"."{table}" ORDER BY 1, 2, 3 LIMIT 500'
        as_text = connection.execute(sql, binary=False).fetchall()
        as_binary = connection.execute(sql, binary=True).fetchall()
        check("text and binary give the same rows", as_text == as_binary)
        prepared = [connection.execute(sql, prepare=True).fetchall() for _ in range(3)]
        check("a prepared statement gives the same rows", all(rows == as_text for rows in prepared))
        http = over_http(demo, grant, account, sql)
        check("HTTP gives the same rows", http["row_count"] == len(as_text), http["row_count"])
        same = all(
            str(a) == str(b) or (isinstance(a, float) and abs(a - b) <= abs(a) * 1e-12)
            for ours, theirs in zip(as_text, http["rows"])
            for a, b in zip(ours, theirs)
        )
        check("HTTP gives the same values", same)
        if number:
            parameters(connection, schema, table, number, total)
        with connection.cursor("long result") as cursor:
            cursor.itersize = 100
            streamed = cursor.execute(sql).fetchall()
        check("a cursor of the server gives the same rows", streamed == as_text, len(streamed))
        with connection.cursor("binary result", binary=True) as cursor:
            cursor.execute(f'SELECT * FROM "{schema}"."{table}" ORDER BY 1, 2, 3 LIMIT %s', (7,))
            portions = [cursor.fetchmany(3) for _ in range(4)]
        check("it gives them in portions", [len(rows) for rows in portions] == [3, 3, 1, 0], portions)
        check("in binary too", [row for rows in portions for row in rows] == as_text[:7])
        refusals(connection, schema, table)
        transactions(connection)
    return schema, table


def parameters(connection, schema, table, number, total):
    sql = f'SELECT count(*) FROM "{schema}"."{table}" WHERE "{number}" >= %s OR "{number}" IS NULL'
    low, high = -(10**12), 10**12
    for form in ("%s", "%b", "%t"):
        counted = connection.execute(sql.replace("%s", form), (low,)).fetchone()[0]
        check(f"a whole number as parameter {form}", counted == total, (counted, total))
        none = connection.execute(
            f'SELECT count(*) FROM "{schema}"."{table}" WHERE "{number}" >= {form}', (float(high),)
        ).fetchone()[0]
        check(f"a number as parameter {form}", none == 0, none)
    with connection.cursor() as cursor:
        cursor.executemany(f'SELECT count(*) FROM "{schema}"."{table}" WHERE "{number}" < %s', [(low,), (high,)], returning=True)
        first = cursor.fetchone()
        check("several sets of parameters in a pipeline", cursor.nextset() and first == (0,), first)


def refusals(connection, schema, table):
    connection.commit()
    for sql, expected in [
        ("SELEC 1", "42601"),
        ("SELECT * FROM no_such_table", "42P01"),
        (f'SELECT no_such_column FROM "{schema}"."{table}"', "42703"),
        ("EXPLAIN SELECT 1", "0A000"),
        (f'DELETE FROM "{schema}"."{table}"', "0A000"),
        ("SELECT pg_read_file('/etc/passwd')", "42883"),
        ("SELECT count(*) FROM pg_catalog.pg_authid, no_such_table", "42P01"),
    ]:
        got = sqlstate(connection.execute, sql)
        check(f"{sql.split()[0]} … is refused as {expected}", got == expected, got)
        connection.rollback()


def transactions(connection):
    with connection.transaction():
        connection.execute("SELECT 1")
        failed = False
        try:
            with connection.transaction():
                connection.execute("SELECT broken")
        except psycopg.Error:
            failed = True
        check("a savepoint is rolled back to", failed and connection.execute("SELECT 2").fetchone() == (2,))
    status = connection.info.transaction_status
    check("no transaction stays open", status == psycopg.pq.TransactionStatus.IDLE, status)


def cancelled(demo, grant, account, schema, table):
    joined = ", ".join(f'"{schema}"."{table}" t{number}' for number in range(4))
    with connect(demo, grant, account, autocommit=True) as connection:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            started = time.monotonic()
            running = pool.submit(sqlstate, connection.execute, f"SELECT count(*) FROM {joined}")
            time.sleep(1)
            connection.cancel()
            got = running.result(timeout=60)
        check("a query is cancelled", got == "57014", got)
        check("it ends soon", time.monotonic() - started < 30)
        check("the connection lives on", connection.execute("SELECT 1").fetchone() == (1,))


def strangers(demo, grant, account):
    wrong = dict(account, password="not the password")
    try:
        connect(demo, grant, wrong)
        check("a wrong password is refused", False)
    except psycopg.OperationalError as error:
        check("a wrong password is refused", "secret is not right" in str(error) or "口令" in str(error), str(error))
    try:
        connect(demo, {"id": "no-such-grant"}, account)
        check("an unknown grant is refused", False)
    except psycopg.OperationalError as error:
        check("an unknown grant is refused", "no-such-grant" in str(error), str(error))


def reflected(demo, grant, account, schema, table):
    host, port = demo["pg"].rsplit(":", 1)
    url = sqlalchemy.URL.create(
        "postgresql+psycopg", account["name"], account["password"], host, int(port), grant["id"]
    )
    engine = create_engine(url)
    inspector = inspect(engine)
    check("SQLAlchemy lists schemas", schema in inspector.get_schema_names(), inspector.get_schema_names())
    names = inspector.get_table_names(schema=schema)
    check("SQLAlchemy lists tables", table in names, names)
    check("SQLAlchemy finds the table", inspector.has_table(table, schema=schema))
    check("SQLAlchemy finds no other", not inspector.has_table("no_such_table", schema=schema))
    check("SQLAlchemy lists columns", bool(inspector.get_columns(table, schema=schema)))
    check("SQLAlchemy finds no key", not inspector.get_pk_constraint(table, schema=schema)["constrained_columns"])
    check("SQLAlchemy finds no index", not inspector.get_indexes(table, schema=schema))
    check("SQLAlchemy finds no foreign key", not inspector.get_foreign_keys(table, schema=schema))
    check("SQLAlchemy finds no view", inspector.get_view_names(schema=schema) == [])
    mapped = sqlalchemy.Table(table, sqlalchemy.MetaData(), schema=schema, autoload_with=engine)
    with engine.connect() as connection:
        rows = connection.execute(select(mapped).limit(5)).fetchall()
        check("SQLAlchemy selects from a reflected table", len(rows) == 5, rows)
        counted = connection.execute(select(sqlalchemy.func.count()).select_from(mapped)).scalar_one()
        check("SQLAlchemy counts", counted > 0, counted)
        check("SQLAlchemy runs text", connection.execute(text("SELECT :x + 1"), {"x": 41}).scalar_one() == 42)
        streamed = connection.execution_options(yield_per=100).execute(select(mapped.c[0]).limit(1000))
        check("SQLAlchemy reads in portions", sum(1 for _ in streamed) > 0)
    engine.dispose()


def over_http(demo, grant, account, sql, accept="application/json", secret="token"):
    if secret == "token":
        proof = "Bearer " + account["token"]
    else:
        proof = "Basic " + base64.b64encode(f"{account['name']}:{account['password']}".encode()).decode()
    request = urllib.request.Request(
        f"{demo['http'].rstrip('/')}/api/v1/grants/{grant['id']}/query",
        data=json.dumps({"sql": sql}).encode(),
        headers={"Authorization": proof, "Content-Type": "application/json", "Accept": accept},
    )
    with urllib.request.urlopen(request) as response:
        check("HTTP names the decision", response.headers["Cogov-Decision"].isdigit())
        check("HTTP names the grade", bool(response.headers["Cogov-Grade"]))
        body = response.read()
    return json.loads(body) if accept == "application/json" else body


def http_asks(demo, grant, account, schema, table):
    sql = f'SELECT count(*) AS n FROM "{schema}"."{table}"'
    n = over_http(demo, grant, account, sql, secret="password")["rows"][0][0]
    lines = list(csv.reader(io.StringIO(over_http(demo, grant, account, sql, "text/csv").decode())))
    check("CSV says the same", lines == [["n"], [str(n)]], lines)
    arrow = over_http(demo, grant, account, sql, "application/vnd.apache.arrow.stream")
    check("Arrow comes as a stream", arrow[:4] == b"\xff\xff\xff\xff", arrow[:16])
    try:
        over_http(demo, grant, account, "SELECT broken")
        check("a bad query is a problem", False)
    except urllib.error.HTTPError as error:
        problem = json.load(error)
        kind = error.headers["Content-Type"]
        check("a bad query is a problem", kind == "application/problem+json" and problem["status"] == 400, problem)
    for path, kind in [
        ("/api/openapi.json", "application/json"),
        ("/catalog.jsonld", "application/ld+json"),
        ("/catalog.ttl", "text/turtle"),
        ("/ledger/checkpoint", "text/plain"),
        ("/ledger/key", "text/plain"),
        ("/healthz", "text/plain"),
        ("/readyz", "text/plain"),
        ("/metrics", "text/plain"),
        ("/api/v1/datasets", "application/json"),
        ("/api/v1/ledger/entries", "application/json"),
    ]:
        with urllib.request.urlopen(demo["http"].rstrip("/") + path) as response:
            check(f"{path} is public", response.headers["Content-Type"].startswith(kind), response.headers["Content-Type"])


def main():
    demo = way_in(sys.argv[1])
    grant, account = usable_grant(demo, "rows")
    schema, table = psycopg_asks(demo, grant, account)
    cancelled(demo, grant, account, schema, table)
    strangers(demo, grant, account)
    reflected(demo, grant, account, schema, table)
    http_asks(demo, grant, account, schema, table)
    statistics, analyst = usable_grant(demo, "aggregate")
    with connect(demo, statistics, analyst) as connection:
        tables = connection.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        check("a grant of statistics shows its tables", bool(tables), tables)
        got = sqlstate(connection.execute, f'SELECT * FROM "{tables[0][0]}"."{tables[0][1]}"')
        check("a grant of statistics gives no rows", got == "42501", got)
    print(f"{len(DONE)} checks held")


if __name__ == "__main__":
    main()
