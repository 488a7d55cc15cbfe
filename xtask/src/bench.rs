//! `cargo xtask bench [name]`: ours beside the peer in one run, ratios of medians.

use crate::{
    shell::{cache, cargo, program, root, step},
    tools,
};
use anyhow::{Result, bail};

/// Runs one benchmark, or all.
pub fn run(arguments: &[String]) -> Result<()> {
    match arguments.first().map(String::as_str) {
        None => governed().and_then(|()| ledger()),
        Some("governed") => governed(),
        Some("ledger") => ledger(),
        Some(other) => bail!("there is no benchmark {other:?}: use governed or ledger"),
    }
}

/// Durable decisions a second with 64 clients, beside grouped fsync alone on the same disk.
fn ledger() -> Result<()> {
    step(
        "benchmark: the ledger beside grouped fsync",
        &mut cargo(&[
            "run",
            "--quiet",
            "--release",
            "--package",
            "cogov-ledger",
            "--example",
            "bench_ledger",
        ]),
    )
}

/// Governed queries beside the same policy by hand in DataFusion, DuckDB and PostgreSQL, over TPC-H.
fn governed() -> Result<()> {
    tools::debian(&[("postgresql", "/usr/lib/postgresql")])?;
    let python = tools::python("bench", &["duckdb==1.*", "tpchgen-cli==2.*", "psycopg[binary]==3.*"])?;
    let data = cache().join("tpch-sf1");
    if !data.join("lineitem.parquet").exists() {
        let generator = python.with_file_name("tpchgen-cli");
        step(
            "making TPC-H data at scale factor 1",
            program(generator, &["--scale-factor", "1", "--format", "parquet", "--output-dir"]).arg(&data),
        )?;
    }
    step(
        "benchmark: governed queries (release profile; the first build takes long)",
        cargo(&[
            "run",
            "--quiet",
            "--release",
            "--package",
            "cogov-engine",
            "--example",
            "bench_governed",
            "--",
        ])
        .arg(&data)
        .env("COGOV_BENCH_PYTHON", &python)
        .env("COGOV_BENCH_PEERS", root().join("crates/cogov-engine/examples/bench_peers.py")),
    )
}
