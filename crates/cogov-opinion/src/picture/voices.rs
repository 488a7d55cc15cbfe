//! What is shared across groups and classes, and what sets a group apart.
//!
//! A **voice** is a group or a declared class. A class is heard by itself, whatever its size; in a group each class that is in
//! it counts the same. So a crowd that declares one class changes that class's own share and nobody else's.
#![allow(clippy::indexing_slicing, reason = "tables are made as wide as the groups")]

use super::{Representative, Sure};
use crate::stats::Share;
use crate::tally::{CLASSES, Cells, Counts, sum};
use crate::votes::StatementId;

/// Statements in a list at most.
pub const LIST: usize = 5;
/// One-sided 90 %: the bound above which a difference is taken for one.
const BOUND: f64 = 1.2816;

/// What is counted of those who voted: agreement or rejection.
type Part = fn(&Counts) -> Share;

/// Shares of one statement by voice.
#[derive(Debug, Clone)]
pub struct Voices {
    /// One share per group, of everybody when there are no groups; `None` when nobody of it voted.
    pub groups: Vec<Option<Share>>,
    /// One share per class that voted.
    pub classes: Vec<Share>,
}

impl Voices {
    /// The voices of a statement, as far as they agree (or reject).
    #[must_use]
    pub fn of(cells: &Cells, part: Part) -> Self {
        let group = |cells: &[Counts; CLASSES]| {
            let shares: Vec<Share> = cells.iter().filter(|c| c.seen() > 0).map(part).collect();
            Share::balanced(&shares)
        };
        let by_class: Vec<Counts> =
            (0..CLASSES).map(|class| sum(cells.iter().map(|cell| &cell[class]))).collect();
        let classes: Vec<Share> = by_class.iter().filter(|c| c.seen() > 0).map(part).collect();
        let groups = match cells.len() {
            0 | 1 => vec![Share::balanced(&classes)],
            _ => cells[1..].iter().map(group).collect(),
        };
        Self { groups, classes }
    }

    /// The least share among the groups; nobody's share of nothing is one half.
    #[must_use]
    pub fn least_group(&self) -> f64 {
        self.groups.iter().map(|share| share.map_or(0.5, |s| s.mean)).fold(1.0, f64::min)
    }

    /// The least share among the classes that voted.
    #[must_use]
    pub fn least_class(&self) -> f64 {
        if self.classes.is_empty() { 0.5 } else { self.classes.iter().map(|s| s.mean).fold(1.0, f64::min) }
    }

    /// How probable it is that every voice has a majority.
    #[must_use]
    pub fn all(&self) -> Sure {
        let groups = self.groups.iter().map(|share| share.map_or(0.5, |s| s.majority()));
        Sure(groups.chain(self.classes.iter().map(Share::majority)).product())
    }

    /// Whether every voice's share is above one half.
    #[must_use]
    pub fn shared(&self) -> bool {
        !self.classes.is_empty() && self.least_group() > 0.5 && self.least_class() > 0.5
    }
}

/// What sets each group apart, from the cells of statements that may be listed.
#[must_use]
pub fn representative(listed: &[(StatementId, &Cells)], groups: usize) -> Vec<Vec<Representative>> {
    let mut found: Vec<Vec<(f64, Representative)>> = vec![Vec::new(); groups];
    for (statement, cells) in listed {
        for (agrees, part) in [(true, Counts::agreement as Part), (false, Counts::rejection as Part)] {
            let voices = Voices::of(cells, part);
            for (group, list) in found.iter_mut().enumerate() {
                list.extend(stands_apart(*statement, agrees, &voices.groups, group));
            }
        }
    }
    found
        .into_iter()
        .map(|mut list| {
            list.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.statement.cmp(&b.1.statement)));
            list.into_iter().take(LIST).map(|(_, one)| one).collect()
        })
        .collect()
}

/// The group's majority says it, and surely more of the group than of the others: the difference less its bound, and the entry.
fn stands_apart(
    statement: StatementId,
    agrees: bool,
    shares: &[Option<Share>],
    group: usize,
) -> Option<(f64, Representative)> {
    let own = shares.get(group).copied().flatten()?;
    let others: Vec<Share> =
        shares.iter().enumerate().filter(|(g, _)| *g != group).filter_map(|(_, s)| *s).collect();
    let others = Share::balanced(&others)?;
    let (difference, deviation) = (own.mean - others.mean, (own.variance + others.variance).sqrt());
    let least = difference - BOUND * deviation;
    (own.mean > 0.5 && least > 0.0).then(|| {
        let sure = Sure::above_zero(difference, deviation);
        (least, Representative { statement, agrees, share: own.mean, others: others.mean, sure })
    })
}
