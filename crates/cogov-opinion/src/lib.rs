//! Votes on statements → opinion groups, representative statements, what is shared.
//!
//! Pure and deterministic: no I/O, no clock, no randomness but hashes of what is counted. The same votes give the same
//! picture in any order, on any number of threads, after any restart.
//!
//! Two methods stand side by side. [`Picture`] is ours: a factor model that predicts votes ([`map`]), groups only
//! where they come back from independent halves of the votes, and what is shared across groups *and* across declared
//! classes, each class counting as much as any other. `polis` is Polis' own mathematics, from its published formulas.
//!
//! A consultation keeps a [`Map`], gives it every vote as it comes, and shows its [`Picture`]:
//!
//! ```
//! use cogov_opinion::{Cast, Class, Conversation, Map, Participant, Routing, Statement, StatementId, Verdict, Vote};
//!
//! let statements = (1..=3).map(|id| Statement::new(StatementId(id)));
//! let mut map = Map::new(Conversation::new(statements, &[], []));
//! map.declare(Participant(2), Class::Scholar);
//! for (sequence, participant) in [(10, 1), (11, 2), (12, 3)] {
//!     map.cast(Cast { participant: Participant(participant), statement: StatementId(1), sequence, vote: Vote::Agree });
//! }
//! // The same vote again changes nothing.
//! assert!(!map.cast(Cast { participant: Participant(3), statement: StatementId(1), sequence: 12, vote: Vote::Agree }));
//!
//! let picture = map.picture();
//! let first = picture.statement(StatementId(1)).ok_or("no such statement")?;
//! assert_eq!((first.total.agree, first.classes[Class::Scholar.index()].agree), (3, 1));
//! // Three people are not grouped, and the picture says why.
//! assert!(picture.groups.is_none());
//! assert_eq!(picture.grouping.verdict, Verdict::TooFew);
//! // What everybody shares, by groups and by classes.
//! assert_eq!(picture.bridging, [StatementId(1)]);
//! // What participant 1 is asked next: a random number draws among the statements not yet seen.
//! let next = Routing::of(picture).next(|id| id == StatementId(1), 0.99);
//! assert_eq!(next, Some(StatementId(3)));
//! # Ok::<(), &str>(())
//! ```

mod conversation;
mod hash;
pub mod map;
mod picture;
mod state;
mod stats;
mod tally;
mod votes;

pub use conversation::{Conversation, Statement};
pub use picture::{
    Group, Grouping, Picture, Position, Representative, Routing, StatementView, Sure, Verdict, Word,
};
pub use state::Map;
pub use tally::{CLASSES, Counts};
pub use votes::{Cast, Class, Participant, StatementId, Vote, Votes};
