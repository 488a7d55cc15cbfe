//! Grading on a file that no detector was written against: every check-digit identifier found, none invented.
use super::support::{categories, column, plan, root, rows, sink};
use cogov_engine::grading::{Identifier, find_identifiers};
use cogov_engine::import::{ImportSource, import};
use cogov_model::Evidence;
use object_store::memory::InMemory;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn numbers(ranges: &toml::Value) -> BTreeSet<usize> {
    let range = |text: &str| {
        let (a, b) = text.split_once('-').unwrap_or((text, text));
        a.parse::<usize>().unwrap()..=b.parse::<usize>().unwrap()
    };
    ranges.as_array().unwrap().iter().flat_map(|r| range(r.as_str().unwrap())).collect()
}

fn kind(name: &str) -> Option<(Identifier, &'static str)> {
    Some(match name {
        "identity-number" => (Identifier::ResidentId, "person.identity"),
        "credit-code" => (Identifier::CreditCode, "enterprise.registration"),
        "bank-card" => (Identifier::BankCard, "person.finance.account"),
        "iban" => (Identifier::Iban, "person.finance.account"),
        _ => return None,
    })
}

#[tokio::test]
async fn every_identifier_is_found_and_none_is_invented() {
    let folder = root().join("demo/heldout");
    let truth: toml::Value =
        toml::from_str(&std::fs::read_to_string(folder.join("people.truth.toml")).unwrap()).unwrap();
    let store = Arc::new(InMemory::new());
    let source = ImportSource::Path(folder.join("people.csv"));
    let imported = import(source, plan(), sink(&store), |_| {}).await.unwrap();
    assert_eq!(imported.profile.rows, u64::try_from(truth["rows"].as_integer().unwrap()).unwrap());
    assert_eq!(imported.profile.rejected, 0);
    let names: Vec<String> = imported.profile.columns.iter().map(|c| c.name.to_string()).collect();
    let rows = rows(&store, &imported).await;

    for (name, truth) in truth["column"].as_table().unwrap() {
        let profile = column(&imported, name);
        let place = names.iter().position(|n| n == name).unwrap();
        let mut found: BTreeMap<Identifier, BTreeSet<usize>> = BTreeMap::new();
        for (row, values) in rows.iter().enumerate() {
            for identifier in find_identifiers(&values[place]) {
                found.entry(identifier.kind).or_default().insert(row + 1);
            }
        }
        let digits =
            |f: &&cogov_model::Finding| f.evidence == Evidence::Content && f.words.en.contains("check digit");
        let reported: Vec<_> = profile.proposal.findings.iter().filter(digits).collect();
        assert_eq!(profile.nulls, numbers(&truth["null_rows"]).len() as u64, "nulls of {name}");
        match kind(truth["kind"].as_str().unwrap()) {
            Some((kind, category)) => {
                assert_eq!(found.get(&kind), Some(&numbers(&truth["valid_rows"])), "identifiers in {name}");
                assert!(
                    categories(profile).contains(&category),
                    "category of {name}: {:?}",
                    categories(profile)
                );
                assert!(
                    reported
                        .iter()
                        .any(|f| f.matched == u64::try_from(truth["valid"].as_integer().unwrap()).unwrap())
                );
                assert_eq!(reported.len(), 1, "{name}: {reported:?}");
            }
            None => {
                let embedded = truth.get("embedded").and_then(|e| e.get("identity-number")).map(numbers);
                assert_eq!(
                    reported.len(),
                    usize::from(embedded.is_some()),
                    "invented in {name}: {reported:?}"
                );
                if let Some(embedded) = embedded {
                    assert_eq!(found.get(&Identifier::ResidentId), Some(&embedded), "embedded in {name}");
                    assert_eq!(reported[0].matched, embedded.len() as u64);
                }
            }
        }
    }
}

#[tokio::test]
async fn every_other_kind_is_proposed_from_content_or_name() {
    let store = Arc::new(InMemory::new());
    let source = ImportSource::Path(root().join("demo/heldout/people.csv"));
    let imported = import(source, plan(), sink(&store), |_| {}).await.unwrap();
    for profile in &imported.profile.columns {
        assert!(
            profile.proposal.label.categories.is_empty() || !profile.proposal.findings.is_empty(),
            "{}",
            profile.name
        );
    }
    let expected = [
        ("person", "person.name"),
        ("born", "person.birth"),
        ("tel", "person.contact.phone"),
        ("mail", "person.contact.email"),
        ("lives_at", "person.location.address"),
        ("y", "person.location.coordinates"),
        ("x", "person.location.coordinates"),
        ("remark", "person.text"),
        ("remark", "person.contact.phone"),
        ("remark", "person.contact.email"),
    ];
    for (name, category) in expected {
        assert!(
            categories(column(&imported, name)).contains(&category),
            "{name}: {:?}",
            categories(column(&imported, name))
        );
    }
    for name in [
        "row",
        "town",
        "signed_on",
        "case_18",
        "licence",
        "transfer",
        "terminal",
        "order_no",
        "clock",
        "amount",
        "ratio",
    ] {
        let found = categories(column(&imported, name));
        let sensitive = found
            .iter()
            .filter(|c| !matches!(**c, "person" | "person.key" | "region.code" | "technical.code"))
            .count();
        assert_eq!(sensitive, 0, "invented for {name}: {found:?}");
    }
    let rows = rows(&store, &imported).await;
    for profile in &imported.profile.columns {
        for finding in &profile.proposal.findings {
            for row in rows.iter().take(5) {
                for value in row.iter().filter(|v| v.chars().count() > 6) {
                    assert!(
                        !finding.words.en.contains(value) && !finding.words.zh.contains(value),
                        "a value is quoted"
                    );
                }
            }
        }
    }
}
