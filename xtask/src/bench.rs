//! `cargo xtask bench [name]`: ours beside the peer in one run, ratios of medians.

use crate::shell::{cargo, step};
use anyhow::{Result, bail};

/// Runs one benchmark, or all.
pub fn run(arguments: &[String]) -> Result<()> {
    match arguments.first().map(String::as_str) {
        None | Some("ledger") => ledger(),
        Some(other) => bail!("there is no benchmark {other:?}: use ledger"),
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
