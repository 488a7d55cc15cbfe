//! Facts about this home that outlive a restart.

use crate::{
    Store, StoreError,
    sql::{Statement, text},
};

/// The name of a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setting {
    /// Set when the demo world is loaded, with its state: the server then refuses to listen beyond loopback.
    Demo,
}

impl Setting {
    const fn code(self) -> &'static str {
        match self {
            Setting::Demo => "demo",
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
        let mut connection = self.connection().await?;
        Statement::with(
            "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2",
            [setting.code().into(), value.into()],
        )
        .execute(&mut connection)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of(WHAT, setting.code(), error))
    }
}
