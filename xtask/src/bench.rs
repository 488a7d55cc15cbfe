//! `cargo xtask bench [name]`: ours beside the peer in one run, ratios of medians.

use crate::{
    shell::{cargo, program, step},
    tools,
};
use anyhow::{Result, bail};

/// Runs one benchmark, or all.
pub fn run(arguments: &[String]) -> Result<()> {
    match arguments.first().map(String::as_str) {
        None => ledger().and_then(|()| noise(&[])),
        Some("ledger") => ledger(),
        Some("noise") => noise(arguments.get(1..).unwrap_or_default()),
        Some(other) => bail!("there is no benchmark {other:?}: use ledger or noise"),
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

/// Answers under noise beside the plain governed query, SmartNoise SQL and qrlew: 576 groups, count + sum + avg,
/// total ε = 1. Sizes are given as numbers of rows; 1M and 5M when none are.
fn noise(sizes: &[String]) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("cogov-bench-noise-{}", std::process::id()));
    let mut ours = cargo(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "cogov-engine",
        "--example",
        "bench_noise",
        "--",
    ]);
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
    std::fs::remove_dir_all(&folder).or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    peers
}
