//! Why a query is not answered: a kind that every door can translate, words in both languages, and clauses.

use cogov_model::{Clauses, Text};

/// The kind of a [`QueryError`]; fixes its SQLSTATE and HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The rulebook or the grant does not allow it.
    Refused,
    /// The text is not SQL.
    Syntax,
    /// No such table in the grant.
    NoTable,
    /// No such column in the grant.
    NoColumn,
    /// The name could mean two columns.
    AmbiguousColumn,
    /// No such function, or none that may be used.
    NoFunction,
    /// The types do not go together.
    WrongType,
    /// SQL that the engine cannot yet govern.
    NotSupported,
    /// The statement is too long or too deep.
    TooComplex,
    /// The parameters do not fit the statement.
    Parameters,
    /// A value of the data could not be computed with.
    Data,
    /// The query needs more memory or spill space than it may have.
    OutOfMemory,
    /// The query ran longer than it may.
    Timeout,
    /// The data cannot be read now.
    Unavailable,
    /// A fault of the engine.
    Internal,
}

impl ErrorKind {
    /// The SQLSTATE of PostgreSQL's appendix A that clients act on.
    #[must_use]
    pub const fn sqlstate(self) -> &'static str {
        match self {
            ErrorKind::Refused => "42501",
            ErrorKind::Syntax => "42601",
            ErrorKind::NoTable => "42P01",
            ErrorKind::NoColumn => "42703",
            ErrorKind::AmbiguousColumn => "42702",
            ErrorKind::NoFunction => "42883",
            ErrorKind::WrongType => "42804",
            ErrorKind::NotSupported => "0A000",
            ErrorKind::TooComplex => "54001",
            ErrorKind::Parameters => "08P01",
            ErrorKind::Data => "22000",
            ErrorKind::OutOfMemory => "53200",
            ErrorKind::Timeout => "57014",
            ErrorKind::Unavailable => "58030",
            ErrorKind::Internal => "XX000",
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            ErrorKind::Refused => 403,
            ErrorKind::OutOfMemory | ErrorKind::Unavailable => 503,
            ErrorKind::Timeout => 504,
            ErrorKind::Internal => 500,
            _ => 400,
        }
    }
}

/// Why a query is not answered. Its words never hold a value of the data; they may quote the asker's own SQL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .reason.en)]
pub struct QueryError {
    kind: ErrorKind,
    reason: Text,
    clauses: Clauses,
}

impl QueryError {
    /// An error of a kind, with its words in both languages.
    pub(crate) fn new(kind: ErrorKind, en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { kind, reason: Text::new(en, zh), clauses: Clauses::new() }
    }

    /// A refusal that cites clauses.
    pub(crate) fn refused(reason: Text, clauses: Clauses) -> Self {
        Self { kind: ErrorKind::Refused, reason, clauses }
    }

    /// SQL that cannot be governed yet; the words complete "the engine cannot yet govern …".
    pub(crate) fn not_governed(en: &str, zh: &str) -> Self {
        Self::new(
            ErrorKind::NotSupported,
            format!("the engine cannot yet govern {en}"),
            format!("引擎尚不能管控{zh}"),
        )
    }

    /// A fault of the engine itself, without details for the asker.
    pub(crate) fn internal() -> Self {
        Self::new(
            ErrorKind::Internal,
            "the engine could not finish this query; nothing more was released; try again or write it differently",
            "引擎未能完成该查询，未再释放数据；请重试或换一种写法",
        )
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The SQLSTATE.
    #[must_use]
    pub const fn sqlstate(&self) -> &'static str {
        self.kind.sqlstate()
    }

    /// The HTTP status.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        self.kind.http_status()
    }

    /// The words.
    #[must_use]
    pub const fn reason(&self) -> &Text {
        &self.reason
    }

    /// The clauses that say so; empty when no clause does.
    #[must_use]
    pub const fn clauses(&self) -> &Clauses {
        &self.clauses
    }
}
