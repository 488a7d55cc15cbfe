//! Grants and the keys of their masks. A grant's parties, datasets and making never change, only its state.

use crate::{
    Cursor, MaskKey, Page, Paged, Revised, Store, StoreError,
    open::commit,
    revised::decode,
    sql::{Statement, code, signed, text, to_json},
};
use cogov_model::{DatasetId, Grant, GrantId, GrantState, PartyId};
use sqlx::AnyConnection;

const WHAT: &str = "grant";

/// Which grants are wanted; everything when empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GrantFilter {
    /// That this party may use.
    pub party: Option<PartyId>,
    /// Of data that this party provides.
    pub provider: Option<PartyId>,
    /// That reach this dataset.
    pub dataset: Option<DatasetId>,
    /// In this state. Terms are asked of the clock by the caller.
    pub state: Option<GrantState>,
}

impl Store {
    /// Makes a grant with its mask key, at revision 1.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the identifier is taken, [`StoreError::Reference`] when a party is unknown.
    pub async fn add_grant(&self, grant: &Grant, key: &MaskKey) -> Result<Revised<Grant>, StoreError> {
        let mut change = self.change().await?;
        insert(&mut change, grant, key).await?;
        commit(change).await?;
        Ok(Revised { record: grant.clone(), revision: 1 })
    }

    /// Changes a grant that still has the revision it was read with, and returns its new revision. Who may
    /// use it, of whom and which datasets it reaches stay as they were made.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else changed it, or when the change is not one of state, name,
    /// term or conditions; [`StoreError::NotFound`] when there is none.
    pub async fn update_grant(&self, grant: &Grant, revision: u64) -> Result<u64, StoreError> {
        let id = grant.id.as_str();
        let wrong = |error| StoreError::of(WHAT, id, error);
        let mut change = self.change().await?;
        let before = read(&mut change, &grant.id).await?;
        let same = before.record.party == grant.party
            && before.record.providers == grant.providers
            && before.record.datasets() == grant.datasets()
            && before.record.made_at == grant.made_at;
        let changed = Statement::with(
            "UPDATE grants SET state = $3, revision = revision + 1, body = $4 WHERE id = $1 AND revision = $2",
            [
                id.into(),
                signed(WHAT, id, revision)?.into(),
                code(WHAT, &grant.state)?.into(),
                to_json(WHAT, grant)?.into(),
            ],
        )
        .execute(&mut change)
        .await
        .map_err(wrong)?;
        if changed != 1 || !same {
            return Err(StoreError::Conflict { what: WHAT, id: id.to_owned() });
        }
        commit(change).await?;
        Ok(revision.saturating_add(1))
    }

    /// A grant.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn grant(&self, id: &GrantId) -> Result<Revised<Grant>, StoreError> {
        read(&mut *self.connection().await?, id).await
    }

    /// The key of a grant's keyed-hash masks.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such grant, [`StoreError::Corrupt`] when the key is damaged.
    pub async fn mask_key(&self, id: &GrantId) -> Result<MaskKey, StoreError> {
        const KEY: &str = "mask key";
        let wrong = |error| StoreError::of(KEY, id.as_str(), error);
        let mut connection = self.connection().await?;
        let row = Statement::with("SELECT key FROM mask_keys WHERE grant_id = $1", [id.as_str().into()])
            .optional(&mut connection)
            .await
            .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
            .map_err(wrong)?;
        MaskKey::from_hex(&text(&row, "key").map_err(wrong)?).ok_or_else(|| StoreError::Corrupt {
            what: KEY,
            id: id.to_string(),
            why: "it is not 64 hex digits".to_owned(),
        })
    }

    /// Grants, newest first.
    ///
    /// # Errors
    /// When the database fails, a record is corrupt or the cursor is of another list.
    pub async fn grants(
        &self,
        filter: &GrantFilter,
        page: &Page,
    ) -> Result<Paged<Revised<Grant>>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = select(filter, page)?
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of(WHAT, "list", error))?;
        let grants: Result<Vec<_>, _> = rows.iter().map(|row| decode(WHAT, row)).collect();
        Ok(Paged::cut(grants?, page, |grant| {
            Cursor::at_moment(grant.record.made_at, grant.record.id.as_str())
        }))
    }
}

