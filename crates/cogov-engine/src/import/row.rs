//! A row before it has types, and why a row may not become one.

use std::fmt;

/// A value of a row: a piece of the row's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether the source says that it is a text, as JSON does: then it is no number whatever it looks like.
    pub(super) textual: bool,
}

/// A row: all its text in one place, and where each value stands in it. `None` is null.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) text: String,
    pub(super) cells: Vec<Option<Cell>>,
}

impl Row {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.cells.clear();
    }

    pub(super) fn value(&self, cell: Cell) -> &str {
        self.text.get(cell.start..cell.end).unwrap_or_default()
    }
}

/// Why a row did not parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    Ragged { expected: usize, found: usize },
    UnclosedQuote,
    AfterQuote,
    Encoding,
    LongLine(usize),
    LongField(usize),
    Nul,
    Json(String),
    NoObject,
    TwiceNamed,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Ragged { expected, found } => write!(f, "{found} values where the header has {expected}"),
            Reason::UnclosedQuote => f.write_str("a quote is opened and never closed"),
            Reason::AfterQuote => f.write_str("text stands after a closing quote"),
            Reason::Encoding => f.write_str("bytes that are not of the file's encoding"),
            Reason::LongLine(limit) => write!(f, "a line longer than {limit} bytes"),
            Reason::LongField(limit) => write!(f, "a value longer than {limit} bytes"),
            Reason::Nul => f.write_str("a NUL character"),
            Reason::Json(error) => write!(f, "no valid JSON: {error}"),
            Reason::NoObject => f.write_str("not a JSON object"),
            Reason::TwiceNamed => f.write_str("a name stands twice in the object"),
        }
    }
}

/// A row that did not parse.
#[derive(Debug, Clone)]
pub(super) struct Reject {
    pub(super) line: u64,
    pub(super) reason: Reason,
    /// The text, with what is no character replaced.
    pub(super) raw: String,
}

/// What a source of rows gives.
#[derive(Debug)]
pub(super) enum Next {
    /// The row was filled in.
    Row,
    /// One row did not parse.
    Reject(Reject),
    /// There are no more.
    End,
}
