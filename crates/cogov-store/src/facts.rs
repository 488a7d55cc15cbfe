//! The facts of decisions, by digest: many decisions of a grant share one record. The ledger's leaves name the
//! digest, so that a record that was changed later is found.

use crate::{
    Store, StoreError,
    sql::{Statement, text},
};

const WHAT: &str = "record of facts";

impl Store {
    /// Keeps the facts of a decision; nothing happens when they are kept already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_decision_facts(&self, digest: &str, body: &str) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        Statement::with(
            "INSERT INTO decision_facts (digest, body) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING",
            [digest.into(), body.into()],
        )
        .execute(&mut connection)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of(WHAT, digest, error))
    }

    /// Every record of facts, as digest and body, after a digest: at most `limit`, in the order of digests.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decision_facts(&self, after: &str, limit: u32) -> Result<Vec<(String, String)>, StoreError> {
        let wrong = |error| StoreError::of(WHAT, "list", error);
        let mut connection = self.connection().await?;
        let rows = Statement::new("SELECT digest, body FROM decision_facts WHERE digest > ")
            .bind(after)
            .push(" ORDER BY digest LIMIT ")
            .bind(i64::from(limit))
            .all(&mut connection)
            .await
            .map_err(wrong)?;
        rows.iter()
            .map(|row| Ok((text(row, "digest").map_err(wrong)?, text(row, "body").map_err(wrong)?)))
            .collect()
    }
}
