//! A vote seen at once: counted, and its participant placed among the groups that there are, while what is learned from
//! everybody (directions, how many groups, who is in them) stays as it was until the picture is made anew.
#![allow(clippy::indexing_slicing, reason = "rows and columns of the picture that this stands beneath")]

use super::make::{groups, placing_votes, position, statements};
use super::{Picture, Position};
use crate::conversation::{Conversation, Statement};
use crate::map::cluster::{Point, nearest};
use crate::map::learn::Learned;
use crate::map::model::{Item, Model, Pull, stand};
use crate::map::stability::scaled;
use crate::tally::Cells;
use crate::votes::Cast;

/// A picture as it was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// The picture.
    pub picture: Picture,
    /// What was learned for it.
    pub learned: Learned,
    /// What it stands on.
    pub ground: Ground,
}

/// What a picture stands on, by rows and columns of the votes.
#[derive(Debug, Clone)]
pub struct Ground {
    /// Statements that are not hidden.
    pub(super) active: Vec<bool>,
    /// Votes that place a participant.
    pub(super) enough: usize,
    /// Levels and loads.
    pub(super) model: Model,
    /// The middles of the groups.
    pub(super) centres: Option<Vec<Point>>,
    /// The counts of each statement.
    pub(super) cells: Vec<Cells>,
}

impl Made {
    /// Adds a statement, when it comes after all others and there are many; it says nothing of anybody until the picture is
    /// made anew. Answers whether it was added.
    pub fn add(&mut self, conversation: &mut Conversation, statement: Statement) -> bool {
        if conversation.votes.statements().last().is_some_and(|last| *last >= statement.id) {
            return false;
        }
        let Ground { active, enough, model, centres, cells, .. } = &mut self.ground;
        active.push(!statement.moderated_out);
        if placing_votes(active) != *enough {
            // Among so few statements one more changes who is placed.
            active.pop();
            return false;
        }
        conversation.state(statement);
        model.items.push(Item::silent(model.level.0));
        cells.push(vec![Default::default(); centres.as_ref().map_or(0, Vec::len) + 1]);
        true
    }

    /// Takes a vote, and shows it: answers whether it changed one that counts. `None`, and nothing is taken, when its statement
    /// is new and not the last, which changes the columns of others.
    pub fn cast(&mut self, conversation: &mut Conversation, cast: Cast) -> Option<bool> {
        if conversation.votes.column(cast.statement).is_none()
            && !self.add(conversation, Statement::new(cast.statement))
        {
            return None;
        }
        let known = conversation.votes.participants().binary_search(&cast.participant);
        if known.is_ok_and(|row| conversation.votes.vote(row, cast.statement) == Some(cast.vote.number())) {
            return Some(conversation.cast(cast));
        }
        if let Ok(row) = known {
            self.count(conversation, row, u32::wrapping_sub);
        }
        let changed = conversation.cast(cast);
        let (Ok(row) | Err(row)) = known;
        match known {
            Err(row) => self.picture.positions.insert(row, self.place(conversation, row)),
            Ok(row) if changed => self.picture.positions[row] = self.place(conversation, row),
            Ok(_) => {}
        }
        self.count(conversation, row, u32::wrapping_add);
        Some(changed)
    }

    /// Adds a participant's votes to the counts, or takes them away. Who is taken away was added, so no count wraps in the end.
    fn count(&mut self, conversation: &Conversation, row: usize, change: fn(u32, u32) -> u32) {
        let group = self.picture.positions[row].group.map_or(0, |label| usize::from(label) + 1);
        let class = conversation.class(conversation.votes.participants()[row]).index();
        let (columns, values) = conversation.votes.row(row);
        for (column, value) in columns.iter().zip(values) {
            let count = self.ground.cells[*column as usize][group][class].of(*value);
            *count = change(*count, 1);
        }
    }

    /// Where a participant stands among the groups that there are.
    fn place(&self, conversation: &Conversation, row: usize) -> Position {
        let Ground { active, enough, model, centres, .. } = &self.ground;
        let votes = &conversation.votes;
        let (columns, values) = votes.row(row);
        let count = columns.iter().filter(|column| active[**column as usize]).count();
        let pulls: Vec<Pull> = columns.iter().map(|column| model.items[*column as usize].pull()).collect();
        let stand = stand(&pulls, &(0..pulls.len() as u32).collect::<Vec<_>>(), values);
        let scales = model.scales();
        let point = scaled(&stand.mean, &scales);
        let group = centres.as_deref().filter(|_| count >= *enough).map(|c| nearest(&point, c).0);
        position(votes.participants()[row], count, &stand, &scales, group, centres.as_deref())
    }

    /// Makes of the counts what is said of statements and groups.
    pub fn tell(&mut self, conversation: &Conversation) {
        let Ground { enough, model, centres, cells, .. } = &self.ground;
        let picture = &mut self.picture;
        let counted = || picture.positions.iter().filter(|position| position.votes > 0);
        picture.participants = counted().count();
        picture.votes = counted().map(|position| position.votes).sum();
        picture.grouping.placed = counted().filter(|position| position.votes >= *enough).count();
        picture.statements = statements(conversation, model, cells, centres.is_some());
        if let Some(centres) = centres {
            let told = groups(centres, &picture.statements, cells, conversation, &picture.positions);
            picture.groups = Some(told);
        }
        picture.list(&self.ground.cells);
    }
}
