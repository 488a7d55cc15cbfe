//! `cogov add-party` and `cogov add-account`: the first people of a node.

use super::node;
use crate::{
    cli::{AddAccount, AddParty},
    settings::Settings,
};
use anyhow::{Context, Result, anyhow};
use cogov_app::{AppError, NewAccount};
use cogov_model::{AccountName, Party, PartyId, RegionCode, Text};
use serde::de::DeserializeOwned;
use std::{io::Read, process::ExitCode};

/// Adds a party.
pub async fn add_party(arguments: AddParty) -> Result<ExitCode> {
    let party = Party {
        id: PartyId::new(arguments.id)?,
        name: Text::new(arguments.name, arguments.name_zh),
        class: word(
            &arguments.class,
            "class",
            "government, operator, enterprise, university, social or individual",
        )?,
        tier: arguments.tier.map(|tier| word(&tier, "tier", "state, region or local")).transpose()?,
        region: arguments.region.map(RegionCode::new).transpose()?,
    };
    let app = node::open(&Settings::of(&arguments.home)?).await?;
    app.put_party(&party).await.map_err(shown)?;
    println!("party {} is there", party.id);
    app.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Adds an account.
pub async fn add_account(arguments: AddAccount) -> Result<ExitCode> {
    let roles = arguments.roles.iter().map(|role| {
        word(role, "role", "steward, requester, approver, head, analyst, auditor, admin, drafter or citizen")
    });
    let roles = roles.collect::<Result<Vec<_>>>()?;
    let locale = arguments.locale.parse().map_err(|()| anyhow!("the locale is en or zh-Hans"))?;
    eprintln!("password for {} (8 characters or more, then Enter and Ctrl-D):", arguments.name);
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password).context("the password could not be read")?;
    let app = node::open(&Settings::of(&arguments.home)?).await?;
    app.put_account(NewAccount {
        name: AccountName::new(arguments.name.as_str())?,
        display: &arguments.display,
        party: PartyId::new(arguments.party)?,
        roles,
        locale,
        password: password.trim_end_matches(['\r', '\n']),
    })
    .await
    .map_err(shown)?;
    println!("account {} is there", arguments.name);
    app.close().await;
    Ok(ExitCode::SUCCESS)
}

fn word<T: DeserializeOwned>(text: &str, what: &str, words: &str) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| anyhow!("{text:?} is no {what}: use {words}"))
}

/// A use case's error, with its clauses, for a terminal.
pub fn shown(error: AppError) -> anyhow::Error {
    let clauses: Vec<String> = error.clauses().iter().map(ToString::to_string).collect();
    let clauses = if clauses.is_empty() { String::new() } else { format!(" ({})", clauses.join(", ")) };
    anyhow!("{}{clauses}", error.reason().en)
}
