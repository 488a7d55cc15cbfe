//! Small things that many pages show: tags, clause links, charts, page numbers, choices of a form.
//! They hold words in the page's language and no policy.

mod chart;
mod choice;
mod clause;
mod entry;
mod map;
mod pager;
mod tag;

pub use chart::{Bar, Bars, MAX_BARS};
pub use choice::Choice;
pub use clause::{ClauseLink, clause_links};
pub use entry::EntryRow;
#[cfg(test)]
pub(crate) use entry::sample_entry;
pub use map::{Map, Mark, letter};
pub use pager::{Pager, with_query};
pub use tag::{Tag, Treated, categories};
