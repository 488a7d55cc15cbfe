//! Facts about this home that outlive a restart.

use crate::{
    Store, StoreError,
    sql::{Statement, text},
};
use sqlx::AnyConnection;

/// The name of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setting {
    /// Set when the demo world is loaded, with its state: the server then refuses to listen beyond loopback.
    Demo,
    /// How far the records of consultations are made from the ledger: the index of the next entry.
    Consultations,
    /// The key under which participants get their pseudonyms, hex: 32 random bytes made once.
    PseudonymKey,
}

impl Setting {
    const fn code(self) -> &'static str {
        match self {
            Setting::Demo => "demo",
            Setting::Consultations => "consultations",
            Setting::PseudonymKey => "pseudonym-key",
        }
    }
}

const WHAT: &str = "setting";

impl Store {
    /// A fact; none when it was never set.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setting(&self, setting: Setting) -> Result<Option<String>, StoreError> {
        let wrong = |error| StoreError::of(WHAT, setting.code(), error);
        let mut connection = self.connection().await?;
        let row = Statement::with("SELECT value FROM settings WHERE name = $1", [setting.code().into()])
            .optional(&mut connection)
            .await
            .map_err(wrong)?;
        row.map(|row| text(&row, "value").map_err(wrong)).transpose()
    }

    /// Sets a fact.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_setting(&self, setting: Setting, value: &str) -> Result<(), StoreError> {
        put(&mut *self.connection().await?, setting, value).await
    }

    /// Sets a fact that was never set, and returns what holds: of two who set it at once, one wins.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn setting_or(&self, setting: Setting, value: &str) -> Result<String, StoreError> {
        let wrong = |error| StoreError::of(WHAT, setting.code(), error);
        Statement::with(
            "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            [setting.code().into(), value.into()],
        )
        .execute(&mut *self.connection().await?)
        .await
        .map_err(wrong)?;
        Ok(self.setting(setting).await?.unwrap_or_else(|| value.to_owned()))
    }
}

/// Sets a fact within a change.
pub(crate) async fn put(on: &mut AnyConnection, setting: Setting, value: &str) -> Result<(), StoreError> {
    Statement::with(
        "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2",
        [setting.code().into(), value.into()],
    )
    .execute(on)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of(WHAT, setting.code(), error))
}
