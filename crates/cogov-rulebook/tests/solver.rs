//! The second opinion. With cvc5: on random rulebooks brute force, our own search and the solver say the same.
//! Without: what is missing, too old, slow or wrong is said so.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use cogov_model::{Form, PartyClass};
use cogov_rulebook::{Claim, NotAsked, Opinion, Proof, Rulebook, Solver};
use common::random::{HEAD, condition, nobody, refuted, rule, rule_of, rulebook, universe};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use std::{fs, time::Duration};

/// The real one; a test that cannot run fails.
fn cvc5() -> Solver {
    assert!(std::env::var_os("CVC5").is_some(), "set CVC5, or run cargo xtask test solver");
    Solver::from_environment().within(Duration::from_secs(60))
}

fn fake(name: &str) -> Solver {
    Solver::at(format!("{}/tests/solvers/{name}.sh", std::env::var("CARGO_MANIFEST_DIR").unwrap()))
}

fn parse(text: &str) -> Rulebook {
    Rulebook::parse(text, None).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn permit(when: &str) -> String {
    format!("@treatment(\"clear\") permit (principal, {HEAD}, resource) when {{ {when} }};")
}

/// Our answer, which the solver must confirm: whether the claim holds.
fn confirmed(claim: &Claim, here: &Rulebook, there: &Rulebook, solver: &Solver) -> bool {
    let proof = here.prove(claim, Some(there));
    let opinion = here.second_opinion(claim, Some(there), &proof, solver);
    assert!(matches!(opinion, Opinion::Confirmed { .. }), "{claim:?}: {proof:?}: {opinion}");
    matches!(proof, Proof::Proved { .. })
}

fn cases(cases: u32) -> TestRunner {
    TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() })
}

/// Two rulebooks that share some rules.
fn pairs(rule: BoxedStrategy<String>) -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    let some = |from, to| proptest::collection::vec(rule.clone(), from..to);
    (some(1, 6), some(1, 6), some(0, 4))
        .prop_map(|(here, there, shared)| ([here, shared.clone()].concat(), [there, shared].concat()))
}

#[test]
#[ignore = "needs cvc5: cargo xtask test solver"]
fn brute_force_our_search_and_cvc5_say_the_same() {
    let (solver, all) = (cvc5(), universe());
    let claims = [
        Claim::NothingNew,
        Claim::NothingLooser,
        nobody(Some(PartyClass::Enterprise), Some("person.health"), &[Form::Rows], true),
        nobody(None, Some("person"), &[], false),
    ];
    let agree = |(here, there): (Vec<String>, Vec<String>)| {
        let (Some(a), Some(b)) = (rulebook(&here), rulebook(&there)) else {
            return Err(TestCaseError::reject("a rulebook that cannot be read"));
        };
        for claim in &claims {
            let holds = confirmed(claim, &a, &b, &solver);
            prop_assert_eq!(
                holds,
                !refuted(claim, &a, &b, &all),
                "{:?} of {:#?} and {:#?}",
                claim,
                here,
                there
            );
        }
        Ok(())
    };
    cases(70).run(&pairs(rule().boxed()), agree).unwrap();
}

/// Tests of everything that facts have: here the laws of facts matter.
fn wide_test() -> impl Strategy<Value = String> {
    let words = |words: &'static [&'static str]| proptest::sample::select(words);
    prop_oneof![
        words(&["state", "region", "local"])
            .prop_map(|tier| format!("(principal has tier && principal.tier == \"{tier}\")")),
        words(&["state", "region", "local"]).prop_map(|tier| {
            format!("(resource has provider_tier && resource.provider_tier == \"{tier}\")")
        }),
        words(&["06", "11"])
            .prop_map(|code| format!("(principal has region && principal.region == \"{code}\")")),
        words(&[
            "principal has region",
            "principal has tier",
            "context.same_region",
            "context.own_region_rows",
            "context.from_higher_tier",
            "context.same_party",
            "context.legal_basis",
            "principal == resource.provider",
            "resource.dataset == \"one\"",
        ])
        .prop_map(str::to_owned),
        words(&["research", "research.health", "research.health.genes", "service"])
            .prop_map(|code| format!("context.purposes.contains(\"{code}\")")),
        words(&["research", "research.health", "service"])
            .prop_map(|code| format!("context.purpose == \"{code}\"")),
        Just("context.purposes.containsAny([\"research.health\", \"service\"])".to_owned()),
        (words(&["<=", ">", "=="]), words(&["0", "1", "30"]))
            .prop_map(|(op, days)| format!("context.days_left {op} {days}")),
        words(&["north", "south"]).prop_map(|party| format!("principal == Party::\"{party}\"")),
        words(&["north", "south"]).prop_map(|party| format!("resource.provider == Party::\"{party}\"")),
        words(&["person", "person.health", "person.health.genes", "region"])
            .prop_map(|code| format!("resource in Category::\"{code}\"")),
        words(&["government", "enterprise", "individual"])
            .prop_map(|class| format!("principal in Class::\"{class}\"")),
        words(&["government", "operator"]).prop_map(|class| format!("principal.class == \"{class}\"")),
        words(&["conditional", "not-shared"]).prop_map(|word| format!("resource.sharing == \"{word}\"")),
        words(&["share", "open"]).prop_map(|lane| format!("context.lane == \"{lane}\"")),
        (1..7_i64).prop_map(|grade| format!("resource.grade >= {grade}")),
    ]
}

