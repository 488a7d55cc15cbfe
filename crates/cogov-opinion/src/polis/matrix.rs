//! The matrix as Polis sees it.
#![allow(clippy::indexing_slicing, reason = "rows and columns of one matrix")]

use crate::conversation::Conversation;
use crate::votes::{Participant, StatementId};

/// Votes that make somebody take part, when there are so many statements.
const TAKING_PART: usize = 7;
/// As long as fewer take part, those with the most votes are added.
const TOP_UP: usize = 15;

/// Rows in the order of first votes, columns by statement; agree is −1. Columns that are moderated out are 0 for everybody.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// Participants by row.
    pub participants: Vec<Participant>,
    /// Statements by column.
    pub statements: Vec<StatementId>,
    /// Whether a column is moderated out.
    pub out: Vec<bool>,
    /// Whether a column is about participants themselves.
    pub meta: Vec<bool>,
    /// Votes cast, by row: column and value, moderated columns with the value that was cast.
    pub(crate) cells: Vec<Vec<(usize, f64)>>,
    hidden: usize,
}

impl Matrix {
    /// The matrix of a conversation.
    #[must_use]
    pub fn new(conversation: &Conversation) -> Self {
        let votes = conversation.votes();
        let mut order: Vec<usize> = (0..votes.participants().len()).collect();
        order.sort_by_key(|row| (votes.first_sequence(*row), *row));
        let cells = order
            .iter()
            .map(|row| {
                let (columns, values) = votes.row(*row);
                columns.iter().zip(values).map(|(c, v)| (*c as usize, -f64::from(*v))).collect()
            })
            .collect();
        let out: Vec<bool> = conversation.statements().map(|s| s.moderated_out).collect();
        Self {
            participants: order.iter().map(|row| votes.participants()[*row]).collect(),
            statements: votes.statements().to_vec(),
            hidden: out.iter().filter(|out| **out).count(),
            out,
            meta: conversation.statements().map(|s| s.meta).collect(),
            cells,
        }
    }

    /// The row of a participant.
    #[must_use]
    pub fn row(&self, participant: Participant) -> Option<usize> {
        self.participants.iter().position(|p| *p == participant)
    }

    /// Votes of a row as the projection sees them: moderated columns are 0 for everybody, so everybody has voted there.
    pub(crate) fn seen(&self, row: usize) -> (impl Iterator<Item = (usize, f64)> + '_, usize) {
        let cast = self.cells[row].iter().filter(|(column, _)| !self.out[*column]);
        (cast.clone().copied(), cast.count() + self.hidden)
    }

    /// The rows that take part: at least seven votes (or as many as there are statements), or taking part before; topped up
    /// to fifteen by those with the most votes.
    #[must_use]
    pub fn taking_part(&self, before: &[usize]) -> Vec<usize> {
        let least = TAKING_PART.min(self.statements.len());
        let mut rows: Vec<usize> = (0..self.cells.len())
            .filter(|row| self.cells[*row].len() >= least || before.contains(row))
            .collect();
        if rows.len() < TOP_UP {
            let mut others: Vec<usize> = (0..self.cells.len()).filter(|row| !rows.contains(row)).collect();
            others.sort_by_key(|row| (std::cmp::Reverse(self.cells[*row].len()), *row));
            rows.extend(others.into_iter().take(TOP_UP - rows.len()));
            rows.sort_unstable();
        }
        rows
    }
}
