//! Acts on drafts: written to the ledger first, then done. What was written and is not done yet is done before the
//! next act, every second, and when the node opens; what was not written is not done.

use crate::{
    App, AppError,
    error::{Result, found},
    indexer,
    record::{Act, Sealed},
};
use cogov_model::{
    AccountName, Adoption, Approval, Draft, DraftId, DraftState, Effect, Entry, EntryKind, Publication, Role,
    Text, Timestamp,
};
use cogov_store::{EntryFilter, Page, Revised};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tokio::sync::OwnedMutexGuard;

/// The kinds of entries about drafts.
pub(crate) const KINDS: [EntryKind; 4] = [
    EntryKind::DraftPublished,
    EntryKind::DraftApproved,
    EntryKind::DraftWithdrawn,
    EntryKind::RulebookAdopted,
];

/// One act on a draft at a time, from its check to its record.
#[derive(Default)]
pub(crate) struct DraftActs {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Entries that are written and not done yet.
    undone: parking_lot::Mutex<BTreeSet<u64>>,
}

/// The turn of one act.
pub(crate) struct DraftTurn {
    _held: OwnedMutexGuard<()>,
}

impl App {
    /// Waits for the turn to act on a draft. What an earlier act left undone is done first, so that nothing is judged
    /// by a record that is behind the ledger.
    pub(crate) async fn draft_turn(&self) -> Result<DraftTurn> {
        let turn = DraftTurn { _held: Arc::clone(&self.draft_acts.turn).lock_owned().await };
        self.do_draft_acts().await?;
        Ok(turn)
    }

    /// Writes an act on a draft to the ledger, then does it. It goes on when who asked for it goes away.
    pub(crate) async fn carry_out(&self, turn: DraftTurn, act: Act) -> Result<u64> {
        let app = self.clone();
        let work = tokio::spawn(async move {
            let _turn = turn;
            let index = app.record(act).await?;
            app.draft_acts.undone.lock().insert(index);
            match app.do_draft_acts().await {
                Ok(()) => Ok(index),
                Err(error) => {
                    tracing::error!(index, %error, "an act on a draft is written and not done yet");
                    Err(behind(index))
                }
            }
        });
        work.await.map_err(|error| {
            tracing::error!(%error, "an act on a draft was cut off");
            AppError::unavailable(
                "The act was cut off: look at the draft again.",
                "操作中断：请重新查看该草案。",
            )
        })?
    }

    /// Finds the entries about drafts that the records do not hold, and does what they say: when the node opens.
    pub(crate) async fn complete_draft_acts(&self) -> Result<()> {
        for kind in KINDS {
            let filter = EntryFilter { kind: Some(kind), ..EntryFilter::default() };
            let mut page = Page::first(Page::MOST);
            loop {
                let found = self.store.entries(&filter, &page).await?;
                self.draft_acts.undone.lock().extend(found.items.iter().map(|entry| entry.index));
                match found.next {
                    Some(next) => page = Page::new(Some(next), Page::MOST),
                    None => break,
                }
            }
        }
        self.do_draft_acts().await
    }

    /// Tries again what is undone, unless an act is under way: every second.
    pub(crate) async fn retry_draft_acts(&self) -> Result<()> {
        if self.draft_acts.undone.lock().is_empty() {
            return Ok(());
        }
        match self.draft_acts.turn.try_lock() {
            Ok(_turn) => self.do_draft_acts().await,
            Err(_) => Ok(()),
        }
    }

    async fn do_draft_acts(&self) -> Result<()> {
        loop {
            let next = self.draft_acts.undone.lock().first().copied();
            let Some(index) = next else { return Ok(()) };
            self.do_draft_act(index).await?;
            self.draft_acts.undone.lock().remove(&index);
        }
    }

    async fn do_draft_act(&self, index: u64) -> Result<()> {
        let Some((entry, sealed)) = indexer::read(&self.ledger.read(index)?) else { return Ok(()) };
        let id: Option<DraftId> = entry.facts.get("draft").and_then(|id| id.parse().ok());
        let draft = match &id {
            Some(id) => found(self.store.draft(id).await)?,
            None => None,
        };
        let Some(Revised { record: mut draft, revision }) = draft else {
            tracing::warn!(index, "an entry is about a draft that the records do not have");
            return Ok(());
        };
        if holds(&draft, index) {
            return Ok(());
        }
        if !apply(&mut draft, &entry, &sealed) {
            tracing::error!(index, "an entry about a draft does not read");
            return Ok(());
        }
        if entry.kind == EntryKind::DraftPublished {
            self.take_published_words(&mut draft).await?;
        }
        draft.entry = Some(index);
        match draft.adoption.clone().filter(|_| entry.kind == EntryKind::RulebookAdopted) {
            Some(adoption) => self.bring_into_force(&draft, revision, adoption.effect).await,
            None => Ok(self.store.update_draft(&draft, revision, None).await.map(|_| ())?),
        }
    }

