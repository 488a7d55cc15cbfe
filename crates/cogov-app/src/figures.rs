//! Public figures, counted from the ledger.

use crate::{App, error::Result};
use chrono::NaiveDate;
use cogov_model::{DatasetId, Entry, EntryKind, Outcome};
use std::collections::BTreeMap;

/// How something was used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Decisions.
    pub decisions: u64,
    /// Of them permits.
    pub permits: u64,
    /// Of them refusals.
    pub denials: u64,
    /// Rows that left.
    pub rows_released: u64,
    /// Decisions a day, oldest first.
    pub by_day: BTreeMap<NaiveDate, u64>,
}

/// The figures of the node.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Datasets in the catalogue.
    pub datasets: usize,
    /// Tables in them.
    pub tables: usize,
    /// Rows in their current versions.
    pub rows: u64,
    /// Parties.
    pub parties: usize,
    /// Grants that hold now.
    pub grants_active: usize,
    /// Applications that wait for somebody.
    pub applications_open: usize,
    /// Of them past their legal deadline.
    pub applications_overdue: usize,
    /// Use of the whole node.
    pub usage: Usage,
    /// Entries a kind.
    pub by_kind: BTreeMap<EntryKind, u64>,
    /// How often each clause was cited.
    pub by_clause: BTreeMap<String, u64>,
    /// Entries on the ledger.
    pub ledger_size: u64,
}

/// Running counts over the ledger.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Entries counted.
    pub(crate) seen: u64,
    whole: Usage,
    datasets: BTreeMap<DatasetId, Usage>,
    kinds: BTreeMap<EntryKind, u64>,
    clauses: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn count(&mut self, entry: &Entry) {
        *self.kinds.entry(entry.kind).or_default() += 1;
        for clause in &entry.clauses {
            *self.clauses.entry(clause.to_string()).or_default() += 1;
        }
        self.whole.count(entry);
        for dataset in &entry.datasets {
            self.datasets.entry(dataset.clone()).or_default().count(entry);
        }
    }
}

impl Usage {
    fn count(&mut self, entry: &Entry) {
        match entry.kind {
            EntryKind::Decision => {
                self.decisions += 1;
                match entry.outcome {
                    Outcome::Permit => self.permits += 1,
                    _ => self.denials += 1,
                }
                *self.by_day.entry(entry.at.date()).or_default() += 1;
            }
            EntryKind::Release => {
                self.rows_released += entry.facts.get("rows").and_then(|rows| rows.parse().ok()).unwrap_or(0);
            }
            _ => {}
        }
    }
}

impl App {
    /// The public figures.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn figures(&self) -> Result<Figures> {
        let cards = self.published().await?;
        let now = self.clock.now();
        let open = self.open_applications().await?;
        let parties = self.parties().await?.len();
        let grants_active = self.all_grants().await?.iter().filter(|g| g.state_at(now) == "active").count();
        let tally = self.indexer.tally.read();
        Ok(Figures {
            datasets: cards.len(),
            tables: cards.iter().map(|card| card.dataset.tables.len()).sum(),
            rows: cards.iter().map(|card| card.rows).sum(),
            parties,
            grants_active,
            applications_open: open.len(),
            applications_overdue: open.iter().filter(|a| a.due_at.date() < now.date()).count(),
            usage: tally.whole.clone(),
            by_kind: tally.kinds.clone(),
            by_clause: tally.clauses.clone(),
            ledger_size: self.ledger.size(),
        })
    }

    /// How a dataset was used; the whole node for `None`.
    pub(crate) fn usage(&self, dataset: Option<&DatasetId>) -> Usage {
        let tally = self.indexer.tally.read();
        match dataset {
            Some(dataset) => tally.datasets.get(dataset).cloned().unwrap_or_default(),
            None => tally.whole.clone(),
        }
    }
}
