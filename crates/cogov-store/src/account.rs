//! Accounts: who signs in, for which party, in which roles.

use crate::{
    Cursor, Page, Paged, Store, StoreError,
    sql::{Statement, from_code, from_json, int, text, to_json},
};
use cogov_model::{AccountName, Locale, PartyId, Role, Timestamp};
use sqlx::any::AnyRow;
use std::{collections::BTreeSet, fmt};

const WHAT: &str = "account";
const COLUMNS: &str =
    "SELECT name, display_name, party, roles, locale, password_hash, disabled, created_at FROM accounts";

/// An account. It cannot be serialised and does not print its password hash.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The sign-in name.
    pub name: AccountName,
    /// What people call its holder.
    pub display_name: String,
    /// The party it acts for.
    pub party: PartyId,
    /// What it may do for its party.
    pub roles: BTreeSet<Role>,
    /// The language its holder reads.
    pub locale: Locale,
    /// The Argon2id hash of its password, in PHC string format.
    pub password_hash: String,
    /// Whether it may not sign in any more.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("name", &self.name)
            .field("party", &self.party)
            .field("roles", &self.roles)
            .field("disabled", &self.disabled)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Makes an account.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the name is taken, [`StoreError::Reference`] when its party is unknown.
    pub async fn add_account(&self, account: &Account) -> Result<(), StoreError> {
        let name = account.name.as_str();
        let mut connection = self.connection().await?;
        Statement::with(
            "INSERT INTO accounts (name, display_name, party, roles, locale, password_hash, disabled, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            [
                name.into(),
                account.display_name.as_str().into(),
                account.party.as_str().into(),
                to_json(WHAT, &account.roles)?.into(),
                account.locale.tag().into(),
                account.password_hash.as_str().into(),
                i64::from(account.disabled).into(),
                account.created_at.millis().into(),
            ],
        )
        .execute(&mut connection)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of(WHAT, name, error))
    }

    /// Changes everything of an account but its name and the moment it was made. Disabling it or changing
    /// its password also ends its web sessions.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn update_account(&self, account: &Account) -> Result<(), StoreError> {
        let name = account.name.as_str();
        let wrong = |error| StoreError::of(WHAT, name, error);
        let mut change = self.change().await?;
        let before = read(&mut change, &account.name).await?;
        Statement::with(
            "UPDATE accounts SET display_name = $2, party = $3, roles = $4, locale = $5, password_hash = $6, \
             disabled = $7 WHERE name = $1",
            [
                name.into(),
                account.display_name.as_str().into(),
                account.party.as_str().into(),
                to_json(WHAT, &account.roles)?.into(),
                account.locale.tag().into(),
                account.password_hash.as_str().into(),
                i64::from(account.disabled).into(),
            ],
        )
        .execute(&mut change)
        .await
        .map_err(wrong)?;
        if account.disabled || account.password_hash != before.password_hash {
            Statement::with("DELETE FROM sessions WHERE account = $1", [name.into()])
                .execute(&mut change)
                .await
                .map_err(wrong)?;
        }
        crate::open::commit(change).await
    }

    /// An account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none.
    pub async fn account(&self, name: &AccountName) -> Result<Account, StoreError> {
        read(&mut *self.connection().await?, name).await
    }

    /// Accounts by name, of one party or of all.
    ///
    /// # Errors
    /// When the database fails or a record is corrupt.
    pub async fn accounts(&self, party: Option<&PartyId>, page: &Page) -> Result<Paged<Account>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = Statement::new(COLUMNS)
            .push(" WHERE 1 = 1")
            .when(" AND party = ", party.map(PartyId::as_str))
            .when(" AND name > ", page.after.as_ref().map(Cursor::key))
            .push(" ORDER BY name LIMIT ")
            .bind(page.fetch())
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of(WHAT, "list", error))?;
        let accounts: Result<Vec<_>, _> = rows.iter().map(decode).collect();
        Ok(Paged::cut(accounts?, page, |account| Cursor::at_key(account.name.as_str())))
    }
}

async fn read(on: &mut sqlx::AnyConnection, name: &AccountName) -> Result<Account, StoreError> {
    let row = Statement::new(COLUMNS)
        .push(" WHERE name = ")
        .bind(name.as_str())
        .optional(on)
        .await
        .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
        .map_err(|error| StoreError::of(WHAT, name.as_str(), error))?;
    decode(&row)
}

fn decode(row: &AnyRow) -> Result<Account, StoreError> {
    let wrong = |error| StoreError::of(WHAT, "?", error);
    let name = text(row, "name").map_err(wrong)?;
    let wrong = |error| StoreError::of(WHAT, &name, error);
    Ok(Account {
        display_name: text(row, "display_name").map_err(wrong)?,
        party: from_code(WHAT, &name, text(row, "party").map_err(wrong)?)?,
        roles: from_json(WHAT, &name, &text(row, "roles").map_err(wrong)?)?,
        locale: from_code(WHAT, &name, text(row, "locale").map_err(wrong)?)?,
        password_hash: text(row, "password_hash").map_err(wrong)?,
        disabled: int(row, "disabled").map_err(wrong)? != 0,
        created_at: Timestamp::from_millis(int(row, "created_at").map_err(wrong)?),
        name: from_code(WHAT, &name, name.clone())?,
    })
}
