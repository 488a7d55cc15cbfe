//! Disclosure control: what protected statistics may tell beside their values.
//!
//! A figure that is released is a sum over a set of rows. [`Answered`] remembers these sets for each party and table
//! and hides a new one from which, with all earlier ones, anything about fewer than k persons could be computed;
//! [`judge`](judge()) applies this to the cells of one statement, with dominance and homogeneity; [`AnswerMemory`] is
//! where answers are kept. `docs/labels.md` says what holds and what does not.

mod answered;
mod base;
mod digest;
mod holding;
mod judge;
mod port;
mod record;
mod residue;
mod rows;
mod set;
mod shares;
mod story;

pub use answered::{Answered, Figure, People};
pub use digest::Digest;
pub use judge::{Cell, CellShown, Judged, Measure, News, Rules, TableTold, judge};
pub use port::{Addition, AnswerMemory, MemoryKey, MemoryUnavailable, VolatileMemory};
pub use record::{KeptFigure, Record};
pub use rows::{Gone, Renumbered, TableRows, Told};
pub use set::QuerySet;
pub use story::{Key, Story};
