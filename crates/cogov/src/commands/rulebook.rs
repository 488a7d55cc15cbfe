//! `cogov rulebook check` and `cogov rulebook replay`.

use super::{node, people::shown};
use crate::{cli::Home, documents, settings::Settings};
use anyhow::{Context, Result};
use cogov_rulebook::{Claim, Flip, Idleness, Proof, Replay, Rulebook};
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
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
    for rule in rulebook.idle_rules() {
        println!(
            "{}: look again at line {}, clause {}: {}",
            file.display(),
            rule.line,
            rule.clause,
            idle(&rule.why)
        );
    }
    for (clause, line, what) in rulebook.not_understood() {
        println!("{}: line {line}, clause {clause}: proofs do not understand {what}", file.display());
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

/// Why a rule decides nothing.
fn idle(why: &Idleness) -> String {
    match why {
        Idleness::NeverApplies => "the rule can never apply, its conditions contradict each other".into(),
        Idleness::AlwaysForbidden(Some(by)) => format!("whenever the rule applies, clause {by} forbids it"),
        Idleness::AlwaysForbidden(None) => "whenever the rule applies, some other clause forbids it".into(),
        Idleness::ChangesNothing(Some(by)) => {
            format!("the rule changes nothing, clause {by} already says as much")
        }
        Idleness::ChangesNothing(None) => {
            "the rule changes nothing, other clauses together already say as much".into()
        }
    }
}

/// Takes every decision of a home's ledger, and every grant, again under a draft and prints what would change.
pub async fn replay(file: &Path, translation: Option<&Path>, home: &Home) -> Result<ExitCode> {
    let Some(draft) = read(file, translation)? else { return Ok(ExitCode::FAILURE) };
    let app = node::open(&Settings::of(home)?).await?;
    let draft = Arc::new(draft);
    print_decisions(&app.replay_of(Arc::clone(&draft)).await.map_err(shown)?);
    let mut contradicted = false;
    for claim in [Claim::NothingNew, Claim::NothingLooser] {
        let proven = app.prove_of(Arc::clone(&draft), claim.clone()).await.map_err(shown)?;
        print_proof(&claim, &proven.proof);
        println!("  {}", proven.opinion);
        contradicted |= proven.opinion.contradicts();
    }
    let replay = app.replay_grants(&draft).await.map_err(shown)?;
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
    if contradicted {
        eprintln!("cvc5 contradicts a proof: cogov or the solver has a fault");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// How the ledger's decisions would differ, beside which rulebook, with some of them.
fn print_decisions(replay: &Replay) {
    println!(
        "{} decisions on the ledger, {} taken again, {} would differ",
        replay.decisions,
        replay.replayed(),
        replay.changed()
    );
    if let Some(amended) = &replay.amended {
        println!("compared with {}, on which the draft is taken to be built", amended.base);
        println!("{} of them {} itself decides otherwise than was recorded", amended.changed(), amended.base);
    }
    if replay.skipped > 0 {
        println!("{} could not be taken again: their facts were not recorded", replay.skipped);
    }
    for flip in Flip::CHANGES {
        let count = replay.counts.get(&flip).copied().unwrap_or(0);
        println!("  {:<16} {count}", flip.code());
    }
    for (class, counts) in &replay.by_class {
        let all: u64 = counts.values().sum();
        let same = counts.get(&Flip::Same).copied().unwrap_or(0);
        println!("  {:<16} {} of {all}", class.code(), all - same);
    }
    for example in &replay.examples {
        println!(
            "  entry {}: {} for {} ({} alike)",
            example.index,
            example.flip.code(),
            example.party,
            example.decisions
        );
    }
    for (seen, after) in &replay.visible {
        println!("  newly visible to {}: {} as {} ({after})", seen.party, seen.column, seen.form.code());
    }
}

/// A claim beside the rulebook in force, proved or refuted.
fn print_proof(claim: &Claim, proof: &Proof) {
    let words = match claim {
        Claim::NothingNew => "allows nothing that the rulebook in force withholds",
        _ => "treats nothing less strictly than the rulebook in force",
    };
    match proof {
        Proof::Proved { steps } => println!("proved in {steps} cases: the draft {words}"),
        Proof::Refuted(example) => {
            let facts = &example.facts;
            println!(
                "refuted: the draft {words}, but not for {} · {} · {} · {} · {:?}: {}",
                facts.class.code(),
                facts.form.code(),
                facts.lane.code(),
                facts.purpose,
                facts.label,
                example.here.reason.en
            );
        }
        Proof::GaveUp { steps } => println!("not decided after {steps} cases: the draft {words}"),
        Proof::NotUnderstood { clause, line, what } => {
            println!("not decided, line {line} of clause {clause} has {what}: the draft {words}");
        }
    }
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
