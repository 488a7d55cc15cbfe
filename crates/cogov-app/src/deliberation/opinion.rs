//! The opinion map: what groups hold, what all hold, across groups and across declared classes.
//!
//! Classes are counted side by side and never pooled. Who only declares a class that their account's party does
//! not show is counted in the totals of a statement and nowhere else: stuffing a class moves no result by class.

use cogov_model::{Contribution, Participant, ParticipantClass, Tally};
use cogov_opinion as opinion;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

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
    /// Whether the groups are those of all these votes. Else every vote is counted, and who cast one since is placed among the
    /// groups as they were; the groups themselves are being made anew.
    pub settled: bool,
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

pub(super) const fn class_of(class: ParticipantClass) -> opinion::Class {
    match class {
        ParticipantClass::Public => opinion::Class::Public,
        ParticipantClass::Scholar => opinion::Class::Scholar,
        ParticipantClass::Practitioner => opinion::Class::Practitioner,
        ParticipantClass::RegulatedEntity => opinion::Class::Regulated,
        ParticipantClass::Official => opinion::Class::Official,
    }
}

/// The picture in the words of the application.
pub(super) fn told(
    picture: &opinion::Picture,
    settled: bool,
    people: &BTreeMap<u64, Participant>,
    shown: &HashMap<u64, &Contribution>,
) -> OpinionMap {
    let number = |id: &opinion::StatementId| id.0;
    OpinionMap {
        voters: count(picture.participants),
        votes: count(picture.votes),
        groups: picture.groups.iter().flatten().enumerate().map(group).collect(),
        classes: classes(picture, people),
        confidence: confidence(&picture.grouping),
        all_agree: picture.bridging.iter().map(number).collect(),
        all_disagree: picture.rejected.iter().map(number).collect(),
        divisive: picture.divisive.iter().map(number).collect(),
        positions: picture.positions.iter().map(position).collect(),
        statements: picture
            .statements
            .iter()
            .filter_map(|seen| shown.get(&seen.id.0).map(|found| statement(seen, found)))
            .collect(),
        settled,
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

fn classes(picture: &opinion::Picture, people: &BTreeMap<u64, Participant>) -> Vec<ClassOpinion> {
    let voted = |person: &&Participant| {
        !person.verified || picture.position(opinion::Participant(person.number)).is_some()
    };
    let voters: Vec<&Participant> = people.values().filter(voted).collect();
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
