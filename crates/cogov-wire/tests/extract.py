"""Extracts files over HTTP, reads them with ordinary readers, and traces damaged copies of them.

Usage: extract.py /path/to/demo.json /path/to/cogov      (needs duckdb and pyarrow; runs `cogov extract trace` on a copy of the home)
"""

import csv
import hashlib
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

DEMO = json.load(open(sys.argv[1]))
HOME = pathlib.Path(sys.argv[1]).parent
COGOV = sys.argv[2]
GRANT = "g-health-welfare"


def call(path, body=None, grant=GRANT):
    account = next(g["account"] for g in DEMO["grants"] if g["id"] == grant)
    token = next(a["token"] for a in DEMO["accounts"] if a["name"] == account)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(DEMO["http"] + path, data, headers)) as answer:
            return answer.status, dict(answer.headers.items()), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {}, error.read()


def extract(folder, name, **body):
    status, headers, file = call(f"/api/v1/grants/{GRANT}/extract", body)
    assert status == 200, file
    path = folder / name
    path.write_bytes(file)
    decision = int(headers["cogov-decision"])
    status, _, record = call(f"/api/v1/extracts/{decision}")
    record = json.loads(record)
    assert record["release"]["sha256"] == hashlib.sha256(file).hexdigest(), record
    assert record["release"]["bytes"] == len(file) and record["release"]["ended"] == "complete", record
    return path, decision, record


def expected():
    objects = HOME / "objects" / "datasets"

    def table(dataset, name):
        return f"read_parquet('{next((objects / dataset).glob(name + '-*.parquet'))}')"

    return duckdb.sql(
        f"SELECT recid, fips, snap_ben, wic_ben, children_under_6 FROM {table('welfare', 'benefits')}"
        f" WHERE recid IN (SELECT recid FROM {table('health', 'coverage')} WHERE mcaid_ben > 0)"
    ).fetchall()


def ordinary_readers(parquet, text, decision, record):
    rows = sorted(expected())
    table = pq.read_table(parquet)
    assert sorted(zip(*table.to_pydict().values())) == rows, "the same rows, none changed"
    assert record["release"]["rows"] == len(rows), record
    assert sorted(duckdb.sql(f"SELECT * FROM '{parquet}'").fetchall()) == rows
    from_text = sorted(duckdb.sql(f"SELECT * FROM read_csv('{text}')").fetchall())
    assert from_text == rows, "CSV has a header line and rows, nothing else"
    metadata = {k.decode(): v.decode() for k, v in pq.read_metadata(parquet).metadata.items()}
    assert metadata["cogov.grant"] == GRANT and int(metadata["cogov.decision"]) == decision, metadata
    assert metadata["cogov.rulebook"] == record["rulebook"] and "—" in metadata["cogov.checkpoint"], metadata
    assert list(csv.reader(open(text)))[1:] != [list(map(str, row)) for row in rows], "in an order of its own"


def damaged(folder, parquet, text):
    """Copies as they are found: what was done to them, the file, and whether their origin must still be seen."""
    random.seed(7)
    table = pq.read_table(parquet).replace_schema_metadata(None)
    half = sorted(random.sample(range(table.num_rows), table.num_rows // 2))
    part = table.slice(2000, 3000)
    lines = text.read_text().splitlines()
    shuffled = lines[1:]
    random.shuffle(shuffled)
    semicolons = [line.split(",") for line in lines]
    copies = {
        "rewritten without metadata": (table, True),
        "half of the rows": (table.take(half), True),
        "one column of all": (table.select(["recid"]), True),
        "columns renamed and turned round": (
            table.rename_columns(["a", "b", "c", "d", "e"]).select(["e", "c", "a"]), True),
        "three thousand rows of the middle": (part, True),
        "sorted": (table.sort_by("recid"), False),
    }
    for name, (copy, seen) in copies.items():
        path = folder / f"{name.replace(' ', '-')}.csv"
        pa.csv.write_csv(copy, path)
        yield name, path, seen
    path = folder / "lines-shuffled.csv"
    path.write_text("\n".join(lines[:1] + shuffled) + "\n")
    yield "lines shuffled", path, False
    path = folder / "another-source.csv"
    rows = "\n".join(f"{random.random()},{i}" for i in range(20000))
    path.write_text("x,y\n" + rows + "\n")
    yield "another source", path, False
    assert semicolons


def trace(home, path):
    found = subprocess.run([COGOV, "extract", "trace", str(path), "--home", str(home)], capture_output=True, text=True)
    assert found.returncode in (0, 1), found.stderr
    return found.returncode == 0, found.stdout


def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        parquet, first, record = extract(folder, "a.parquet")
        text, second, _ = extract(folder, "a.csv", format="csv", sql="SELECT * FROM benefits")
        ordinary_readers(parquet, text, first, record)
        assert pq.read_table(parquet).column("recid").to_pylist() != pa.csv.read_csv(text).column("recid").to_pylist(), \
            "two extracts of the same rows differ in their order"
        status, _, body = call("/api/v1/grants/g-welfare-revenue/extract", {}, "g-welfare-revenue")
        assert status == 409, body
        status, _, body = call(f"/api/v1/grants/{GRANT}/extract", {"sql": "SELECT phone FROM benefits"})
        assert status == 400, body
        # The tracing opens the home itself, so it works on a copy while the server runs.
        home = folder / "home"
        shutil.copytree(HOME, home, ignore=shutil.ignore_patterns("spill", "spool", "*.lock"))
        seen, words = trace(home, parquet)
        assert seen and "the very file" in words and f"decision {first} " in words, words
        for name, path, wanted in damaged(folder, parquet, text):
            seen, words = trace(home, path)
            assert seen == wanted, (name, words)
            if seen:
                assert f"decision {first} " in words and f"decision {second} " not in words, (name, words)
            print(f"  {name}: {'traced' if seen else 'not traced, as stated'}")
    print("extracts: files read by ordinary readers, hashes on the ledger, copies traced")


main()
