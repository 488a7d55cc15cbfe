//! The opinion map: what groups hold, what all hold, across groups and across declared classes.
//!
//! Classes are counted side by side and never pooled. Who only declares a class that their account's party does
//! not show is counted in the totals of a statement and nowhere else: stuffing a class moves no result by class.

use crate::{App, error::Result};
use cogov_model::{ConsultationId, Contribution, Participant, ParticipantClass, Tally, Vote};
use cogov_opinion as opinion;
use cogov_store::{Cursor, Page};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

/// A statement and who holds it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatementOpinion {
    /// Its number.
    pub number: u64,
    /// Its words.
    pub words: String,
    /// Everybody's votes.
    pub tally: Tally,
    /// The votes of each group, in the order of the groups.
    pub by_group: Vec<Tally>,
    /// The votes of each class that has voted on it.
    pub by_class: BTreeMap<ParticipantClass, Tally>,
    /// The least share of agreement among groups.
    pub across_groups: f64,
    /// The least share of agreement among classes.
    pub across_classes: f64,
    /// How probable it is that a majority of every group and every class agrees.
    pub all_agree: f64,
    /// How probable it is that a majority of every group and every class disagrees.
    pub all_disagree: f64,
    /// How far opinions on it differ along the map, 0 to 1.
    pub spread: f64,
    /// How often it is shown next, relative to others.
    pub priority: f64,
}

/// A statement that tells a group from the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Represents {
    /// The statement's number.
    pub statement: u64,
    /// Whether the group agrees with it; it disagrees otherwise.
    pub agrees: bool,
    /// The share of the group that does.
    pub share: f64,
    /// The mean share of the other groups.
    pub others: f64,
    /// How probable the difference is.
    pub sure: f64,
}

/// A group of opinion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupOpinion {
    /// Its number, from 0: the largest first.
    pub number: usize,
    /// How many belong to it.
    pub size: u64,
    /// What tells it from the others, the surest first.
    pub represents: Vec<Represents>,
    /// How many of each class belong to it.
    pub classes: BTreeMap<ParticipantClass, u64>,
}

/// A class and how many of it take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClassOpinion {
    /// The class.
    pub class: ParticipantClass,
    /// Voters whose party shows it; for the public, all.
    pub voters: u64,
    /// Participants who only declare it: they count in no class and are not on the map.
    pub declared_only: u64,
}

/// How sure the picture is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confidence {
    /// `stable`, `not-stable` or `too-few`.
    pub verdict: &'static str,
    /// Participants with votes enough to be placed.
    pub placed: u64,
    /// The agreement that groups must reach between halves of the votes that share nothing.
    pub needed: f64,
    /// The numbers of groups that were tried, and the agreement of each: 1 is the same, 0 is chance.
    pub tried: Vec<(usize, f64)>,
    /// Distance between groups beside their width, −1 to 1.
    pub separation: f64,
}

/// Where a participant stands on the map.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Position {
    /// The participant's number.
    pub participant: u64,
    /// From left to right.
    pub x: f64,
    /// From bottom to top.
    pub y: f64,
    /// Their group; none without stable groups.
    pub group: Option<usize>,
}

/// The opinion map of a consultation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpinionMap {
    /// Everybody who voted and is counted in a class.
    pub voters: u64,
    /// Their votes.
    pub votes: u64,
    /// The statements that are shown, by number.
    pub statements: Vec<StatementOpinion>,
    /// The groups, the largest first; none when no groups are stable.
    pub groups: Vec<GroupOpinion>,
    /// The classes.
    pub classes: Vec<ClassOpinion>,
    /// Why there are groups, or none.
    pub confidence: Confidence,
    /// Statements that a majority of every group and class agrees with, the surest first.
    pub all_agree: Vec<u64>,
    /// Statements that a majority of every group and class disagrees with.
    pub all_disagree: Vec<u64>,
    /// Statements on which opinions differ most.
    pub divisive: Vec<u64>,
    /// Where everybody stands, by participant.
    pub positions: Vec<Position>,
}

