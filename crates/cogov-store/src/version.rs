//! Versions of datasets, what was found in them, and what stewards decided about their labels. None of
//! them ever changes once written.

use crate::{
    Store, StoreError, dataset,
    open::commit,
    sql::{Statement, from_code, from_json, int, key, signed, text, to_json},
};
use cogov_model::{
    AccountName, ColumnName, Dataset, DatasetId, Label, TableName, TableProfile, Text, Timestamp, Version,
};
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;

/// What a steward chose for a proposed label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "choice")]
pub enum LabelChoice {
    /// The proposal holds.
    Accepted,
    /// Another label holds, for a reason.
    Overridden {
        /// The label.
        label: Label,
        /// Why.
        reason: Text,
    },
}

/// A steward's decision about one column's label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelDecision {
    /// The dataset.
    pub dataset: DatasetId,
    /// The version whose profile proposed it.
    pub version: u64,
    /// The table.
    pub table: TableName,
    /// The column.
    pub column: ColumnName,
    /// What was proposed.
    pub proposed: Label,
    /// What was chosen.
    pub choice: LabelChoice,
    /// By whom.
    pub account: AccountName,
    /// When.
    pub at: Timestamp,
}

const VERSION: &str = "version";
const PROFILE: &str = "profile";
const DECISION: &str = "label decision";

impl Store {
    /// Keeps a new version with its profiles and the dataset that now reads it, all or nothing. Returns the
    /// dataset's new revision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the dataset was changed since it was read, [`StoreError::Exists`] when
    /// the version's number is taken.
    pub async fn add_version(
        &self,
        dataset: &Dataset,
        revision: u64,
        version: &Version,
        profiles: &[(TableName, TableProfile)],
    ) -> Result<u64, StoreError> {
        let id = format!("{} v{}", version.dataset, version.number);
        let number = signed(VERSION, &id, version.number)?;
        let mut change = self.change().await?;
        let revision = dataset::replace(&mut change, dataset, revision).await?;
        Statement::with(
            "INSERT INTO versions (dataset, number, created_at, body) VALUES ($1, $2, $3, $4)",
            [
                version.dataset.as_str().into(),
                number.into(),
                version.created_at.millis().into(),
                to_json(VERSION, version)?.into(),
            ],
        )
        .execute(&mut change)
        .await
        .map_err(|error| StoreError::of(VERSION, &id, error))?;
        for (table, profile) in profiles {
            Statement::with(
                "INSERT INTO profiles (dataset, number, table_name, body) VALUES ($1, $2, $3, $4)",
                [
                    version.dataset.as_str().into(),
                    number.into(),
                    table.as_str().into(),
                    to_json(PROFILE, profile)?.into(),
                ],
            )
            .execute(&mut change)
            .await
            .map_err(|error| StoreError::of(PROFILE, &id, error))?;
        }
        commit(change).await?;
        Ok(revision)
    }

