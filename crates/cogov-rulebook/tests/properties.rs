//! What holds for every set of rules, not only for the shipped one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use cogov_model::{Form, Grade, Label, Treatment};
use cogov_rulebook::{Facts, Rulebook};
use proptest::prelude::*;

fn rulebook(rules: &[String]) -> Rulebook {
    Rulebook::parse(&common::book(rules), None).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A condition out of a small closed set, so that rules overlap often.
fn condition() -> impl Strategy<Value = String> {
    let grade = (1..=6_u8).prop_map(|rank| format!("resource.grade >= {rank}"));
    let form = prop::sample::select(Form::ALL.to_vec())
        .prop_map(|form| format!("context.form == {:?}", form.code()));
    prop_oneof![
        grade,
        form,
        Just("resource in Category::\"person\"".to_owned()),
        Just("context.legal_basis".to_owned()),
        Just("context.lane != \"open\"".to_owned()),
    ]
}

fn treatment() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "@treatment(\"clear\")",
        "@treatment(\"mask\") @mask(\"year\")",
        "@treatment(\"mask\") @mask(\"prefix:2\")",
        "@treatment(\"mask\") @mask(\"keyed-hash\")",
        "@treatment(\"aggregate\") @min_group(\"10\")",
        "@treatment(\"aggregate\") @min_group(\"20\")",
        "@treatment(\"noise\") @min_group(\"10\") @epsilon_per_month(\"4\")",
        "@treatment(\"noise\") @min_group(\"5\") @epsilon_per_month(\"1\")",
        "@treatment(\"withhold\")",
    ])
}

const SCOPE: &str = "(principal, action == Action::\"use\", resource)";

fn permit() -> impl Strategy<Value = String> {
    (treatment(), condition()).prop_map(|(note, when)| format!("{note} permit {SCOPE} when {{ {when} }};"))
}

fn limit() -> impl Strategy<Value = String> {
    permit().prop_map(|permit| format!("@limit {permit}"))
}

fn forbid() -> impl Strategy<Value = String> {
    condition().prop_map(|when| format!("forbid {SCOPE} when {{ {when} }};"))
}

fn rule() -> impl Strategy<Value = String> {
    prop_oneof![6 => permit(), 2 => limit(), 1 => forbid()]
}

fn facts() -> impl Strategy<Value = Facts> {
    let grades = prop::sample::select(Grade::ALL.to_vec());
    let forms = prop::sample::select(Form::ALL.to_vec());
    let category = prop::sample::select(vec!["person.name", "region", "person"]);
    (grades, forms, category, any::<bool>()).prop_map(|(grade, form, category, legal_basis)| Facts {
        form,
        legal_basis,
        label: Label::new([category.parse().unwrap()], grade),
        ..common::facts()
    })
}

/// Whether `a` is at least as strict as `b`.
fn at_least(a: Treatment, b: Treatment) -> bool {
    a.stricter(b) == a
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_further_permit_or_limit_never_loosens(
        rules in prop::collection::vec(rule(), 0..6), more in prop_oneof![permit(), limit()], facts in facts(),
    ) {
        let before = rulebook(&rules).rule(&facts);
        let mut rules = rules;
        let is_limit = more.starts_with("@limit");
        rules.push(more);
        let after = rulebook(&rules).rule(&facts);
        // What nothing allowed a permit may allow; what something allowed only gets stricter.
        let was_silent = before.is_withheld() && before.clauses.contains("settings");
        prop_assert!(at_least(after.treatment, before.treatment) || (was_silent && !is_limit));
    }

    #[test]
    fn a_forbid_beats_everything(rules in prop::collection::vec(rule(), 0..6), facts in facts()) {
        let mut rules = rules;
        rules.push(format!("forbid {SCOPE};"));
        let ruling = rulebook(&rules).rule(&facts);
        prop_assert!(ruling.is_withheld());
        let last = format!("rule-{}", rules.len() - 1);
        prop_assert!(ruling.clauses.contains(last.as_str()));
    }

    #[test]
    fn the_strictest_permit_holds(permits in prop::collection::vec(permit(), 1..6), facts in facts()) {
        let alone: Vec<_> = permits.iter().map(|p| rulebook(std::slice::from_ref(p)).rule(&facts)).collect();
        let held = alone.iter().filter(|ruling| !ruling.clauses.contains("settings"));
        let strictest = held.map(|ruling| ruling.treatment).reduce(Treatment::stricter);
        let together = rulebook(&permits).rule(&facts);
        prop_assert_eq!(together.treatment, strictest.unwrap_or(Treatment::Withhold));
    }

    #[test]
    fn the_order_of_clauses_means_nothing(
        rules in prop::collection::vec(rule(), 1..6).prop_shuffle(), facts in facts(),
    ) {
        let mut turned = rules.clone();
        turned.reverse();
        prop_assert_eq!(rulebook(&rules).rule(&facts).treatment, rulebook(&turned).rule(&facts).treatment);
    }
}

#[test]
fn a_limit_alone_allows_nothing() {
    let limit = format!("@limit @treatment(\"mask\") @mask(\"year\") permit {SCOPE};");
    let ruling = rulebook(std::slice::from_ref(&limit)).rule(&common::facts());
    assert!(ruling.is_withheld() && ruling.clauses.contains("settings"));
    let clear = format!("@treatment(\"clear\") permit {SCOPE};");
    let ruling = rulebook(&[limit, clear]).rule(&common::facts());
    assert_eq!(ruling.treatment.kind(), "mask");
    assert_eq!(ruling.clauses.len(), 2);
}

#[test]
fn a_rulebook_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Rulebook>();
}
