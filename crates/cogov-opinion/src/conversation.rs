//! What a picture is made from: statements, votes, and the classes that participants declare.

use crate::votes::{Cast, Class, Participant, StatementId, Votes};
use std::collections::BTreeMap;

/// A statement, as far as counting is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// Its number.
    pub id: StatementId,
    /// Hidden by a moderator: its votes stay in the record and say nothing in the picture.
    pub moderated_out: bool,
    /// About participants themselves ("I drive a taxi"): never counted as consensus.
    pub meta: bool,
    /// Written by those who opened the conversation.
    pub seed: bool,
}

impl Statement {
    /// An ordinary statement of a participant.
    #[must_use]
    pub const fn new(id: StatementId) -> Self {
        Self { id, moderated_out: false, meta: false, seed: false }
    }
}

/// One conversation: everything the picture depends on, and nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversation {
    /// Statements by number; those that only votes name are ordinary ones.
    pub(crate) statements: BTreeMap<StatementId, Statement>,
    /// Declared classes; who is not in here is of the public.
    pub(crate) classes: BTreeMap<Participant, Class>,
    pub(crate) votes: Votes,
}

impl Conversation {
    /// A conversation of these statements, casts (in any order, older ones too) and declared classes.
    #[must_use]
    pub fn new(
        statements: impl IntoIterator<Item = Statement>,
        casts: &[Cast],
        classes: impl IntoIterator<Item = (Participant, Class)>,
    ) -> Self {
        let statements: BTreeMap<_, _> = statements.into_iter().map(|s| (s.id, s)).collect();
        let votes = Votes::new(statements.keys().copied(), casts);
        let mut conversation = Self { statements, classes: classes.into_iter().collect(), votes };
        conversation.name_all();
        conversation
    }

    /// Takes one more cast; answers whether a vote that counts changed.
    pub fn cast(&mut self, cast: Cast) -> bool {
        let changed = self.votes.cast(cast);
        self.statements.entry(cast.statement).or_insert_with(|| Statement::new(cast.statement));
        changed
    }

    /// Adds a statement, or changes what is said of it; answers whether anything changed.
    pub fn state(&mut self, statement: Statement) -> bool {
        self.votes.add_statement(statement.id);
        self.statements.insert(statement.id, statement) != Some(statement)
    }

    /// Records what a participant declares to be; answers whether it says of somebody who voted what it did not say.
    pub fn declare(&mut self, participant: Participant, class: Class) -> bool {
        let before = self.class(participant);
        self.classes.insert(participant, class);
        before != class && self.votes.participants().binary_search(&participant).is_ok()
    }

    /// The votes that count.
    #[must_use]
    pub const fn votes(&self) -> &Votes {
        &self.votes
    }

    /// Statements by number.
    pub fn statements(&self) -> impl Iterator<Item = &Statement> {
        self.statements.values()
    }

    /// What a participant declared to be.
    #[must_use]
    pub fn class(&self, participant: Participant) -> Class {
        self.classes.get(&participant).copied().unwrap_or_default()
    }

    fn name_all(&mut self) {
        for id in self.votes.statements() {
            self.statements.entry(*id).or_insert_with(|| Statement::new(*id));
        }
    }
}
