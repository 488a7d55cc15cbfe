//! A picture that is kept up to date.

use crate::conversation::{Conversation, Statement};
use crate::map::learn::Learned;
use crate::picture::Picture;
use crate::votes::{Cast, Class, Participant};

/// A conversation with its picture. A new vote is taken without starting over: what it does not change is kept. The picture
/// is, to the last bit, the one that starting over would give, because what is kept is kept under a hash of the votes it was
/// learned from.
#[derive(Debug, Clone, Default)]
pub struct Map {
    conversation: Conversation,
    learned: Option<Learned>,
    picture: Option<Picture>,
}

impl Map {
    /// A map of a conversation. Nothing is computed before it is asked for.
    #[must_use]
    pub const fn new(conversation: Conversation) -> Self {
        Self { conversation, learned: None, picture: None }
    }

    /// Takes a vote; answers whether it changed one that counts.
    pub fn cast(&mut self, cast: Cast) -> bool {
        let changed = self.conversation.cast(cast);
        if changed {
            self.picture = None;
        }
        changed
    }

    /// Adds a statement, or hides, shows or marks one.
    pub fn state(&mut self, statement: Statement) {
        self.conversation.state(statement);
        self.picture = None;
    }

    /// Records what a participant declares to be.
    pub fn declare(&mut self, participant: Participant, class: Class) {
        self.conversation.declare(participant, class);
        self.picture = None;
    }

    /// The conversation.
    #[must_use]
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// The picture of everything taken so far.
    pub fn picture(&mut self) -> &Picture {
        let picture = match self.picture.take() {
            Some(picture) => picture,
            None => {
                let (picture, learned) = Picture::with(&self.conversation, self.learned.as_ref());
                self.learned = Some(learned);
                picture
            }
        };
        self.picture.insert(picture)
    }
}
