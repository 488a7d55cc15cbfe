//! From a conversation to its picture.
#![allow(clippy::indexing_slicing, reason = "rows and columns of one matrix")]

use super::glance::{Ground, Made};
use super::route::priority;
use super::voices::{LIST, Voices, representative};
use super::{Group, Grouping, Picture, Position, StatementView, Sure, Verdict};
use crate::conversation::Conversation;
use crate::map::Sheet;
use crate::map::cluster::{Clustering, Point, cluster};
use crate::map::learn::{Learned, learn};
use crate::map::model::{FACTORS, Model, Stand, stand};
use crate::map::stability::{GROUPS, scaled};
use crate::stats::normal;
use crate::tally::{CLASSES, Cells, Counts, sum, tally};
use crate::votes::{Participant, StatementId};
use rayon::prelude::*;

/// Votes that place a participant, when there are so many statements (the number of Polis).
const PLACING_VOTES: usize = 7;
/// Numbers of groups whose halves agree nearly as well as the best ones do are all candidates: fewer groups always agree
/// a little better. Of the candidates those groups are shown that lie farthest apart.
const NEARLY: f64 = 0.7;
/// Fewer people placed than this are not grouped.
const LEAST_PLACED: usize = 12;
/// What this many people add to the agreement that is needed, when they are all: chance agrees more often among few.
const CROWD: f64 = 10.0;
/// Agreement between halves of the votes below which groups are not shown, however many the people are.
const LEAST_AGREEMENT: f64 = 0.2;

impl Picture {
    /// The picture of a conversation.
    #[must_use]
    pub fn of(conversation: &Conversation) -> Self {
        Self::with(conversation, None).picture
    }

    /// The same, leaving out what is `known` to have been learned from the same votes.
    pub(crate) fn with(conversation: &Conversation, known: Option<&Learned>) -> Made {
        let votes = &conversation.votes;
        let active: Vec<bool> = conversation.statements.values().map(|s| !s.moderated_out).collect();
        let counts: Vec<usize> = (0..votes.participants().len())
            .into_par_iter()
            .map(|row| votes.row(row).0.iter().filter(|c| active[**c as usize]).count())
            .collect();
        let enough = placing_votes(&active);
        let placed: Vec<usize> = (0..counts.len()).filter(|r| counts[*r] >= enough).collect();
        let mut learned = learn(votes, &active, &placed, known);
        let model = learned.finish(votes, &active);
        let stands = stands(votes, &model);
        let (clustering, grouping) = grouping(&placed, &stands, &model, &learned);
        let mut labels = vec![None; counts.len()];
        if let Some(clustering) = &clustering {
            for (row, label) in placed.iter().zip(&clustering.labels) {
                labels[*row] = Some(*label);
            }
        }
        let cells = tally(conversation, &labels, clustering.as_ref().map_or(0, |c| c.sizes.len()));
        let statements = statements(conversation, &model, &cells, clustering.is_some());
        let centres = clustering.map(|clustering| clustering.centres);
        let positions = positions(conversation, &model, &stands, &counts, &labels, centres.as_deref());
        let groups = centres.as_deref().map(|c| groups(c, &statements, &cells, conversation, &positions));
        let mut picture = Self {
            participants: counts.iter().filter(|c| **c > 0).count(),
            votes: counts.iter().sum(),
            groups,
            grouping,
            statements,
            bridging: Vec::new(),
            rejected: Vec::new(),
            divisive: Vec::new(),
            positions,
            axes: axes(&model),
        };
        picture.list(&cells);
        Made { picture, learned, ground: Ground { active, enough, model, centres, cells } }
    }

