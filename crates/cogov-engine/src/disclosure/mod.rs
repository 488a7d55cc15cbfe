//! Disclosure control: what protected statistics may tell beside their values.
//!
//! A figure that is released is a sum over a set of rows. [`answered`] remembers these sets for each party and table and
//! hides a new one from which, with all earlier ones, anything about fewer than k persons could be computed;
//! [`judge`] applies this to the cells of one statement, with dominance and homogeneity; [`port`] is where
//! answers are kept. `docs/labels.md` says what holds and what does not.

mod answered;
mod base;
mod judge;
mod keys;
mod port;
mod prime;
mod record;
mod rows;
mod set;
mod shares;
mod story;

pub(crate) use answered::{Answered, Figure, People};
pub(crate) use judge::{Cell, CellShown, Measure, News, Rules, TableTold, judge};
pub(crate) use keys::row_keys;
pub use port::{Addition, AnswerMemory, MemoryKey, MemoryUnavailable, VolatileMemory};
pub(crate) use record::{KeptFigure, Record};
pub(crate) use rows::{File, Gone, TableRows, Told, Unreadable};
pub(crate) use story::{Key, Story, text_hash};
