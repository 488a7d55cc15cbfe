"""Drives Arrow Flight SQL with clients that know nothing of cogov: ADBC's driver and pyarrow.

Usage: flight.py /path/to/demo.json      (needs adbc-driver-flightsql, adbc-driver-manager, pyarrow)
"""

import base64
import json
import sys
import urllib.error
import urllib.request

import adbc_driver_flightsql.dbapi as flight_sql
import adbc_driver_manager
import pyarrow as pa
import pyarrow.flight as fl
from adbc_driver_flightsql import DatabaseOptions

DEMO = json.load(open(sys.argv[1]))
URI = DEMO["flight"].replace("grpc://", "grpc+tcp://")
GRANT = "g-north-revenue"
CALLS = "adbc.flight.sql.rpc.call_header."


def account(name):
    return next(a for a in DEMO["accounts"] if a["name"] == name)


def holder(grant):
    return account(next(g["account"] for g in DEMO["grants"] if g["id"] == grant))


def connect(grant=GRANT, who=None, **extra):
    who = who or holder(grant)
    options = {DatabaseOptions.AUTHORIZATION_HEADER.value: f"Bearer {who['token']}", **extra}
    if grant:
        options[CALLS + "cogov-grant"] = grant
    return flight_sql.connect(URI, db_kwargs=options, autocommit=True)


