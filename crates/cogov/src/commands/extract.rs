//! `cogov extract trace`: which extracts of this node a copy comes from.

use super::{node, people::shown};
use crate::{cli::Trace, settings::Settings};
use anyhow::{Result, bail};
use cogov_app::Traced;
use cogov_model::Role;
use std::process::ExitCode;

/// Traces a copy; exit 1 when it comes from no extract of this node beyond chance.
pub async fn trace(arguments: Trace) -> Result<ExitCode> {
    if !arguments.file.is_file() {
        bail!("{} is no file", arguments.file.display());
    }
    let app = node::open(&Settings::of(&arguments.home)?).await?;
    let actor = app.local_actor(arguments.account.as_deref(), Role::Auditor).await.map_err(shown)?;
    let found = app.trace(&actor, &arguments.file).await.map_err(shown)?;
    app.close().await;
    if found.is_empty() {
        println!("no marked file left this node");
        return Ok(ExitCode::FAILURE);
    }
    println!("{:<24} {:>8} {:<24} {:>10} {:>7}  holder", "grant", "decision", "left at", "order", "share");
    found.iter().for_each(print);
    let origins: Vec<&Traced> = found.iter().filter(|traced| traced.is_origin()).collect();
    if origins.is_empty() {
        println!(
            "The order of the rows points to no extract: another source, too few rows, or sorted since."
        );
        println!(
            "A share near 100 % says that the rows were in that extract, not that the copy came from it."
        );
        return Ok(ExitCode::FAILURE);
    }
    for traced in origins {
        let how = if traced.same_bytes { "the very file" } else { "the order of its rows" };
        println!("It comes from decision {} of grant {}: {how}.", traced.decision, traced.grant);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(traced: &Traced) {
    let share = traced.likeness.share.map(|share| format!("{:.0} %", share * 100.0)).unwrap_or_default();
    println!(
        "{:<24} {:>8} {:<24} {:>8.1} σ {share:>7}  {}",
        traced.grant.as_str(),
        traced.decision,
        traced.at.rfc3339(),
        traced.likeness.order,
        traced.party.as_ref().map(ToString::to_string).unwrap_or_default(),
    );
}
