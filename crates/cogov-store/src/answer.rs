//! What parties were answered in protected statistics. Nothing of it ever changes once written.

use crate::{
    Store, StoreError,
    open::commit,
    sql::{Statement, signed, text},
};
use cogov_model::{DatasetId, PartyId, TableName};

/// One statement's answers about one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The dataset.
    pub dataset: DatasetId,
    /// The table.
    pub table: TableName,
    /// Its place among the party's answers about the table, counted from 1.
    pub number: u64,
    /// The answers in the engine's text.
    pub body: String,
}

const WHAT: &str = "answer";

impl Store {
    /// A party's answers about a table after the first so many, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answers_given(
        &self,
        party: &PartyId,
        dataset: &DatasetId,
        table: &TableName,
        after: u64,
    ) -> Result<Vec<String>, StoreError> {
        let wrong = |error| StoreError::of(WHAT, party.as_str(), error);
        let mut connection = self.connection().await?;
        let rows = Statement::with(
            "SELECT body FROM answers WHERE party = $1 AND dataset = $2 AND table_name = $3 AND number > $4 \
             ORDER BY number",
            [
                party.as_str().into(),
                dataset.as_str().into(),
                table.as_str().into(),
                signed(WHAT, party.as_str(), after)?.into(),
            ],
        )
        .all(&mut connection)
        .await
        .map_err(wrong)?;
        rows.iter().map(|row| text(row, "body").map_err(wrong)).collect()
    }

    /// Keeps a party's answers, all or none. False, and nothing kept, when a place is taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_answers(&self, party: &PartyId, answers: &[KeptAnswer]) -> Result<bool, StoreError> {
        let mut change = self.change().await?;
        for answer in answers {
            let id = party.as_str();
            let written = Statement::with(
                "INSERT INTO answers (party, dataset, table_name, number, body) VALUES ($1, $2, $3, $4, $5)",
                [
                    id.into(),
                    answer.dataset.as_str().into(),
                    answer.table.as_str().into(),
                    signed(WHAT, id, answer.number)?.into(),
                    answer.body.as_str().into(),
                ],
            )
            .execute(&mut change)
            .await
            .map_err(|error| StoreError::of(WHAT, id, error));
            match written {
                Ok(_) => {}
                // The change is undone when it goes out of scope.
                Err(StoreError::Exists { .. }) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        commit(change).await?;
        Ok(true)
    }
}
