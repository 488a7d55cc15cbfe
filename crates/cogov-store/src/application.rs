//! Applications, changed by compare-and-set on their revision, and the step in which one becomes a grant.

use crate::{
    Cursor, MaskKey, Page, Paged, Revised, Store, StoreError, grant,
    open::commit,
    revised::{self, decode},
    sql::{Statement, signed, to_json},
};
use cogov_model::{Application, ApplicationId, Grant, PartyId};
use sqlx::AnyConnection;

const WHAT: &str = "application";

/// Which applications are wanted; everything when empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplicationFilter {
    /// Made by this party.
    pub requester: Option<PartyId>,
    /// Made to this party.
    pub provider: Option<PartyId>,
    /// Still waiting for somebody (`true`), or ended (`false`).
    pub waiting: Option<bool>,
}

impl Store {
    /// Makes an application, at revision 1.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the identifier is taken, [`StoreError::Reference`] when a party is unknown.
    pub async fn add_application(
        &self,
        application: &Application,
    ) -> Result<Revised<Application>, StoreError> {
        let id = application.id.as_str();
        let mut connection = self.connection().await?;
        Statement::with(
            "INSERT INTO applications (id, requester, provider, state, waiting, made_at, revision, body) \
             VALUES ($1, $2, $3, $4, $5, $6, 1, $7)",
            [
                id.into(),
                application.requester.as_str().into(),
                application.provider.as_str().into(),
                application.state.code().into(),
                i64::from(!application.state.is_final()).into(),
                application.made_at.millis().into(),
                to_json(WHAT, application)?.into(),
            ],
        )
        .execute(&mut connection)
        .await
        .map_err(|error| StoreError::of(WHAT, id, error))?;
        Ok(Revised { record: application.clone(), revision: 1 })
    }

    /// Changes an application that still has the revision it was read with, and returns its new revision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else changed it, [`StoreError::NotFound`] when there is none.
    pub async fn update_application(
        &self,
        application: &Application,
        revision: u64,
    ) -> Result<u64, StoreError> {
        let mut change = self.change().await?;
        let revision = replace(&mut change, application, revision).await?;
        commit(change).await?;
        Ok(revision)
    }

    /// Turns an application into a grant: the changed application, the new grant and its mask key, all or
    /// nothing. Returns the application's new revision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the application was changed since it was read, [`StoreError::Exists`]
    /// when the grant's identifier is taken.
    pub async fn grant_application(
        &self,
        application: &Application,
        revision: u64,
        grant: &Grant,
        key: &MaskKey,
    ) -> Result<u64, StoreError> {
        let mut change = self.change().await?;
        let revision = replace(&mut change, application, revision).await?;
        grant::insert(&mut change, grant, key).await?;
        commit(change).await?;
        Ok(revision)
    }

    /// An application.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn application(&self, id: &ApplicationId) -> Result<Revised<Application>, StoreError> {
        let mut connection = self.connection().await?;
        let row = Statement::with(
            "SELECT id, revision, body FROM applications WHERE id = $1",
            [id.as_str().into()],
        )
        .optional(&mut connection)
        .await
        .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
        .map_err(|error| StoreError::of(WHAT, id.as_str(), error))?;
        decode(WHAT, &row)
    }

    /// Applications, newest first.
    ///
    /// # Errors
    /// When the database fails, a record is corrupt or the cursor is of another list.
    pub async fn applications(
        &self,
        filter: &ApplicationFilter,
        page: &Page,
    ) -> Result<Paged<Revised<Application>>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = select(filter, page)?
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of(WHAT, "list", error))?;
        let applications: Result<Vec<_>, _> = rows.iter().map(|row| decode(WHAT, row)).collect();
        Ok(Paged::cut(applications?, page, |application| {
            Cursor::at_moment(application.record.made_at, application.record.id.as_str())
        }))
    }
}

pub(crate) fn select(filter: &ApplicationFilter, page: &Page) -> Result<Statement, StoreError> {
    let mut select = Statement::new("SELECT id, revision, body FROM applications WHERE 1 = 1")
        .when(" AND requester = ", filter.requester.as_ref().map(PartyId::as_str))
        .when(" AND provider = ", filter.provider.as_ref().map(PartyId::as_str))
        .when(" AND waiting = ", filter.waiting.map(i64::from));
    if let Some(after) = &page.after {
        let (at, id) = after.moment()?;
        select = select.push(" AND (made_at, id) < (").bind(at).push(", ").bind(id).push(")");
    }
    Ok(select.push(" ORDER BY made_at DESC, id DESC LIMIT ").bind(page.fetch()))
}

async fn replace(
    on: &mut AnyConnection,
    application: &Application,
    revision: u64,
) -> Result<u64, StoreError> {
    let id = application.id.as_str();
    let change = Statement::with(
        "UPDATE applications SET requester = $3, provider = $4, state = $5, waiting = $6, made_at = $7, \
         revision = revision + 1, body = $8 WHERE id = $1 AND revision = $2",
        [
            id.into(),
            signed(WHAT, id, revision)?.into(),
            application.requester.as_str().into(),
            application.provider.as_str().into(),
            application.state.code().into(),
            i64::from(!application.state.is_final()).into(),
            application.made_at.millis().into(),
            to_json(WHAT, application)?.into(),
        ],
    );
    revised::replace(on, (WHAT, id), revision, change, "SELECT id FROM applications WHERE id = $1").await
}
