//! Proofs against brute force: on small universes every claim ends as looking at all facts says.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use cogov_model::{Form, Grade, Label, PartyClass, Treatment};
use cogov_rulebook::{Claim, Facts, Idleness, Proof, Rulebook};
use proptest::prelude::*;

const HEAD: &str = "action == Action::\"use\"";

/// Every fact that the rules below can tell apart.
fn universe() -> Vec<Facts> {
    let mut all = Vec::new();
    let labels: [&[&str]; 3] = [&[], &["person"], &["person.health"]];
    for class in [PartyClass::Government, PartyClass::Enterprise, PartyClass::University, PartyClass::Social]
    {
        for form in Form::ALL {
            for grade in Grade::ALL {
                for codes in labels {
                    for flags in 0..4_u8 {
                        let own = flags & 1 == 1;
                        all.push(Facts {
                            class,
                            form,
                            label: Label::new(codes.iter().map(|code| code.parse().unwrap()), grade),
                            legal_basis: flags & 2 == 2,
                            provider: if own { "asker" } else { "provider" }.parse().unwrap(),
                            tier: None,
                            provider_tier: None,
                            ..common::facts()
                        });
                    }
                }
            }
        }
    }
    all
}

fn test() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..7_i64, prop_oneof![Just("<="), Just(">="), Just("=="), Just("<"), Just("!=")])
            .prop_map(|(n, op)| format!("resource.grade {op} {n}")),
        prop_oneof![Just("verify"), Just("aggregate"), Just("rows"), Just("extract")]
            .prop_map(|form| format!("context.form == \"{form}\"")),
        Just("[\"rows\", \"extract\"].contains(context.form)".to_owned()),
        prop_oneof![Just("person"), Just("person.health")]
            .prop_map(|code| format!("resource in Category::\"{code}\"")),
        prop_oneof![Just("government"), Just("enterprise"), Just("university")]
            .prop_map(|class| format!("principal in Class::\"{class}\"")),
        Just("context.same_party".to_owned()),
        Just("context.legal_basis".to_owned()),
    ]
}

fn condition() -> impl Strategy<Value = String> {
    test().prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("(if {a} then {b} else {c})")),
        ]
    })
}

fn rule() -> impl Strategy<Value = String> {
    let effect = prop_oneof![
        4 => Just("@treatment(\"clear\") permit"),
        2 => Just("@treatment(\"aggregate\") @min_group(\"10\") permit"),
        1 => Just("@treatment(\"withhold\") permit"),
        2 => Just("@limit @treatment(\"mask\") @mask(\"year\") permit"),
        2 => Just("@limit @treatment(\"aggregate\") @min_group(\"20\") permit"),
        3 => Just("forbid"),
    ];
    (effect, condition(), proptest::option::of(condition())).prop_map(|(effect, when, unless)| {
        let unless = unless.map(|c| format!(" unless {{ {c} }}")).unwrap_or_default();
        format!("{effect} (principal, {HEAD}, resource) when {{ {when} }}{unless};")
    })
}

fn rulebook(rules: &[String]) -> Option<Rulebook> {
    // Cedar's validator warns of rules that are always false; those cannot be read, and need no proof.
    Rulebook::parse(&common::book(rules), None).ok()
}

fn nobody(class: Option<PartyClass>, category: Option<&str>, forms: &[Form], of_others: bool) -> Claim {
    Claim::Nobody {
        class,
        category: category.map(|code| code.parse().unwrap()),
        forms: forms.to_vec(),
        of_others,
    }
}

/// Whether looking at all facts finds one that refutes the claim.
fn refuted(claim: &Claim, here: &Rulebook, there: &Rulebook, all: &[Facts]) -> bool {
    all.iter().any(|facts| {
        let treatment = here.rule(facts).treatment;
        match claim {
            Claim::Nobody { class, category, forms, of_others } => {
                treatment != Treatment::Withhold
                    && class.is_none_or(|class| facts.class == class)
                    && category.as_ref().is_none_or(|code| {
                        facts.label.categories.iter().any(|has| has.is_within(code.as_str()))
                    })
                    && (forms.is_empty() || forms.contains(&facts.form))
                    && !(*of_others && facts.same_party())
            }
            Claim::NothingNew => {
                treatment != Treatment::Withhold && there.rule(facts).treatment == Treatment::Withhold
            }
            Claim::NothingLooser => treatment.stricter(there.rule(facts).treatment) != treatment,
        }
    })
}

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
