//! The index of the ledger: entries searchable by party, dataset and person, and running figures.
//!
//! The ledger is the truth; index and figures are projections that catch up behind it and are
//! made again at start-up.

use crate::{App, error::Result, figures::Tally, record::Sealed};
use cogov_ledger::Entry as LedgerEntry;
use cogov_model::{AccountName, Entry};
use cogov_store::IndexedEntry;
use parking_lot::RwLock;
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::Notify;

/// Entries indexed in one transaction.
const BATCH: u64 = 1000;

/// Wakes the index when something was appended, and holds the figures.
#[derive(Default)]
pub(crate) struct Indexer {
    notify: Notify,
    pub(crate) tally: RwLock<Tally>,
    /// One catches up at a time: nothing is counted twice.
    turn: tokio::sync::Mutex<()>,
    /// Held while the background works; true once the node closes.
    round: tokio::sync::Mutex<bool>,
}

impl Indexer {
    pub(crate) fn wake(&self) {
        self.notify.notify_one();
    }

    /// Lets the background end what it is at, and begin nothing more.
    pub(crate) async fn end(&self) {
        *self.round.lock().await = true;
        self.wake();
    }
}

/// An entry as the ledger holds it, read.
pub(crate) fn read(entry: &LedgerEntry) -> Option<(Entry, BTreeMap<String, Sealed>)> {
    let public = serde_json::from_slice(&entry.leaf).ok()?;
    let sealed = serde_json::from_slice(&entry.sealed).unwrap_or_default();
    Some((public, sealed))
}

impl App {
    /// Brings index and figures up to the ledger.
    pub(crate) async fn catch_up(&self) -> Result<()> {
        let _turn = self.indexer.turn.lock().await;
        let indexed = self.store.indexed_until().await?;
        loop {
            let from = self.indexer.tally.read().seen;
            let entries = self.ledger.range(from, from.saturating_add(BATCH))?;
            if entries.is_empty() {
                return Ok(());
            }
            let read: Vec<_> = entries.iter().map(|entry| (entry.index, read(entry))).collect();
            let new: Vec<IndexedEntry> = read
                .iter()
                .filter(|(index, _)| *index >= indexed)
                .filter_map(|(index, parts)| {
                    parts.as_ref().map(|(entry, sealed)| indexed_entry(*index, entry, sealed))
                })
                .collect();
            if !new.is_empty() {
                self.store.index_entries(&new).await?;
            }
            let mut tally = self.indexer.tally.write();
            let mut cases = self.remembered.cases.write();
            for (index, parts) in &read {
                if let Some((entry, sealed)) = parts {
                    tally.count(entry);
                    let used = sealed.get("used").map(|sealed| sealed.text.as_str());
                    cases.add(*index, entry, used);
                }
                tally.seen += 1;
            }
        }
    }

    /// Keeps catching up in the background, until the last handle of the application goes.
    pub(crate) fn start_indexer(&self) {
        let app = self.downgrade();
        tokio::spawn(async move {
            while let Some(app) = app.upgrade() {
                let round = app.indexer.round.lock().await;
                if *round {
                    return;
                }
                if let Err(error) = app.retry_draft_acts().await {
                    tracing::warn!(%error, "an act on a draft is written and will be tried again");
                }
                if let Err(error) = app.announce().await {
                    tracing::warn!(%error, "a rulebook's coming into force will be written again");
                }
                if let Err(error) = app.catch_up().await {
                    tracing::warn!(%error, "the index of the ledger is behind and will be tried again");
                }
                drop(round);
                let woken = tokio::time::timeout(Duration::from_secs(1), app.indexer.notify.notified());
                let _ = woken.await;
            }
        });
    }
}

fn indexed_entry(index: u64, entry: &Entry, sealed: &BTreeMap<String, Sealed>) -> IndexedEntry {
    IndexedEntry {
        index,
        kind: entry.kind,
        at: entry.at,
        parties: entry.parties.clone(),
        datasets: entry.datasets.clone(),
        grant: entry.grant.clone(),
        outcome: entry.outcome,
        account: sealed.get("account").and_then(|sealed| AccountName::new(sealed.text.as_str()).ok()),
    }
}