#[test]
#[ignore = "needs cvc5: cargo xtask test solver"]
fn the_laws_of_facts_are_the_same_for_our_search_and_cvc5() {
    let solver = cvc5();
    let claims = [
        Claim::NothingNew,
        Claim::NothingLooser,
        nobody(Some(PartyClass::Government), Some("person.health"), &[Form::Rows, Form::Extract], true),
    ];
    let agree = |(here, there): (Vec<String>, Vec<String>)| {
        let (Some(a), Some(b)) = (rulebook(&here), rulebook(&there)) else {
            return Err(TestCaseError::reject("a rulebook that cannot be read"));
        };
        for claim in &claims {
            confirmed(claim, &a, &b, &solver);
        }
        Ok(())
    };
    cases(70).run(&pairs(rule_of(condition(wide_test()).boxed()).boxed()), agree).unwrap();
}

/// Conditions that no facts meet, and such that some do: one permit, of which nobody may come to use anything.
#[test]
#[ignore = "needs cvc5: cargo xtask test solver"]
fn each_law_is_known_to_both() {
    let (solver, nothing) = (cvc5(), parse(&common::book(&[permit("context.purpose == \"never.ever\"")])));
    for (holds, condition) in [
        (true, "resource.grade == 7"),
        (false, "resource.grade == 6"),
        (true, "context.days_left < 0"),
        (true, "resource in Category::\"a.b\" && !(resource in Category::\"a\")"),
        (false, "resource in Category::\"a\" && !(resource in Category::\"a.b\")"),
        (true, "context.purposes.contains(\"a.b\") && !context.purposes.contains(\"a\")"),
        (true, "context.purposes.contains(\"a.b\") && context.purposes.contains(\"a.c\")"),
        (true, "context.purpose == \"a\" && context.purposes.contains(\"a.b\")"),
        (
            false,
            "context.purpose != \"a\" && context.purposes.contains(\"a\") && !context.purposes.contains(\"a.b\")",
        ),
        (true, "principal in Class::\"social\" && principal.class != \"social\""),
        (true, "principal in Class::\"social\" && principal in Class::\"operator\""),
        (
            true,
            "![\"government\", \"operator\", \"enterprise\", \"university\", \"social\", \"individual\"].contains(principal.class)",
        ),
        (true, "context.same_party && context.from_higher_tier"),
        (true, "context.same_party && principal has tier && !(resource has provider_tier)"),
        (true, "context.from_higher_tier && principal has tier && principal.tier == \"state\""),
        (false, "context.from_higher_tier && principal has tier && principal.tier == \"local\""),
        (true, "context.own_region_rows && !(principal has region)"),
        (true, "context.same_party && principal has region && !context.same_region"),
        (false, "context.same_party && !context.same_region"),
        (true, "principal == Party::\"x\" && resource.provider == Party::\"x\" && !context.same_party"),
    ] {
        let book = parse(&common::book(&[permit(condition)]));
        let everybody = nobody(None, None, &[], false);
        assert_eq!(confirmed(&everybody, &book, &nothing, &solver), holds, "{condition}");
    }
}

