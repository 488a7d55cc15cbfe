//! Records that change by compare-and-set on their revision: rows with `id`, `revision` and `body`.

use crate::{
    StoreError,
    sql::{Statement, from_json, int, text, unsigned},
};
use serde::de::DeserializeOwned;
use sqlx::{AnyConnection, any::AnyRow};

/// A record with the revision it had when it was read. Hand the revision back with a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revised<T> {
    /// The record.
    pub record: T,
    /// Counts up from 1 with every change.
    pub revision: u64,
}

/// The record of a row, with its revision.
pub(crate) fn decode<T: DeserializeOwned>(
    what: &'static str,
    row: &AnyRow,
) -> Result<Revised<T>, StoreError> {
    let id = text(row, "id").map_err(|error| StoreError::of(what, "?", error))?;
    let wrong = |error| StoreError::of(what, &id, error);
    Ok(Revised {
        record: from_json(what, &id, &text(row, "body").map_err(wrong)?)?,
        revision: unsigned(what, &id, int(row, "revision").map_err(wrong)?)?,
    })
}

/// Runs a change of the record that still has this revision and returns the next one. `exists` finds the record by its
/// identifier, whatever its revision.
///
/// # Errors
/// [`StoreError::Conflict`] when somebody else changed it, [`StoreError::NotFound`] when there is none.
pub(crate) async fn replace(
    on: &mut AnyConnection,
    (what, id): (&'static str, &str),
    revision: u64,
    change: Statement,
    exists: &'static str,
) -> Result<u64, StoreError> {
    let wrong = |error| StoreError::of(what, id, error);
    if change.execute(on).await.map_err(wrong)? == 1 {
        return Ok(revision.saturating_add(1));
    }
    let there = Statement::with(exists, [id.into()]).optional(on).await.map_err(wrong)?;
    Err(match there {
        Some(_) => StoreError::Conflict { what, id: id.to_owned() },
        None => StoreError::NotFound { what, id: id.to_owned() },
    })
}
