"""The peers of `bench_noise` on the same files: SmartNoise SQL on PostgreSQL, qrlew on DuckDB, plain DuckDB.

    bench_noise_peers.py DIR

Reads every `noise-ROWS-PER.parquet` in DIR and prints one JSON line a measurement, in the shape of `bench_noise`.
The same privacy unit and an equal total epsilon of 1 for all: SmartNoise's own setting is per measured column, so it is
scaled until the price that it states is 1.
"""

import json
import pathlib
import re
import statistics
import sys
import time

import duckdb
import psycopg2
import sqlalchemy

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "tests"))
from cluster import Cluster

RUNS, KEYS, UPPER, DELTA = 5, 24, 1000, 1e-9
SQL = "SELECT a, b, COUNT(*) AS n, SUM(v) AS s, AVG(v) AS m FROM {} GROUP BY a, b"


def connect(cluster):
    return psycopg2.connect(host=cluster.host, user=cluster.USER, dbname="postgres")


def load(connection, path, folder):
    csv = pathlib.Path(folder) / "t.csv"
    duckdb.sql(f"COPY (SELECT * FROM '{path}') TO '{csv}' (HEADER false)")
    with connection, connection.cursor() as cursor, csv.open() as file:
        cursor.execute("DROP TABLE IF EXISTS t; CREATE TABLE t (person BIGINT, a INT, b INT, v INT)")
        cursor.copy_expert("COPY t FROM STDIN CSV", file)
    connection.autocommit = True
    texts = "CREATE TABLE q AS SELECT person, a::TEXT AS a, b::TEXT AS b, v FROM t"
    connection.cursor().execute(f"ANALYZE t; DROP TABLE IF EXISTS q; {texts}; ANALYZE q")
    csv.unlink()


def errors(rows, truth):
    """Median errors of a group: of the count as it is, of sum and average as a share."""
    n, s, m = [], [], []
    for a, b, count, total, mean in rows:
        if (int(a), int(b)) not in truth:
            continue
        real_count, real_sum = truth[int(a), int(b)]
        if count is not None:
            n.append(abs(float(count) - real_count))
        if total is not None:
            s.append(abs(float(total) - real_sum) / real_sum)
        if mean is not None:
            m.append(abs(float(mean) - real_sum / real_count) / (real_sum / real_count))
    middle = lambda values: round(statistics.median(values), 6) if values else None
    return {"count": middle(n), "sum": middle(s), "avg": middle(m), "groups": len(n)}


def timed(ask, truth, runs):
    times, found = [], []
    for _ in range(runs):
        start = time.perf_counter()
        rows = ask()
        times.append(time.perf_counter() - start)
        found.append(errors(rows, truth))
    middle = lambda key: statistics.median(f[key] for f in found if f[key] is not None)
    return {"noise": round(statistics.median(times), 4)} | {key: middle(key) for key in found[0]}


def smartnoise(cluster, rows, per, truth, by_row=False):
    import snsql

    meta = {"": {"public": {"t": {
        "max_ids": per, "rows": rows, "row_privacy": by_row, "censor_dims": False, "clamp_counts": False,
        "person": {"type": "int", "private_id": not by_row},
        "a": {"type": "int"}, "b": {"type": "int"}, "v": {"type": "int", "lower": 0, "upper": UPPER},
    }}}}
    sql = SQL.format("public.t")
    connection = connect(cluster)

    def reader(epsilon):
        privacy = snsql.Privacy(epsilon=epsilon, delta=DELTA)
        return snsql.from_connection(connection, privacy=privacy, metadata=meta, engine="postgres")

    price = reader(1.0).get_privacy_cost(sql)[0]
    share = 1.0 / price
    result = timed(lambda: reader(share).execute(sql)[1:], truth, 3)
    connection.close()
    return result | {"epsilon_setting": round(share, 4), "price_at_1": round(price, 4)}


def qrlew(cluster, path, per, truth):
    import pyqrlew

    engine = sqlalchemy.create_engine("postgresql+psycopg2://", creator=lambda: connect(cluster))
    data = pyqrlew.Dataset.from_database("d", engine, "public").with_range("public", "q", "v", 0, UPPER)
    # qrlew knows public keys as texts only.
    for key in ("a", "b"):
        data = data.with_possible_values("public", "q", key, [str(value) for value in range(KEYS)])
    relation = data.relation(SQL.format("public.q"))
    private = relation.rewrite_with_differential_privacy(
        data, [("q", [], "person")], {"epsilon": 1.0, "delta": DELTA}, max_multiplicity=float(per)
    )
    sql = private.relation().to_query(pyqrlew.Dialect.PostgreSql)
    duck = duckdb.connect()
    columns = "person, a::VARCHAR AS a, b::VARCHAR AS b, v"
    duck.sql(f"CREATE SCHEMA IF NOT EXISTS public; CREATE TABLE public.q AS SELECT {columns} FROM '{path}'")
    return timed(lambda: duck.sql(sql).fetchall(), truth, RUNS)


def plain(path):
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        duckdb.sql(SQL.format(f"'{path}'")).fetchall()
        times.append(time.perf_counter() - start)
    return {"noise": round(statistics.median(times), 4)}


def say(peer, rows, per, measure):
    try:
        result = measure()
    except Exception as error:  # a peer that cannot be run is told of, never left out in silence
        result = {"error": str(error).splitlines()[0][:300] if str(error) else type(error).__name__}
    print(json.dumps({"peer": peer, "rows": rows, "per_person": per} | result), flush=True)


def main(folder):
    with Cluster() as cluster:
        for path in sorted(pathlib.Path(folder).glob("noise-*.parquet")):
            rows, per = map(int, re.fullmatch(r"noise-(\d+)-(\d+)", path.stem).groups())
            truth = {(a, b): (n, s) for a, b, n, s, _ in duckdb.sql(SQL.format(f"'{path}'")).fetchall()}
            connection = connect(cluster)
            load(connection, path, folder)
            connection.close()
            say("duckdb, ungoverned", rows, per, lambda: plain(path))
            say("smartnoise-sql on postgresql", rows, per, lambda: smartnoise(cluster, rows, per, truth))
            if per == 1:
                by_row = lambda: smartnoise(cluster, rows, per, truth, by_row=True)
                say("smartnoise-sql on postgresql, by row", rows, per, by_row)
            say("qrlew on duckdb", rows, per, lambda: qrlew(cluster, path, per, truth))


main(sys.argv[1])
