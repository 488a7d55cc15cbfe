//! What stands for a group, what all share, and what is shown next.
#![allow(clippy::indexing_slicing, reason = "columns of one matrix")]

use super::matrix::Matrix;

/// One-sided 90 %.
const BOUND: f64 = 1.2816;
/// Statements in a list at most.
const LIST: usize = 5;
/// Priority of a statement about participants themselves.
const META: f64 = 49.0;

/// Votes of a group on a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupVotes {
    /// Agreed.
    pub agree: u32,
    /// Disagreed.
    pub disagree: u32,
    /// Seen: agreed, disagreed or passed.
    pub seen: u32,
}

/// For or against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Agreeing.
    Agree,
    /// Disagreeing.
    Disagree,
}

/// A statement that stands for a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Its column.
    pub column: usize,
    /// What the group says of it.
    pub direction: Direction,
    /// How many of the group say so.
    pub successes: u32,
    /// How many of the group saw it.
    pub trials: u32,
    /// `(successes + 1) / (trials + 2)`.
    pub share: f64,
    /// z of the share against one half.
    pub share_test: f64,
    /// The share over that of all others.
    pub repness: f64,
    /// z of the difference of the two shares.
    pub repness_test: f64,
    /// Whether it is the group's best agreement, put first.
    pub best_agree: bool,
}

impl Standing {
    fn measure(&self) -> f64 {
        self.share * self.share_test * self.repness * self.repness_test
    }

    fn passes(&self) -> bool {
        self.repness_test > BOUND && self.share_test > BOUND
    }
}

/// A statement that all share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shared {
    /// Its column.
    pub column: usize,
    /// How many say so.
    pub successes: u32,
    /// How many saw it.
    pub trials: u32,
    /// `(successes + 1) / (trials + 2)`.
    pub share: f64,
    /// z of the share against one half.
    pub share_test: f64,
}

/// What all agree with, and what all disagree with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Consensus {
    /// Agreed with.
    pub agree: Vec<Shared>,
    /// Disagreed with.
    pub disagree: Vec<Shared>,
}

/// Votes of some rows by column.
#[must_use]
pub fn group_votes(matrix: &Matrix, rows: &[usize]) -> Vec<GroupVotes> {
    let mut votes = vec![GroupVotes::default(); matrix.statements.len()];
    for (column, value) in rows.iter().flat_map(|row| &matrix.cells[*row]) {
        let votes = &mut votes[*column];
        votes.seen += 1;
        votes.agree += u32::from(*value < 0.0);
        votes.disagree += u32::from(*value > 0.0);
    }
    votes
}

/// Votes of everybody by column.
#[must_use]
pub fn total_votes(matrix: &Matrix) -> Vec<GroupVotes> {
    let rows: Vec<usize> = (0..matrix.participants.len()).collect();
    group_votes(matrix, &rows)
}

/// `(some + 1) / (all + 2)`.
fn share(some: u32, all: u32) -> f64 {
    (f64::from(some) + 1.0) / (f64::from(all) + 2.0)
}

/// `2·√(n + 1)·((k + 1)/(n + 1) − ½)`.
fn share_test(some: u32, all: u32) -> f64 {
    let n = f64::from(all) + 1.0;
    2.0 * n.sqrt() * ((f64::from(some) + 1.0) / n - 0.5)
}

/// Two-proportion z with one added to all four counts.
fn two_shares_test(some: (u32, u32), all: (u32, u32)) -> f64 {
    let (k, l) = (f64::from(some.0) + 1.0, f64::from(some.1) + 1.0);
    let (m, n) = (f64::from(all.0) + 1.0, f64::from(all.1) + 1.0);
    let pooled = (k + l) / (m + n);
    if pooled >= 1.0 {
        return 0.0;
    }
    (k / m - l / n) / (pooled * (1.0 - pooled) * (1.0 / m + 1.0 / n)).sqrt()
}

fn standing(column: usize, direction: Direction, own: GroupVotes, others: GroupVotes) -> Standing {
    let part = |votes: GroupVotes| match direction {
        Direction::Agree => votes.agree,
        Direction::Disagree => votes.disagree,
    };
    let (mine, theirs) = (part(own), part(others));
    Standing {
        column,
        direction,
        successes: mine,
        trials: own.seen,
        share: share(mine, own.seen),
        share_test: share_test(mine, own.seen),
        repness: share(mine, own.seen) / share(theirs, others.seen),
        repness_test: two_shares_test((mine, theirs), (own.seen, others.seen)),
        best_agree: false,
    }
}

/// What stands for each group: at most five statements that pass both tests, by `ra·rat·pa·pat`; the best agreement first, also where
/// nothing passes, then agreements, then disagreements.
#[must_use]
pub fn representative(matrix: &Matrix, votes: &[Vec<GroupVotes>]) -> Vec<Vec<Standing>> {
    (0..votes.len()).map(|group| of_group(matrix, votes, group)).collect()
}

