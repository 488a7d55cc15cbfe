//! Datasets, changed by compare-and-set on their revision.

use crate::{
    Cursor, Page, Paged, Revised, Store, StoreError,
    open::commit,
    revised::{self, decode},
    sql::{Statement, signed, to_json},
};
use cogov_model::{Dataset, DatasetId, DatasetState, PartyId};
use sqlx::AnyConnection;

pub(crate) const WHAT: &str = "dataset";

/// Which datasets are wanted; everything when empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatasetFilter {
    /// Of this provider.
    pub provider: Option<PartyId>,
    /// In this state.
    pub state: Option<DatasetState>,
}

impl Store {
    /// Makes a dataset, at revision 1.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the identifier is taken, [`StoreError::Reference`] when its provider is unknown.
    pub async fn add_dataset(&self, dataset: &Dataset) -> Result<Revised<Dataset>, StoreError> {
        let id = dataset.id.as_str();
        let mut connection = self.connection().await?;
        Statement::with(
            "INSERT INTO datasets (id, provider, state, revision, body) VALUES ($1, $2, $3, 1, $4)",
            [
                id.into(),
                dataset.provider.as_str().into(),
                crate::sql::code(WHAT, &dataset.state)?.into(),
                to_json(WHAT, dataset)?.into(),
            ],
        )
        .execute(&mut connection)
        .await
        .map_err(|error| StoreError::of(WHAT, id, error))?;
        Ok(Revised { record: dataset.clone(), revision: 1 })
    }

    /// Changes a dataset that still has the revision it was read with, and returns its new revision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else changed it, [`StoreError::NotFound`] when there is none.
    pub async fn update_dataset(&self, dataset: &Dataset, revision: u64) -> Result<u64, StoreError> {
        let mut change = self.change().await?;
        let revision = replace(&mut change, dataset, revision).await?;
        commit(change).await?;
        Ok(revision)
    }

    /// A dataset.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn dataset(&self, id: &DatasetId) -> Result<Revised<Dataset>, StoreError> {
        let mut connection = self.connection().await?;
        let row =
            Statement::with("SELECT id, revision, body FROM datasets WHERE id = $1", [id.as_str().into()])
                .optional(&mut connection)
                .await
                .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
                .map_err(|error| StoreError::of(WHAT, id.as_str(), error))?;
        decode(WHAT, &row)
    }

    /// Datasets by identifier.
    ///
    /// # Errors
    /// When the database fails or a record is corrupt.
    pub async fn datasets(
        &self,
        filter: &DatasetFilter,
        page: &Page,
    ) -> Result<Paged<Revised<Dataset>>, StoreError> {
        let state = filter.state.map(|state| crate::sql::code(WHAT, &state)).transpose()?;
        let mut connection = self.connection().await?;
        let rows = Statement::new("SELECT id, revision, body FROM datasets WHERE 1 = 1")
            .when(" AND provider = ", filter.provider.as_ref().map(PartyId::as_str))
            .when(" AND state = ", state)
            .when(" AND id > ", page.after.as_ref().map(Cursor::key))
            .push(" ORDER BY id LIMIT ")
            .bind(page.fetch())
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of(WHAT, "list", error))?;
        let datasets: Result<Vec<_>, _> = rows.iter().map(|row| decode(WHAT, row)).collect();
        Ok(Paged::cut(datasets?, page, |dataset| Cursor::at_key(dataset.record.id.as_str())))
    }
}

/// Compare-and-set inside a change.
pub(crate) async fn replace(
    on: &mut AnyConnection,
    dataset: &Dataset,
    revision: u64,
) -> Result<u64, StoreError> {
    let id = dataset.id.as_str();
    let change = Statement::with(
        "UPDATE datasets SET provider = $3, state = $4, revision = revision + 1, body = $5 \
         WHERE id = $1 AND revision = $2",
        [
            id.into(),
            signed(WHAT, id, revision)?.into(),
            dataset.provider.as_str().into(),
            crate::sql::code(WHAT, &dataset.state)?.into(),
            to_json(WHAT, dataset)?.into(),
        ],
    );
    revised::replace(on, (WHAT, id), revision, change, "SELECT id FROM datasets WHERE id = $1").await
}
