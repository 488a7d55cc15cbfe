//! No interference: what a grant withholds changes nothing that its holder sees.
//!
//! Random grants, two worlds of each that differ only in what the grant withholds, and random statements: rows, errors,
//! headers, labels, reasons and the catalogue must be equal to the byte; asked again from the plan that was kept, and with
//! literals given as parameters, too; so must marked copies that may be taken away. And the same answer: rows must be those of
//! plain DataFusion over tables that were filtered and masked beforehand.
//!
//! `COGOV_FUZZ_CASES` says how many statements, `COGOV_FUZZ_SEED` which; `COGOV_FUZZ_PAIR` runs one pair of worlds alone, and
//! `COGOV_FUZZ_SHOW` prints every statement with how it ended. `COGOV_FUZZ_DUMP` names a file for prepared tables and
//! answers, which `postgres.py` puts to PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "what only `planted.rs` reads")]

#[path = "../common/mod.rs"]
mod common;

mod cell;
mod copies;
mod dice;
mod dump;
mod expression;
mod facts;
mod grant;
mod observe;
mod oracle;
mod pair;
mod params;
mod query;
mod run;
mod statement;
mod worlds;

use dice::setting;
use run::Run;

/// As in the binary: planning is mostly small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_withheld_changes_nothing() {
    let (seed, cases) = (setting("COGOV_FUZZ_SEED", 1), setting("COGOV_FUZZ_CASES", 10_000));
    let only = std::env::var("COGOV_FUZZ_PAIR").ok().map(|pair| pair.parse().unwrap());
    let show = std::env::var_os("COGOV_FUZZ_SHOW").is_some();
    let dump = std::env::var_os("COGOV_FUZZ_DUMP");
    let start = std::time::Instant::now();
    let tally = Run { seed, from: 0, cases, only, show, first: None, dump: dump.is_some() }.go().await;
    println!(
        "{} cases in {:.1?}: {} gave rows, {} none, {} were refused, {} ended in an error; {} compared with plain DataFusion",
        tally.cases,
        start.elapsed(),
        tally.rows,
        tally.empty,
        tally.refused,
        tally.failed,
        tally.compared
    );
    if let Some(file) = dump {
        std::fs::write(file, tally.dumped.join("\n")).unwrap();
    }
    println!(
        "{} differences, {} wrong answers, {} on which plain DataFusion disagrees with itself, {} faults",
        tally.differences.len(),
        tally.wrong.len(),
        tally.disputed.len(),
        tally.faults.len()
    );
    let found = tally.differences.iter().chain(&tally.wrong).take(5);
    for found in found.chain(&tally.disputed).chain(&tally.faults) {
        println!("\n{found}");
    }
    assert!(tally.differences.is_empty() && tally.wrong.is_empty(), "see above");
    if only.is_some() {
        return;
    }
    assert!(tally.rows * 2 >= tally.cases, "statements that give rows");
    assert!(tally.failed > 0 && tally.refused > 0, "statements that raise, and that are refused");
    assert!(
        tally.disputed.len() as u64 * 500 <= tally.compared,
        "statements that plain DataFusion can judge"
    );
    assert!(tally.compared * 3 >= tally.cases, "answers that are compared");
}

/// A question about one person gives away nobody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_about_one_person_depends_on_nobody_else() {
    let (seed, cases) = (setting("COGOV_FUZZ_SEED", 1), setting("COGOV_FUZZ_CASES", 10_000));
    let spill = tempfile::tempdir().unwrap();
    let store: std::sync::Arc<dyn object_store::ObjectStore> =
        std::sync::Arc::new(object_store::memory::InMemory::new());
    let engine =
        cogov_engine::Engine::new(cogov_engine::EngineConfig::new(spill.path()), store.clone()).unwrap();
    let pairs = (cases / 100).max(1);
    let (mut all, mut told) = (Vec::new(), 0);
    for pair in 0..pairs {
        let (found, answered) = facts::run(seed, pair, &engine, &store).await;
        all.extend(found);
        told += answered;
    }
    println!("{} questions in two worlds, {told} answered yes or no, {} wrong", pairs * 12, all.len());
    assert!(all.is_empty(), "{}", all.join("\n\n"));
    assert!(pairs < 5 || told * 4 >= pairs * 12, "questions that are answered: {told}");
}
