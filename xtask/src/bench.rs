//! `cargo xtask bench [name]`: ours beside the peer in one run, ratios of medians.

use crate::shell::{cargo, step};
use anyhow::{Result, bail};

/// Runs one benchmark, or all.
pub fn run(arguments: &[String]) -> Result<()> {
    match arguments.first().map(String::as_str) {
        None => ledger().and_then(|()| replay()),
        Some("ledger") => ledger(),
        Some("replay") => replay(),
        Some(other) => bail!("there is no benchmark {other:?}: use ledger or replay"),
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

/// A million recorded decisions taken again under a draft, beside deciding each by itself; proofs at 1,000 rules.
fn replay() -> Result<()> {
    step(
        "benchmark: replaying a million decisions, and proofs",
        &mut cargo(&[
            "run",
            "--quiet",
            "--release",
            "--package",
            "cogov-rulebook",
            "--example",
            "bench_replay",
        ]),
    )
}
