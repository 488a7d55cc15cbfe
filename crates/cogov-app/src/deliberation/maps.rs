//! The opinion maps under way: votes are added as they come, and nothing is started over but after an act of moderation.
//!
//! A vote is shown at once. What it changes in the groups of a large consultation takes seconds to make; that is done beside,
//! on a copy, and takes the map's place when it is ready.

use super::opinion::{OpinionMap, class_of, told};
use crate::{App, error::Result};
use cogov_model::{ConsultationId, Contribution, Participant, Vote};
use cogov_opinion as opinion;
use cogov_store::{Cursor, Page};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// How exact a map must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// At most [`FRESH`] old, with groups that may be of some votes before.
    Seen,
    /// Of every vote, the groups too.
    Settled,
}

/// How old a map may be that is shown while votes come in.
const FRESH: Duration = Duration::from_millis(800);
/// Groups of so many votes are made anew at once: it takes less than a person notices.
const AT_ONCE: usize = 100_000;

/// A change to a map that is settled on a copy, to be made on the copy too.
enum Change {
    Cast(opinion::Cast),
    Declared(opinion::Participant, opinion::Class),
}

impl Change {
    fn make(self, map: &mut opinion::Map) {
        match self {
            Self::Cast(cast) => {
                map.cast(cast);
            }
            Self::Declared(participant, class) => map.declare(participant, class),
        }
    }
}

/// A copy that is being settled, and what came since it was taken.
struct Settling {
    task: JoinHandle<opinion::Map>,
    since: Vec<Change>,
    begun: Instant,
}

#[derive(Default)]
struct Kept {
    map: opinion::Map,
    people: BTreeMap<u64, Participant>,
    /// The ledger entry up to which it holds everything.
    until: u64,
    settling: Option<Settling>,
    /// Not before this is a copy taken again: at most half of the time goes into settling.
    rests_until: Option<Instant>,
}

struct Made {
    kept: Kept,
    latest: u64,
    at: Instant,
    view: Arc<OpinionMap>,
}

/// The last map of each consultation. Whoever asks while one is being made waits for it.
#[derive(Default)]
pub(crate) struct Maps(parking_lot::Mutex<HashMap<ConsultationId, Arc<tokio::sync::Mutex<Option<Made>>>>>);

impl Made {
    /// Whether it serves who asks, when the latest entry is this.
    fn serves(&self, latest: u64, wanted: Wanted) -> bool {
        let ready = self.kept.settling.as_ref().is_some_and(|settling| settling.task.is_finished());
        match wanted {
            Wanted::Settled => self.view.settled && self.latest == latest,
            Wanted::Seen => {
                self.at.elapsed() < FRESH || (self.latest == latest && !ready && !self.kept.may_settle())
            }
        }
    }
}

impl App {
    /// The opinion map of a consultation as it was at most a second ago.
    ///
    /// # Errors
    /// `NotFound` when there is no such consultation.
    pub async fn opinion_map(&self, id: &ConsultationId) -> Result<Arc<OpinionMap>> {
        self.opinion_map_of(id, Wanted::Seen).await
    }

    /// The opinion map, as exact as wanted.
    pub(crate) async fn opinion_map_of(
        &self,
        id: &ConsultationId,
        wanted: Wanted,
    ) -> Result<Arc<OpinionMap>> {
        self.consultation_record(id).await?;
        let slot = Arc::clone(self.deliberation.maps.0.lock().entry(id.clone()).or_default());
        let mut slot = slot.lock().await;
        let latest = self.deliberation.projector.latest(id);
        if let Some(made) = slot.as_ref().filter(|made| made.serves(latest, wanted)) {
            return Ok(Arc::clone(&made.view));
        }
        let mut kept = slot.take().map(|made| made.kept).unwrap_or_default();
        kept.take_settled().await;
        let mut kept = self.brought_up(id, kept).await?;
        let statements = self.shown_statements(id).await?;
        let made = tokio::task::spawn_blocking(move || {
            let view = Arc::new(view(&mut kept, &statements, wanted));
            kept.settle();
            Made { kept, latest, at: Instant::now(), view }
        });
        let made = made.await.map_err(|error| {
            tracing::error!(%error, "the opinion map could not be made");
            crate::AppError::unavailable(
                "The opinion map cannot be made at the moment.",
                "目前无法生成意见图。",
            )
        })?;
        let view = Arc::clone(&made.view);
        *slot = Some(made);
        Ok(view)
    }

