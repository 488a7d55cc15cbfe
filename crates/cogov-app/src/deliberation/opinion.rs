//! The opinion map: what groups hold, what all hold, across groups and across declared classes.
//!
//! Classes are counted side by side and never pooled: a statement is held across classes when each class with
//! verified members holds it. Declared but unverified members count in no class.

use crate::{App, error::Result};
use cogov_model::{ConsultationId, Contribution, Participant, ParticipantClass, Tally, Vote};
use super::grouping::{self, Grouping};
use cogov_store::{Page, Stance};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
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
    /// The votes of each class that has verified voters.
    pub by_class: BTreeMap<ParticipantClass, Tally>,
    /// How far every group agrees: the product of (A + 1)/(S + 2) over groups; none without groups.
    pub across_groups: Option<f64>,
    /// How far every class agrees: the least (A + 1)/(S + 2) over classes; none with fewer than two classes.
    pub across_classes: Option<f64>,
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
    /// The share of the group's voters on it who do.
    pub share: f64,
}

/// A group of opinion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupOpinion {
    /// Its number, from 0: the largest first.
    pub number: usize,
    /// How many belong to it.
    pub size: u64,
    /// What tells it from the others, the most telling first.
    pub represents: Vec<Represents>,
    /// How many of each class belong to it, verified members only.
    pub classes: BTreeMap<ParticipantClass, u64>,
}

/// A class and how many of it take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ClassOpinion {
    /// The class.
    pub class: ParticipantClass,
    /// Voters whose party shows it; for the public, all.
    pub voters: u64,
    /// Voters who only declare it: they count in no class.
    pub declared_only: u64,
}

/// How sure the picture is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Confidence {
    /// Whether groups are shown: they came back when the map was made again from parts of the votes.
    pub stable: bool,
    /// How alike the groups were then, where it was tried: 1 the same, 0 as by chance.
    pub agreement: Option<f64>,
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
    /// Everybody who voted.
    pub voters: u64,
    /// The statements that are shown, by number.
    pub statements: Vec<StatementOpinion>,
    /// The groups, the largest first; none when no groups are stable.
    pub groups: Vec<GroupOpinion>,
    /// The classes.
    pub classes: Vec<ClassOpinion>,
    /// How sure the groups are.
    pub confidence: Confidence,
    /// Where everybody stands, by participant.
    pub positions: Vec<Position>,
}

impl OpinionMap {
    /// The group of a participant.
    #[must_use]
    pub fn group_of(&self, participant: u64) -> Option<usize> {
        let place = self.positions.binary_search_by_key(&participant, |position| position.participant).ok()?;
        self.positions.get(place)?.group
    }
}

/// A map that was made, and after which ledger entry.
struct Made {
    latest: u64,
    at: Instant,
    map: Arc<OpinionMap>,
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
            return Ok(Arc::clone(&made.map));
        }
        let statements = self.shown_statements(id).await?;
        let stances = self.store.stances(id).await?;
        let people = self.everybody(id).await?;
        let map = tokio::task::spawn_blocking(move || map_of(&statements, &stances, &people)).await;
        let map = Arc::new(map.map_err(|error| {
            tracing::error!(%error, "the opinion map could not be made");
            crate::AppError::unavailable("The opinion map cannot be made at the moment.", "目前无法生成意见图。")
        })?);
        *slot = Some(Made { latest, at: Instant::now(), map: Arc::clone(&map) });
        Ok(map)
    }

    /// How often each statement that is shown should come next.
    pub(crate) async fn routing(&self, id: &ConsultationId) -> Result<Vec<(u64, f64)>> {
        let map = self.opinion_map(id).await?;
        Ok(map.statements.iter().map(|statement| (statement.number, statement.priority)).collect())
    }

    async fn everybody(&self, id: &ConsultationId) -> Result<Vec<Participant>> {
        let (mut all, mut page) = (Vec::new(), Page::first(Page::MOST));
        loop {
            let found = self.store.participants(id, &page).await?;
            all.extend(found.items);
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(all),
            }
        }
    }
}

/// Makes a map. The same votes give the same map, whatever their order.
fn map_of(statements: &[Contribution], stances: &[Stance], people: &[Participant]) -> OpinionMap {
    let people: HashMap<u64, &Participant> = people.iter().map(|person| (person.number, person)).collect();
    let shown: HashMap<u64, usize> =
        statements.iter().enumerate().map(|(place, statement)| (statement.number, place)).collect();
    let stances: Vec<Stance> =
        stances.iter().filter(|stance| shown.contains_key(&stance.statement)).copied().collect();
    let grouping = grouping::of(statements, &stances);
    let mut counted = Counted::new(statements.len(), grouping.groups);
    for stance in &stances {
        let Some(place) = shown.get(&stance.statement) else { continue };
        let person = people.get(&stance.participant).copied();
        counted.count(*place, stance.vote, counts_in(person), grouping.group_of(stance.participant));
    }
    let opinions: Vec<StatementOpinion> = statements
        .iter()
        .zip(counted.statements)
        .map(|(statement, counts)| counts.opinion(statement, &grouping))
        .collect();
    OpinionMap {
        voters: voters(&stances),
        groups: groups(&grouping, &opinions, &people),
        classes: classes(&stances, &people),
        confidence: grouping.confidence,
        positions: grouping.positions,
        statements: opinions,
    }
}