def over_http(sql, grant=GRANT, params=()):
    who = holder(grant)
    request = urllib.request.Request(
        f"{DEMO['http']}/api/v1/grants/{grant}/query",
        json.dumps({"sql": sql, "params": list(params)}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {who['token']}"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


def rows_are_those_of_http():
    for sql in (
        "SELECT filing_status, count(*) AS n, sum(wages) AS w FROM tax_units GROUP BY 1 ORDER BY 1",
        "SELECT recid, name, identity_number, birth_date FROM registry.persons ORDER BY recid LIMIT 50",
        "SELECT t.recid, t.wages, p.name FROM tax_units t JOIN persons p USING (recid) ORDER BY 1 LIMIT 20",
        "SELECT recid FROM tax_units WHERE recid < 0",
    ):
        with connect() as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            found = [list(row) for row in cursor.fetchall()]
        expected = over_http(sql)["rows"]
        assert found == expected, (sql, found[:3], expected[:3])


def tables_and_catalogs():
    with connect() as connection:
        objects = connection.adbc_get_objects(depth="all").read_all().to_pylist()
        assert [c["catalog_name"] for c in objects] == [GRANT], objects
        shown = {
            f"{schema['db_schema_name']}.{table['table_name']}": [c["column_name"] for c in table["table_columns"]]
            for schema in objects[0]["catalog_db_schemas"]
            for table in schema["db_schema_tables"]
        }
        assert sorted(shown) == ["registry.persons", "revenue.tax_units"], shown
        assert shown["registry.persons"] == ["recid", "fips", "name", "identity_number", "birth_date"], shown
        schema = connection.adbc_get_table_schema("tax_units", db_schema_filter="revenue")
        assert "wages" in schema.names and "phone" not in schema.names, schema
        assert connection.adbc_get_table_types() == ["TABLE"]
        assert connection.adbc_get_info()["vendor_name"] == "cogov"


def parameters():
    with connect() as connection, connection.cursor() as cursor:
        sql = "SELECT count(*) AS n FROM tax_units WHERE recid > $1 AND filing_status = $2"
        for params in ((1000, 1), (200000, 2), (1000, 1)):
            cursor.execute(sql, parameters=params)
            expected = over_http(sql, params=params)["rows"]
            assert [list(row) for row in cursor.fetchall()] == expected, params
        cursor.execute("SELECT count(*) FROM persons WHERE name LIKE $1", parameters=("A%",))
        assert cursor.fetchone()[0] > 0


def refused(what, code, *words):
    try:
        what()
    except adbc_driver_manager.Error as error:
        text = str(error)
        assert code.lower() in text.lower(), (code, text)
        for word in words:
            assert word in text, (word, text)
        return text
    raise AssertionError(f"{code} was expected")


def ask(sql, *arguments, **named):
    def run():
        with connect(*arguments, **named) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            cursor.fetchall()

    return run


def refusals():
    # What is withheld does not exist; what is refused says by which clause.
    refused(ask("SELECT phone FROM persons"), "INVALID_ARGUMENT", "phone")
    refused(ask("SELECT * FROM nowhere"), "INVALID_ARGUMENT", "nowhere")
    refused(ask("SELECT wages FROM tax_units", "g-lab-statistics"), "Unauthorized", "[")
    refused(ask("SELECT 1", "g-lantern-veterans"), "Unauthorized", "art-")
    refused(ask("SELECT 1", "g-east-housing"), "Unauthorized", "art-25")
    refused(ask("SELECT count(*) FROM persons", "g-south-verify"), "Unauthorized", "/verify", "[verify]")
    refused(ask("SELECT 1", GRANT, account("diego")), "NotFound")
    refused(ask("SELECT 1", "no-such-grant", account("lin")), "NotFound")
    wrong = {"name": "lin", "token": "cogov_nothing"}
    refused(ask("SELECT 1", GRANT, wrong), "Unauthenticated")
    before = over_http("SELECT wages FROM revenue.tax_units", "g-lab-statistics")
    assert before["status"] == 403, before


def passwords():
    who = holder(GRANT)
    options = {"username": who["name"], "password": who["password"], CALLS + "cogov-grant": GRANT}
    with flight_sql.connect(URI, db_kwargs=options, autocommit=True) as connection:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM tax_units")
            assert cursor.fetchone()[0] > 0
    options["password"] = "no such password"
    try:
        flight_sql.connect(URI, db_kwargs=options, autocommit=True)
        raise AssertionError("a wrong password was taken")
    except adbc_driver_manager.Error as error:
        assert "Unauthenticated" in str(error), error


def headers(who, grant):
    return fl.FlightCallOptions(headers=[
        (b"authorization", f"Bearer {who['token']}".encode()), (b"cogov-grant", grant.encode())])


def statement(sql):
    """A CommandStatementQuery inside an Any, by hand: field 1 is the text of the query."""
    def field(number, value):
        length, out = len(value), b""
        while True:
            out += bytes([length & 127 | (128 if length > 127 else 0)])
            length >>= 7
            if not length:
                return bytes([number << 3 | 2]) + out + value
    url = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
    return field(1, url) + field(2, field(1, sql.encode()))


def a_reader_that_goes_away():
    """A client that reads one batch of many and goes: the release says how much left, and that it was cut."""
    who = holder("g-welfare-revenue")
    client = fl.connect(DEMO["flight"].replace("grpc://", "grpc+tcp://"))
    options = headers(who, "g-welfare-revenue")
    sql = "SELECT a.recid, b.wages FROM tax_units a CROSS JOIN tax_units b"
    info = client.get_flight_info(fl.FlightDescriptor.for_command(statement(sql)), options)
    reader = client.do_get(info.endpoints[0].ticket, options)
    rows = reader.read_chunk().data.num_rows
    assert rows > 0
    reader.cancel()
    client.close()
    # Somebody else's handle is of no use.
    other = fl.connect(DEMO["flight"].replace("grpc://", "grpc+tcp://"))
    try:
        other.do_get(info.endpoints[0].ticket, headers(account("lin"), GRANT)).read_all()
        raise AssertionError("a stranger ran somebody's statement")
    except (fl.FlightServerError, pa.ArrowKeyError, pa.ArrowInvalid) as error:
        assert "no such statement" in str(error), error
    wait_for_release("g-welfare-revenue", rows)


def wait_for_release(grant, at_least):
    import time
    for _ in range(50):
        path = f"/api/v1/ledger/entries?grant={grant}&kind=release&limit=5"
        with urllib.request.urlopen(DEMO["http"] + path) as answer:
            found = json.load(answer)["items"]
        facts = [item["entry"]["facts"] for item in found]
        cut = [f for f in facts if f["door"] == "flight" and f["ended"] == "cut"]
        if cut:
            assert at_least <= int(cut[0]["rows"]) < 10**9, cut
            return
        time.sleep(0.1)
    raise AssertionError("the release of a cut stream is not on the ledger")


def without_a_proof():
    client = fl.connect(DEMO["flight"].replace("grpc://", "grpc+tcp://"))
    for authorization in (None, b"Bearer x", b"Nonsense", b"Basic " + base64.b64encode(b"lin:wrong")):
        options = fl.FlightCallOptions(headers=[(b"authorization", authorization)] if authorization else [])
        try:
            client.get_flight_info(fl.FlightDescriptor.for_command(statement("SELECT 1")), options)
            raise AssertionError(f"{authorization} was taken")
        except fl.FlightUnauthenticatedError:
            pass


def main():
    checks = (rows_are_those_of_http, tables_and_catalogs, parameters, refusals, passwords,
              a_reader_that_goes_away, without_a_proof)
    for check in checks:
        check()
        print(f"  {check.__name__.replace('_', ' ')}")
    print(f"Arrow Flight SQL: {len(checks)} checks passed")


main()
