//! What can go wrong with the records, and the one place where driver errors become ours.

use sqlx::error::ErrorKind;

/// Why the records could not be read or changed. No message holds a connection URL, a password or a
/// secret: driver texts are passed on only where they cannot contain one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The record does not exist.
    #[error("no {what} is called {id:?}")]
    NotFound {
        /// The kind of record.
        what: &'static str,
        /// The identifier that was asked for.
        id: String,
    },
    /// A record of this identifier exists already.
    #[error("a {what} called {id:?} exists already: choose another name")]
    Exists {
        /// The kind of record.
        what: &'static str,
        /// The identifier.
        id: String,
    },
    /// Somebody changed the record since it was read.
    #[error(
        "the {what} {id:?} was changed by somebody else since you read it: load it again and repeat your change"
    )]
    Conflict {
        /// The kind of record.
        what: &'static str,
        /// The identifier.
        id: String,
    },
    /// The record names another record that does not exist, or is still named by one.
    #[error("the {what} {id:?} names a record that does not exist: make that one first")]
    Reference {
        /// The kind of record.
        what: &'static str,
        /// The identifier.
        id: String,
    },
    /// A stored record does not read as what it should be.
    #[error("the stored {what} {id:?} cannot be read: {why}; restore it from a backup")]
    Corrupt {
        /// The kind of record.
        what: &'static str,
        /// The identifier.
        id: String,
        /// What is wrong with it.
        why: String,
    },
    /// A page cursor was not made by this listing.
    #[error("this page cursor was not made by this list: start again from the first page")]
    BadCursor,
    /// The database address is not one that cogov can use.
    #[error(
        "the database address is not usable: {0}; write sqlite:///path/to/file or postgres://user:password@host/name"
    )]
    BadUrl(String),
    /// The schema could not be brought up to date.
    #[error("the database schema could not be brought up to date: {0}")]
    Migration(String),
    /// The database did not answer, or not in time.
    #[error("the database is not available: {0}")]
    Unavailable(String),
}

impl StoreError {
    /// Translates a driver's error about one record.
    pub(crate) fn of(what: &'static str, id: &str, error: sqlx::Error) -> Self {
        let id = || id.to_owned();
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound { what, id: id() },
            sqlx::Error::Database(db) => match db.kind() {
                ErrorKind::UniqueViolation => Self::Exists { what, id: id() },
                ErrorKind::ForeignKeyViolation => Self::Reference { what, id: id() },
                // The message of a statement error names tables and constraints, never a value.
                _ => Self::Unavailable(db.message().to_owned()),
            },
            sqlx::Error::ColumnDecode { index, .. } => {
                Self::Corrupt { what, id: id(), why: format!("column {index} has another type") }
            }
            _ => Self::Unavailable(harmless(&error).to_owned()),
        }
    }
}

/// Words for a connection error that cannot contain the connection URL.
pub(crate) fn harmless(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::Configuration(_) => "the address is not understood",
        sqlx::Error::Io(_) => "it cannot be reached",
        sqlx::Error::Tls(_) => "no secure connection could be made",
        sqlx::Error::PoolTimedOut => "every connection was busy for too long",
        sqlx::Error::PoolClosed => "it was closed",
        sqlx::Error::WorkerCrashed => "its worker stopped",
        sqlx::Error::Protocol(_) => "it answered in an unexpected way",
        _ => "the driver reported a fault",
    }
}
