//! Replays: what was recorded decides as it decided, and counting cases is deciding one by one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use cogov_model::{Entry, EntryKind, Outcome, Timestamp, Treatment};
use cogov_rulebook::{
    Against, Books, Cases, Counts, Flip, Known, Moment, Rulebook, Rulings, UseFacts, Verdict, replay,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

fn draft() -> Rulebook {
    let source = common::file("rulebooks/decree-809.md")
        .replace(
            "resource.grade <= 2 && context.lane == \"share\"",
            "resource.grade <= 1 && context.lane == \"share\"",
        )
        .replace("@min_group(\"10\")", "@min_group(\"25\")")
        .replace(
            "\"administration.verification\", \"administration.registry\", \"administration.service\"",
            "\"administration.verification\", \"administration.registry\", \"administration.eligibility\"",
        );
    Rulebook::parse(&source, None).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn entry(facts: &str, moment: Moment, rulebook: &Rulebook, outcome: Outcome) -> Entry {
    let mut named = BTreeMap::from([
        ("facts".to_owned(), facts.to_owned()),
        ("days_left".to_owned(), moment.days_left.to_string()),
    ]);
    if let Some(idle) = moment.idle {
        named.insert("idle".to_owned(), idle.code().to_owned());
    }
    Entry {
        kind: EntryKind::Decision,
        at: Timestamp::from_millis(0),
        parties: Vec::new(),
        datasets: Vec::new(),
        grant: None,
        rulebook: Some(rulebook.version().clone()),
        clauses: cogov_model::Clauses::new(),
        outcome,
        follows: None,
        facts: named,
        sealed: BTreeMap::new(),
    }
}

#[test]
fn recorded_facts_decide_as_the_use_did() {
    let world = common::world();
    let draft = draft();
    let mut known = Rulings::new();
    for book in [&world.rulebook, &draft] {
        known.clear();
        for id in world.grants.keys() {
            for party in ["north", world.grants[id].party.as_str()] {
                for days in [-400, -1, 0, 3, 200, 400] {
                    let ask = world.ask(id, party, days);
                    let preview = book.preview(&ask);
                    // Through the record: what is read back is what was written.
                    let facts: UseFacts =
                        serde_json::from_str(&serde_json::to_string(&UseFacts::of(&ask)).unwrap()).unwrap();
                    let verdict = book.verdict(&facts, Moment::of(&ask), &mut known);
                    assert_eq!(verdict.refused, preview.refusal.map(|r| r.clauses), "{id} {party} {days}");
                    let mut columns = 0;
                    for (group, (treatment, clauses)) in facts.groups.iter().zip(&verdict.groups) {
                        for column in &group.columns {
                            let ruling = &preview.rulings[column];
                            assert_eq!(
                                (ruling.treatment, &ruling.clauses),
                                (*treatment, clauses),
                                "{id} {column}"
                            );
                            columns += 1;
                        }
                    }
                    assert_eq!(columns, preview.rulings.len());
                }
            }
        }
    }
}

/// How one decision differs, said once more without looking at the code under test.
fn differs(before: &Verdict, after: &Verdict) -> Flip {
    let all = before.groups.iter().zip(&after.groups);
    let pairs: Vec<(Treatment, Treatment)> =
        all.map(|((a, _), (b, _))| (*a, *b)).filter(|(a, b)| a != b).collect();
    match (&before.refused, &after.refused) {
        (Some(_), Some(_)) => Flip::Same,
        (Some(_), None) => Flip::DenyToPermit,
        (None, Some(_)) => Flip::PermitToDeny,
        (None, None) if pairs.is_empty() => Flip::Same,
        (None, None) if pairs.iter().any(|(_, b)| *b == Treatment::Withhold) => Flip::PermitToDeny,
        (None, None) if pairs.iter().all(|(a, b)| a.stricter(*b) == *b) => Flip::Stricter,
        (None, None) if pairs.iter().all(|(a, b)| a.stricter(*b) == *a) => Flip::Looser,
        (None, None) => Flip::Mixed,
    }
}

#[test]
fn counting_cases_is_deciding_one_by_one() {
    let world = common::world();
    let (draft, today) = (draft(), Arc::new(world.rulebook.clone()));
    let mut ids: Vec<_> = world.grants.keys().cloned().collect();
    ids.sort();
    let (mut cases, mut facts) = (Cases::default(), HashMap::new());
    let mut counts = Counts::new();
    for n in 0..1500_u64 {
        let id = &ids[(n % ids.len() as u64) as usize];
        let ask = world.ask(id, world.grants[id].party.as_str(), (n % 37) as i64 * 20 - 100);
        let (used, moment) = (UseFacts::of(&ask), Moment::of(&ask));
        // Each by itself: nothing is remembered from one decision to the next.
        let before = today.verdict(&used, moment, &mut Rulings::new());
        let after = draft.verdict(&used, moment, &mut Rulings::new());
        *counts.entry(differs(&before, &after)).or_default() += 1;
        let outcome = if before.refused.is_some() { Outcome::Deny } else { Outcome::Permit };
        facts.entry(id.clone()).or_insert_with(|| Arc::new(used));
        cases.add(n, &entry(id, moment, &today, outcome), None);
    }
    let books = Books::from([(today.version().clone(), Arc::clone(&today))]);
    let found = replay(&cases, Known { facts: &facts, books: &books }, Against::Draft(&draft));
    assert_eq!((found.replayed(), found.skipped, found.disagreeing), (1500, 0, 0));
    assert_eq!(found.counts, counts);
    assert!(found.changed() > 0 && counts.len() >= 3, "the draft changes several things: {counts:?}");
    for by in [
        found.by_class.values().flat_map(|c| c.values()).sum::<u64>(),
        found.by_region.values().flat_map(|c| c.values()).sum(),
    ] {
        assert_eq!(by, 1500, "every decision has one class and one region");
    }
    for example in &found.examples {
        assert_ne!(example.flip, Flip::Same);
        assert!(!example.clauses.is_empty());
    }
    // Backwards: what today's rules would have said of decisions by the draft.
    let back = replay(&cases, Known { facts: &facts, books: &books }, Against::Earlier(&draft));
    assert_eq!(back.changed(), found.changed());
}

#[test]
fn only_the_columns_that_a_query_used_count_and_refusals_of_the_engine_are_left_open() {
    let world = common::world();
    let (draft, today) = (draft(), Arc::new(world.rulebook.clone()));
    let books = Books::from([(today.version().clone(), Arc::clone(&today))]);
    let mut some = 0;
    for (id, grant) in &world.grants {
        let ask = world.ask(id, grant.party.as_str(), 0);
        let (used, moment) = (UseFacts::of(&ask), Moment::of(&ask));
        let before = today.verdict(&used, moment, &mut Rulings::new());
        let after = draft.verdict(&used, moment, &mut Rulings::new());
        if before.refused.is_some() || after.refused.is_some() {
            continue;
        }
        let facts = HashMap::from([(id.clone(), Arc::new(used.clone()))]);
        let flip = |places: Option<&str>, engine: bool| {
            let mut cases = Cases::default();
            let outcome = if engine { Outcome::Deny } else { Outcome::Permit };
            let mut entry = entry(id, moment, &today, outcome);
            if engine {
                entry.facts.insert("refused_by".to_owned(), "engine".to_owned());
            }
            cases.add(0, &entry, places);
            let found = replay(&cases, Known { facts: &facts, books: &books }, Against::Draft(&draft));
            assert_eq!(found.disagreeing, 0);
            *found.counts.keys().next().unwrap()
        };
        assert_eq!(flip(Some(""), false), Flip::Same, "a query that uses no column");
        for place in 0..used.groups.len() {
            let same = before.groups[place].0 == after.groups[place].0;
            assert_eq!(flip(Some(&place.to_string()), false) == Flip::Same, same, "{id} {place}");
            some += usize::from(!same);
        }
        let all_same = before.groups.iter().zip(&after.groups).all(|(a, b)| a.0 == b.0);
        assert_eq!(flip(None, true), if all_same { Flip::Same } else { Flip::AskAgain });
    }
    assert!(some > 0);
}