    /// How often each statement that is shown should come next.
    pub(crate) async fn routing(&self, id: &ConsultationId) -> Result<Vec<(u64, f64)>> {
        let map = self.opinion_map(id).await?;
        Ok(map.statements.iter().map(|statement| (statement.number, statement.priority)).collect())
    }

    /// Adds what came since: votes as they were cast, after an act of moderation everything anew.
    async fn brought_up(&self, id: &ConsultationId, mut kept: Kept) -> Result<Kept> {
        let since = |index: u64| Page::new(Some(Cursor::from_text(&index.to_string())), Page::MOST);
        let moderated = !self.store.consultation_acts(id, &since(kept.until)).await?.items.is_empty();
        if moderated || kept.until == 0 {
            kept = Kept::default();
            self.add_people(id, &mut kept).await?;
            // Asked before the stances are read: what comes in between is added the next time.
            kept.until = self.store.last_entry(id).await?;
            for stance in self.store.stances(id).await? {
                kept.cast(&stance, kept.until);
            }
            return Ok(kept);
        }
        self.add_people(id, &mut kept).await?;
        let mut page = since(kept.until);
        let mut voters = BTreeSet::new();
        loop {
            let found = self.store.cast_votes(id, &page).await?;
            voters.extend(found.items.iter().map(|vote| vote.participant));
            kept.until = found.items.last().map_or(kept.until, |vote| vote.entry);
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => break,
            }
        }
        for voter in voters {
            for stance in self.store.stances_of(id, voter).await? {
                kept.cast(&stance, kept.until);
            }
        }
        Ok(kept)
    }

    async fn add_people(&self, id: &ConsultationId, kept: &mut Kept) -> Result<()> {
        let last = kept.people.last_key_value().map(|(number, _)| Cursor::from_text(&number.to_string()));
        let mut page = Page::new(last, Page::MOST);
        loop {
            let found = self.store.participants(id, &page).await?;
            for person in found.items {
                if person.verified {
                    let (participant, class) = (opinion::Participant(person.number), class_of(person.class));
                    kept.map.declare(participant, class);
                    kept.came(Change::Declared(participant, class));
                }
                kept.people.insert(person.number, person);
            }
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(()),
            }
        }
    }
}

impl Kept {
    /// Takes a stance, unless it is of somebody who counts in no class.
    fn cast(&mut self, stance: &cogov_store::Stance, sequence: u64) {
        if !self.people.get(&stance.participant).is_some_and(|person| person.verified) {
            return;
        }
        let cast = opinion::Cast {
            participant: opinion::Participant(stance.participant),
            statement: opinion::StatementId(stance.statement),
            sequence,
            vote: match stance.vote {
                Vote::Agree => opinion::Vote::Agree,
                Vote::Disagree => opinion::Vote::Disagree,
                Vote::Pass => opinion::Vote::Pass,
            },
        };
        self.take(cast);
    }

    fn take(&mut self, cast: opinion::Cast) {
        if self.map.cast(cast) {
            self.came(Change::Cast(cast));
        }
    }

    /// Remembers a change for the copy that is being settled.
    fn came(&mut self, change: Change) {
        if let Some(settling) = &mut self.settling {
            settling.since.push(change);
        }
    }

    fn may_settle(&self) -> bool {
        let rested = self.rests_until.is_none_or(|until| until <= Instant::now());
        !self.map.is_settled() && self.settling.is_none() && rested
    }

    /// Begins to settle a copy, when the map is not settled.
    fn settle(&mut self) {
        if self.may_settle() {
            let mut copy = self.map.unmade();
            let task = tokio::task::spawn_blocking(move || {
                copy.picture();
                copy
            });
            self.settling = Some(Settling { task, since: Vec::new(), begun: Instant::now() });
        }
    }

