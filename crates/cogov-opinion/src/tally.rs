//! Counts of votes by statement, group and class.
#![allow(clippy::indexing_slicing, reason = "tables are made as wide as the matrix and the groups")]

use crate::conversation::Conversation;
use crate::stats::Share;
use crate::votes::Class;
use rayon::prelude::*;

/// How many classes there are.
pub const CLASSES: usize = Class::ALL.len();

/// How many said what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Agreed.
    pub agree: u32,
    /// Disagreed.
    pub disagree: u32,
    /// Passed.
    pub pass: u32,
}

impl Counts {
    /// Everybody who saw it and voted, passes too.
    #[must_use]
    pub const fn seen(&self) -> u32 {
        self.agree + self.disagree + self.pass
    }

    /// Share of those who saw it that agreed.
    #[must_use]
    pub fn agreement(&self) -> Share {
        Share::of(self.agree, self.seen())
    }

    /// Share of those who saw it that disagreed.
    #[must_use]
    pub fn rejection(&self) -> Share {
        Share::of(self.disagree, self.seen())
    }

    /// The count of a vote (1, 0, −1).
    pub(crate) const fn of(&mut self, vote: i8) -> &mut u32 {
        match vote {
            1 => &mut self.agree,
            0 => &mut self.pass,
            _ => &mut self.disagree,
        }
    }

    fn add(&mut self, other: &Self) {
        self.agree += other.agree;
        self.disagree += other.disagree;
        self.pass += other.pass;
    }
}

/// Counts of one statement for everybody in no group, then for each group, by class.
pub type Cells = Vec<[Counts; CLASSES]>;

/// Counts the votes of every column. `labels` says the group of each row, if any; `groups` how many there are.
#[must_use]
pub fn tally(conversation: &Conversation, labels: &[Option<u8>], groups: usize) -> Vec<Cells> {
    let votes = &conversation.votes;
    let width = votes.statements().len();
    let classes: Vec<u8> =
        votes.participants().iter().map(|p| conversation.class(*p).index() as u8).collect();
    let part = |range: std::ops::Range<usize>| {
        let mut counts = vec![Counts::default(); width * (groups + 1) * CLASSES];
        for row in range {
            let group = labels[row].map_or(0, |label| label as usize + 1);
            let base = (group * CLASSES + classes[row] as usize) * width;
            let (columns, values) = votes.row(row);
            for (column, value) in columns.iter().zip(values) {
                *counts[base + *column as usize].of(*value) += 1;
            }
        }
        counts
    };
    let done: Vec<Vec<Counts>> =
        crate::map::parts(votes.participants().len()).into_par_iter().with_min_len(4).map(part).collect();
    let mut cells: Vec<Cells> = vec![vec![[Counts::default(); CLASSES]; groups + 1]; width];
    for counts in done {
        for (at, count) in counts.iter().enumerate() {
            let (column, rest) = (at % width, at / width);
            cells[column][rest / CLASSES][rest % CLASSES].add(count);
        }
    }
    cells
}

/// The sum of counts.
#[must_use]
pub fn sum<'a>(counts: impl IntoIterator<Item = &'a Counts>) -> Counts {
    counts.into_iter().fold(Counts::default(), |mut total, count| {
        total.add(count);
        total
    })
}
