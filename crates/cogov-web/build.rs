//! Says the exact command when the assets are missing, before rust-embed would fail without it.

use std::{env, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let manifest = Path::new(&root).join("../../web/dist/manifest.json");
    println!("cargo::rerun-if-changed={}", manifest.display());
    for folder in ["templates", "messages"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    if manifest.exists() {
        return ExitCode::SUCCESS;
    }
    println!(
        "cargo::error=the pages' assets are not built: run `cd web && npm ci && npm run build` (cargo xtask does it)"
    );
    ExitCode::FAILURE
}
