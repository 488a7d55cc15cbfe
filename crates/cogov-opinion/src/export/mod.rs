//! The open formats that Polis exports: `comments.csv`, `votes.csv`, `participants-votes.csv`, `summary.csv`, `comment-groups.csv`, and
//! one of ours with the results, `results.csv`. Agree is 1, pass 0, disagree −1.
//!
//! Writers take what they write and where to; readers take what was written, by us or by Polis.

mod read;
mod time;
mod write;

pub use read::{read_comments, read_groups, read_votes};
pub use time::date_time;
pub use write::{comment_groups, comments, participants_votes, results, summary, votes};

use crate::votes::{Cast, Participant, StatementId};

/// Why something could not be exported or read.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file could not be written or is not CSV.
    #[error("the CSV file could not be written or read")]
    Csv(#[from] csv::Error),
    /// The file could not be written.
    #[error("the file could not be written")]
    Write(#[from] std::io::Error),
    /// A column that the format has is not there.
    #[error("the column {0:?} is missing")]
    Column(&'static str),
    /// A field is not what its column holds.
    #[error("line {line}: {field:?} is not a {column}")]
    Field {
        /// Line, from 1.
        line: u64,
        /// Column's name.
        column: &'static str,
        /// What stands there.
        field: String,
    },
}

/// A statement with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Its number.
    pub id: StatementId,
    /// Who wrote it.
    pub author: Participant,
    /// When, in milliseconds since 1970 in UTC.
    pub created: i64,
    /// Moderated: 1 shown, 0 not yet looked at, −1 hidden.
    pub moderated: i8,
    /// Its words.
    pub body: String,
}

/// A vote with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimedCast {
    /// The vote.
    pub cast: Cast,
    /// When, in milliseconds since 1970 in UTC.
    pub at: i64,
}

/// What `summary.csv` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// What the conversation is about.
    pub topic: String,
    /// Where it is.
    pub url: String,
    /// How many came to look.
    pub views: u64,
    /// How many voted.
    pub voters: u64,
    /// How many have votes enough to be placed.
    pub placed: u64,
    /// How many wrote statements.
    pub commenters: u64,
    /// How many statements.
    pub comments: u64,
    /// How many groups are shown; 0 when there are no stable ones.
    pub groups: u64,
    /// What it says about itself.
    pub description: String,
}
