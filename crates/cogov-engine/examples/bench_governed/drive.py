"""Governed queries over TPC-H beside the same policy written by hand in other engines, interleaved.

usage: drive.py BENCH-PROGRAM DATA-FOLDER QUERIES-FOLDER SCRATCH-FOLDER [ROUNDS]

Contestants: cogov (a grant), plain DataFusion (views with the same filter and masks), DuckDB over the same Parquet
files (views), PostgreSQL (row-level security below a security-barrier view). Every answer's number of rows must agree.
The hash of a name is HMAC-SHA-256 everywhere but in DuckDB, which has none: there it is SHA-256 of key and value.
"""
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import duckdb
import psycopg

KEY = "07" * 32
# PostgreSQL's planner runs some of the 22 queries for minutes under a policy; one that was stopped is not asked again.
PATIENCE = 20


def shown(column, rules, engine):
    mask = rules.get("masks", {}).get(column)
    if mask is None:
        return column
    kind, _, width = mask.partition(":")
    if kind == "prefix":
        return f"substr({column}, 1, {width}) || '…' AS {column}"
    hashed = {
        "postgres": f"substr(encode(hmac(convert_to({column}, 'UTF8'), '\\x{KEY}'::bytea, 'sha256'), 'hex'), 1, 32)",
        "duckdb": f"substr(sha256('{KEY}' || {column}), 1, 32)",
    }[engine]
    return f"{hashed} AS {column}"


def predicate(rules):
    rows = rules.get("rows")
    if not rows:
        return "true"
    values = ", ".join("'" + str(v).replace("'", "''") + "'" for v in rows["values"])
    return f"{rows['column']} IN ({values})"


def view(columns, rules, engine):
    return ", ".join(shown(c, rules, engine) for c in columns if c not in rules.get("withheld", []))