fn of_group(matrix: &Matrix, votes: &[Vec<GroupVotes>], group: usize) -> Vec<Standing> {
    let both: Vec<(Standing, Standing)> = (0..matrix.statements.len())
        .filter(|column| !matrix.out[*column] && !matrix.meta[*column])
        .map(|column| {
            let own = votes[group][column];
            let mut others = GroupVotes::default();
            for (_, theirs) in votes.iter().enumerate().filter(|(other, _)| *other != group) {
                others.agree += theirs[column].agree;
                others.disagree += theirs[column].disagree;
                others.seen += theirs[column].seen;
            }
            let of = |direction| standing(column, direction, own, others);
            (of(Direction::Agree), of(Direction::Disagree))
        })
        .collect();
    let best = best_agreement(&both);
    let mut passing: Vec<Standing> = both
        .iter()
        .map(direction)
        .filter(Standing::passes)
        .filter(|s| Some(s.column) != best.map(|b| b.column))
        .collect();
    passing.sort_by(|a, b| b.measure().total_cmp(&a.measure()).then(a.column.cmp(&b.column)));
    let mut list: Vec<Standing> = best.into_iter().chain(passing).take(LIST).collect();
    list.sort_by_key(|s| (!s.best_agree, s.direction == Direction::Disagree));
    list
}

/// The direction in which the group differs more from the others.
fn direction((agree, disagree): &(Standing, Standing)) -> Standing {
    if agree.repness_test > disagree.repness_test { *agree } else { *disagree }
}

/// The group's best agreement: the greatest measure of what it agrees with more than others do; where there is none, the
/// greatest `pa·pat` of what its majority agrees with. Shown in the direction in which the group differs more.
fn best_agreement(both: &[(Standing, Standing)]) -> Option<Standing> {
    let largest = |of: fn(&Standing) -> f64, may: fn(&Standing) -> bool| {
        let mut best: Option<&(Standing, Standing)> = None;
        for pair in both.iter().filter(|pair| may(&pair.0)) {
            if best.is_none_or(|b| of(&pair.0) > of(&b.0)) {
                best = Some(pair);
            }
        }
        best
    };
    let apart = largest(Standing::measure, |s| s.repness > 1.0 && s.share > 0.5 && s.repness_test > 0.0);
    let pair = apart.or_else(|| largest(|s| s.share * s.share_test, |s| s.share > 0.5 && s.successes > 0))?;
    let mut best = direction(pair);
    best.best_agree = true;
    Some(best)
}

/// What all share: share above one half and surely so, the largest `pa·pat` first, five in each direction.
#[must_use]
pub fn consensus(matrix: &Matrix, all: &[GroupVotes]) -> Consensus {
    let list = |part: fn(&GroupVotes) -> u32| {
        let mut found: Vec<Shared> = all
            .iter()
            .enumerate()
            .filter(|(column, _)| !matrix.out[*column] && !matrix.meta[*column])
            .map(|(column, votes)| Shared {
                column,
                successes: part(votes),
                trials: votes.seen,
                share: share(part(votes), votes.seen),
                share_test: share_test(part(votes), votes.seen),
            })
            .filter(|shared| shared.share > 0.5 && shared.share_test > BOUND)
            .collect();
        found.sort_by(|a, b| {
            (b.share * b.share_test).total_cmp(&(a.share * a.share_test)).then(a.column.cmp(&b.column))
        });
        found.truncate(LIST);
        found
    };
    Consensus { agree: list(|votes| votes.agree), disagree: list(|votes| votes.disagree) }
}

/// `Π` over the groups of `(A + 1)/(S + 2)`, by column.
#[must_use]
pub fn group_aware_consensus(votes: &[Vec<GroupVotes>]) -> Vec<f64> {
    let width = votes.first().map_or(0, Vec::len);
    (0..width)
        .map(|column| votes.iter().map(|group| share(group[column].agree, group[column].seen)).product())
        .collect()
}

/// Weights with which statements are shown: `[(1 − p)(E + 1)·a·(1 + 8·2^(−S/5))]²` over the votes of all groups; those about
/// participants 7².
#[must_use]
pub fn priorities(matrix: &Matrix, extremity: &[f64], votes: &[Vec<GroupVotes>]) -> Vec<f64> {
    (0..matrix.statements.len())
        .map(|column| {
            if matrix.meta[column] {
                return META;
            }
            let total = |part: fn(&GroupVotes) -> u32| votes.iter().map(|g| part(&g[column])).sum::<u32>();
            let (agree, disagree, seen) = (total(|v| v.agree), total(|v| v.disagree), total(|v| v.seen));
            let passes = share(seen - agree - disagree, seen);
            let fresh = 1.0 + 8.0 * (-f64::from(seen) / 5.0).exp2();
            ((1.0 - passes) * (extremity[column] + 1.0) * share(agree, seen) * fresh).powi(2)
        })
        .collect()
}
