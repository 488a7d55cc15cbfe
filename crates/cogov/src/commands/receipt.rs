//! `cogov receipt check`: a receipt of a verification, from its text and the ledger's public key.

use super::ledger::published_key;
use crate::cli::CheckReceipt;
use anyhow::{Context, Result, bail};
use cogov_app::{Receipt, Subject, subject_text};
use std::{fs, process::ExitCode};

/// Checks a receipt; exit 1 when it is not genuine or not about the person.
pub fn check(arguments: &CheckReceipt) -> Result<ExitCode> {
    let path = &arguments.file;
    let note = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let key = match &arguments.key {
        Some(key) => key.trim().to_owned(),
        None => published_key(arguments.url.as_deref(), arguments.home.as_deref())?,
    };
    let receipt = match Receipt::check(&note, &key) {
        Ok(receipt) => receipt,
        Err(error) => {
            eprintln!("not genuine: {error}");
            return Ok(ExitCode::FAILURE);
        }
    };
    println!("genuine: signed by {}", receipt.ledger);
    println!("answer:   {} to {} under grant {}", receipt.answer, receipt.predicate, receipt.grant);
    println!("decision: entry {} of {}, leaf {}", receipt.decision, receipt.at, receipt.leaf);
    println!("rulebook: {}", receipt.rulebook);
    let (Some(subject), Some(salt)) = (&arguments.subject, &arguments.salt) else {
        if arguments.subject.is_some() || arguments.salt.is_some() {
            bail!("give both --subject and --salt to check whom it is about");
        }
        return Ok(ExitCode::SUCCESS);
    };
    let subject: Subject = serde_json::from_str(subject)
        .context("the subject is one JSON object, such as {\"identity_number\":\"…\"}")?;
    if receipt.is_about(&subject_text(&subject), salt) {
        println!("subject:  it is about this person");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("it is not about this person, or the salt is another one");
    Ok(ExitCode::FAILURE)
}
