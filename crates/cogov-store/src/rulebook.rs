//! Rulebooks that came into force, or will, in both languages. Each was made from the one added before it, so that of those
//! whose moment has come the last added holds: one that comes later does not undo what was built on it.
//! A text that was once in force is never forgotten.

use crate::{
    Store, StoreError,
    open::commit,
    sql::{Statement, from_code, int, text},
};
use cogov_model::{RulebookVersion, Timestamp};
use sqlx::{AnyConnection, any::AnyRow};

const WHAT: &str = "rulebook";
const COLUMNS: &str = "SELECT version, in_force, text_en, text_zh FROM rulebooks";

/// A rulebook's texts and the moment since which it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulebookText {
    /// Its version.
    pub version: RulebookVersion,
    /// The document in English.
    pub en: String,
    /// The document in Chinese.
    pub zh: String,
    /// Since when it is in force.
    pub in_force: Timestamp,
}

impl Store {
    /// Keeps a rulebook that comes into force.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when this version came into force before.
    pub async fn add_rulebook(&self, rulebook: &RulebookText) -> Result<(), StoreError> {
        let mut change = self.change().await?;
        insert(&mut change, rulebook).await?;
        commit(change).await
    }

    /// The rulebook in force at a moment.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when none was.
    pub async fn rulebook_in_force(&self, at: Timestamp) -> Result<RulebookText, StoreError> {
        let mut connection = self.connection().await?;
        let row = Statement::new(COLUMNS)
            .push(" WHERE in_force <= ")
            .bind(at.millis())
            .push(" ORDER BY ordinal DESC LIMIT 1")
            .optional(&mut connection)
            .await
            .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
            .map_err(|error| StoreError::of(WHAT, "in force", error))?;
        decode(&row)
    }

    /// A rulebook by version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn rulebook(&self, version: &RulebookVersion) -> Result<RulebookText, StoreError> {
        let mut connection = self.connection().await?;
        let row = Statement::new(COLUMNS)
            .push(" WHERE version = ")
            .bind(version.as_str())
            .optional(&mut connection)
            .await
            .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
            .map_err(|error| StoreError::of(WHAT, version.as_str(), error))?;
        decode(&row)
    }

    /// Every rulebook that came into force or will, the last added first.
    ///
    /// # Errors
    /// When the database fails or a record is corrupt.
    pub async fn rulebooks(&self) -> Result<Vec<RulebookText>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = Statement::new(COLUMNS)
            .push(" ORDER BY ordinal DESC")
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of(WHAT, "list", error))?;
        rows.iter().map(decode).collect()
    }
}

/// Adds a rulebook after the last one.
pub(crate) async fn insert(on: &mut AnyConnection, rulebook: &RulebookText) -> Result<(), StoreError> {
    let version = rulebook.version.as_str();
    let wrong = |error| StoreError::of(WHAT, version, error);
    let last = Statement::new("SELECT ordinal FROM rulebooks ORDER BY ordinal DESC LIMIT 1")
        .optional(on)
        .await
        .map_err(wrong)?;
    let ordinal = match last {
        Some(row) => int(&row, "ordinal").map_err(wrong)? + 1,
        None => 1,
    };
    Statement::with(
        "INSERT INTO rulebooks (version, in_force, ordinal, text_en, text_zh) VALUES ($1, $2, $3, $4, $5)",
        [
            version.into(),
            rulebook.in_force.millis().into(),
            ordinal.into(),
            rulebook.en.as_str().into(),
            rulebook.zh.as_str().into(),
        ],
    )
    .execute(on)
    .await
    .map_err(wrong)?;
    Ok(())
}

fn decode(row: &AnyRow) -> Result<RulebookText, StoreError> {
    let version = text(row, "version").map_err(|error| StoreError::of(WHAT, "?", error))?;
    let wrong = |error| StoreError::of(WHAT, &version, error);
    Ok(RulebookText {
        en: text(row, "text_en").map_err(wrong)?,
        zh: text(row, "text_zh").map_err(wrong)?,
        in_force: Timestamp::from_millis(int(row, "in_force").map_err(wrong)?),
        version: from_code(WHAT, &version, version.clone())?,
    })
}
