//! `/ledger/entries/{index}`: one entry, its leaf byte for byte, its proof, and its sealed words for those who may.

use super::{Answered, html, names::Names};
use crate::{
    failure::Failure,
    ui::Ui,
    view::{ClauseLink, Tag},
    visit::Visit,
};
use askama::Template;
use axum::extract::Path;
use cogov_app::{EntryView, Proof};
use cogov_model::Entry;

struct SealedView {
    name: String,
    words: String,
    salt: String,
}

#[derive(Template)]
#[template(path = "entry.html")]
struct EntryPage {
    ui: Ui,
    base: String,
    index: u64,
    outcome: Tag,
    facts: Vec<(String, String)>,
    follows: Option<u64>,
    grant: Option<String>,
    clauses: Vec<ClauseLink>,
    sealed_text: String,
    sealed: Vec<SealedView>,
    leaf: String,
    leaf_hash: String,
    proof: Option<Proof>,
}

/// `GET /ledger/entries/{index}`
pub async fn show(visit: Visit, Path(index): Path<String>) -> Answered {
    let index = index.parse().map_err(|_| Failure::not_found())?;
    let names = Names::of(&visit).await?;
    let view = visit.app.entry(visit.viewer(), index).await?;
    html(&page(&visit, view, &names))
}

fn page(visit: &Visit, view: EntryView, names: &Names) -> EntryPage {
    let (ui, entry) = (visit.ui(), &view.entry);
    let sealed_text = match (&view.sealed, entry.sealed.is_empty()) {
        (_, true) => ui.t("entry-sealed-none"),
        (Some(_), false) => ui.t("entry-sealed-open"),
        (None, false) => ui.t("entry-sealed-shut"),
    };
    let sealed = view.sealed.iter().flatten().map(|(name, sealed)| SealedView {
        name: ui.word("sealed", name),
        words: sealed.text.clone(),
        salt: sealed.salt.clone(),
    });
    EntryPage {
        base: visit.web.site.http.clone(),
        index: view.index,
        outcome: Tag::outcome(&ui, entry.outcome.code()),
        facts: facts(&ui, entry, names),
        follows: entry.follows,
        grant: entry.grant.as_ref().map(ToString::to_string),
        clauses: names.clauses(&entry.clauses),
        sealed_text,
        sealed: sealed.collect(),
        leaf: String::from_utf8_lossy(&view.leaf).into_owned(),
        leaf_hash: view.leaf_hash.clone(),
        proof: view.proof.clone(),
        ui,
    }
}

fn facts(ui: &Ui, entry: &Entry, names: &Names) -> Vec<(String, String)> {
    let parties: Vec<String> = entry.parties.iter().map(|id| names.party(id.as_str())).collect();
    let datasets: Vec<String> = entry.datasets.iter().map(ToString::to_string).collect();
    let mut facts = vec![
        (ui.t("entry-kind"), ui.word("kind", entry.kind.code())),
        (ui.t("entry-at"), ui.moment(entry.at)),
        (ui.t("entry-parties"), parties.join(", ")),
        (ui.t("grant-datasets"), datasets.join(", ")),
    ];
    if let Some(rulebook) = &entry.rulebook {
        facts.push((ui.t("entry-rulebook"), rulebook.to_string()));
    }
    facts
        .extend(entry.facts.iter().map(|(name, value)| (ui.word("fact", name), fact_words(ui, name, value))));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// A public fact in words, where its value is a code.
fn fact_words(ui: &Ui, name: &str, value: &str) -> String {
    match name {
        "grade" | "form" | "lane" | "door" | "sharing" | "state" => ui.word(name, value),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
pub(crate) fn samples(ui: Ui) -> Vec<(&'static str, String)> {
    let proof = Proof {
        size: 9,
        hashes: vec!["ab".repeat(32)],
        root: "cd".repeat(32),
        checkpoint: "origin\n9\nroot\n".into(),
        receipt: String::new(),
    };
    let page = |proof: Option<Proof>| EntryPage {
        base: "http://127.0.0.1:8080".into(),
        index: 7,
        outcome: Tag::outcome(&ui, "permit"),
        facts: vec![(ui.word("fact", "grade"), fact_words(&ui, "grade", "general-2"))],
        follows: Some(6),
        grant: Some("north-revenue".into()),
        clauses: vec![ClauseLink { id: "art-9".into(), title: "Sensitive data".into() }],
        sealed_text: ui.t("entry-sealed-open"),
        sealed: vec![SealedView {
            name: ui.word("sealed", "sql"),
            words: "SELECT 1".into(),
            salt: "00".into(),
        }],
        leaf: "{}".into(),
        leaf_hash: "ef".repeat(32),
        proof,
        ui: ui.clone(),
    };
    [page(Some(proof)), page(None)].iter().map(|page| ("entry", page.render().unwrap_or_default())).collect()
}
