//! `cargo xtask bench [name]`: ours beside the peer in one run, ratios of medians.

use crate::{
    shell::{cargo, step},
    tools,
};
use anyhow::{Result, bail};

/// Runs one benchmark, or all.
pub fn run(arguments: &[String]) -> Result<()> {
    match arguments.first().map(String::as_str) {
        None => ledger().and_then(|()| opinion(&[])),
        Some("ledger") => ledger(),
        Some("opinion") => opinion(arguments.get(1..).unwrap_or_default()),
        Some(other) => bail!("there is no benchmark {other:?}: use ledger, opinion"),
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

/// The picture of 4 million votes beside red-dwarf from PyPI; `--large` adds 20 million votes.
fn opinion(options: &[String]) -> Result<()> {
    let python = tools::python("opinion", &["red-dwarf==0.4.0"])?;
    let mut command = cargo(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "cogov-opinion",
        "--example",
        "bench_opinion",
        "--",
        "--peer",
    ]);
    step("benchmark: the opinion map beside red-dwarf", command.arg(python).args(options))
}
