//! Random rulebooks over a small universe of facts, and brute force over it.

use cogov_model::{Form, Grade, Label, PartyClass, Treatment};
use cogov_rulebook::{Claim, Facts, Rulebook};
use proptest::prelude::*;

/// The action of every rule.
pub const HEAD: &str = "action == Action::\"use\"";

/// Every fact that the rules below can tell apart.
pub fn universe() -> Vec<Facts> {
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
                            ..super::facts()
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

/// Conditions made of tests.
pub fn condition(tests: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    tests.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("(if {a} then {b} else {c})")),
        ]
    })
}

/// Rules over what the universe can tell apart.
pub fn rule() -> impl Strategy<Value = String> {
    rule_of(condition(test()).boxed())
}

/// Rules with these conditions.
pub fn rule_of(condition: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let effect = prop_oneof![
        4 => Just("@treatment(\"clear\") permit"),
        2 => Just("@treatment(\"aggregate\") @min_group(\"10\") permit"),
        1 => Just("@treatment(\"withhold\") permit"),
        2 => Just("@limit @treatment(\"mask\") @mask(\"year\") permit"),
        2 => Just("@limit @treatment(\"aggregate\") @min_group(\"20\") permit"),
        3 => Just("forbid"),
    ];
    (effect, condition.clone(), proptest::option::of(condition)).prop_map(|(effect, when, unless)| {
        let unless = unless.map(|c| format!(" unless {{ {c} }}")).unwrap_or_default();
        format!("{effect} (principal, {HEAD}, resource) when {{ {when} }}{unless};")
    })
}

/// The rulebook of rules, when it can be read.
pub fn rulebook(rules: &[String]) -> Option<Rulebook> {
    // Cedar's validator warns of rules that are always false; those cannot be read, and need no proof.
    Rulebook::parse(&super::book(rules), None).ok()
}

/// The claim.
pub fn nobody(class: Option<PartyClass>, category: Option<&str>, forms: &[Form], of_others: bool) -> Claim {
    Claim::Nobody {
        class,
        category: category.map(|code| code.parse().unwrap()),
        forms: forms.to_vec(),
        of_others,
    }
}

/// Whether looking at all facts finds one that refutes the claim.
pub fn refuted(claim: &Claim, here: &Rulebook, there: &Rulebook, all: &[Facts]) -> bool {
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