/// Walks the narrowest index in the order of the list: a dataset's or a provider's own list of grants
/// where one is asked for, the party's or the whole list else.
pub(crate) fn select(filter: &GrantFilter, page: &Page) -> Result<Statement, StoreError> {
    let party = filter.party.as_ref().map(PartyId::as_str);
    let provider = filter.provider.as_ref().map(PartyId::as_str);
    let state = filter.state.map(|state| code(WHAT, &state)).transpose()?;
    let (statement, after, order) = if let Some(dataset) = &filter.dataset {
        let from = "SELECT g.id, g.revision, g.body FROM grant_datasets k JOIN grants g ON g.id = k.grant_id \
                    WHERE k.dataset = ";
        (
            Statement::new(from).bind(dataset.as_str()).when(
                " AND EXISTS (SELECT 1 FROM grant_providers p WHERE p.grant_id = g.id AND p.provider = ",
                provider,
            ),
            " AND (k.made_at, k.grant_id) < (",
            " ORDER BY k.made_at DESC, k.grant_id DESC LIMIT ",
        )
    } else if let Some(provider) = provider {
        let from = "SELECT g.id, g.revision, g.body FROM grant_providers k JOIN grants g ON g.id = k.grant_id \
                    WHERE k.provider = ";
        (
            Statement::new(from).bind(provider),
            " AND (k.made_at, k.grant_id) < (",
            " ORDER BY k.made_at DESC, k.grant_id DESC LIMIT ",
        )
    } else {
        (
            Statement::new("SELECT g.id, g.revision, g.body FROM grants g WHERE 1 = 1"),
            " AND (g.made_at, g.id) < (",
            " ORDER BY g.made_at DESC, g.id DESC LIMIT ",
        )
    };
    let close = if filter.dataset.is_some() && provider.is_some() { ")" } else { "" };
    let mut statement = statement.push(close).when(" AND g.party = ", party).when(" AND g.state = ", state);
    if let Some(cursor) = &page.after {
        let (at, id) = cursor.moment()?;
        statement = statement.push(after).bind(at).push(", ").bind(id).push(")");
    }
    Ok(statement.push(order).bind(page.fetch()))
}

pub(crate) async fn insert(on: &mut AnyConnection, grant: &Grant, key: &MaskKey) -> Result<(), StoreError> {
    let id = grant.id.as_str();
    let wrong = |error| StoreError::of(WHAT, id, error);
    let made_at = grant.made_at.millis();
    Statement::with(
        "INSERT INTO grants (id, party, state, made_at, application, revision, body) \
         VALUES ($1, $2, $3, $4, $5, 1, $6)",
        [
            id.into(),
            grant.party.as_str().into(),
            code(WHAT, &grant.state)?.into(),
            made_at.into(),
            grant.application.as_ref().map(ToString::to_string).into(),
            to_json(WHAT, grant)?.into(),
        ],
    )
    .execute(on)
    .await
    .map_err(wrong)?;
    for provider in &grant.providers {
        Statement::with(
            "INSERT INTO grant_providers (provider, made_at, grant_id) VALUES ($1, $2, $3)",
            [provider.as_str().into(), made_at.into(), id.into()],
        )
        .execute(on)
        .await
        .map_err(wrong)?;
    }
    for dataset in grant.datasets() {
        Statement::with(
            "INSERT INTO grant_datasets (dataset, made_at, grant_id) VALUES ($1, $2, $3)",
            [dataset.as_str().into(), made_at.into(), id.into()],
        )
        .execute(on)
        .await
        .map_err(wrong)?;
    }
    Statement::with("INSERT INTO mask_keys (grant_id, key) VALUES ($1, $2)", [id.into(), key.hex().into()])
        .execute(on)
        .await
        .map(|_| ())
        .map_err(wrong)
}

async fn read(on: &mut AnyConnection, id: &GrantId) -> Result<Revised<Grant>, StoreError> {
    let row = Statement::with("SELECT id, revision, body FROM grants WHERE id = $1", [id.as_str().into()])
        .optional(on)
        .await
        .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
        .map_err(|error| StoreError::of(WHAT, id.as_str(), error))?;
    decode(WHAT, &row)
}
