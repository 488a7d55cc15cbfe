//! Records to keep.

use cogov_model::*;
use cogov_store::{Account, IndexedEntry, MaskKey, Store};
use serde_json::json;
use std::collections::BTreeSet;

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub fn party(id: &str) -> Party {
    Party {
        id: id.parse().unwrap(),
        name: Text::new(format!("The {id}"), format!("{id} 部门")),
        class: PartyClass::Government,
        tier: Some(Tier::State),
        region: None,
    }
}

pub fn account(name: &str, party: &str) -> Account {
    Account {
        name: name.parse().unwrap(),
        display_name: "李雷 O'Hara; DROP TABLE accounts".into(),
        party: party.parse().unwrap(),
        roles: BTreeSet::from([Role::Steward, Role::Analyst]),
        locale: Locale::ZhHans,
        password_hash: "$argon2id$v=19$m=19456,t=2,p=1$abc$def".into(),
        disabled: false,
        created_at: at(1_700_000_000_000),
    }
}

pub fn dataset(id: &str, provider: &str) -> Dataset {
    serde_json::from_value(json!({
        "id": id, "provider": provider, "title": {"en": "Tax \"units\"", "zh": "纳税单位 🧾"},
        "lanes": ["share"], "sharing": {"kind": "conditional", "conditions": {"en": "for welfare"}},
        "tables": [{"name": "units", "columns": [{"name": "recid", "data_type": "integer",
            "label": {"categories": ["person"], "grade": "general-2"}}]}],
        "state": "draft", "version": 0, "changed_at": 5
    }))
    .unwrap()
}

pub fn version(dataset: &str, number: u64) -> Version {
    serde_json::from_value(json!({
        "dataset": dataset, "number": number, "created_at": 7,
        "tables": [{"name": "units", "path": "a/b.parquet", "rows": 3, "bytes": 4, "sha256": "00", "rejected": 0}]
    }))
    .unwrap()
}

pub fn profile(rows: u64) -> TableProfile {
    serde_json::from_value(
        json!({"rows": rows, "rejected": 1, "encoding": "UTF-8", "delimiter": ",", "columns": []}),
    )
    .unwrap()
}

pub fn application(id: &str, requester: &str, provider: &str, made_at: i64) -> Application {
    serde_json::from_value(json!({
        "id": id, "requester": requester, "account": "ann", "provider": provider,
        "columns": [{"dataset": "tax", "table": "units", "column": "recid"}], "scope": {},
        "purpose": purpose(), "form": "rows", "lane": "share", "term": {"from": 0, "until": 100},
        "state": "submitted", "made_at": made_at, "due_at": made_at + 10, "approvals": []
    }))
    .unwrap()
}

pub fn grant(id: &str, party: &str, providers: &[&str], datasets: &[&str], made_at: i64) -> Grant {
    let columns: Vec<_> = datasets
        .iter()
        .map(|dataset| json!({"dataset": dataset, "table": "units", "column": "recid"}))
        .collect();
    serde_json::from_value(json!({
        "id": id, "name": {"en": id}, "party": party, "providers": providers, "columns": columns,
        "scope": {"tax.units": [{"column": "fips", "op": "=", "value": 6}]}, "purpose": purpose(),
        "form": "rows", "lane": "share", "term": {"from": 0, "until": 100}, "state": "active", "made_at": made_at
    }))
    .unwrap()
}

pub fn entry(index: u64, kind: EntryKind, parties: &[&str], datasets: &[&str]) -> IndexedEntry {
    IndexedEntry {
        index,
        kind,
        at: at(i64::try_from(index).unwrap() * 10),
        parties: parties.iter().map(|id| id.parse().unwrap()).collect(),
        datasets: datasets.iter().map(|id| id.parse().unwrap()).collect(),
        grant: None,
        outcome: Outcome::Done,
        account: None,
    }
}

pub fn key(byte: u8) -> MaskKey {
    MaskKey::new([byte; 32])
}

pub async fn with_parties(store: &Store, ids: &[&str]) {
    for id in ids {
        store.put_party(&party(id)).await.unwrap();
    }
}

fn purpose() -> serde_json::Value {
    json!({"code": "welfare.check", "words": {"en": "w"}, "legal_basis": {"en": "l"}, "scenario": {"en": "s"}})
}
