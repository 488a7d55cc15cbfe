//! `cogov rulebook check` and `cogov rulebook replay`.

use super::{node, people::shown};
use crate::{cli::Home, documents, settings::Settings};
use anyhow::{Context, Result};
use cogov_rulebook::Rulebook;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Is it well-formed, and what share of it is enforceable? Exit 1 when it is not.
pub fn check(file: &Path, translation: Option<&Path>) -> Result<ExitCode> {
    let Some(rulebook) = read(file, translation)? else { return Ok(ExitCode::FAILURE) };
    let shipped = documents::shipped()?;
    let codes: Vec<_> = shipped.purposes.iter().map(|(code, _)| code.clone()).collect();
    let problems = rulebook.check_codes(&shipped.scheme, &codes);
    for problem in &problems {
        eprintln!("{}: {problem}", file.display());
    }
    if !problems.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    let share = rulebook.enforcement_share();
    println!("{} is well-formed: {}", file.display(), rulebook.version());
    println!(
        "{} clauses: {} by the engine, {} by the workflow, {} by both, {} by people only",
        share.total(),
        share.engine,
        share.workflow,
        share.both,
        share.people
    );
    println!("{} % are enforced by cogov", share.percent_enforced());
    Ok(ExitCode::SUCCESS)
}

/// Decides every grant of a home anew under a draft and prints what would change.
pub async fn replay(file: &Path, translation: Option<&Path>, home: &Home) -> Result<ExitCode> {
    let Some(draft) = read(file, translation)? else { return Ok(ExitCode::FAILURE) };
    let app = node::open(&Settings::of(home)?).await?;
    let replay = app.replay(&draft).await.map_err(shown)?;
    println!(
        "{} grants, {} columns decided under {} and under {}",
        replay.grants, replay.columns, replay.in_force, replay.draft
    );
    println!("{} columns would change", replay.changes.len());
    for change in &replay.changes {
        println!(
            "{} {}: {} → {} ({})",
            change.grant,
            change.column,
            change.before,
            change.after,
            change.clauses.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ")
        );
    }
    app.close().await;
    Ok(ExitCode::SUCCESS)
}

/// The rulebook, or its problems on the standard error.
fn read(file: &Path, translation: Option<&Path>) -> Result<Option<Rulebook>> {
    let text =
        |path: &Path| fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()));
    let source = text(file)?;
    let other = match translation {
        Some(path) => Some(text(path)?),
        None => beside(file).filter(|path| path.exists()).map(|path| text(&path)).transpose()?,
    };
    match Rulebook::parse(&source, other.as_deref()) {
        Ok(rulebook) => Ok(Some(rulebook)),
        Err(problems) => {
            for problem in problems {
                eprintln!("{}: {problem}", file.display());
            }
            Ok(None)
        }
    }
}

/// `rules.md` → `rules.zh.md`.
fn beside(file: &Path) -> Option<PathBuf> {
    Some(file.with_file_name(format!("{}.zh.md", file.file_stem()?.to_str()?)))
}
