//! Parties.

use crate::{
    Cursor, Page, Paged, Store, StoreError,
    sql::{Statement, from_json, text, to_json},
};
use cogov_model::{Party, PartyId};

const WHAT: &str = "party";

impl Store {
    /// Makes a party, or changes the one of this identifier.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_party(&self, party: &Party) -> Result<(), StoreError> {
        let id = party.id.as_str();
        let mut connection = self.connection().await?;
        Statement::with(
            "INSERT INTO parties (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = $2",
            [id.into(), to_json(WHAT, party)?.into()],
        )
        .execute(&mut connection)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of(WHAT, id, error))
    }

    /// A party.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn party(&self, id: &PartyId) -> Result<Party, StoreError> {
        let wrong = |error| StoreError::of(WHAT, id.as_str(), error);
        let mut connection = self.connection().await?;
        let row = Statement::with("SELECT body FROM parties WHERE id = $1", [id.as_str().into()])
            .optional(&mut connection)
            .await
            .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
            .map_err(wrong)?;
        from_json(WHAT, id.as_str(), &text(&row, "body").map_err(wrong)?)
    }

    /// Parties by identifier.
    ///
    /// # Errors
    /// When the database fails or a record is corrupt.
    pub async fn parties(&self, page: &Page) -> Result<Paged<Party>, StoreError> {
        let wrong = |error| StoreError::of(WHAT, "list", error);
        let mut connection = self.connection().await?;
        let rows = Statement::new("SELECT body FROM parties WHERE 1 = 1")
            .when(" AND id > ", page.after.as_ref().map(Cursor::key))
            .push(" ORDER BY id LIMIT ")
            .bind(page.fetch())
            .all(&mut connection)
            .await
            .map_err(wrong)?;
        let parties: Result<Vec<Party>, _> =
            rows.iter().map(|row| from_json(WHAT, "list", &text(row, "body").map_err(wrong)?)).collect();
        Ok(Paged::cut(parties?, page, |party| Cursor::at_key(party.id.as_str())))
    }
}
