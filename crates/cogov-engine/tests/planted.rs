//! The test of non-interference can fail: each fault that is planted in the engine is found by it.
//!
//! `cargo test --test planted --features cogov-engine/planted-faults`. One test, since a fault is planted in the whole
//! process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "what only the other test reads")]

mod common;

#[path = "interference/cell.rs"]
mod cell;
#[path = "interference/copies.rs"]
mod copies;
#[path = "interference/dice.rs"]
mod dice;
#[path = "interference/dump.rs"]
mod dump;
#[path = "interference/expression.rs"]
mod expression;
#[path = "interference/grant.rs"]
mod grant;
#[path = "interference/observe.rs"]
mod observe;
#[path = "interference/oracle.rs"]
mod oracle;
#[path = "interference/pair.rs"]
mod pair;
#[path = "interference/params.rs"]
mod params;
#[path = "interference/query.rs"]
mod query;
#[path = "interference/run.rs"]
mod run;
#[path = "interference/statement.rs"]
mod statement;
#[path = "interference/worlds.rs"]
mod worlds;

use cogov_engine::planted::{Fault, plant};
use run::Run;

/// As in the binary: planning is mostly small allocations.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Each fault, and how it must be found: by two worlds that differ, or by an answer that is wrong.
const FAULTS: [(Fault, By); 19] = [
    (Fault::ScopeForgotten, By::Worlds),
    (Fault::ScopeForgottenWithPredicate, By::Worlds),
    (Fault::ScopeForgottenInStatistics, By::Worlds),
    (Fault::LinkedConditionForgotten, By::Worlds),
    (Fault::MaskForgotten, By::Worlds),
    (Fault::PredicateBelowMask, By::Worlds),
    (Fault::AnyPredicateBelow, By::Worlds),
    (Fault::BarrierOpen, By::Worlds),
    // The number of rows of an object is public, and declared alike in both worlds.
    (Fault::CountFromMetadata, By::Answers),
    (Fault::LimitBelowScope, By::Worlds),
    (Fault::SortedByHidden, By::Worlds),
    (Fault::ErrorTextKept, By::Worlds),
    (Fault::WithheldShown, By::Worlds),
    (Fault::UnreadableYearTold, By::Worlds),
    (Fault::PrefixTellsLength, By::Worlds),
    (Fault::BandRounds, By::Worlds),
    // Hashes of equal values are equal in both worlds, with a key or without.
    (Fault::HashWithoutKey, By::Answers),
    (Fault::SmallFiguresShown, By::Worlds),
    (Fault::ProtectedMayRaise, By::Worlds),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Worlds,
    Answers,
}

/// Within so many statements; CI puts as many to the engine without a fault.
const WITHIN: u64 = 10_000;

/// Where the search begins: near the pair that found it once, for those that few statements find.
fn from(fault: Fault) -> u64 {
    match fault {
        Fault::BarrierOpen | Fault::SmallFiguresShown => 40,
        Fault::ProtectedMayRaise => 160,
        _ => 0,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_planted_fault_is_found() {
    let only = std::env::var("COGOV_FUZZ_FAULT").ok();
    let mut missed = Vec::new();
    for (fault, by) in FAULTS {
        if only.as_ref().is_some_and(|only| *only != format!("{fault:?}")) {
            continue;
        }
        plant(Some(fault));
        let first = match by {
            By::Worlds => run::First::Difference,
            By::Answers => run::First::Any,
        };
        let tally = Run {
            seed: 1,
            from: from(fault),
            cases: WITHIN,
            only: None,
            show: false,
            first: Some(first),
            dump: false,
        }
        .go()
        .await;
        plant(None);
        let wrong = tally.wrong.first().filter(|_| by == By::Answers);
        match tally.differences.first().or(wrong) {
            Some(found) => println!("{fault:?}: found among the first {} statements\n{found}\n", tally.cases),
            None => missed.push(fault),
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}
