//! cogov: one binary with which public bodies share data under a categorised and graded authorization,
//! let others compute value from it, and write the rules for both together with society.

mod cli;
mod commands;
mod demo;
mod documents;
mod open_files;
mod settings;

use clap::Parser as _;
use std::process::ExitCode;

/// Query engines allocate on one thread and free on another, and give large buffers back to the system each time where the
/// allocator lets them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    settings::start_logging();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("cogov: the runtime cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cogov: {error:#}");
            ExitCode::FAILURE
        }
    }
}
