//! How often verify grants were used: the counts behind their daily limits.

use crate::{
    Store, StoreError,
    sql::{Statement, int, unsigned},
};
use cogov_model::GrantId;

const WHAT: &str = "verifications of a grant";

/// What a grant used on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VerificationUse {
    /// Questions asked.
    pub asked: u64,
    /// Of them, those whose answer is unknown, or not there yet.
    pub unknown: u64,
}

/// How much a grant may use on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerificationLimit {
    /// Questions.
    pub asked: u32,
    /// Questions whose answer is unknown.
    pub unknown: u32,
}

impl Store {
    /// Counts one question of a grant on a day, as unknown until [`Store::verification_known`] says otherwise. Whether
    /// the limits had room for it: concurrent questions never pass them together.
    ///
    /// # Errors
    /// [`StoreError::Reference`] when there is no such grant; when the database fails.
    pub async fn count_verification(
        &self,
        grant: &GrantId,
        day: i64,
        limit: VerificationLimit,
    ) -> Result<bool, StoreError> {
        if limit.asked == 0 || limit.unknown == 0 {
            return Ok(false);
        }
        let mut connection = self.connection().await?;
        let changed = Statement::with(
            "INSERT INTO verifications (grant_id, day, asked, unknown) VALUES ($1, $2, 1, 1) \
             ON CONFLICT (grant_id, day) DO UPDATE \
             SET asked = verifications.asked + 1, unknown = verifications.unknown + 1 \
             WHERE verifications.asked < $3 AND verifications.unknown < $4",
            [
                grant.as_str().into(),
                day.into(),
                i64::from(limit.asked).into(),
                i64::from(limit.unknown).into(),
            ],
        )
        .execute(&mut connection)
        .await
        .map_err(|error| StoreError::of(WHAT, grant.as_str(), error))?;
        Ok(changed > 0)
    }

    /// A question that was counted had the answer yes or no.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verification_known(&self, grant: &GrantId, day: i64) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        Statement::with(
            "UPDATE verifications SET unknown = unknown - 1 WHERE grant_id = $1 AND day = $2 AND unknown > 0",
            [grant.as_str().into(), day.into()],
        )
        .execute(&mut connection)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of(WHAT, grant.as_str(), error))
    }

    /// What a grant used on a day.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verification_use(&self, grant: &GrantId, day: i64) -> Result<VerificationUse, StoreError> {
        let id = grant.as_str();
        let wrong = |error| StoreError::of(WHAT, id, error);
        let mut connection = self.connection().await?;
        let row = Statement::with(
            "SELECT asked, unknown FROM verifications WHERE grant_id = $1 AND day = $2",
            [id.into(), day.into()],
        )
        .optional(&mut connection)
        .await
        .map_err(wrong)?;
        let Some(row) = row else { return Ok(VerificationUse::default()) };
        let number = |column| unsigned(WHAT, id, int(&row, column).map_err(wrong)?);
        Ok(VerificationUse { asked: number("asked")?, unknown: number("unknown")? })
    }
}