    /// From its publication on a draft is called, and gives the reasons, as the published text does.
    async fn take_published_words(&self, draft: &mut Draft) -> Result<()> {
        let Some(number) = draft.published().map(|published| published.text) else { return Ok(()) };
        let text = found(self.store.draft_text(&draft.id, number).await)?;
        // Texts of before these were kept with them leave them as they are.
        if let Some(text) = text.filter(|text| !text.title.is_empty()) {
            (draft.title, draft.summary) = (text.title, text.summary);
        }
        Ok(())
    }

    /// Keeps an adopted draft as the rulebook that it is, and lets the engine decide by it from its date of effect on.
    async fn bring_into_force(&self, draft: &Draft, revision: u64, effect: Timestamp) -> Result<()> {
        let (text, book) = self.published_book(draft).await?;
        self.store
            .adopt_draft(draft, revision, &cogov_store::RulebookText { in_force: effect, ..text })
            .await?;
        self.in_force.add(effect, book);
        Ok(())
    }
}

fn behind(index: u64) -> AppError {
    AppError::unavailable(
        format!(
            "It is written in the ledger as entry {index} and will be done within moments; the pages are behind."
        ),
        format!("已写入账本第 {index} 条，即将生效；页面暂时滞后。"),
    )
}

/// Whether a record holds an entry already. Records of before this was noted are ahead of the ledger, never behind.
fn holds(draft: &Draft, index: u64) -> bool {
    match draft.entry {
        Some(last) => last >= index,
        None => !draft.publications.is_empty(),
    }
}

/// Does to a draft what an entry says. False when the entry does not read.
fn apply(draft: &mut Draft, entry: &Entry, sealed: &BTreeMap<String, Sealed>) -> bool {
    match entry.kind {
        EntryKind::DraftPublished => {
            let Some(text) = fact(entry, "text") else { return false };
            draft.state = DraftState::Published;
            let (version, base) = (entry.rulebook.clone(), fact(entry, "base"));
            draft.publications.push(Publication { text, at: entry.at, version, base });
            draft.approvals.clear();
            true
        }
        EntryKind::DraftApproved => approval(entry, sealed).is_some_and(|approval| {
            draft.approvals.push(approval);
            true
        }),
        EntryKind::DraftWithdrawn => {
            draft.state = DraftState::Withdrawn;
            true
        }
        EntryKind::RulebookAdopted => {
            let adopted = draft.published().and_then(|published| published.version.clone());
            let Some(adoption) = adoption(entry, sealed).filter(|_| adopted == fact(entry, "adopts")) else {
                return false;
            };
            draft.state = DraftState::Adopted;
            draft.adoption = Some(adoption);
            true
        }
        _ => false,
    }
}

fn fact<T: std::str::FromStr>(entry: &Entry, name: &str) -> Option<T> {
    entry.facts.get(name)?.parse().ok()
}

fn words(sealed: &BTreeMap<String, Sealed>, name: &str) -> Text {
    Text::same(sealed.get(name).map(|sealed| sealed.text.clone()).unwrap_or_default())
}

fn approval(entry: &Entry, sealed: &BTreeMap<String, Sealed>) -> Option<Approval> {
    let role = serde_json::Value::from(entry.facts.get("role")?.as_str());
    let role: Role = serde_json::from_value(role).ok()?;
    Some(Approval {
        account: AccountName::new(sealed.get("account")?.text.as_str()).ok()?,
        // The proposer stands first; who approves for another party stands after it.
        party: entry.parties.last()?.clone(),
        role,
        at: entry.at,
        words: words(sealed, "words"),
    })
}

fn adoption(entry: &Entry, sealed: &BTreeMap<String, Sealed>) -> Option<Adoption> {
    let effect = chrono::DateTime::parse_from_rfc3339(entry.facts.get("effect")?).ok()?;
    let predicted: Effect = serde_json::from_str(&sealed.get("predicted")?.text).ok()?;
    Some(Adoption {
        at: entry.at,
        effect: Timestamp::from_millis(effect.timestamp_millis()),
        urgent: fact(entry, "urgent")?,
        reasons: words(sealed, "reasons"),
        predicted,
    })
}
