//! `cargo xtask demo`: build, load the demo world into an empty home, serve every door.

use crate::{
    shell::{cargo, program, root, step, target},
    tools,
};
use anyhow::{Context, Result};
use std::os::unix::process::CommandExt;

/// Builds what the demo needs: style sheets, then the binary.
pub fn build() -> Result<()> {
    tools::web_assets()?;
    step(
        "building cogov (the query engine takes about 15 minutes the first time)",
        &mut cargo(&["build", "--workspace", "--bins"]),
    )
}

/// The binary that `build` made.
pub fn binary() -> std::path::PathBuf {
    target().join("debug/cogov")
}

/// Builds and serves until Ctrl-C; further arguments go to `cogov serve`.
pub fn run(arguments: &[String]) -> Result<()> {
    build()?;
    let mut command = program(binary(), &["serve", "--demo"]);
    command.arg(root().join("demo")).args(arguments);
    // Become cogov, so that Ctrl-C and the exit status are its own.
    Err(command.exec()).context("cogov could not be started")
}
