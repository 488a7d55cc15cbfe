//! Statements and rows: the thin layer between the records and sqlx.

use crate::StoreError;
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Any, AnyConnection, AssertSqlSafe, Row as _, any::AnyRow, query::Query};

/// A value of one of the two types that both databases share.
#[derive(Debug, Clone)]
pub(crate) enum Arg {
    Text(Option<String>),
    Int(Option<i64>),
}

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Arg::Text(Some(text.to_owned()))
    }
}

impl From<String> for Arg {
    fn from(text: String) -> Self {
        Arg::Text(Some(text))
    }
}

impl From<Option<String>> for Arg {
    fn from(text: Option<String>) -> Self {
        Arg::Text(text)
    }
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Arg::Int(Some(number))
    }
}

impl From<Option<i64>> for Arg {
    fn from(number: Option<i64>) -> Self {
        Arg::Int(number)
    }
}

/// A statement under construction. Its text is made of literals of this crate and of `$n` only, so no
/// value can ever become SQL.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    text: String,
    args: Vec<Arg>,
}

impl Statement {
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), args: Vec::new() }
    }

    /// A statement whose text already names `$1` to `$n`.
    pub(crate) fn with(text: &'static str, args: impl IntoIterator<Item = Arg>) -> Self {
        Self { text: text.to_owned(), args: args.into_iter().collect() }
    }

    /// Appends text.
    pub(crate) fn push(mut self, text: &'static str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Appends a placeholder and its value.
    pub(crate) fn bind(mut self, arg: impl Into<Arg>) -> Self {
        self.args.push(arg.into());
        self.text.push('$');
        self.text.push_str(&self.args.len().to_string());
        self
    }

    /// Appends `text` and a placeholder when there is a value.
    pub(crate) fn when(self, text: &'static str, arg: Option<impl Into<Arg>>) -> Self {
        match arg {
            Some(arg) => self.push(text).bind(arg),
            None => self,
        }
    }

    /// The same statement, asking SQLite how it would run it.
    #[cfg(test)]
    pub(crate) fn explained(mut self) -> Self {
        self.text.insert_str(0, "EXPLAIN QUERY PLAN ");
        self
    }

    fn query(self) -> Query<'static, Any, sqlx::any::AnyArguments> {
        let query = sqlx::query(AssertSqlSafe(self.text));
        self.args.into_iter().fold(query, |query, arg| match arg {
            Arg::Text(text) => query.bind(text),
            Arg::Int(number) => query.bind(number),
        })
    }

    /// Runs it and counts the rows it changed.
    pub(crate) async fn execute(self, on: &mut AnyConnection) -> Result<u64, sqlx::Error> {
        Ok(self.query().execute(on).await?.rows_affected())
    }

    /// Every row.
    pub(crate) async fn all(self, on: &mut AnyConnection) -> Result<Vec<AnyRow>, sqlx::Error> {
        self.query().fetch_all(on).await
    }

    /// The first row, if there is one.
    pub(crate) async fn optional(self, on: &mut AnyConnection) -> Result<Option<AnyRow>, sqlx::Error> {
        self.query().fetch_optional(on).await
    }
}

/// A text column.
pub(crate) fn text(row: &AnyRow, column: &str) -> Result<String, sqlx::Error> {
    row.try_get(column)
}

/// A number column.
pub(crate) fn int(row: &AnyRow, column: &str) -> Result<i64, sqlx::Error> {
    row.try_get(column)
}

/// A number column that may be null.
pub(crate) fn maybe_int(row: &AnyRow, column: &str) -> Result<Option<i64>, sqlx::Error> {
    row.try_get(column)
}

/// A text column that may be null.
pub(crate) fn maybe_text(row: &AnyRow, column: &str) -> Result<Option<String>, sqlx::Error> {
    row.try_get(column)
}

/// A record as JSON text. Our records have text keys only, so writing them cannot fail; a failure is
/// reported as what it would be.
pub(crate) fn to_json<T: Serialize>(what: &'static str, record: &T) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(|error| corrupt(what, "new", &error))
}

/// A record from JSON text.
pub(crate) fn from_json<T: DeserializeOwned>(
    what: &'static str,
    id: &str,
    json: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| corrupt(what, id, &error))
}

/// An enum or identifier from its code.
pub(crate) fn from_code<T: DeserializeOwned>(
    what: &'static str,
    id: &str,
    code: String,
) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(code)).map_err(|error| corrupt(what, id, &error))
}

/// The code of an enum.
pub(crate) fn code<T: Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(code)) => Ok(code),
        _ => Err(StoreError::Corrupt { what, id: "new".to_owned(), why: "it has no code".to_owned() }),
    }
}

/// A number that is never negative.
pub(crate) fn unsigned(what: &'static str, id: &str, number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|error| corrupt(what, id, &error))
}

/// A number as both databases keep it.
pub(crate) fn signed(what: &'static str, id: &str, number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|error| corrupt(what, id, &error))
}

/// A number that a record is looked up by. Neither database keeps a larger one, so no record has it.
pub(crate) fn key(what: &'static str, id: &str, number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::NotFound { what, id: id.to_owned() })
}

fn corrupt(what: &'static str, id: &str, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt { what, id: id.to_owned(), why: why.to_string() }
}