#[test]
#[ignore = "needs cvc5: cargo xtask test solver"]
fn the_shipped_rulebook_is_confirmed() {
    let solver = cvc5();
    let source = common::file("rulebooks/decree-809.md");
    let today = parse(&source);
    let open = parse(&source.replace(
        "unless { context.same_party || resource in Category::\"person\" };",
        "unless { context.same_party };",
    ));
    let looser = parse(&source.replacen("@min_group(\"10\")", "@min_group(\"5\")", 1));
    let incomes = nobody(Some(PartyClass::Enterprise), Some("person.finance"), &[Form::Rows], true);
    let health = nobody(Some(PartyClass::Enterprise), Some("person.health"), &[Form::Rows], true);
    for (holds, claim, here, there) in [
        (true, &health, &today, &today),
        (true, &health, &open, &today),
        (true, &incomes, &today, &today),
        (false, &incomes, &open, &today),
        (true, &Claim::NothingNew, &today, &open),
        (false, &Claim::NothingNew, &open, &today),
        (true, &Claim::NothingNew, &looser, &today),
        (true, &Claim::NothingLooser, &today, &today),
        (true, &Claim::NothingLooser, &today, &looser),
        (false, &Claim::NothingLooser, &looser, &today),
    ] {
        assert_eq!(confirmed(claim, here, there, &solver), holds, "{claim:?}");
    }
}

/// A rulebook with one permit that some can use, the claim that nobody can, and our answer.
fn refutable() -> (Rulebook, Claim, Proof) {
    let book = parse(&common::book(&[permit("resource.grade <= 2 && context.form == \"rows\"")]));
    let claim = nobody(None, None, &[], false);
    let proof = book.prove(&claim, None);
    assert!(matches!(proof, Proof::Refuted(_)), "{proof:?}");
    (book, claim, proof)
}

#[test]
fn what_is_missing_too_old_or_broken_is_said() {
    let (book, claim, proof) = refutable();
    let ask = |solver: Solver| book.second_opinion(&claim, None, &proof, &solver);
    assert_eq!(ask(Solver::at("/nowhere/cvc5")), Opinion::Missing);
    assert_eq!(ask(fake("old")), Opinion::TooOld { version: "1.0.3".into() });
    assert!(matches!(ask(fake("gone")), Opinion::Failed { .. }), "{}", ask(fake("gone")));
    let bounded = ask(fake("memory")).to_string();
    assert!(bounded.contains("2097152"), "{bounded}");
    assert_eq!(ask(fake("yes")), Opinion::Confirmed { version: "1.3.1".into() });
}

#[test]
fn a_contradiction_is_loud() {
    let (book, ..) = refutable();
    let verified = nobody(None, None, &[Form::Verify], false);
    let proof = book.prove(&verified, None);
    assert!(matches!(proof, Proof::Proved { .. }));
    let opinion = book.second_opinion(&verified, None, &proof, &fake("yes"));
    assert!(opinion.contradicts(), "{opinion}");
    assert!(opinion.to_string().starts_with("CONTRADICTED"));
    let gave_up = Proof::GaveUp { steps: 1 };
    let alone = book.second_opinion(&verified, None, &gave_up, &fake("yes"));
    assert_eq!(alone, Opinion::Alone { version: "1.3.1".into(), holds: false });
}

#[test]
fn a_slow_solver_is_ended() {
    let (book, claim, proof) = refutable();
    let solver = fake("slow").within(Duration::from_millis(700));
    let opinion = book.second_opinion(&claim, None, &proof, &solver);
    assert!(matches!(opinion, Opinion::TimedOut { .. }), "{opinion}");
    let running = fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        fs::read(entry.path().join("cmdline")).is_ok_and(|line| line.starts_with(b"sleep\x0086421"))
    });
    assert!(!running, "the solver still runs");
}

#[test]
fn a_condition_that_could_fail_is_not_asked_about() {
    let rules = [permit("resource.grade + 1 == 3")];
    let book = parse(&common::book(&rules));
    let claim = nobody(None, None, &[], false);
    let proof = book.prove(&claim, None);
    let opinion = book.second_opinion(&claim, None, &proof, &fake("yes"));
    assert_eq!(opinion, Opinion::NotAsked(NotAsked::NotUnderstood));
}

#[test]
fn treatments_that_combine_to_too_many_are_not_asked_about() {
    // Each pair of a group and a rounding stands by itself; together they combine to every pair.
    let rules: Vec<String> = (1..=12)
        .map(|n| {
            format!(
                "@treatment(\"aggregate\") @min_group(\"{n}\") @round(\"{}\") permit (principal, {HEAD}, resource) when {{ resource.grade <= 2 }};",
                20 - n
            )
        })
        .collect();
    let book = parse(&common::book(&rules));
    let proof = book.prove(&Claim::NothingLooser, Some(&book));
    let opinion = book.second_opinion(&Claim::NothingLooser, Some(&book), &proof, &fake("yes"));
    assert_eq!(opinion, Opinion::NotAsked(NotAsked::TooManyTreatments));
}