    /// Takes the settled copy for the map, when it is ready, with what came since.
    async fn take_settled(&mut self) {
        let Some(Settling { task, since, begun }) = self.settling.take() else { return };
        if !task.is_finished() {
            self.settling = Some(Settling { task, since, begun });
            return;
        }
        self.rests_until = Some(Instant::now() + begun.elapsed());
        match task.await {
            Ok(_) if self.map.is_settled() => {}
            Ok(mut map) => {
                for change in since {
                    change.make(&mut map);
                }
                self.map = map;
            }
            Err(error) => tracing::error!(%error, "the opinion map could not be settled"),
        }
    }
}

/// The map of what is kept, with these statements shown and all others hidden.
fn view(kept: &mut Kept, shown: &[Contribution], wanted: Wanted) -> OpinionMap {
    let by_number: HashMap<u64, &Contribution> = shown.iter().map(|found| (found.number, found)).collect();
    let known: Vec<u64> = kept.map.conversation().statements().map(|statement| statement.id.0).collect();
    for number in known.iter().chain(by_number.keys()) {
        let mut statement = opinion::Statement::new(opinion::StatementId(*number));
        statement.moderated_out = !by_number.contains_key(number);
        kept.map.state(statement);
    }
    let at_once = wanted == Wanted::Settled || kept.map.conversation().votes().len() <= AT_ONCE;
    if at_once {
        kept.map.picture();
    } else {
        kept.map.glance();
    }
    let settled = kept.map.is_settled();
    told(kept.map.glance(), settled, &kept.people, &by_number)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    /// Two camps of a hundred, who disagree about every statement.
    fn cast(participant: u64, statement: u64, sequence: u64) -> opinion::Cast {
        let camp = (participant % 2) as i8 * 2 - 1;
        let vote = opinion::Vote::of_number(if statement.is_multiple_of(2) { camp } else { -camp });
        let (participant, statement) = (opinion::Participant(participant), opinion::StatementId(statement));
        opinion::Cast { participant, statement, sequence, vote }
    }

    #[tokio::test]
    async fn a_map_is_settled_beside_and_misses_nothing_that_came_meanwhile() {
        let mut casts: Vec<opinion::Cast> =
            (0..200).flat_map(|p| (0..20).map(move |s| cast(p, s, p * 20 + s))).collect();
        let mut kept = Kept::default();
        for cast in &casts {
            kept.take(*cast);
        }
        assert_eq!(kept.map.picture().groups.as_ref().map(Vec::len), Some(2));
        kept.settle();
        assert!(kept.settling.is_none(), "what is settled needs no settling");
        for round in 0..3_u64 {
            casts.push(cast(1_000 + round, 3, 10_000));
            kept.take(casts[casts.len() - 1]);
            kept.map.glance();
            kept.rests_until = None;
            kept.settle();
            assert!(kept.settling.is_some() && !kept.map.is_settled());
            // While the copy is settled somebody new declares a class and votes, also on a statement that is new.
            let (newcomer, class) = (opinion::Participant(2_000 + round), opinion::Class::Scholar);
            kept.map.declare(newcomer, class);
            kept.came(Change::Declared(newcomer, class));
            for statement in [4, 50 + round] {
                casts.push(cast(newcomer.0, statement, 20_000));
                kept.take(casts[casts.len() - 1]);
            }
            while !kept.settling.as_ref().unwrap().task.is_finished() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            kept.take_settled().await;
            assert!(kept.settling.is_none() && !kept.map.is_settled());
            assert!(!kept.may_settle(), "it rests as long as it took");
        }
        let classes = (0..3).map(|round| (opinion::Participant(2_000 + round), opinion::Class::Scholar));
        let anew = opinion::Picture::of(&opinion::Conversation::new([], &casts, classes));
        assert_eq!(kept.map.glance().votes, anew.votes);
        assert_eq!(kept.map.picture(), &anew);
    }
}