/// The class in which somebody's votes count: none when it is declared only.
fn counts_in(person: Option<&Participant>) -> Option<ParticipantClass> {
    person.filter(|person| person.verified).map(|person| person.class)
}

fn voters(stances: &[Stance]) -> u64 {
    let voters: std::collections::BTreeSet<u64> = stances.iter().map(|stance| stance.participant).collect();
    u64::try_from(voters.len()).unwrap_or(u64::MAX)
}

fn classes(stances: &[Stance], people: &HashMap<u64, &Participant>) -> Vec<ClassOpinion> {
    let voters: std::collections::BTreeSet<u64> = stances.iter().map(|stance| stance.participant).collect();
    let voters: Vec<&Participant> =
        voters.iter().filter_map(|number| people.get(number).copied()).collect();
    let count = |class: ParticipantClass, verified: bool| {
        let of = |person: &&&Participant| person.class == class && person.verified == verified;
        u64::try_from(voters.iter().filter(of).count()).unwrap_or(u64::MAX)
    };
    ParticipantClass::ALL
        .map(|class| ClassOpinion {
            class,
            voters: count(class, true),
            declared_only: count(class, false),
        })
        .into()
}

fn groups(
    grouping: &Grouping,
    opinions: &[StatementOpinion],
    people: &HashMap<u64, &Participant>,
) -> Vec<GroupOpinion> {
    let mut groups: Vec<GroupOpinion> = (0..grouping.groups)
        .map(|number| GroupOpinion {
            number,
            size: 0,
            represents: grouping::representative(number, opinions),
            classes: BTreeMap::new(),
        })
        .collect();
    for position in &grouping.positions {
        let Some(group) = position.group.and_then(|group| groups.get_mut(group)) else { continue };
        group.size += 1;
        if let Some(class) = counts_in(people.get(&position.participant).copied()) {
            *group.classes.entry(class).or_default() += 1;
        }
    }
    groups
}

/// The votes on one statement, counted for everybody, each group and each class.
#[derive(Clone)]
struct Counts {
    tally: Tally,
    by_group: Vec<Tally>,
    by_class: BTreeMap<ParticipantClass, Tally>,
}

struct Counted {
    statements: Vec<Counts>,
}

impl Counted {
    fn new(statements: usize, groups: usize) -> Self {
        let none = Counts {
            tally: Tally::default(),
            by_group: vec![Tally::default(); groups],
            by_class: BTreeMap::new(),
        };
        Self { statements: vec![none; statements] }
    }

    fn count(
        &mut self,
        place: usize,
        vote: Vote,
        class: Option<ParticipantClass>,
        group: Option<usize>,
    ) {
        let Some(counts) = self.statements.get_mut(place) else { return };
        add(&mut counts.tally, vote);
        if let Some(tally) = group.and_then(|group| counts.by_group.get_mut(group)) {
            add(tally, vote);
        }
        if let Some(class) = class {
            add(counts.by_class.entry(class).or_default(), vote);
        }
    }
}

fn add(tally: &mut Tally, vote: Vote) {
    match vote {
        Vote::Agree => tally.agree += 1,
        Vote::Disagree => tally.disagree += 1,
        Vote::Pass => tally.pass += 1,
    }
}

/// (A + 1)/(S + 2): the share that agrees, drawn to one half while few have voted.
#[allow(clippy::cast_precision_loss, reason = "counts of votes are far below 2^52")]
fn agreed(tally: &Tally) -> f64 {
    (tally.agree as f64 + 1.0) / (tally.total() as f64 + 2.0)
}

impl Counts {
    fn opinion(self, statement: &Contribution, grouping: &Grouping) -> StatementOpinion {
        let across_groups =
            (!self.by_group.is_empty()).then(|| self.by_group.iter().map(agreed).product());
        let across_classes = (self.by_class.len() >= 2)
            .then(|| self.by_class.values().map(agreed).fold(f64::INFINITY, f64::min));
        StatementOpinion {
            number: statement.number,
            words: statement.words.clone(),
            priority: priority(&self.tally, grouping.extremity(statement.number)),
            tally: self.tally,
            by_group: self.by_group,
            by_class: self.by_class,
            across_groups,
            across_classes,
        }
    }
}

/// Polis' routing: [(1 − p)(E + 1)·a·(1 + 8·2^(−S/5))]², so that new statements are seen, statements that tell
/// groups apart more often, and those that everybody passes less.
#[allow(clippy::cast_precision_loss, reason = "counts of votes are far below 2^52")]
fn priority(tally: &Tally, extremity: f64) -> f64 {
    let seen = tally.total() as f64;
    let passed = (tally.pass as f64 + 1.0) / (seen + 2.0);
    let novelty = 1.0 + 8.0 * 2_f64.powf(-seen / 5.0);
    ((1.0 - passed) * (extremity + 1.0) * agreed(tally) * novelty).powi(2)
}
