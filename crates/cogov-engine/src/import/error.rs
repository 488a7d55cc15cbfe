//! Why an import does not succeed. Each message says what to do, and none quotes a value of the file.

use crate::grading::GradingError;
use datafusion::arrow::error::ArrowError;
use datafusion::parquet::errors::ParquetError;

/// Why an import does not succeed. Nothing of it is visible in the storage then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There are no bytes, or nothing but blank lines.
    #[error("the file is empty: choose a file with a header and rows")]
    Empty,
    /// There is a header and nothing else.
    #[error("the file has a header but no rows: choose a file with rows")]
    NoRows,
    /// The first line looks like data.
    #[error("the first line looks like data, not like column names: add a header line")]
    NoHeader,
    /// No row parsed.
    #[error("none of the {rejected} rows could be read; the first, on line {line}: {reason}")]
    AllRejected {
        /// Rows.
        rejected: u64,
        /// Line of the first.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// Too many rows did not parse.
    #[error(
        "more than {limit} rows could not be read, the last on line {line} ({reason}): check the file's separator, quotes and encoding"
    )]
    TooManyRejected {
        /// The limit.
        limit: u64,
        /// Where it was passed.
        line: u64,
        /// What is wrong with that row.
        reason: String,
    },
    /// A limit was passed.
    #[error("{what} is over the limit of {limit} {unit}: {hint}")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
        /// Of what.
        unit: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// The file is of a kind that is not read.
    #[error("the file is {kind}: save it as CSV, JSON lines or Parquet and import that")]
    Kind {
        /// What it is.
        kind: &'static str,
    },
    /// The encoding is not known.
    #[error(
        "no text encoding is called {0:?}: use a WHATWG label such as utf-8, gb18030, big5 or windows-1252"
    )]
    Encoding(String),
    /// The separator is not one character of ASCII.
    #[error(
        "{0:?} cannot be a field separator: use a comma, semicolon, tab or another ASCII character that is no quote"
    )]
    Delimiter(char),
    /// The compressed file is cut off or damaged.
    #[error("the compressed file is damaged or cut off ({0}): send it again")]
    Compression(String),
    /// The Parquet file cannot be read in full.
    #[error("the Parquet file is damaged or not what its footer says ({0}): write it again")]
    Parquet(String),
    /// A column has a type that a table of cogov cannot hold.
    #[error("column {column:?} has the type {kind}, which a table cannot hold: flatten it or leave it out")]
    Type {
        /// The column.
        column: String,
        /// Its type.
        kind: String,
    },
    /// A temporary file or the source cannot be read or written.
    #[error("{doing} failed: {error}{}", full(error))]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What happened.
        error: std::io::Error,
    },
    /// The storage did not take the object.
    #[error(
        "the storage did not take the table: {0}; nothing was stored, free some space or repair the storage and import again"
    )]
    Store(#[from] object_store::Error),
    /// The values could not be profiled.
    #[error(transparent)]
    Grading(#[from] GradingError),
    /// Rows could not be turned into columns.
    #[error("the rows could not be turned into columns: {0}{full}", full = full(.0))]
    Columns(#[from] ArrowError),
    /// The table could not be written.
    #[error("the table could not be written: {0}{full}", full = full(.0))]
    Write(#[from] ParquetError),
    /// The caller is gone.
    #[error("the import was cancelled")]
    Cancelled,
}

impl ImportError {
    pub(super) fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |error| ImportError::Io { doing, error }
    }

    /// Whether the file is to blame, rather than this machine.
    #[must_use]
    pub const fn is_input(&self) -> bool {
        !matches!(
            self,
            ImportError::Io { .. }
                | ImportError::Store(_)
                | ImportError::Grading(_)
                | ImportError::Columns(_)
                | ImportError::Write(_)
                | ImportError::Cancelled
        )
    }
}

/// What to do when the disk is full. Arrow and Parquet pass the system's words on as text.
fn full(error: &impl std::fmt::Display) -> &'static str {
    let text = error.to_string();
    if text.contains("No space left") || text.contains("os error 28") {
        "; the disk is full: free some space and import again"
    } else {
        ""
    }
}
