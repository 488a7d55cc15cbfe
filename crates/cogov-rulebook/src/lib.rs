//! Literate rulebooks: Markdown that people read aloud, with the rules that the engine enforces beside the words.
//!
//! A heading with an anchor is a clause. A fenced `cedar` block under it is a rule of the engine, a
//! fenced `workflow` block is TOML with settings that the workflow keeps, and a clause with neither
//! is text that only people can enforce.
//!
//! ```text
//! ## Names are shown as initials {#names}
//!
//! Where identity is not what is being checked, a name is shown by its first character.
//!
//! ~~~cedar
//! @limit @treatment("mask") @mask("prefix:1")
//! permit (principal in Class::"government", action == Action::"use", resource in Category::"person.name")
//! when { context.form == "rows" };
//! ~~~
//! ```
//!
//! A forbid beats every permit. Where several permits hold, the strictest obligation of each kind
//! holds: a broad `clear` and a narrow `mask` together mask. A permit marked `@limit` takes part in that
//! and allows nothing by itself, so that a mask need not repeat the conditions of what it masks. What no
//! permit allows is withheld.
//!
//! [`Rulebook::parse`] reads and checks a text; [`Rulebook::decide`] mints the [`Permit`] without which
//! the engine releases nothing; [`Rulebook::rule`] is the same as a pure function of [`Facts`].

mod cases;
mod cedar;
mod clause;
mod compare;
mod decide;
mod difference;
mod docx;
mod facts;
mod flip;
mod front;
mod html;
mod markdown;
mod memo;
mod outline;
mod problem;
mod proof;
mod reason;
mod recorded;
mod replay;
mod rulebook;
mod rules;
mod ruling;
mod scope;
mod words;
mod workflow;
mod zip;

pub use cases::{Case, Cases, Ending, Tally};
pub use clause::{Clause, Enforcement, EnforcementShare};
pub use compare::{Change, ClauseChange};
pub use decide::{Ask, AskColumn, Permit, Preview, Refusal};
pub use difference::{ClauseDifference, Fate, Piece, compare_words};
pub use docx::{DocxError, MOST_FILE, read_docx};
pub use facts::Facts;
pub use flip::Flip;
pub use front::Status;
pub use outline::{MOST_BYTES, SplitError, outline, split};
pub use problem::{Document, Problem};
pub use proof::{Claim, Counterexample, IdleRule, Idleness, NotAsked, Opinion, Proof, Solver};
pub use reason::treatment_words;
pub use recorded::{FactGroup, Moment, Rulings, UseFacts, Verdict};
pub use replay::{Against, Amended, Books, Counts, Example, Known, Replay, Visible, replay};
pub use rulebook::Rulebook;
pub use rules::SCHEMA;
pub use ruling::Ruling;
pub use workflow::{Idle, Seat, Setting, Sharing, Workflow};

/// Words in Markdown as HTML that a page may embed: raw HTML, images and links that are no web address are dropped.
#[must_use]
pub fn words_html(markdown: &str) -> String {
    html::safe(markdown, markdown::OPTIONS)
}
