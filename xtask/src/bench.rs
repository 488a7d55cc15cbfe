//! `cargo xtask bench [name]`: ours beside the peer in one run, ratios of medians.

use crate::{
    shell::{cache, cargo, program, root, step, target},
    tools,
};
use anyhow::{Result, bail};
use std::{fs, process::Command};

type Bench = (&'static str, fn(&[String]) -> Result<()>);

const BENCHES: [Bench; 7] = [
    ("ledger", ledger),
    ("governed", governed),
    ("planning", planning),
    ("statistics", statistics),
    ("opinion", opinion),
    ("noise", noise),
    ("replay", replay),
];

/// Runs one benchmark with its own further arguments, or all.
pub fn run(arguments: &[String]) -> Result<()> {
    let Some((wanted, rest)) = arguments.split_first() else {
        return BENCHES.iter().try_for_each(|(_, bench)| bench(&[]));
    };
    let Some((_, bench)) = BENCHES.iter().find(|(name, _)| name == wanted) else {
        let names: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
        bail!("there is no benchmark {wanted:?}: use {}", names.join(", "));
    };
    bench(rest)
}

/// `cargo run` of an example, in the release profile.
fn example(package: &str, name: &str) -> Command {
    cargo(&["run", "--quiet", "--release", "--package", package, "--example", name, "--"])
}

/// Durable decisions a second with 64 clients, beside grouped fsync alone on the same disk.
fn ledger(_: &[String]) -> Result<()> {
    step("benchmark: the ledger beside grouped fsync", &mut example("cogov-ledger", "bench_ledger"))
}

/// The picture of 4 million votes beside red-dwarf from PyPI; `--large` adds 20 million votes.
fn opinion(options: &[String]) -> Result<()> {
    let python = tools::python("opinion", &["red-dwarf==0.4.0"])?;
    let mut command = example("cogov-opinion", "bench_opinion");
    step("benchmark: the opinion map beside red-dwarf", command.arg("--peer").arg(python).args(options))
}

/// A million recorded decisions taken again under a draft, beside deciding each by itself; proofs at 1,000 rules.
fn replay(_: &[String]) -> Result<()> {
    let cvc5 = tools::cvc5()?;
    step(
        "benchmark: replaying a million decisions, and proofs beside cvc5",
        example("cogov-rulebook", "bench_replay").env("CVC5", cvc5),
    )
}

/// What deciding and governing add to the planning of a statement over 250 columns, and what a million grants in the store
/// change about it.
fn planning(_: &[String]) -> Result<()> {
    step("benchmark: the decision", &mut example("cogov-rulebook", "decide_cost"))?;
    step("benchmark: the store with a million grants", &mut example("cogov-store", "bench_grants"))?;
    step(
        "benchmark: governed planning beside plain planning (building takes long the first time)",
        &mut example("cogov-engine", "bench_planning"),
    )
}

/// How long the memory of statistics takes to weigh a question as it fills.
fn statistics(_: &[String]) -> Result<()> {
    step("benchmark: the memory of statistics", &mut example("cogov-disclosure", "bench_statistics"))
}

/// Answers under noise beside the plain governed query, SmartNoise SQL and qrlew: 576 groups, count + sum + avg,
/// total ε = 1. Sizes are given as numbers of rows; 1M and 5M when none are.
fn noise(sizes: &[String]) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("cogov-bench-noise-{}", std::process::id()));
    let mut ours = example("cogov-engine", "bench_noise");
    let ours = step("benchmark: answers under noise, ours", ours.arg(&folder).args(sizes));
    let peers = ours.and_then(|()| {
        tools::debian(&[("postgresql", "/usr/lib/postgresql")])?;
        let python = tools::python(
            "noise",
            &["smartnoise-sql==1.0.10", "pyqrlew==0.9.27", "duckdb==2.*", "psycopg2-binary==2.*"],
        )?;
        let script = "crates/cogov-engine/examples/bench_noise_peers.py";
        step("benchmark: answers under noise, peers", program(python, &[script]).arg(&folder))
    });
    fs::remove_dir_all(&folder).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    peers
}

/// Governed queries over TPC-H beside the same policy by hand in plain DataFusion, DuckDB and PostgreSQL.
/// Further arguments: `six` (default) or `tpch` for all 22 queries, then the number of rounds, then `alone` to leave the peers out.
fn governed(arguments: &[String]) -> Result<()> {
    tools::debian(&[("postgresql", "/usr/lib/postgresql"), ("python3-venv", "/usr/bin/python3")])?;
    let python = tools::python("bench", &["psycopg[binary]==3.*", "duckdb", "pyarrow", "tpchgen-cli==4.*"])?;
    let data = cache().join("tpch-sf1");
    if !data.join("complete").exists() {
        fs::create_dir_all(&data)?;
        let generator = python.with_file_name("tpchgen-cli");
        step(
            "making the data (TPC-H, scale factor 1)",
            program(generator, &["parquet", "-s", "1", "--output-dir"]).arg(&data),
        )?;
        fs::write(data.join("complete"), "")?;
    }
    step(
        "building (release; the query engine takes about half an hour the first time)",
        &mut cargo(&["build", "--release", "--package", "cogov-engine", "--example", "bench_governed"]),
    )?;
    let queries = arguments.first().map_or("six", String::as_str);
    let here = root().join("crates/cogov-engine/examples/bench_governed");
    step(
        "benchmark: governed queries beside the same policy by hand",
        program(&python, &[])
            .arg(here.join("drive.py"))
            .arg(target().join("release/examples/bench_governed"))
            .arg(data)
            .arg(here.join(queries))
            // Not in the cache: the user that PostgreSQL runs as may not read below a home folder.
            .arg(std::env::temp_dir().join(format!("cogov-bench-{queries}")))
            .args(arguments.get(1..).unwrap_or_default()),
    )
}
