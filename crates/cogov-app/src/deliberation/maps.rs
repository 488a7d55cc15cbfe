//! The opinion maps under way: votes are added as they come, and nothing is started over but after an act of moderation.
//!
//! A vote is shown at once. What it changes in the groups of a large consultation takes seconds to make; that is done beside,
//! on a copy, and takes the map's place when it is ready.

use super::opinion::{OpinionMap, class_of, told};
use crate::{App, error::Result};
use cogov_model::{ConsultationId, Contribution, Participant, Vote};
use cogov_opinion as opinion;
use cogov_store::{Cursor, Page, Stance};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::OwnedMutexGuard, task::JoinHandle};

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
    Stated(opinion::Statement),
}

impl Change {
    fn make(self, map: &mut opinion::Map) {
        match self {
            Self::Cast(cast) => {
                map.cast(cast);
            }
            Self::Declared(participant, class) => map.declare(participant, class),
            Self::Stated(statement) => map.state(statement),
        }
    }
}

/// A copy that is being settled, and what came since it was taken.
struct Settling {
    /// The copy, and how long it took.
    task: JoinHandle<(opinion::Map, Duration)>,
    since: Vec<Change>,
}

#[derive(Default)]
struct Kept {
    map: opinion::Map,
    people: BTreeMap<u64, Participant>,
    /// The ledger entry up to which it holds every vote.
    until: u64,
    /// The ledger entry up to which it holds every act of moderation.
    acts_until: u64,
    settling: Option<Settling>,
    /// Not before this is a copy taken again: at most half of the time goes into settling.
    rests_until: Option<Instant>,
}

/// What is on record that a map does not hold.
struct News {
    /// Whether it is everything, because an act of moderation may have changed anything.
    anew: bool,
    people: Vec<Participant>,
    stances: Vec<Stance>,
    until: u64,
    acts_until: u64,
}

/// A map that was made.
struct Made {
    latest: u64,
    /// When it began to be made.
    at: Instant,
    view: Arc<OpinionMap>,
}

/// The map of one consultation.
#[derive(Default)]
struct Slot {
    kept: Kept,
    made: Option<Made>,
}

/// The last map of each consultation. Whoever asks while one is being made waits for it.
#[derive(Default)]
pub(crate) struct Maps(parking_lot::Mutex<HashMap<ConsultationId, Arc<tokio::sync::Mutex<Slot>>>>);

impl Slot {
    /// The map that serves who asks, when the latest entry is this.
    fn serves(&self, latest: u64, wanted: Wanted) -> Option<Arc<OpinionMap>> {
        let made = self.made.as_ref()?;
        let ready = self.kept.settling.as_ref().is_some_and(|settling| settling.task.is_finished());
        let serves = match wanted {
            Wanted::Settled => made.view.settled && made.latest == latest,
            Wanted::Seen => {
                made.at.elapsed() < FRESH || (made.latest == latest && !ready && !self.kept.may_settle())
            }
        };
        serves.then(|| Arc::clone(&made.view))
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
        let slot = slot.lock_owned().await;
        let latest = self.deliberation.projector.latest(id);
        if let Some(view) = slot.serves(latest, wanted) {
            return Ok(view);
        }
        let (app, id) = (self.clone(), id.clone());
        // A task of its own: it ends well also when whoever asked does not wait for it.
        let made = tokio::spawn(async move { app.make_map(&id, slot, latest, wanted).await });
        made.await.map_err(|error| unmade(&error))?
    }

    async fn make_map(
        &self,
        id: &ConsultationId,
        mut slot: OwnedMutexGuard<Slot>,
        latest: u64,
        wanted: Wanted,
    ) -> Result<Arc<OpinionMap>> {
        let at = Instant::now();
        slot.kept.take_settled().await;
        // Asked before anything is read: what comes in between is added the next time.
        let last = self.store.last_entry(id).await?;
        let shown = self.shown_statements(id).await?;
        let news = self.news(id, &slot.kept, last).await?;
        let mut kept = std::mem::take(&mut slot.kept);
        let made = tokio::task::spawn_blocking(move || {
            kept.take_in(news, &shown);
            let view = Arc::new(view(&mut kept, &shown, wanted));
            kept.settle();
            (kept, view)
        });
        let (kept, view) = made.await.map_err(|error| unmade(&error))?;
        *slot = Slot { kept, made: Some(Made { latest, at, view: Arc::clone(&view) }) };
        Ok(view)
    }

    /// How often each statement that is shown should come next.
    pub(crate) async fn routing(&self, id: &ConsultationId) -> Result<Vec<(u64, f64)>> {
        let map = self.opinion_map(id).await?;
        Ok(map.statements.iter().map(|statement| (statement.number, statement.priority)).collect())
    }

