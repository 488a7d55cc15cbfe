//! Proofs against brute force: on small universes every claim ends as looking at all facts says.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use cogov_model::{Form, PartyClass};
use cogov_rulebook::{Claim, Idleness, Proof, Rulebook};
use common::random::{HEAD, nobody, refuted, rule, rulebook, universe};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn proofs_say_what_looking_at_all_facts_says(
        here in proptest::collection::vec(rule(), 1..6),
        there in proptest::collection::vec(rule(), 1..6),
        shared in proptest::collection::vec(rule(), 0..4),
    ) {
        let with = |own: &[String]| [own, &shared].concat();
        let (Some(a), Some(b)) = (rulebook(&with(&here)), rulebook(&with(&there))) else { return Ok(()) };
        let all = universe();
        let claims = [
            Claim::NothingNew,
            Claim::NothingLooser,
            nobody(Some(PartyClass::Enterprise), Some("person.health"), &[Form::Rows], true),
            nobody(None, Some("person"), &[], false),
            nobody(Some(PartyClass::University), None, &[Form::Rows, Form::Extract], true),
        ];
        for claim in claims {
            let found = refuted(&claim, &a, &b, &all);
            match a.prove(&claim, Some(&b)) {
                Proof::Proved { .. } => prop_assert!(!found, "{claim:?} was proved and does not hold"),
                Proof::Refuted(example) => {
                    prop_assert!(found, "{claim:?} was refuted and holds");
                    let one = [example.facts.clone()];
                    prop_assert!(refuted(&claim, &a, &b, &one), "the counterexample is none: {example:?}");
                }
                other => prop_assert!(false, "{claim:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn idle_rules_decide_nothing_and_others_decide_something(rules in proptest::collection::vec(rule(), 1..6)) {
        let Some(book) = rulebook(&rules) else { return Ok(()) };
        let all = universe();
        let idle: Vec<String> = book.idle_rules().iter().map(|idle| idle.clause.to_string()).collect();
        for left_out in 0..rules.len() {
            // Its clause stays, without the rule.
            let mut rest = rules.clone();
            let never = format!("forbid (principal, {HEAD}, resource) when {{ context.purpose == \"never.ever\" }};");
            rest[left_out] = never;
            let Some(without) = rulebook(&rest) else { continue };
            let decides = all.iter().any(|f| book.rule(f).treatment != without.rule(f).treatment);
            let said = idle.contains(&format!("rule-{left_out}"));
            // A forbid of what nobody allows decides nothing and is a safeguard all the same.
            let guards = rules[left_out].starts_with("forbid") || rules[left_out].contains("withhold");
            prop_assert!(!(said && decides), "rule {} of {:#?} decides", left_out, rules);
            prop_assert!(said || decides || guards, "rule {} of {:#?} is idle", left_out, rules);
        }
    }
}

#[test]
fn the_shipped_rulebook_is_proved_and_refuted() {
    let book = common::rulebook();
    assert!(book.not_understood().is_empty(), "{:?}", book.not_understood());
    let health = nobody(Some(PartyClass::Enterprise), Some("person.health"), &[Form::Rows], true);
    assert!(matches!(book.prove(&health, None), Proof::Proved { .. }));
    let core = |text: &str| Rulebook::parse(text, None).unwrap_or_else(|problems| panic!("{problems:?}"));
    let source = common::file("rulebooks/decree-809.md");
    let open = source.replace(
        "unless { context.same_party || resource in Category::\"person\" };",
        "unless { context.same_party };",
    );
    let draft = core(&open);
    // Sensitive data stays shut by another clause; other data about persons does not.
    assert!(matches!(draft.prove(&health, None), Proof::Proved { .. }));
    let incomes = nobody(Some(PartyClass::Enterprise), Some("person.finance"), &[Form::Rows], true);
    assert!(matches!(book.prove(&incomes, None), Proof::Proved { .. }));
    let Proof::Refuted(example) = draft.prove(&incomes, None) else { panic!("the open door was not found") };
    assert_eq!((example.facts.class, example.facts.form), (PartyClass::Enterprise, Form::Rows));
    let today = core(&source);
    assert!(matches!(draft.prove(&Claim::NothingNew, Some(&today)), Proof::Refuted(_)));
    assert!(matches!(today.prove(&Claim::NothingNew, Some(&draft)), Proof::Proved { .. }));
    assert!(matches!(today.prove(&Claim::NothingLooser, Some(&today)), Proof::Proved { .. }));
    let looser = core(&source.replacen("@min_group(\"10\")", "@min_group(\"5\")", 1));
    assert!(matches!(looser.prove(&Claim::NothingNew, Some(&today)), Proof::Proved { .. }));
    assert!(matches!(looser.prove(&Claim::NothingLooser, Some(&today)), Proof::Refuted(_)));
    let idle = book.idle_rules();
    assert!(idle.is_empty(), "{idle:#?}");
}

#[test]
fn idle_rules_are_told_with_their_clause() {
    let forbid = format!("forbid (principal, {HEAD}, resource) when {{ resource.grade >= 5 }};");
    let dead = format!(
        "@treatment(\"clear\") permit (principal, {HEAD}, resource) when {{ resource.grade >= 4 && resource.grade <= 2 }};"
    );
    let barred =
        format!("@treatment(\"clear\") permit (principal, {HEAD}, resource) when {{ resource.grade == 6 }};");
    let wide =
        format!("@treatment(\"clear\") permit (principal, {HEAD}, resource) when {{ resource.grade <= 3 }};");
    let narrow =
        format!("@treatment(\"clear\") permit (principal, {HEAD}, resource) when {{ resource.grade == 2 }};");
    // One rule that the proofs do not understand silences none of what is found in the others.
    let sum = format!(
        "@treatment(\"clear\") permit (principal, {HEAD}, resource) when {{ resource.grade + 1 == 9 }};"
    );
    let book = rulebook(&[forbid, dead, barred, wide, narrow, sum]).unwrap();
    assert_eq!(book.not_understood().len(), 1);
    let found: Vec<_> =
        book.idle_rules().into_iter().map(|idle| (idle.clause.to_string(), idle.why)).collect();
    let clause = |n: usize| Some(format!("rule-{n}").parse().unwrap());
    assert_eq!(
        found,
        [
            ("rule-1".to_owned(), Idleness::NeverApplies),
            ("rule-2".to_owned(), Idleness::AlwaysForbidden(clause(0))),
            ("rule-4".to_owned(), Idleness::ChangesNothing(clause(3))),
        ]
    );
}