class Cogov:
    """One of the two sides of the Rust program."""

    def __init__(self, process, side):
        self.process, self.side = process, side

    def run(self, name, _sql):
        self.process.stdin.write(f"{self.side} {name}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split(" ", 1)
        if answer[0] == "failed":
            raise RuntimeError(f"{self.side} {name}: {answer[1]}")
        return int(answer[0]) / 1e3, int(answer[1])


class Duck:
    def __init__(self, policy, data):
        self.db = duckdb.connect(config={"threads": 2})
        for table, rules in policy.items():
            raw = f"read_parquet('{data / table}.parquet')"
            columns = [row[0] for row in self.db.execute(f"DESCRIBE SELECT * FROM {raw}").fetchall()]
            self.db.execute(
                f"CREATE VIEW {table} AS SELECT {view(columns, rules, 'duckdb')} FROM {raw} WHERE {predicate(rules)}"
            )

    def run(self, _name, sql):
        started = time.perf_counter()
        rows = self.db.execute(sql).to_arrow_table().num_rows
        return (time.perf_counter() - started) * 1e3, rows


class Cluster:
    """A PostgreSQL of the benchmark's own, on a socket only, kept in the scratch folder so that it loads once."""

    def __init__(self, scratch):
        self.home = scratch / "postgres"
        self.programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
        # The server refuses to run as root.
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    def __enter__(self):
        if not (self.home / "data" / "PG_VERSION").exists():
            self.home.mkdir(parents=True, exist_ok=True)
            if self.prefix:
                shutil.chown(self.home, "postgres")
            self.run("initdb", "-D", self.home / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        options = f"-k {self.home} -c listen_addresses= -c shared_buffers=2GB -c work_mem=256MB -c jit=off"
        self.run("pg_ctl", "-D", self.home / "data", "-w", "-l", self.home / "log", "-o", options, "start")
        return self.home

    def __exit__(self, *_):
        self.run("pg_ctl", "-D", self.home / "data", "-w", "-m", "fast", "stop")

    def run(self, program, *arguments):
        command = [*self.prefix, self.programs / program, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.home)


class Postgres:
    """Row-level security on the tables, masks in a security-barrier view, asked as a role without rights on the tables."""

    def __init__(self, policy, data, socket):
        dsn = f"host={socket} dbname=postgres user=postgres"
        with psycopg.connect(dsn, autocommit=True) as db:
            loaded = db.execute("SELECT to_regclass('base.loaded') IS NOT NULL").fetchone()[0]
            if not loaded:
                self.load(db, policy, data)
        self.db = psycopg.connect(dsn, autocommit=True)
        self.db.execute("SET ROLE asker")
        self.db.execute("SET search_path = shown")
        self.db.execute("SET max_parallel_workers_per_gather = 2")
        self.db.execute(f"SET statement_timeout = '{PATIENCE}s'")
        self.stopped = set()

    @staticmethod
    def load(db, policy, data):
        types = {"BIGINT": "bigint", "INTEGER": "integer", "DATE": "date", "VARCHAR": "text"}
        duck = duckdb.connect()
        db.execute("CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA public")
        db.execute("CREATE SCHEMA base; CREATE SCHEMA shown; CREATE ROLE asker; CREATE ROLE owner_of_views")
        db.execute("GRANT USAGE ON SCHEMA base TO owner_of_views; GRANT USAGE ON SCHEMA shown, public TO asker")
        for table, rules in policy.items():
            raw = f"read_parquet('{data / table}.parquet')"
            described = duck.execute(f"DESCRIBE SELECT * FROM {raw}").fetchall()
            columns = ", ".join(f"{c[0]} {types.get(c[1], c[1])}" for c in described)
            db.execute(f"CREATE TABLE base.{table} ({columns})")
            cursor = duck.execute(f"SELECT * FROM {raw}")
            with db.cursor().copy(f"COPY base.{table} FROM STDIN") as copy:
                while rows := cursor.fetchmany(20000):
                    for row in rows:
                        copy.write_row(row)
            db.execute(f"ALTER TABLE base.{table} ENABLE ROW LEVEL SECURITY")
            db.execute(f"CREATE POLICY rows ON base.{table} TO owner_of_views USING ({predicate(rules)})")
            db.execute(f"GRANT SELECT ON base.{table} TO owner_of_views")
            names = [c[0] for c in described]
            db.execute(
                f"CREATE VIEW shown.{table} WITH (security_barrier) AS SELECT {view(names, rules, 'postgres')} FROM base.{table}"
            )
            db.execute(f"ALTER VIEW shown.{table} OWNER TO owner_of_views; GRANT SELECT ON shown.{table} TO asker")
        for index in ["orders (o_orderkey)", "lineitem (l_orderkey)", "customer (c_custkey)", "orders (o_custkey)"]:
            db.execute(f"CREATE INDEX ON base.{index}")
        db.execute("VACUUM ANALYZE")
        db.execute("CREATE TABLE base.loaded ()")

    def run(self, name, sql):
        """None in place of the rows of a query that was stopped."""
        if name in self.stopped:
            return math.inf, None
        started = time.perf_counter()
        try:
            with self.db.cursor() as cursor:
                cursor.execute(sql.encode())
                rows = cursor.rowcount
        except psycopg.errors.QueryCanceled:
            self.stopped.add(name)
            return math.inf, None
        return (time.perf_counter() - started) * 1e3, rows


def main():
    program, data, queries, scratch = sys.argv[1:5]
    if sys.argv[6:] == ["alone"]:
        measure(program, data, queries, None)
        return
    with Cluster(Path(scratch)) as socket:
        measure(program, data, queries, socket)


def measure(program, data, queries, socket):
    """Without a socket both sides are alone: no DuckDB, no PostgreSQL."""
    rounds = int(sys.argv[5]) if len(sys.argv) > 5 else 7
    queries = Path(queries)
    policy = tomllib.loads((queries / "policy.toml").read_text())["tables"]
    texts = {path.stem: path.read_text().strip().rstrip(";") for path in sorted(queries.glob("*.sql"))}
    process = subprocess.Popen([program, data, queries], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ready, data = process.stdout.readline().rstrip("\n").split(" ", 1)
    assert ready == "ready"
    data = Path(data)
    contestants = {"cogov": Cogov(process, "governed"), "by hand": Cogov(process, "hand")}
    if socket:
        contestants |= {"DuckDB": Duck(policy, data), "PostgreSQL": Postgres(policy, data, socket)}
    times = {(who, name): [] for who in contestants for name in texts}
    # Planning of a statement in words that were not asked before, and of one that was.
    planners = {side: Cogov(process, side) for side in ("first", "plan")}
    plans = {(side, name): [] for side in planners for name in texts}
    for number in range(rounds + 1):
        for name, sql in texts.items():
            rows = {}
            # Who comes first finds memory and caches as another query left them: each comes first in turn.
            turns = list(contestants.items())
            first = number % len(turns)
            for who, contestant in turns[first:] + turns[:first]:
                if who == "PostgreSQL" and number > 3:
                    continue
                elapsed, rows[who] = contestant.run(name, sql)
                if number > 0:
                    times[who, name].append(elapsed)
            for side, planner in planners.items():
                plans[side, name].append(planner.run(name, sql)[0])
            if len(set(rows.values()) - {None}) != 1:
                sys.exit(f"{name}: the contestants disagree on the number of rows: {rows}")
    table(times, plans, contestants, texts)


def table(times, plans, contestants, texts):
    median = {key: statistics.median(values) for key, values in times.items()}
    peers = {who: f"÷ {who}" for who in contestants if who != "cogov"}
    heads = "".join(f"{head:>14}" for head in peers.values())
    print(f"{'query':<12}{'cogov ms':>10}{heads}{'planning ms':>13}{'again':>7}")
    ratios = {who: [] for who in peers}
    for name in texts:
        ours = median["cogov", name]
        for who in peers:
            ratios[who].append(ours / median[who, name])
        beside = "".join(f"{ratios[who][-1]:>14.2f}" for who in peers)
        first, again = (statistics.median(plans[side, name]) for side in ("first", "plan"))
        print(f"{name:<12}{ours:>10.1f}{beside}{first:>13.2f}{again:>7.2f}")
    print(f"{'median':<12}{'':>10}" + "".join(f"{statistics.median(ratios[who]):>14.2f}" for who in peers))
    if any(math.isinf(value) for value in median.values()):
        print(f"0.00 beside PostgreSQL: it was stopped after {PATIENCE} seconds")
    worst = max(ratios["by hand"])
    print(f"{'worst':<12}{'':>10}{worst:>14.2f}")


main()