    /// Fills the lists of statements.
    pub(super) fn list(&mut self, cells: &[Cells]) {
        let listed = || self.statements.iter().zip(cells).filter(|(view, _)| view.listed());
        let shared = |part: fn(&Counts) -> crate::stats::Share| {
            let mut found: Vec<(f64, StatementId)> = listed()
                .map(|(view, cells)| (Voices::of(cells, part), view.id))
                .filter(|(voices, _)| voices.shared())
                .map(|(voices, id)| (voices.bound(), id))
                .collect();
            found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            found.into_iter().map(|(_, id)| id).collect::<Vec<_>>()
        };
        let bridging = shared(Counts::agreement);
        let rejected = shared(Counts::rejection);
        let mut wide: Vec<(f64, StatementId)> = listed()
            .filter(|(view, _)| view.spread > 0.0 && view.total.seen() as usize >= PLACING_VOTES)
            .map(|(view, _)| (view.spread, view.id))
            .collect();
        wide.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        self.divisive = wide.into_iter().take(LIST).map(|(_, id)| id).collect();
        self.bridging = bridging;
        self.rejected = rejected;
    }
}

/// How many votes place a participant.
pub(super) fn placing_votes(active: &[bool]) -> usize {
    active.iter().filter(|a| **a).count().clamp(1, PLACING_VOTES)
}

impl StatementView {
    /// Whether it may stand in a list.
    fn listed(&self) -> bool {
        !self.moderated_out && !self.meta && self.total.seen() > 0
    }
}

/// Where everybody stands.
fn stands(votes: &crate::Votes, model: &Model) -> Vec<Stand> {
    let pulls = model.pulls();
    let sheet = Sheet::whole(votes);
    (0..sheet.height())
        .into_par_iter()
        .with_min_len(1024)
        .map(|row| {
            let (columns, values) = sheet.row(row);
            stand(&pulls, columns, values)
        })
        .collect()
}

/// The agreement that so many people's groups must reach: what chance reaches falls as people grow more.
fn needed(placed: usize) -> f64 {
    LEAST_AGREEMENT + CROWD / placed.max(1) as f64
}

fn grouping(
    placed: &[usize],
    stands: &[Stand],
    model: &Model,
    learned: &Learned,
) -> (Option<Clustering>, Grouping) {
    let needed = needed(placed.len());
    let mut found = Grouping {
        verdict: Verdict::TooFew,
        placed: placed.len(),
        needed,
        tried: Vec::new(),
        separation: 0.0,
    };
    if placed.len() < LEAST_PLACED {
        return (None, found);
    }
    let agreement = &learned.stability().agreement;
    found.tried = GROUPS.zip(agreement.iter().copied()).collect();
    found.verdict = Verdict::NotStable;
    let most = agreement.iter().copied().fold(0.0, f64::max);
    let may = |agreement: f64| agreement >= needed && agreement >= NEARLY * most;
    let mut best: Option<(usize, f64)> = None;
    for ((count, agreement), separation) in found.tried.iter().zip(&learned.separation) {
        if may(*agreement) && best.is_none_or(|(_, most)| *separation > most) {
            best = Some((*count, *separation));
        }
    }
    let Some((count, _)) = best else { return (None, found) };
    let scales = model.scales();
    let points: Vec<[f64; FACTORS]> = placed.iter().map(|row| scaled(&stands[*row].mean, &scales)).collect();
    let clustering = cluster(&points, count);
    found.verdict = Verdict::Stable;
    found.separation = clustering.silhouette;
    (Some(clustering), found)
}