    /// What came since: votes as they were cast, after an act of moderation everything. Everybody is read after the votes,
    /// so that nobody's vote comes before they do.
    async fn news(&self, id: &ConsultationId, kept: &Kept, last: u64) -> Result<News> {
        let since = |index: u64| Page::new(Some(Cursor::from_text(&index.to_string())), Page::MOST);
        let moderated = !self.store.consultation_acts(id, &since(kept.acts_until)).await?.items.is_empty();
        if moderated || kept.until == 0 {
            let stances = self.store.stances(id).await?;
            let people = self.people_after(id, None).await?;
            return Ok(News { anew: true, people, stances, until: last, acts_until: last });
        }
        let (mut until, mut page, mut voters) = (kept.until, since(kept.until), BTreeSet::new());
        loop {
            let found = self.store.cast_votes(id, &page).await?;
            voters.extend(found.items.iter().map(|vote| vote.participant));
            until = found.items.last().map_or(until, |vote| vote.entry);
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => break,
            }
        }
        let mut stances = Vec::new();
        for voter in voters {
            stances.extend(self.store.stances_of(id, voter).await?);
        }
        let people = self.people_after(id, kept.people.last_key_value().map(|(number, _)| *number)).await?;
        Ok(News { anew: false, people, stances, until, acts_until: last })
    }

    async fn people_after(&self, id: &ConsultationId, last: Option<u64>) -> Result<Vec<Participant>> {
        let mut page = Page::new(last.map(|number| Cursor::from_text(&number.to_string())), Page::MOST);
        let mut people = Vec::new();
        loop {
            let found = self.store.participants(id, &page).await?;
            people.extend(found.items);
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(people),
            }
        }
    }
}

fn unmade(error: &tokio::task::JoinError) -> crate::AppError {
    tracing::error!(%error, "the opinion map could not be made");
    crate::AppError::unavailable("The opinion map cannot be made at the moment.", "目前无法生成意见图。")
}

impl Kept {
    /// Takes in what came since.
    fn take_in(&mut self, news: News, shown: &[Contribution]) {
        let News { anew, people, stances, until, acts_until } = news;
        (self.until, self.acts_until) = (until, acts_until);
        if anew {
            self.settling = None;
            self.people = people.into_iter().map(|person| (person.number, person)).collect();
            self.begin(&stances, shown);
            return;
        }
        self.show(shown);
        for person in people {
            if person.verified {
                let (participant, class) = (opinion::Participant(person.number), class_of(person.class));
                self.map.declare(participant, class);
                self.came(Change::Declared(participant, class));
            }
            self.people.insert(person.number, person);
        }
        for stance in &stances {
            if let Some(cast) = self.cast(stance) {
                self.take(cast);
            }
        }
    }

    /// Makes the map of all stances, with these statements shown and all others hidden.
    fn begin(&mut self, stances: &[Stance], shown: &[Contribution]) {
        let shown: BTreeSet<u64> = shown.iter().map(|found| found.number).collect();
        let all: BTreeSet<u64> = stances.iter().map(|stance| stance.statement).chain(shown.clone()).collect();
        let statements = all.into_iter().map(|number| {
            let statement = opinion::Statement::new(opinion::StatementId(number));
            opinion::Statement { moderated_out: !shown.contains(&number), ..statement }
        });
        let casts: Vec<opinion::Cast> = stances.iter().filter_map(|stance| self.cast(stance)).collect();
        let verified = self.people.values().filter(|person| person.verified);
        let classes = verified.map(|person| (opinion::Participant(person.number), class_of(person.class)));
        self.map = opinion::Map::new(opinion::Conversation::new(statements, &casts, classes));
    }

    /// Adds the statements that are new, in their order, so that each comes after all others.
    fn show(&mut self, shown: &[Contribution]) {
        let known: BTreeSet<u64> = self.map.conversation().statements().map(|s| s.id.0).collect();
        let shown: BTreeSet<u64> = shown.iter().map(|found| found.number).collect();
        for number in shown.difference(&known) {
            let statement = opinion::Statement::new(opinion::StatementId(*number));
            self.map.state(statement);
            self.came(Change::Stated(statement));
        }
    }

    /// A stance as the map takes it; none when it is of somebody who counts in no class.
    fn cast(&self, stance: &Stance) -> Option<opinion::Cast> {
        let counts = self.people.get(&stance.participant).is_some_and(|person| person.verified);
        counts.then_some(opinion::Cast {
            participant: opinion::Participant(stance.participant),
            statement: opinion::StatementId(stance.statement),
            sequence: self.until,
            vote: match stance.vote {
                Vote::Agree => opinion::Vote::Agree,
                Vote::Disagree => opinion::Vote::Disagree,
                Vote::Pass => opinion::Vote::Pass,
            },
        })
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
                let begun = Instant::now();
                copy.picture();
                (copy, begun.elapsed())
            });
            self.settling = Some(Settling { task, since: Vec::new() });
        }
    }

    /// Takes the settled copy for the map, when it is ready, with what came since.
    async fn take_settled(&mut self) {
        let Some(Settling { task, since }) = self.settling.take_if(|settling| settling.task.is_finished())
        else {
            return;
        };
        match task.await {
            Ok((mut map, took)) => {
                self.rests_until = Some(Instant::now() + took);
                if !self.map.is_settled() {
                    for change in since {
                        change.make(&mut map);
                    }
                    self.map = map;
                }
            }
            Err(error) => tracing::error!(%error, "the opinion map could not be settled"),
        }
    }
}

/// The map of what is kept, of these statements.
fn view(kept: &mut Kept, shown: &[Contribution], wanted: Wanted) -> OpinionMap {
    let by_number: HashMap<u64, &Contribution> = shown.iter().map(|found| (found.number, found)).collect();
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
