//! One module a command.

mod extract;
mod import;
mod ledger;
mod node;
mod people;
mod receipt;
mod rulebook;
mod serve;

pub use serve::Doors;

use crate::cli::{Cli, Command, Extract, Ledger, Receipt, Rulebook};
use anyhow::Result;
use std::process::ExitCode;

/// Does what the command line says.
pub async fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Serve(arguments) => serve::run(arguments).await,
        Command::Import(arguments) => import::run(arguments).await,
        Command::Ledger(Ledger::Verify(arguments)) => ledger::verify(&arguments),
        Command::Extract(Extract::Trace(arguments)) => extract::trace(arguments).await,
        Command::Receipt(Receipt::Check(arguments)) => receipt::check(&arguments),
        Command::Rulebook(Rulebook::Check { file, translation }) => {
            rulebook::check(&file, translation.as_deref())
        }
        Command::Rulebook(Rulebook::Replay { file, translation, home }) => {
            rulebook::replay(&file, translation.as_deref(), &home).await
        }
        Command::AddParty(arguments) => people::add_party(arguments).await,
        Command::AddAccount(arguments) => people::add_account(arguments).await,
    }
}
