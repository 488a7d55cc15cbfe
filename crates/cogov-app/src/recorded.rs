//! The facts of decisions: kept once a kind, named by digest on every leaf, read back to decide again.

use crate::{
    App, Checked, Proven,
    error::{Result, found},
    query::Reach,
    record::Act,
};
use cogov_model::{ColumnRef, Grant, Party, RulebookVersion, Timestamp};
use cogov_rulebook::{Ask, Books, Cases, Moment, Replay, Rulebook, UseFacts};
use cogov_store::RulebookText;
use parking_lot::{Mutex, RwLock};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// Records read from the store at once.
const BATCH: u32 = 500;

/// Of which rulebook, beside which in force, and what.
pub(crate) type Claimed = (RulebookVersion, RulebookVersion, String);

/// Replays that are remembered; beyond them the memory starts again, which only costs time.
const REPLAYED: usize = 16;

/// Of which rulebook, beside which one, and whether of the decisions that it really took.
pub(crate) type Compared = (RulebookVersion, Option<RulebookVersion>, bool);

/// What is remembered of decisions while the node runs.
#[derive(Default)]
pub(crate) struct Remembered {
    /// Facts by digest: those that are kept in the store.
    facts: RwLock<HashMap<String, Arc<UseFacts>>>,
    /// Every decision of the ledger, folded; the indexer adds to it.
    pub(crate) cases: RwLock<Cases>,
    /// The rulebooks that were, are or will be in force, as far as somebody asked.
    books: Mutex<HashMap<RulebookVersion, Arc<Rulebook>>>,
    /// What was found in texts of drafts.
    pub(crate) checked: Mutex<HashMap<[u8; 32], Arc<Checked>>>,
    /// What was proven, and until when that is remembered.
    pub(crate) proven: Mutex<HashMap<Claimed, (Proven, Option<Timestamp>)>>,
    /// What replays said, with the number of decisions on the ledger that they were made of.
    replayed: Mutex<HashMap<Compared, (u64, Arc<Replay>)>>,
}

impl Remembered {
    /// What a replay said of so many decisions, or of more.
    pub(crate) fn replayed(&self, compared: &Compared, decisions: u64) -> Option<Arc<Replay>> {
        let all = self.replayed.lock();
        all.get(compared).filter(|(of, _)| *of >= decisions).map(|(_, replay)| Arc::clone(replay))
    }

    /// Remembers what a replay of so many decisions said, in place of one of fewer.
    pub(crate) fn keep_replay(&self, compared: Compared, decisions: u64, replay: &Arc<Replay>) {
        let mut all = self.replayed.lock();
        if all.get(&compared).is_some_and(|(of, _)| *of > decisions) {
            return;
        }
        if all.len() >= REPLAYED && !all.contains_key(&compared) {
            all.clear();
        }
        all.insert(compared, (decisions, Arc::clone(replay)));
    }
}

/// The facts of one use, kept.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptFacts {
    digest: String,
    facts: Arc<UseFacts>,
    moment: Moment,
}

impl KeptFacts {
    /// The places of the groups whose columns a query used, as the ledger seals them.
    pub(crate) fn used(&self, columns: &BTreeSet<ColumnRef>) -> String {
        let places: Vec<String> = self.facts.groups_of(columns).iter().map(ToString::to_string).collect();
        places.join(",")
    }
}

impl Act {
    /// The facts that the decision rests on.
    pub(crate) fn decided_on(self, kept: &KeptFacts) -> Self {
        let act = self.fact("facts", &kept.digest).fact("days_left", kept.moment.days_left);
        match kept.moment.idle {
            Some(idle) => act.fact("idle", idle.code()),
            None => act,
        }
    }
}

impl App {
    /// Keeps the facts of a use before it is decided, so that the decision can be taken again.
    pub(crate) async fn keep_facts(
        &self,
        grant: &Grant,
        party: &Party,
        reach: &Reach,
        now: Timestamp,
    ) -> Result<KeptFacts> {
        let ask = Ask { grant, party, columns: reach.ask_columns(grant), now };
        let (facts, moment) = (UseFacts::of(&ask), Moment::of(&ask));
        let body = to_json(&facts)?;
        let digest = digest(&body);
        let known = self.remembered.facts.read().get(&digest).cloned();
        let facts = match known {
            Some(facts) => facts,
            None => {
                self.store.keep_decision_facts(&digest, &body).await?;
                let facts = Arc::new(facts);
                self.remembered.facts.write().insert(digest.clone(), Arc::clone(&facts));
                facts
            }
        };
        Ok(KeptFacts { digest, facts, moment })
    }

    /// Reads every record of facts: when the node opens.
    pub(crate) async fn recall_facts(&self) -> Result<()> {
        let mut after = String::new();
        loop {
            let records = self.store.decision_facts(&after, BATCH).await?;
            let Some((last, _)) = records.last() else { return Ok(()) };
            after.clone_from(last);
            for (named, body) in records {
                // A record that does not have its digest was changed: its decisions are not taken again.
                match serde_json::from_str::<UseFacts>(&body) {
                    Ok(facts) if digest(&body) == named => {
                        self.remembered.facts.write().insert(named, Arc::new(facts));
                    }
                    _ => tracing::warn!(digest = named, "a record of facts is not what its digest says"),
                }
            }
        }
    }

    /// The facts by digest, as they are now.
    pub(crate) fn known_facts(&self) -> HashMap<String, Arc<UseFacts>> {
        self.remembered.facts.read().clone()
    }

    /// Every rulebook that was in force, or will be.
    pub(crate) async fn books(&self) -> Result<Books> {
        let texts = self.store.rulebooks().await?;
        let read = |text: RulebookText| Some((text.version.clone(), self.read_book(&text)?));
        Ok(texts.into_iter().filter_map(read).collect())
    }

    /// A rulebook that was, is or will be in force.
    pub(crate) async fn book(&self, version: &RulebookVersion) -> Result<Option<Arc<Rulebook>>> {
        let known = self.remembered.books.lock().get(version).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let text = found(self.store.rulebook(version).await)?;
        Ok(text.and_then(|text| self.read_book(&text)))
    }

    /// A rulebook from its kept texts, read once.
    fn read_book(&self, text: &RulebookText) -> Option<Arc<Rulebook>> {
        let known = self.remembered.books.lock().get(&text.version).cloned();
        if known.is_some() {
            return known;
        }
        match Rulebook::parse(&text.en, Some(&text.zh)) {
            Ok(book) => {
                let book = Arc::new(book);
                self.remembered.books.lock().insert(text.version.clone(), Arc::clone(&book));
                Some(book)
            }
            Err(problems) => {
                tracing::warn!(version = %text.version, ?problems, "a kept rulebook cannot be read any more");
                None
            }
        }
    }
}

fn digest(body: &str) -> String {
    hex::encode(Sha256::digest(body.as_bytes()))
}

fn to_json(facts: &UseFacts) -> Result<String> {
    serde_json::to_string(facts).map_err(|error| {
        tracing::error!(%error, "the facts of a decision could not be written as JSON");
        crate::AppError::unavailable(
            "The decision could not be written, so nothing was released.",
            "无法记录裁决，因此未放行任何数据。",
        )
    })
}