pub(super) fn statements(
    conversation: &Conversation,
    model: &Model,
    cells: &[Cells],
    grouped: bool,
) -> Vec<StatementView> {
    let rows = conversation.statements.values().zip(cells).zip(&model.items);
    rows.map(|((statement, cells), item)| {
        let agree = Voices::of(cells, Counts::agreement);
        let reject = Voices::of(cells, Counts::rejection);
        let total = sum(cells.iter().flatten());
        let strength: f64 = if item.active { item.load().iter().map(|x| x * x).sum() } else { 0.0 };
        let information = (strength / item.noise.max(1e-9)).sqrt();
        StatementView {
            id: statement.id,
            moderated_out: statement.moderated_out,
            meta: statement.meta,
            total,
            groups: if grouped { cells.iter().skip(1).map(sum).collect() } else { Vec::new() },
            classes: std::array::from_fn(|class| sum(cells.iter().map(|cell| &cell[class]))),
            across_groups: agree.least_group(),
            across_classes: agree.least_class(),
            bridging: agree.all(),
            rejected: reject.all(),
            spread: strength.sqrt().min(1.0),
            priority: if statement.moderated_out {
                0.0
            } else {
                priority(&total, information, statement.meta)
            },
        }
    })
    .collect()
}

fn positions(
    conversation: &Conversation,
    model: &Model,
    stands: &[Stand],
    counts: &[usize],
    labels: &[Option<u8>],
    centres: Option<&[Point]>,
) -> Vec<Position> {
    let scales = model.scales();
    let participants = conversation.votes.participants();
    (0..participants.len())
        .into_par_iter()
        .with_min_len(1024)
        .map(|row| position(participants[row], counts[row], &stands[row], &scales, labels[row], centres))
        .collect()
}

/// One participant's place.
pub(super) fn position(
    participant: Participant,
    votes: usize,
    stand: &Stand,
    scales: &[f64; FACTORS],
    group: Option<u8>,
    centres: Option<&[Point]>,
) -> Position {
    let point = scaled(&stand.mean, scales);
    let deviation = |k: usize| scales[k] * stand.covariance[k][k].max(0.0).sqrt();
    Position {
        participant,
        votes,
        at: [point[0], point[1]],
        unsure: [deviation(0), deviation(1)],
        group,
        sure: centres.zip(group).map(|(c, label)| belonging(&point, stand, scales, c, label)),
    }
}

/// How probable it is that a participant is on this side of the middle between its group's centre and the nearest other.
fn belonging(
    point: &[f64; FACTORS],
    stand: &Stand,
    scales: &[f64; FACTORS],
    centres: &[Point],
    label: u8,
) -> Sure {
    let own = centres[label as usize];
    let mut least: f64 = 1.0;
    for (_, other) in centres.iter().enumerate().filter(|(g, _)| *g != label as usize) {
        let way: [f64; FACTORS] = std::array::from_fn(|k| own[k] - other[k]);
        let margin: f64 = (0..FACTORS).map(|k| way[k] * (point[k] - f64::midpoint(own[k], other[k]))).sum();
        let mut variance = 0.0;
        for i in 0..FACTORS {
            for j in 0..FACTORS {
                variance += way[i] * scales[i] * stand.covariance[i][j] * scales[j] * way[j];
            }
        }
        least = least.min(normal(margin / variance.max(1e-300).sqrt()));
    }
    Sure(least)
}

pub(super) fn groups(
    centres: &[Point],
    views: &[StatementView],
    cells: &[Cells],
    conversation: &Conversation,
    positions: &[Position],
) -> Vec<Group> {
    let listed: Vec<(StatementId, &Cells)> = views
        .iter()
        .zip(cells)
        .filter(|(view, _)| view.listed())
        .map(|(view, cells)| (view.id, cells))
        .collect();
    let mut classes = vec![[0; CLASSES]; centres.len()];
    for position in positions {
        if let Some(group) = position.group {
            classes[group as usize][conversation.class(position.participant).index()] += 1;
        }
    }
    representative(&listed, centres.len())
        .into_iter()
        .zip(centres)
        .zip(classes)
        .map(|((representative, centre), classes)| Group {
            size: classes.iter().sum(),
            centre: [centre[0], centre[1]],
            classes,
            representative,
        })
        .collect()
}

fn axes(model: &Model) -> [f64; 2] {
    let squares = model.scales().map(|s| s * s);
    let total = squares.iter().sum::<f64>().max(1e-300);
    [squares[0] / total, squares[1] / total]
}
