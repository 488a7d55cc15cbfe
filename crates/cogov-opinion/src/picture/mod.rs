//! The picture of a conversation: what is shown of it.

mod glance;
mod make;
mod route;
mod voices;

pub(crate) use glance::Made;

pub use route::Routing;

use crate::stats::normal;
use crate::tally::{CLASSES, Counts};
use crate::votes::{Participant, StatementId};

/// Everything that can be said of a conversation. The same conversation gives the same picture, whatever the order of its votes and on any
/// number of threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Who voted on a statement that is not hidden.
    pub participants: usize,
    /// Votes that count, on statements that are not hidden.
    pub votes: usize,
    /// The groups, the largest first; `None` when there are no stable groups.
    pub groups: Option<Vec<Group>>,
    /// Why there are groups, or none.
    pub grouping: Grouping,
    /// What is said of each statement, by number.
    pub statements: Vec<StatementView>,
    /// Statements that a majority of every group and of every declared class agrees with; first those of which every one of them surely has the largest share.
    pub bridging: Vec<StatementId>,
    /// Statements that a majority of every group and of every declared class disagrees with.
    pub rejected: Vec<StatementId>,
    /// Statements on which opinions differ most along the map, the widest first; five at most.
    pub divisive: Vec<StatementId>,
    /// Participants' places, by number.
    pub positions: Vec<Position>,
    /// Share of what the map explains, by axis: how much wider opinions lie along it than along all others together, 0 to 1.
    pub axes: [f64; 2],
}

/// Why there are groups, or none.
#[derive(Debug, Clone, PartialEq)]
pub struct Grouping {
    /// What was found.
    pub verdict: Verdict,
    /// Participants with votes enough to be placed.
    pub placed: usize,
    /// Agreement that groups must reach between halves of the votes that share nothing.
    pub needed: f64,
    /// The numbers of groups that were tried, and for each the agreement that it reached (adjusted Rand index: 1 is the same, 0 is chance).
    pub tried: Vec<(usize, f64)>,
    /// Distance between the groups that are shown beside their width (silhouette, −1 to 1); below one half, opinions shade into each other.
    pub separation: f64,
}

/// What was found when groups were looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Groups that come back from independent halves of the votes.
    Stable,
    /// Groups could be drawn, but other votes of the same people would draw others.
    NotStable,
    /// Too few people have voted on enough statements.
    TooFew,
}

/// A group of participants who vote alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// How many belong to it.
    pub size: usize,
    /// The middle of its positions.
    pub centre: [f64; 2],
    /// How many of each class, in the order of [`Class::ALL`](crate::Class::ALL).
    pub classes: [usize; CLASSES],
    /// What it says that the other groups do not, the surest first; five at most.
    pub representative: Vec<Representative>,
}

/// A statement that sets a group apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Representative {
    /// The statement.
    pub statement: StatementId,
    /// Whether the group agrees with it; else it disagrees.
    pub agrees: bool,
    /// Share of the group, each of its classes counting the same.
    pub share: f64,
    /// Mean share of the other groups, counted likewise.
    pub others: f64,
    /// How probable it is that the difference is not zero or the other way round.
    pub sure: Sure,
}

/// What is said of one statement.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementView {
    /// Which.
    pub id: StatementId,
    /// Hidden by a moderator: counted here, and nowhere else in the picture.
    pub moderated_out: bool,
    /// About participants themselves; never in the lists.
    pub meta: bool,
    /// Everybody's votes.
    pub total: Counts,
    /// Votes by group; empty when there are no groups.
    pub groups: Vec<Counts>,
    /// Votes by class, in the order of [`Class::ALL`](crate::Class::ALL).
    pub classes: [Counts; CLASSES],
    /// The least share of agreement among groups (each of its classes counting the same); with no groups, the share of everybody, counted likewise.
    pub across_groups: f64,
    /// The least share of agreement among declared classes.
    pub across_classes: f64,
    /// How probable it is that a majority of every group and every class agrees.
    pub bridging: Sure,
    /// How probable it is that a majority of every group and every class disagrees.
    pub rejected: Sure,
    /// How far opinions on it differ along the map: standard deviation of the vote expected of a participant, 0 to 1.
    pub spread: f64,
    /// Weight with which it is shown next to those who have not voted on it; 0 for hidden ones.
    pub priority: f64,
}

/// Where a participant stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    /// Who.
    pub participant: Participant,
    /// Votes on statements that are not hidden.
    pub votes: usize,
    /// Place on the map's two axes, in units of votes: two people one apart differ by one vote, root mean square, on every statement.
    pub at: [f64; 2],
    /// Standard deviation of the place.
    pub unsure: [f64; 2],
    /// Number of the group; `None` with no groups or too few votes.
    pub group: Option<u8>,
    /// How probable it is that the participant is on this side of the line to the next group.
    pub sure: Option<Sure>,
}

/// A probability, with a word for it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Sure(pub f64);

/// The word for a probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// Below four in five: it may well be otherwise.
    Faint,
    /// Four in five or more.
    Fair,
    /// Nineteen in twenty or more.
    Firm,
}

impl Sure {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> Word {
        match self.0 {
            p if p >= 0.95 => Word::Firm,
            p if p >= 0.8 => Word::Fair,
            _ => Word::Faint,
        }
    }

    /// The probability that something of this size and standard deviation is above zero.
    pub(crate) fn above_zero(size: f64, deviation: f64) -> Self {
        Self(normal(size / deviation.max(1e-12)))
    }
}

impl Picture {
    /// What is said of a statement.
    #[must_use]
    pub fn statement(&self, id: StatementId) -> Option<&StatementView> {
        self.statements.binary_search_by_key(&id, |view| view.id).ok().and_then(|at| self.statements.get(at))
    }

    /// Where a participant stands.
    #[must_use]
    pub fn position(&self, participant: Participant) -> Option<&Position> {
        self.positions
            .binary_search_by_key(&participant, |position| position.participant)
            .ok()
            .and_then(|at| self.positions.get(at))
    }
}
