//! Drafts, changed by compare-and-set on their revision, and the texts that were saved of them.

use crate::{
    Cursor, Page, Paged, Revised, RulebookText, Store, StoreError,
    open::commit,
    revised::{self, decode},
    rulebook,
    sql::{Statement, from_json, key, signed, text, to_json},
};
use cogov_model::{Draft, DraftId, DraftText};
use sqlx::AnyConnection;

const WHAT: &str = "draft";

impl Store {
    /// Keeps a new draft with its first text, at revision 1.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the identifier is taken, [`StoreError::Reference`] when the proposer is unknown.
    pub async fn add_draft(&self, draft: &Draft, first: &DraftText) -> Result<Revised<Draft>, StoreError> {
        let id = draft.id.as_str();
        let mut change = self.change().await?;
        Statement::with(
            "INSERT INTO drafts (id, proposer, state, made_at, revision, body) VALUES ($1, $2, $3, $4, 1, $5)",
            [
                id.into(),
                draft.proposer.as_str().into(),
                draft.state.code().into(),
                draft.made_at.millis().into(),
                to_json(WHAT, draft)?.into(),
            ],
        )
        .execute(&mut change)
        .await
        .map_err(|error| StoreError::of(WHAT, id, error))?;
        keep_text(&mut change, &draft.id, first).await?;
        commit(change).await?;
        Ok(Revised { record: draft.clone(), revision: 1 })
    }

    /// Changes a draft that still has the revision it was read with, with a new text if there is one; all or
    /// nothing. Returns the new revision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else changed it, [`StoreError::NotFound`] when there is none.
    pub async fn update_draft(
        &self,
        draft: &Draft,
        revision: u64,
        new: Option<&DraftText>,
    ) -> Result<u64, StoreError> {
        let mut change = self.change().await?;
        let next = replace(&mut change, draft, revision).await?;
        if let Some(new) = new {
            keep_text(&mut change, &draft.id, new).await?;
        }
        commit(change).await?;
        Ok(next)
    }

    /// Turns a draft into a rulebook that comes into force: the changed draft and the rulebook, all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the draft was changed since it was read, [`StoreError::Exists`] when this
    /// very text came into force before.
    pub async fn adopt_draft(
        &self,
        draft: &Draft,
        revision: u64,
        rulebook: &RulebookText,
    ) -> Result<u64, StoreError> {
        let mut change = self.change().await?;
        let next = replace(&mut change, draft, revision).await?;
        rulebook::insert(&mut change, rulebook).await?;
        commit(change).await?;
        Ok(next)
    }

    /// A draft.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn draft(&self, id: &DraftId) -> Result<Revised<Draft>, StoreError> {
        let mut connection = self.connection().await?;
        let row =
            Statement::with("SELECT id, revision, body FROM drafts WHERE id = $1", [id.as_str().into()])
                .optional(&mut connection)
                .await
                .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
                .map_err(|error| StoreError::of(WHAT, id.as_str(), error))?;
        decode(WHAT, &row)
    }

    /// One of the texts that were saved of a draft.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn draft_text(&self, id: &DraftId, number: u64) -> Result<DraftText, StoreError> {
        let mut connection = self.connection().await?;
        let wrong = |error| StoreError::of("draft text", id.as_str(), error);
        let row = Statement::with(
            "SELECT body FROM draft_texts WHERE draft = $1 AND number = $2",
            [id.as_str().into(), key("draft text", id.as_str(), number)?.into()],
        )
        .optional(&mut connection)
        .await
        .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
        .map_err(wrong)?;
        from_json("draft text", id.as_str(), &text(&row, "body").map_err(wrong)?)
    }

    /// Drafts, newest first.
    ///
    /// # Errors
    /// When the database fails, a record is corrupt or the cursor is of another list.
    pub async fn drafts(&self, page: &Page) -> Result<Paged<Revised<Draft>>, StoreError> {
        let mut select = Statement::new("SELECT id, revision, body FROM drafts");
        if let Some(after) = &page.after {
            let (at, id) = after.moment()?;
            select = select.push(" WHERE (made_at, id) < (").bind(at).push(", ").bind(id).push(")");
        }
        let mut connection = self.connection().await?;
        let rows = select
            .push(" ORDER BY made_at DESC, id DESC LIMIT ")
            .bind(page.fetch())
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of(WHAT, "list", error))?;
        let drafts: Result<Vec<_>, _> = rows.iter().map(|row| decode(WHAT, row)).collect();
        Ok(Paged::cut(drafts?, page, |draft| {
            Cursor::at_moment(draft.record.made_at, draft.record.id.as_str())
        }))
    }
}

async fn keep_text(on: &mut AnyConnection, id: &DraftId, new: &DraftText) -> Result<(), StoreError> {
    Statement::with(
        "INSERT INTO draft_texts (draft, number, body) VALUES ($1, $2, $3)",
        [
            id.as_str().into(),
            signed(WHAT, id.as_str(), new.number)?.into(),
            to_json("draft text", new)?.into(),
        ],
    )
    .execute(on)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("draft text", id.as_str(), error))
}

async fn replace(on: &mut AnyConnection, draft: &Draft, revision: u64) -> Result<u64, StoreError> {
    let id = draft.id.as_str();
    let change = Statement::with(
        "UPDATE drafts SET state = $3, revision = revision + 1, body = $4 WHERE id = $1 AND revision = $2",
        [
            id.into(),
            signed(WHAT, id, revision)?.into(),
            draft.state.code().into(),
            to_json(WHAT, draft)?.into(),
        ],
    );
    revised::replace(on, (WHAT, id), revision, change, "SELECT id FROM drafts WHERE id = $1").await
}
