//! The commands of the house: `cargo xtask demo`, `cargo xtask test`, `cargo xtask bench [name]`.
//!
//! Each does all its own set-up from the package registries, says what it is doing, and ends well.

mod bench;
mod demo;
mod shell;
mod test;
mod tidy;
mod tools;

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo xtask demo [--home DIR] [--http ADDR] [--pg ADDR] [--flight ADDR]   build, load the demo world, serve every door
cargo xtask test [STEP…]                                 everything that CI checks (or only these steps)
cargo xtask bench [NAME]                                 benchmarks: ledger, governed, opinion, noise, replay";

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    std::env::set_current_dir(shell::root())?;
    match command.as_deref() {
        Some("demo") => demo::run(&rest),
        Some("test") => test::run(&rest),
        Some("bench") => bench::run(&rest),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            Ok(())
        }
        Some(other) => bail!("there is no command {other:?}\n\n{USAGE}"),
        None => bail!("which command?\n\n{USAGE}"),
    }
}
