//! Everything that the shipped rulebook says, printed into a text file that people review.
//! `COGOV_REGENERATE=1 cargo test -p cogov-rulebook` writes the file anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use cogov_model::{Form, Grade, Label, Lane, PartyClass, Tier, Treatment};
use cogov_rulebook::{Facts, Rulebook, Ruling, Sharing};
use std::collections::BTreeMap;
use std::fmt::Write;

const KINDS: [(&str, Grade); 17] = [
    ("region.code", Grade::General1),
    ("person.key", Grade::General2),
    ("region.code", Grade::General2),
    ("person.family.marriage", Grade::General2),
    ("person.finance.income", Grade::General3),
    ("person.welfare", Grade::General3),
    ("person.name", Grade::General3),
    ("person.birth", Grade::General3),
    ("person.text", Grade::General3),
    ("enterprise.finance", Grade::General3),
    ("person.identity", Grade::General4),
    ("person.contact.phone", Grade::General4),
    ("person.location.address", Grade::General4),
    ("person.health.insurance", Grade::General4),
    ("person.military", Grade::General4),
    ("person.finance.income", Grade::Important),
    ("person.finance.income", Grade::Core),
];

fn purpose(class: PartyClass) -> &'static str {
    match class {
        PartyClass::Government => "administration.eligibility",
        PartyClass::Operator => "economy.product",
        PartyClass::University => "research.society",
        PartyClass::Enterprise | PartyClass::Social | PartyClass::Individual => "openness.app",
    }
}

fn facts(class: PartyClass, form: Form, lane: Lane, (category, grade): (&str, Grade)) -> Facts {
    let tier = (class == PartyClass::Government).then_some(Tier::Region);
    let label = Label::new([category.parse().unwrap()], grade);
    Facts { class, tier, form, lane, label, purpose: purpose(class).parse().unwrap(), ..common::facts() }
}

/// One block: the kinds of column by what happens to them.
fn block(out: &mut String, rulebook: &Rulebook, title: &str, facts: impl Fn((&'static str, Grade)) -> Facts) {
    let mut by_ruling: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for kind in KINDS {
        let Ruling { treatment, clauses, .. } = rulebook.rule(&facts(kind));
        let clauses: Vec<_> = clauses.iter().map(|clause| clause.as_str()).collect();
        let line = format!("{treatment} [{}]", clauses.join(", "));
        by_ruling.entry(line).or_default().push(format!("{} {}", kind.0, kind.1));
    }
    writeln!(out, "{title}").unwrap();
    for (ruling, kinds) in by_ruling {
        let kinds = if kinds.len() == KINDS.len() { "everything".to_owned() } else { kinds.join(", ") };
        writeln!(out, "  {ruling}: {kinds}").unwrap();
    }
    out.push('\n');
}

fn matrix(rulebook: &Rulebook) -> String {
    let mut out = String::from(
        "What the Decree 809 profile says. Each asks another party's dataset that is shared under conditions,\n\
         names a legal basis, and has the purpose of its class, unless the line says otherwise.\n\n",
    );
    for class in PartyClass::ALL {
        for lane in Lane::ALL {
            for form in Form::ALL {
                let title = format!("{} · {} · {}", class.code(), lane.code(), form.code());
                block(&mut out, rulebook, &title, |kind| facts(class, form, lane, kind));
            }
        }
    }
    let government = |form, kind| facts(PartyClass::Government, form, Lane::Share, kind);
    for form in Form::ALL {
        let title = |what: &str| format!("government · share · {} · {what}", form.code());
        block(&mut out, rulebook, &title("without a legal basis"), |kind| Facts {
            legal_basis: false,
            ..government(form, kind)
        });
        block(
            &mut out,
            rulebook,
            &title("rows of its own region, from a higher tier, without a legal basis"),
            |kind| Facts { legal_basis: false, own_region_rows: true, ..government(form, kind) },
        );
        block(&mut out, rulebook, &title("rows of its own region, from a higher tier"), |kind| Facts {
            own_region_rows: true,
            ..government(form, kind)
        });
        block(&mut out, rulebook, &title("shared without condition"), |kind| Facts {
            sharing: Sharing::Unconditional,
            ..government(form, kind)
        });
        block(&mut out, rulebook, &title("not shared"), |kind| Facts {
            sharing: Sharing::NotShared,
            ..government(form, kind)
        });
        block(&mut out, rulebook, &title("its own data"), |kind| Facts {
            provider: "asker".parse().unwrap(),
            ..government(form, kind)
        });
        for purpose in
            ["administration.service", "administration.registry", "planning.region", "emergency.health"]
        {
            block(&mut out, rulebook, &title(purpose), |kind| Facts {
                purpose: purpose.parse().unwrap(),
                ..government(form, kind)
            });
        }
    }
    out
}

#[test]
fn the_matrix_is_the_reviewed_one() {
    let path = format!("{}/tests/output/decree-809-matrix.txt", std::env::var("CARGO_MANIFEST_DIR").unwrap());
    let now = matrix(&common::rulebook());
    if std::env::var_os("COGOV_REGENERATE").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let reviewed = std::fs::read_to_string(path).unwrap_or_default();
    for (number, (now, then)) in now.lines().zip(reviewed.lines()).enumerate() {
        assert_eq!(now, then, "line {}: review the change, then run with COGOV_REGENERATE=1", number + 1);
    }
    assert_eq!(now.lines().count(), reviewed.lines().count(), "run with COGOV_REGENERATE=1 and review");
}

/// Every combination of the facts that rules look at.
fn every() -> impl Iterator<Item = Facts> {
    let flags = [(false, false), (false, true), (true, false), (true, true)];
    PartyClass::ALL.into_iter().flat_map(move |class| {
        Lane::ALL.into_iter().flat_map(move |lane| {
            Form::ALL.into_iter().flat_map(move |form| {
                KINDS.into_iter().flat_map(move |kind| {
                    flags.into_iter().map(move |(legal_basis, own_region_rows)| Facts {
                        legal_basis,
                        own_region_rows,
                        ..facts(class, form, lane, kind)
                    })
                })
            })
        })
    })
}

#[test]
fn what_always_holds_holds_in_every_combination() {
    let rulebook = common::rulebook();
    for facts in every() {
        let ruling = rulebook.rule(&facts);
        let person = facts.label.categories.iter().any(|code| code.is_within("person"));
        let kind = ruling.treatment.kind();
        assert!(!ruling.clauses.is_empty() && !ruling.reason.en.is_empty() && !ruling.reason.zh.is_empty());
        if facts.label.grade == Grade::Core {
            assert!(ruling.is_withheld(), "core data leaves: {facts:?}");
        }
        match facts.form {
            Form::Verify => assert!(["mask", "withhold"].contains(&kind), "{facts:?}"),
            Form::Aggregate => assert!(["aggregate", "noise", "withhold"].contains(&kind), "{facts:?}"),
            Form::Rows | Form::Extract => {
                let outsider = facts.class != PartyClass::Government;
                assert!(ruling.is_withheld() || !(outsider && person), "{facts:?}");
            }
        }
        if facts.class == PartyClass::Operator && person && facts.label.grade >= Grade::General3 {
            assert!(matches!(ruling.treatment, Treatment::Noise { .. } | Treatment::Withhold), "{facts:?}");
        }
    }
}
