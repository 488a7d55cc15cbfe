//! Makes the records of consultations from the ledger, in its order, many entries in one change.

use crate::{App, AppError, error::Result, indexer};
use cogov_ledger::Entry as LedgerEntry;
use cogov_model::{ConsultationEvent, ConsultationId, EntryKind};
use cogov_store::ConsultationRecord;
use parking_lot::Mutex;
use std::{collections::HashMap, time::Duration};
use tokio::sync::{Notify, watch};

/// Entries read and applied at once.
const BATCH: u64 = 500;
/// How long somebody waits for the records to hold what they did.
const PATIENCE: Duration = Duration::from_secs(30);

/// How far the records are.
pub(crate) struct Projector {
    notify: Notify,
    /// The index of the first entry that the records do not hold yet.
    reached: watch::Sender<u64>,
    /// The last entry of each consultation that this process applied: what was computed before it is old.
    latest: Mutex<HashMap<ConsultationId, u64>>,
}

impl Projector {
    pub(crate) fn new(reached: u64) -> Self {
        Self { notify: Notify::new(), reached: watch::Sender::new(reached), latest: Mutex::default() }
    }

    /// Whether the records hold an entry.
    pub(crate) fn holds(&self, index: u64) -> bool {
        *self.reached.borrow() > index
    }

    /// Changes whenever something happens in a consultation.
    pub(crate) fn latest(&self, id: &ConsultationId) -> u64 {
        self.latest.lock().get(id).copied().unwrap_or_default()
    }
}

impl App {
    /// Brings the records of consultations up to the ledger.
    pub(crate) async fn project(&self) -> Result<()> {
        let projector = &self.deliberation.projector;
        loop {
            let from = *projector.reached.borrow();
            let entries = self.ledger.range(from, from.saturating_add(BATCH))?;
            let Some(last) = entries.last() else { return Ok(()) };
            let until = last.index.saturating_add(1);
            let records: Vec<ConsultationRecord> = entries.iter().filter_map(record_of).collect();
            // Entries of other kinds are passed over; reading them again after a restart does no harm.
            if !records.is_empty() {
                self.store.apply_consultations(&records, until).await?;
                let mut latest = projector.latest.lock();
                latest.extend(records.iter().map(|record| (record.consultation.clone(), record.index)));
            }
            projector.reached.send_replace(until);
        }
    }

    /// Waits until the records hold an entry.
    pub(crate) async fn projected(&self, index: u64) -> Result<()> {
        let projector = &self.deliberation.projector;
        projector.notify.notify_one();
        let mut reached = projector.reached.subscribe();
        let there = reached.wait_for(|reached| *reached > index);
        match tokio::time::timeout(PATIENCE, there).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(AppError::unavailable(
                format!(
                    "It is written in the ledger as entry {index} and will be counted; the pages are behind at the moment."
                ),
                format!("已写入账本第 {index} 条并将计入；页面暂时滞后。"),
            )),
        }
    }

    /// Keeps applying in the background, until the last handle of the application goes.
    pub(crate) fn start_projector(&self) {
        let app = self.downgrade();
        tokio::spawn(async move {
            while let Some(app) = app.upgrade() {
                if let Err(error) = app.project().await {
                    tracing::warn!(%error, "the records of consultations are behind and will be tried again");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
                let woken = app.deliberation.projector.notify.notified();
                let _ = tokio::time::timeout(Duration::from_secs(1), woken).await;
            }
        });
    }
}

/// An entry as the records need it; none when it concerns no consultation.
fn record_of(stored: &LedgerEntry) -> Option<ConsultationRecord> {
    let (entry, mut sealed) = indexer::read(stored)?;
    let concerns = matches!(
        entry.kind,
        EntryKind::Consultation
            | EntryKind::Contribution
            | EntryKind::Vote
            | EntryKind::Moderation
            | EntryKind::Answer
            | EntryKind::Conclusion
    );
    if !concerns {
        return None;
    }
    let content = sealed.remove("content")?;
    let event: ConsultationEvent = match serde_json::from_str(&content.text) {
        Ok(event) => event,
        Err(error) => {
            tracing::error!(index = stored.index, %error, "an entry of a consultation does not read");
            return None;
        }
    };
    Some(ConsultationRecord {
        index: stored.index,
        at: entry.at,
        consultation: entry.facts.get("consultation")?.parse().ok()?,
        host: entry.parties.first()?.clone(),
        participant: entry.facts.get("participant").and_then(|key| key.parse().ok()),
        salt: content.salt,
        content: content.text,
        event,
    })
}
