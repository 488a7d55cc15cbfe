//! `cogov import`: a file → a new version of a dataset, with an account of what was read.

use super::{node, people::shown};
use crate::{cli::Import, settings::Settings};
use anyhow::{Result, bail};
use cogov_app::{ImportAccount, ImportRequest, ImportSource, Progress};
use cogov_model::{DatasetId, Role, TableName};
use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

/// Reads the file and prints the account.
pub async fn run(arguments: Import) -> Result<ExitCode> {
    if !arguments.file.is_file() {
        bail!("{} is no file", arguments.file.display());
    }
    let request = ImportRequest {
        dataset: DatasetId::new(arguments.dataset.as_str())?,
        table: TableName::new(arguments.table.as_str())?,
        source: ImportSource::Path(arguments.file.clone()),
    };
    let app = node::open(&Settings::of(&arguments.home)?).await?;
    let actor = app.local_actor(arguments.account.as_deref(), Role::Steward).await.map_err(shown)?;
    let account = app.import(&actor, request, show_progress).await.map_err(shown)?;
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    print_account(&account);
    app.close().await;
    Ok(ExitCode::SUCCESS)
}

/// One line that is written over, on a terminal only.
fn show_progress(progress: Progress) {
    if std::io::stderr().is_terminal() {
        let share = progress.total.filter(|total| *total > 0).map(|total| progress.bytes * 100 / total);
        let share = share.map(|share| format!("{share} %")).unwrap_or_default();
        eprint!("\r\x1b[K{:?} {share} {} rows", progress.stage, progress.rows);
        let _ = std::io::stderr().flush();
    }
}

fn print_account(account: &ImportAccount) {
    let (table, profile) = (&account.table, &account.profile);
    println!("{}.{} version {}: {} rows", account.dataset, table.name, account.version, table.rows);
    if table.rejected > 0 {
        println!(
            "{} rows did not parse; they are kept with line and reason: the dataset's page offers them as a file",
            table.rejected
        );
    }
    println!("{:<28} {:<10} {:>9} {:>9}  proposed label", "column", "type", "nulls", "distinct");
    for column in &profile.columns {
        let categories: Vec<&str> = column.proposal.label.categories.iter().map(AsRef::as_ref).collect();
        println!(
            "{:<28} {:<10} {:>9} {:>9}  {} {}",
            column.name.as_str(),
            column.data_type.code(),
            column.nulls,
            column.distinct,
            column.proposal.label.grade,
            categories.join(" "),
        );
        for finding in &column.proposal.findings {
            println!("{:<28}   {}", "", finding.words.en);
        }
    }
    println!(
        "Written to the ledger as entry {}. Decide the labels and publish on the dataset's page.",
        account.entry
    );
}
