//! Running other programs: where we are, where builds go, and one line of output for each step.

use anyhow::{Context, Result, bail};
use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

/// The checkout.
pub fn root() -> PathBuf {
    // Cargo says it when it runs a program. What was compiled in may be of another checkout with the same target folder.
    let xtask =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    xtask.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Where things that outlive one checkout lie: builds, tools, virtual environments.
/// `COGOV_CACHE`, else `$XDG_CACHE_HOME/cogov`, else `~/.cache/cogov`.
pub fn cache() -> PathBuf {
    let named = |key: &str| env::var_os(key).filter(|v| !v.is_empty()).map(PathBuf::from);
    named("COGOV_CACHE")
        .or_else(|| named("XDG_CACHE_HOME").map(|dir| dir.join("cogov")))
        .or_else(|| named("HOME").map(|dir| dir.join(".cache/cogov")))
        .unwrap_or_else(|| root().join("target/cache"))
}

/// The target folder that every checkout on this machine shares, so that the query engine is built once.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| cache().join("target"), PathBuf::from)
}

/// A `cargo` command that builds into the shared target folder.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).env("CARGO_TARGET_DIR", target());
    command
}

/// Any other program.
pub fn program(name: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments);
    command
}

/// Says what is done, does it, and fails with its name when it fails.
pub fn step(what: &str, command: &mut Command) -> Result<()> {
    println!("▸ {what}");
    let started = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("{what}: {:?} could not be started", command.get_program()))?;
    if !status.success() {
        bail!("{what}: {:?} ended with {status}", command.get_program());
    }
    let seconds = started.elapsed().as_secs_f64();
    if seconds > 1.0 {
        println!("  {seconds:.0} s");
    }
    Ok(())
}

/// Whether a program answers `--version`.
pub fn answers(name: &str) -> bool {
    Command::new(name)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
