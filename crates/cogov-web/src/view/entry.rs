//! One ledger entry as a line of a list.

use super::Tag;
use crate::ui::Ui;
use cogov_model::Entry;

/// A ledger entry as a line.
#[derive(Debug, Clone)]
pub struct EntryRow {
    /// Its index.
    pub index: u64,
    /// What happened.
    pub kind: String,
    /// When.
    pub at: String,
    /// How it ended.
    pub outcome: Tag,
    /// The parties, the acting one first.
    pub parties: String,
    /// The datasets.
    pub datasets: String,
    /// The grant, or nothing.
    pub grant: String,
    /// What is sealed and may be read here, as name and words.
    pub sealed: Vec<(String, String)>,
}

impl EntryRow {
    /// From an entry; `party` gives a party's name.
    pub fn new(ui: &Ui, index: u64, entry: &Entry, party: impl Fn(&str) -> String) -> Self {
        let join = |all: Vec<String>| all.join(", ");
        Self {
            index,
            kind: ui.word("kind", entry.kind.code()),
            at: ui.moment(entry.at),
            outcome: Tag::outcome(ui, entry.outcome.code()),
            parties: join(entry.parties.iter().map(|id| party(id.as_str())).collect()),
            datasets: join(entry.datasets.iter().map(ToString::to_string).collect()),
            grant: entry.grant.as_ref().map(ToString::to_string).unwrap_or_default(),
            sealed: Vec::new(),
        }
    }
}

#[cfg(test)]
pub(crate) fn sample_entry(ui: &Ui) -> EntryRow {
    EntryRow {
        index: 7,
        kind: ui.word("kind", "decision"),
        at: "2026-11-23 10:00:00 UTC".into(),
        outcome: Tag::outcome(ui, "deny"),
        parties: "North, Revenue".into(),
        datasets: "revenue".into(),
        grant: "north-revenue".into(),
        sealed: vec![(ui.word("sealed", "sql"), "SELECT 1".into())],
    }
}
