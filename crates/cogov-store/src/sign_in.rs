//! What proves who somebody is after the password: machine tokens and web sessions, kept as hashes.

use crate::{
    Store, StoreError, TokenHash,
    sql::{Statement, from_code, int, maybe_int, text},
};
use cogov_model::{AccountName, Timestamp};
use sqlx::any::AnyRow;

/// A token for a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The hash of the token.
    pub hash: TokenHash,
    /// Whose it is.
    pub account: AccountName,
    /// What its holder calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; never when absent.
    pub expires_at: Option<Timestamp>,
}

/// A signed-in browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSession {
    /// The hash of the cookie's value.
    pub hash: TokenHash,
    /// Whose it is.
    pub account: AccountName,
    /// The secret that forms of this session carry.
    pub csrf: TokenHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

const TOKEN: &str = "token";
const SESSION: &str = "session";

impl Store {
    /// Keeps a token.
    ///
    /// # Errors
    /// [`StoreError::Reference`] when the account is unknown.
    pub async fn add_token(&self, token: &Token) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        Statement::with(
            "INSERT INTO tokens (hash, account, name, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
            [
                token.hash.hex().into(),
                token.account.as_str().into(),
                token.name.as_str().into(),
                token.created_at.millis().into(),
                token.expires_at.map(Timestamp::millis).into(),
            ],
        )
        .execute(&mut connection)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of(TOKEN, &token.name, error))
    }

    /// The token of this hash, if it has not ended by now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none or it has ended.
    pub async fn token(&self, hash: &TokenHash, now: Timestamp) -> Result<Token, StoreError> {
        let mut connection = self.connection().await?;
        let row = Statement::with(
            "SELECT hash, account, name, created_at, expires_at FROM tokens \
             WHERE hash = $1 AND (expires_at IS NULL OR expires_at > $2)",
            [hash.hex().into(), now.millis().into()],
        )
        .optional(&mut connection)
        .await
        .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
        .map_err(|error| StoreError::of(TOKEN, "presented", error))?;
        decode_token(&row)
    }

    /// An account's tokens, oldest first, ended ones too.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tokens(&self, account: &AccountName) -> Result<Vec<Token>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = Statement::with(
            "SELECT hash, account, name, created_at, expires_at FROM tokens WHERE account = $1 \
             ORDER BY created_at, hash",
            [account.as_str().into()],
        )
        .all(&mut connection)
        .await
        .map_err(|error| StoreError::of(TOKEN, "list", error))?;
        rows.iter().map(decode_token).collect()
    }

    /// Forgets a token of an account.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the account has none of this hash.
    pub async fn remove_token(&self, account: &AccountName, hash: &TokenHash) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        let removed = Statement::with(
            "DELETE FROM tokens WHERE hash = $1 AND account = $2",
            [hash.hex().into(), account.as_str().into()],
        )
        .execute(&mut connection)
        .await
        .map_err(|error| StoreError::of(TOKEN, "presented", error))?;
        if removed == 0 {
            return Err(StoreError::NotFound { what: TOKEN, id: "presented".to_owned() });
        }
        Ok(())
    }

    /// Keeps a web session.
    ///
    /// # Errors
    /// [`StoreError::Reference`] when the account is unknown.
    pub async fn add_session(&self, session: &WebSession) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        Statement::with(
            "INSERT INTO sessions (hash, account, csrf, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
            [
                session.hash.hex().into(),
                session.account.as_str().into(),
                session.csrf.hex().into(),
                session.created_at.millis().into(),
                session.expires_at.millis().into(),
            ],
        )
        .execute(&mut connection)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of(SESSION, "new", error))
    }

    /// The session of this hash, if it has not ended by now.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none or it has ended.
    pub async fn session(&self, hash: &TokenHash, now: Timestamp) -> Result<WebSession, StoreError> {
        let mut connection = self.connection().await?;
        let row = Statement::with(
            "SELECT hash, account, csrf, created_at, expires_at FROM sessions WHERE hash = $1 AND expires_at > $2",
            [hash.hex().into(), now.millis().into()],
        )
        .optional(&mut connection)
        .await
        .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
        .map_err(|error| StoreError::of(SESSION, "presented", error))?;
        decode_session(&row)
    }

    /// Lets a session last until another moment.
    ///
    /// # Errors
    /// When the database fails. A session that is gone stays gone.
    pub async fn prolong_session(&self, hash: &TokenHash, until: Timestamp) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        Statement::with(
            "UPDATE sessions SET expires_at = $2 WHERE hash = $1",
            [hash.hex().into(), until.millis().into()],
        )
        .execute(&mut connection)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of(SESSION, "presented", error))
    }

    /// Ends a session; nothing happens when it has ended before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_session(&self, hash: &TokenHash) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        Statement::with("DELETE FROM sessions WHERE hash = $1", [hash.hex().into()])
            .execute(&mut connection)
            .await
            .map(|_| ())
            .map_err(|error| StoreError::of(SESSION, "presented", error))
    }

    /// Forgets sessions and tokens that ended before now, and says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_sign_ins(&self, now: Timestamp) -> Result<u64, StoreError> {
        let wrong = |error| StoreError::of(SESSION, "list", error);
        let mut change = self.change().await?;
        let sessions = Statement::with("DELETE FROM sessions WHERE expires_at <= $1", [now.millis().into()])
            .execute(&mut change)
            .await
            .map_err(wrong)?;
        let tokens = Statement::with("DELETE FROM tokens WHERE expires_at <= $1", [now.millis().into()])
            .execute(&mut change)
            .await
            .map_err(wrong)?;
        crate::open::commit(change).await?;
        Ok(sessions + tokens)
    }
}

fn hash(what: &'static str, row: &AnyRow, column: &str) -> Result<TokenHash, StoreError> {
    let hex = text(row, column).map_err(|error| StoreError::of(what, "presented", error))?;
    TokenHash::from_hex(&hex).ok_or_else(|| StoreError::Corrupt {
        what,
        id: "presented".to_owned(),
        why: format!("{column} is not 64 hex digits"),
    })
}

fn decode_token(row: &AnyRow) -> Result<Token, StoreError> {
    let wrong = |error| StoreError::of(TOKEN, "presented", error);
    Ok(Token {
        hash: hash(TOKEN, row, "hash")?,
        account: from_code(TOKEN, "presented", text(row, "account").map_err(wrong)?)?,
        name: text(row, "name").map_err(wrong)?,
        created_at: Timestamp::from_millis(int(row, "created_at").map_err(wrong)?),
        expires_at: maybe_int(row, "expires_at").map_err(wrong)?.map(Timestamp::from_millis),
    })
}

fn decode_session(row: &AnyRow) -> Result<WebSession, StoreError> {
    let wrong = |error| StoreError::of(SESSION, "presented", error);
    Ok(WebSession {
        hash: hash(SESSION, row, "hash")?,
        account: from_code(SESSION, "presented", text(row, "account").map_err(wrong)?)?,
        csrf: hash(SESSION, row, "csrf")?,
        created_at: Timestamp::from_millis(int(row, "created_at").map_err(wrong)?),
        expires_at: Timestamp::from_millis(int(row, "expires_at").map_err(wrong)?),
    })
}