impl OpinionMap {
    /// The group of a participant.
    #[must_use]
    pub fn group_of(&self, participant: u64) -> Option<usize> {
        let place =
            self.positions.binary_search_by_key(&participant, |position| position.participant).ok()?;
        self.positions.get(place)?.group
    }

    /// A statement by its number.
    #[must_use]
    pub fn statement(&self, number: u64) -> Option<&StatementOpinion> {
        let place = self.statements.binary_search_by_key(&number, |statement| statement.number).ok()?;
        self.statements.get(place)
    }
}

/// A map under way: votes are added as they come, and nothing is started over but after an act of moderation.
#[derive(Default)]
struct Kept {
    map: opinion::Map,
    people: BTreeMap<u64, Participant>,
    /// The ledger entry up to which it holds everything.
    until: u64,
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

/// How old a map may be that is shown while votes come in.
const FRESH: Duration = Duration::from_millis(800);

impl App {
    /// The opinion map of a consultation as it was at most a second ago.
    ///
    /// # Errors
    /// `NotFound` when there is no such consultation.
    pub async fn opinion_map(&self, id: &ConsultationId) -> Result<Arc<OpinionMap>> {
        self.opinion_map_of(id, FRESH).await
    }

    /// The opinion map, not older than so long.
    pub(crate) async fn opinion_map_of(&self, id: &ConsultationId, age: Duration) -> Result<Arc<OpinionMap>> {
        self.consultation_record(id).await?;
        let slot = Arc::clone(self.deliberation.maps.0.lock().entry(id.clone()).or_default());
        let mut slot = slot.lock().await;
        let latest = self.deliberation.projector.latest(id);
        if let Some(made) = slot.as_ref()
            && (made.latest == latest || made.at.elapsed() < age)
        {
            return Ok(Arc::clone(&made.view));
        }
        let kept = slot.take().map(|made| made.kept).unwrap_or_default();
        let mut kept = self.brought_up(id, kept).await?;
        let statements = self.shown_statements(id).await?;
        let made = tokio::task::spawn_blocking(move || {
            let view = Arc::new(view(&mut kept, &statements));
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
                if let Some(cast) = kept.cast(&stance, kept.until) {
                    kept.map.cast(cast);
                }
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
                if let Some(cast) = kept.cast(&stance, kept.until) {
                    kept.map.cast(cast);
                }
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
                    kept.map.declare(opinion::Participant(person.number), class_of(person.class));
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
    /// A stance as the map takes it; none when it is of somebody who counts in no class.
    fn cast(&self, stance: &cogov_store::Stance, sequence: u64) -> Option<opinion::Cast> {
        let counts = self.people.get(&stance.participant).is_some_and(|person| person.verified);
        counts.then_some(opinion::Cast {
            participant: opinion::Participant(stance.participant),
            statement: opinion::StatementId(stance.statement),
            sequence,
            vote: match stance.vote {
                Vote::Agree => opinion::Vote::Agree,
                Vote::Disagree => opinion::Vote::Disagree,
                Vote::Pass => opinion::Vote::Pass,
            },
        })
    }
}

const fn class_of(class: ParticipantClass) -> opinion::Class {
    match class {
        ParticipantClass::Public => opinion::Class::Public,
        ParticipantClass::Scholar => opinion::Class::Scholar,
        ParticipantClass::Practitioner => opinion::Class::Practitioner,
        ParticipantClass::RegulatedEntity => opinion::Class::Regulated,
        ParticipantClass::Official => opinion::Class::Official,
    }
}

/// The picture in the words of the application.
fn view(kept: &mut Kept, shown: &[Contribution]) -> OpinionMap {
    let by_number: HashMap<u64, &Contribution> = shown.iter().map(|found| (found.number, found)).collect();
    let known: Vec<u64> = kept.map.conversation().statements().map(|statement| statement.id.0).collect();
    for number in known.iter().chain(by_number.keys()) {
        let mut statement = opinion::Statement::new(opinion::StatementId(*number));
        statement.moderated_out = !by_number.contains_key(number);
        kept.map.state(statement);
    }
    let picture = kept.map.picture().clone();
    let classes = classes(&picture, kept);
    let number = |id: &opinion::StatementId| id.0;
    OpinionMap {
        voters: count(picture.participants),
        votes: count(picture.votes),
        groups: picture.groups.iter().flatten().enumerate().map(group).collect(),
        classes,
        confidence: confidence(&picture.grouping),
        all_agree: picture.bridging.iter().map(number).collect(),
        all_disagree: picture.rejected.iter().map(number).collect(),
        divisive: picture.divisive.iter().map(number).collect(),
        positions: picture.positions.iter().map(position).collect(),
        statements: picture
            .statements
            .iter()
            .filter_map(|seen| by_number.get(&seen.id.0).map(|found| statement(seen, found)))
            .collect(),
    }
}

fn statement(seen: &opinion::StatementView, found: &Contribution) -> StatementOpinion {
    let by_class = ParticipantClass::ALL.into_iter().filter_map(|class| {
        let counts = seen.classes.get(class_of(class).index())?;
        let tally = tally(counts);
        (tally.total() > 0).then_some((class, tally))
    });
    StatementOpinion {
        number: found.number,
        words: found.words.clone(),
        tally: found.tally,
        by_group: seen.groups.iter().map(tally).collect(),
        by_class: by_class.collect(),
        across_groups: seen.across_groups,
        across_classes: seen.across_classes,
        all_agree: seen.bridging.0,
        all_disagree: seen.rejected.0,
        spread: seen.spread,
        priority: seen.priority,
    }
}

fn tally(counts: &opinion::Counts) -> Tally {
    Tally {
        agree: u64::from(counts.agree),
        disagree: u64::from(counts.disagree),
        pass: u64::from(counts.pass),
    }
}

fn group((number, group): (usize, &opinion::Group)) -> GroupOpinion {
    let class = |class: ParticipantClass| {
        let members = group.classes.get(class_of(class).index()).copied().unwrap_or_default();
        (members > 0).then_some((class, count(members)))
    };
    GroupOpinion {
        number,
        size: count(group.size),
        classes: ParticipantClass::ALL.into_iter().filter_map(class).collect(),
        represents: group
            .representative
            .iter()
            .map(|tells| Represents {
                statement: tells.statement.0,
                agrees: tells.agrees,
                share: tells.share,
                others: tells.others,
                sure: tells.sure.0,
            })
            .collect(),
    }
}

fn confidence(grouping: &opinion::Grouping) -> Confidence {
    Confidence {
        verdict: match grouping.verdict {
            opinion::Verdict::Stable => "stable",
            opinion::Verdict::NotStable => "not-stable",
            opinion::Verdict::TooFew => "too-few",
        },
        placed: count(grouping.placed),
        needed: grouping.needed,
        tried: grouping.tried.clone(),
        separation: grouping.separation,
    }
}

fn position(position: &opinion::Position) -> Position {
    let [x, y] = position.at;
    Position { participant: position.participant.0, x, y, group: position.group.map(usize::from) }
}

fn classes(picture: &opinion::Picture, kept: &Kept) -> Vec<ClassOpinion> {
    let voted = |person: &&Participant| {
        !person.verified || picture.position(opinion::Participant(person.number)).is_some()
    };
    let voters: Vec<&Participant> = kept.people.values().filter(voted).collect();
    let of = |class: ParticipantClass, verified: bool| {
        count(voters.iter().filter(|person| person.class == class && person.verified == verified).count())
    };
    ParticipantClass::ALL
        .map(|class| ClassOpinion { class, voters: of(class, true), declared_only: of(class, false) })
        .into()
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
