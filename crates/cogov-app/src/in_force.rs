//! Which rulebook is in force: by the clock, at every use, without anyone's click.

use crate::{App, AppError, app::OpenError, error::Result, record::Act};
use cogov_model::{Clauses, DraftId, EntryKind, Outcome, RulebookVersion, Timestamp};
use cogov_rulebook::Rulebook;
use cogov_store::{EntryFilter, Page, RulebookText, Store};
use parking_lot::RwLock;
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

/// Where a version of the rulebook stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionState {
    /// It was in force.
    Past,
    /// It is in force.
    InForce,
    /// It will be.
    Coming,
    /// It never will be, or never was: one that was adopted after it came before it.
    Overtaken,
}

/// A version of the rulebook.
#[derive(Debug, Clone)]
pub struct VersionView {
    /// The version.
    pub version: RulebookVersion,
    /// From when it holds.
    pub from: Timestamp,
    /// Where it stands.
    pub state: VersionState,
    /// The draft that it was.
    pub draft: Option<DraftId>,
}

/// The rulebook in force and those that come.
pub(crate) struct InForce {
    state: RwLock<State>,
    /// Versions whose coming into force stands on the ledger.
    announced: parking_lot::Mutex<Option<BTreeSet<RulebookVersion>>>,
    /// One announcement at a time.
    turn: tokio::sync::Mutex<()>,
}

struct State {
    now: Arc<Rulebook>,
    /// Those that come, the nearest first.
    coming: VecDeque<(Timestamp, Arc<Rulebook>)>,
}

impl InForce {
    pub(crate) fn new(now: Rulebook, coming: Vec<(Timestamp, Arc<Rulebook>)>) -> Self {
        Self {
            state: RwLock::new(State { now: Arc::new(now), coming: coming.into() }),
            announced: parking_lot::Mutex::new(None),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// The one that holds at a moment.
    pub(crate) fn at(&self, now: Timestamp) -> Arc<Rulebook> {
        {
            let state = self.state.read();
            if state.coming.front().is_none_or(|(from, _)| *from > now) {
                return Arc::clone(&state.now);
            }
        }
        let mut state = self.state.write();
        while state.coming.front().is_some_and(|(from, _)| *from <= now) {
            if let Some((_, next)) = state.coming.pop_front() {
                state.now = next;
            }
        }
        Arc::clone(&state.now)
    }

    /// Adds one that comes. It was made from the last one added, so that it overtakes those that would come after it.
    pub(crate) fn add(&self, from: Timestamp, rulebook: Arc<Rulebook>) {
        let mut state = self.state.write();
        state.coming.retain(|(at, _)| *at < from);
        state.coming.push_back((from, rulebook));
    }
}

/// Those of the records that come into force after a moment.
pub(crate) async fn coming(
    store: &Store,
    now: Timestamp,
) -> Result<Vec<(Timestamp, Arc<Rulebook>)>, OpenError> {
    let texts = store.rulebooks().await?;
    let overtaken = overtaken(&texts);
    let due = texts.iter().rev().filter(|text| text.in_force > now && !overtaken.contains(&text.version));
    due.map(|text| Ok((text.in_force, Arc::new(read(text)?)))).collect()
}

/// Those of the rulebooks, the last added first, that never hold: one that was added later came before them.
fn overtaken(texts: &[RulebookText]) -> BTreeSet<RulebookVersion> {
    let mut earliest: Option<Timestamp> = None;
    let mut overtaken = BTreeSet::new();
    for text in texts {
        if earliest.is_some_and(|earliest| earliest <= text.in_force) {
            overtaken.insert(text.version.clone());
        }
        earliest = Some(earliest.map_or(text.in_force, |earliest| earliest.min(text.in_force)));
    }
    overtaken
}

fn read(text: &RulebookText) -> Result<Rulebook, OpenError> {
    Rulebook::parse(&text.en, Some(&text.zh)).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        OpenError::Rulebook(lines.join("\n"))
    })
}

impl App {
    /// Writes to the ledger that a rulebook came into force, for each that did and was not announced: when the
    /// node opens, and every second.
    pub(crate) async fn announce(&self) -> Result<()> {
        let _turn = self.in_force.turn.lock().await;
        let known = self.in_force.announced.lock().clone();
        let mut announced = match known {
            Some(announced) if announced.contains(self.rulebook().version()) => return Ok(()),
            Some(announced) => announced,
            None => self.announced_before().await?,
        };
        let now = self.clock.now();
        let mut due = self.store.rulebooks().await?;
        let overtaken = overtaken(&due);
        due.retain(|text| {
            text.in_force <= now && !announced.contains(&text.version) && !overtaken.contains(&text.version)
        });
        due.sort_by_key(|text| text.in_force);
        for text in due {
            let rulebook = self.book(&text.version).await?;
            let act = Act::new(EntryKind::RulebookInForce, Outcome::Done)
                .decided_by(&text.version, &Clauses::new())
                .fact("clauses", rulebook.map_or(0, |rulebook| rulebook.clauses().len()))
                .fact("effect", text.in_force);
            self.record(act).await?;
            announced.insert(text.version);
        }
        *self.in_force.announced.lock() = Some(announced);
        Ok(())
    }

    /// Every rulebook that was, is or will be in force, the last adopted first.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn rulebook_versions(&self) -> Result<Vec<VersionView>> {
        let (now, in_force) = (self.clock.now(), self.rulebook().version().clone());
        let drafts = self.drafts(None).await?;
        let draft = |version: &RulebookVersion| {
            let made = |card: &&crate::DraftCard| {
                let published = card.draft.published().and_then(|published| published.version.as_ref());
                card.draft.adoption.is_some() && published == Some(version)
            };
            drafts.iter().find(made).map(|card| card.draft.id.clone())
        };
        let texts = self.store.rulebooks().await?;
        let overtaken = overtaken(&texts);
        let view = |text: RulebookText| VersionView {
            state: match text.in_force {
                _ if overtaken.contains(&text.version) => VersionState::Overtaken,
                from if from > now => VersionState::Coming,
                _ if text.version == in_force => VersionState::InForce,
                _ => VersionState::Past,
            },
            from: text.in_force,
            draft: draft(&text.version),
            version: text.version,
        };
        Ok(texts.into_iter().map(view).collect())
    }

    /// A rulebook that was, is or will be in force.
    ///
    /// # Errors
    /// `NotFound` when there is none of this version.
    pub async fn rulebook_version(&self, version: &RulebookVersion) -> Result<Arc<Rulebook>> {
        self.book(version).await?.ok_or_else(|| {
            AppError::not_found(format!("There is no rulebook {version}."), format!("没有规则 {version}。"))
        })
    }

    async fn announced_before(&self) -> Result<BTreeSet<RulebookVersion>> {
        let filter = EntryFilter { kind: Some(EntryKind::RulebookInForce), ..EntryFilter::default() };
        let mut announced = BTreeSet::new();
        let mut page = Page::first(Page::MOST);
        loop {
            let found = self.store.entries(&filter, &page).await?;
            for entry in &found.items {
                if let Some((entry, _)) = crate::indexer::read(&self.ledger.read(entry.index)?) {
                    announced.extend(entry.rulebook);
                }
            }
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(announced),
            }
        }
    }
}
