//! A picture that is kept up to date.

use crate::conversation::{Conversation, Statement};
use crate::map::learn::Learned;
use crate::picture::{Made, Picture};
use crate::votes::{Cast, Class, Participant};

/// A conversation with its picture. A new vote is taken without starting over: what it does not change is kept. The picture
/// is, to the last bit, the one that starting over would give, because what is kept is kept under a hash of the votes it was
/// learned from. Who cannot wait for it has a [glance](Self::glance).
#[derive(Debug, Clone, Default)]
pub struct Map {
    conversation: Conversation,
    /// The last picture, into which votes that came since were counted; what was learned for it.
    made: Option<Made>,
    /// What was learned for the last picture, when that is gone.
    learned: Option<Learned>,
    state: State,
}

/// How a picture is beside the votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// What starting over would give.
    #[default]
    Settled,
    /// Votes that came since are counted, and told of.
    Told,
    /// Votes that came since are counted.
    Counted,
}

impl Map {
    /// A map of a conversation. Nothing is computed before it is asked for.
    #[must_use]
    pub const fn new(conversation: Conversation) -> Self {
        Self { conversation, made: None, learned: None, state: State::Settled }
    }

    /// Takes a vote; answers whether it changed one that counts.
    pub fn cast(&mut self, cast: Cast) -> bool {
        let seen = self.made.as_mut().and_then(|made| made.cast(&mut self.conversation, cast));
        let changed = seen.unwrap_or_else(|| {
            self.forget();
            self.conversation.cast(cast)
        });
        if changed {
            self.state = State::Counted;
        }
        changed
    }

    /// Adds a statement, or hides, shows or marks one.
    pub fn state(&mut self, statement: Statement) {
        let added = self.made.as_mut().is_some_and(|made| made.add(&mut self.conversation, statement));
        if added {
            self.state = State::Counted;
        } else if self.conversation.state(statement) {
            self.forget();
        }
    }

    /// Records what a participant declares to be.
    pub fn declare(&mut self, participant: Participant, class: Class) {
        if self.conversation.declare(participant, class) {
            self.forget();
        }
    }

    /// Lets go of a picture that new votes cannot be counted into.
    fn forget(&mut self) {
        self.state = State::Counted;
        if let Some(made) = self.made.take() {
            self.learned = Some(made.learned);
        }
    }

    /// The conversation.
    #[must_use]
    pub const fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// A copy without the picture, which makes its own: to be settled elsewhere.
    #[must_use]
    pub fn unmade(&self) -> Self {
        let learned = self.made.as_ref().map(|made| &made.learned).or(self.learned.as_ref()).cloned();
        Self { conversation: self.conversation.clone(), made: None, learned, state: State::Counted }
    }

    /// Whether the last picture or glance is what starting over would give.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.state == State::Settled
    }

    /// The picture of everything taken so far.
    pub fn picture(&mut self) -> &Picture {
        let made = match self.made.take() {
            Some(made) if self.state == State::Settled => made,
            made => {
                let known = made.map(|made| made.learned).or_else(|| self.learned.take());
                self.state = State::Settled;
                Picture::with(&self.conversation, known.as_ref())
            }
        };
        &self.made.insert(made).picture
    }

    /// The picture at once: every vote is counted, and who cast it is placed, but the directions of opinion, the number of
    /// groups and their middles may be those of the last [picture](Self::picture). Where there was none, or statements or
    /// classes changed, it is the picture.
    pub fn glance(&mut self) -> &Picture {
        match self.made.take() {
            None => self.picture(),
            Some(mut made) => {
                if self.state == State::Counted {
                    made.tell(&self.conversation);
                    self.state = State::Told;
                }
                &self.made.insert(made).picture
            }
        }
    }
}