    /// A version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn version(&self, dataset: &DatasetId, number: u64) -> Result<Version, StoreError> {
        let id = format!("{dataset} v{number}");
        let wrong = |error| StoreError::of(VERSION, &id, error);
        let mut connection = self.connection().await?;
        let row = Statement::with(
            "SELECT body FROM versions WHERE dataset = $1 AND number = $2",
            [dataset.as_str().into(), key(VERSION, &id, number)?.into()],
        )
        .optional(&mut connection)
        .await
        .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
        .map_err(wrong)?;
        from_json(VERSION, &id, &text(&row, "body").map_err(wrong)?)
    }

    /// Every version of a dataset, newest first.
    ///
    /// # Errors
    /// When the database fails or a record is corrupt.
    pub async fn versions(&self, dataset: &DatasetId) -> Result<Vec<Version>, StoreError> {
        let wrong = |error| StoreError::of(VERSION, dataset.as_str(), error);
        let mut connection = self.connection().await?;
        let rows = Statement::with(
            "SELECT body FROM versions WHERE dataset = $1 ORDER BY number DESC",
            [dataset.as_str().into()],
        )
        .all(&mut connection)
        .await
        .map_err(wrong)?;
        rows.iter()
            .map(|row| from_json(VERSION, dataset.as_str(), &text(row, "body").map_err(wrong)?))
            .collect()
    }

    /// The profiles of a version that were kept with it, by table.
    ///
    /// # Errors
    /// When the database fails or a record is corrupt.
    pub async fn profiles(
        &self,
        dataset: &DatasetId,
        number: u64,
    ) -> Result<Vec<(TableName, TableProfile)>, StoreError> {
        let id = format!("{dataset} v{number}");
        let wrong = |error| StoreError::of(PROFILE, &id, error);
        let mut connection = self.connection().await?;
        let rows = Statement::with(
            "SELECT table_name, body FROM profiles WHERE dataset = $1 AND number = $2 ORDER BY table_name",
            [dataset.as_str().into(), signed(PROFILE, &id, number)?.into()],
        )
        .all(&mut connection)
        .await
        .map_err(wrong)?;
        rows.iter()
            .map(|row| {
                let table = from_code(PROFILE, &id, text(row, "table_name").map_err(wrong)?)?;
                Ok((table, from_json(PROFILE, &id, &text(row, "body").map_err(wrong)?)?))
            })
            .collect()
    }

    /// The newest profile of a table: of the last version that brought a file for it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the table was never imported.
    pub async fn profile(
        &self,
        dataset: &DatasetId,
        table: &TableName,
    ) -> Result<(u64, TableProfile), StoreError> {
        let id = format!("{dataset}.{table}");
        let wrong = |error| StoreError::of(PROFILE, &id, error);
        let mut connection = self.connection().await?;
        let row = Statement::with(
            "SELECT number, body FROM profiles WHERE dataset = $1 AND table_name = $2 ORDER BY number DESC LIMIT 1",
            [dataset.as_str().into(), table.as_str().into()],
        )
        .optional(&mut connection)
        .await
        .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
        .map_err(wrong)?;
        let number = crate::sql::unsigned(PROFILE, &id, int(&row, "number").map_err(wrong)?)?;
        Ok((number, from_json(PROFILE, &id, &text(&row, "body").map_err(wrong)?)?))
    }

    /// Keeps decisions about labels and the dataset that now carries them, all or nothing. Returns the
    /// dataset's new revision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the dataset was changed since it was read.
    pub async fn decide_labels(
        &self,
        dataset: &Dataset,
        revision: u64,
        decisions: &[LabelDecision],
    ) -> Result<u64, StoreError> {
        let mut change = self.change().await?;
        let revision = dataset::replace(&mut change, dataset, revision).await?;
        let first = next_ordinal(&mut change, &dataset.id).await?;
        for (ordinal, decision) in (first..).zip(decisions) {
            insert_decision(&mut change, ordinal, decision).await?;
        }
        commit(change).await?;
        Ok(revision)
    }

    /// Every decision about a dataset's labels, oldest first.
    ///
    /// # Errors
    /// When the database fails or a record is corrupt.
    pub async fn label_decisions(&self, dataset: &DatasetId) -> Result<Vec<LabelDecision>, StoreError> {
        let wrong = |error| StoreError::of(DECISION, dataset.as_str(), error);
        let mut connection = self.connection().await?;
        let rows = Statement::with(
            "SELECT body FROM label_decisions WHERE dataset = $1 ORDER BY ordinal",
            [dataset.as_str().into()],
        )
        .all(&mut connection)
        .await
        .map_err(wrong)?;
        rows.iter()
            .map(|row| from_json(DECISION, dataset.as_str(), &text(row, "body").map_err(wrong)?))
            .collect()
    }
}

async fn next_ordinal(on: &mut AnyConnection, dataset: &DatasetId) -> Result<i64, StoreError> {
    let wrong = |error| StoreError::of(DECISION, dataset.as_str(), error);
    let last = Statement::with(
        "SELECT ordinal FROM label_decisions WHERE dataset = $1 ORDER BY ordinal DESC LIMIT 1",
        [dataset.as_str().into()],
    )
    .optional(on)
    .await
    .map_err(wrong)?;
    match last {
        Some(row) => Ok(int(&row, "ordinal").map_err(wrong)? + 1),
        None => Ok(1),
    }
}

async fn insert_decision(
    on: &mut AnyConnection,
    ordinal: i64,
    decision: &LabelDecision,
) -> Result<(), StoreError> {
    let id = decision.dataset.as_str();
    Statement::with(
        "INSERT INTO label_decisions (dataset, number, table_name, column_name, at, ordinal, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            id.into(),
            signed(DECISION, id, decision.version)?.into(),
            decision.table.as_str().into(),
            decision.column.as_str().into(),
            decision.at.millis().into(),
            ordinal.into(),
            to_json(DECISION, decision)?.into(),
        ],
    )
    .execute(on)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of(DECISION, id, error))
}
