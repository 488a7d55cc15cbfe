//! Who is asking: password sign-in, sessions, tokens for machines. OpenID Connect finds its seam in `vouch`.

use crate::{
    App, AppError,
    error::{Result, found},
    limiter::{self, Attempt},
};
use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cogov_model::{AccountName, Locale, Party, PartyId, Role, Timestamp};
use cogov_store::{Account, Page, StoreError, Token, TokenHash, WebSession};
use sha2::{Digest, Sha256};
use std::net::IpAddr;

/// How long a web session lasts without a new sign-in.
const SESSION_DAYS: i64 = 1;
/// The longest life of a machine's token.
const TOKEN_DAYS_MAX: u32 = 366;
/// What machine tokens start with, so that secret scanners find them.
const TOKEN_PREFIX: &str = "cogov_";

/// A signed-in person, acting for a party.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The account.
    pub account: AccountName,
    /// What people call them.
    pub name: String,
    /// The party they act for.
    pub party: Party,
    /// What they may do for it.
    pub roles: Vec<Role>,
    /// Their language.
    pub locale: Locale,
}

impl Actor {
    /// Whether they hold the role.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether they hold one of the roles.
    #[must_use]
    pub fn is_any(&self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.is(*role))
    }

    pub(crate) fn require(&self, roles: &[Role]) -> Result<()> {
        if self.is_any(roles) {
            return Ok(());
        }
        let words: Vec<&str> = roles.iter().map(|role| role.code()).collect();
        let words = words.join(" or ");
        Err(AppError::forbidden(
            format!("This needs the role {words}. Ask your party's administrator for it."),
            format!("此操作需要角色：{words}。请联系本单位管理员。"),
        ))
    }
}

/// A session as the browser holds it.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The cookie's value; only its hash is kept.
    pub session: String,
    /// The token that every form of this session carries.
    pub csrf: String,
    /// Who.
    pub actor: Actor,
}

/// A machine's token, without its secret.
#[derive(Debug, Clone)]
pub struct TokenInfo {
    /// Its identifier.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
}

impl App {
    /// Signs in with a password and opens a web session.
    ///
    /// # Errors
    /// `NotSignedIn` when name and password do not fit, `TooMany` after repeated failures.
    pub async fn sign_in(&self, account: &str, password: &str, from: IpAddr) -> Result<SignedIn> {
        let account = self.check_password(account, password, from).await?;
        let session = self.secret()?;
        let csrf = csrf_of(&session);
        let now = self.clock.now();
        self.store
            .add_session(&WebSession {
                hash: digest(&session),
                account: account.name.clone(),
                csrf: digest(&csrf),
                created_at: now,
                expires_at: now.plus_days(SESSION_DAYS),
            })
            .await?;
        Ok(SignedIn { session, csrf, actor: self.vouch(account).await? })
    }

    /// The session behind a cookie; `None` when it ended or never was.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn session(&self, cookie: &str) -> Result<Option<SignedIn>> {
        let now = self.clock.now();
        let Some(session) = found(self.store.session(&digest(cookie), now).await)? else { return Ok(None) };
        let Some(account) = found(self.store.account(&session.account).await)?.filter(|a| !a.disabled) else {
            return Ok(None);
        };
        let actor = self.vouch(account).await?;
        Ok(Some(SignedIn { session: cookie.to_owned(), csrf: csrf_of(cookie), actor }))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the records cannot be written.
    pub async fn sign_out(&self, cookie: &str) -> Result<()> {
        found(self.store.remove_session(&digest(cookie)).await).map(|_| ())
    }

    /// A name with a password or a machine's token: the PostgreSQL door and HTTP Basic.
    ///
    /// # Errors
    /// As `sign_in`.
    pub async fn authenticate(&self, account: &str, secret: &str, from: IpAddr) -> Result<Actor> {
        if secret.starts_with(TOKEN_PREFIX) {
            let actor = self.bearer(secret, from).await?;
            return if actor.account.as_str() == account { Ok(actor) } else { Err(AppError::NotSignedIn) };
        }
        let account = self.check_password(account, secret, from).await?;
        self.vouch(account).await
    }

    /// A machine's token alone: the HTTP API and Flight SQL.
    ///
    /// # Errors
    /// As `sign_in`.
    pub async fn bearer(&self, token: &str, from: IpAddr) -> Result<Actor> {
        let attempt = self.limiter.begin(from, limiter::TOKEN)?;
        let Some(token) = found(self.store.token(&digest(token), self.clock.now()).await)? else {
            return self.failed(attempt);
        };
        match found(self.store.account(&token.account).await)? {
            Some(account) if !account.disabled => {
                attempt.succeeded();
                self.vouch(account).await
            }
            _ => self.failed(attempt),
        }
    }

    /// The machine tokens of an account.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn tokens(&self, actor: &Actor) -> Result<Vec<TokenInfo>> {
        let tokens = self.store.tokens(&actor.account).await?;
        let info = |t: Token| TokenInfo {
            id: hex::encode(t.hash.bytes()),
            name: t.name,
            created_at: t.created_at,
            expires_at: t.expires_at,
        };
        Ok(tokens.into_iter().map(info).collect())
    }

    /// Makes a machine's token; its secret is returned once and never again.
    ///
    /// # Errors
    /// When the name is empty or the days are out of range.
    pub async fn new_token(&self, actor: &Actor, name: &str, days: u32) -> Result<String> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 80 {
            return Err(AppError::invalid(
                "name",
                "Name the token in 1 to 80 characters.",
                "请用 1 至 80 个字符为令牌命名。",
            ));
        }
        if days == 0 || days > TOKEN_DAYS_MAX {
            return Err(AppError::invalid(
                "days",
                "A token lasts 1 to 366 days.",
                "令牌有效期为 1 至 366 天。",
            ));
        }
        let secret = format!("{TOKEN_PREFIX}{}", self.secret()?);
        let now = self.clock.now();
        self.store
            .add_token(&Token {
                hash: digest(&secret),
                account: actor.account.clone(),
                name: name.to_owned(),
                created_at: now,
                expires_at: Some(now.plus_days(i64::from(days))),
            })
            .await?;
        Ok(secret)
    }

    /// Ends a machine's token.
    ///
    /// # Errors
    /// When the account has no such token.
    pub async fn revoke_token(&self, actor: &Actor, id: &str) -> Result<()> {
        let mut hash = [0; 32];
        hex::decode_to_slice(id, &mut hash)
            .map_err(|_| AppError::not_found("You have no such token.", "您没有该令牌。"))?;
        Ok(self.store.remove_token(&actor.account, &TokenHash::new(hash)).await?)
    }

    /// Adds or replaces an account: the set-up of a node and its demo world.
    ///
    /// # Errors
    /// When the password is too short or the records cannot be written.
    pub async fn put_account(&self, new: NewAccount<'_>) -> Result<()> {
        let account = self.new_account(new).await?;
        match self.store.add_account(&account).await {
            Err(StoreError::Exists { .. }) => Ok(self.store.update_account(&account).await?),
            other => Ok(other?),
        }
    }

    /// Adds an account whose name is free.
    pub(crate) async fn add_account(&self, new: NewAccount<'_>) -> Result<()> {
        // Hashing takes 19 MiB by design: only a few run at a time, the others wait in line.
        let _turn = self.hashing.acquire().await;
        let account = self.new_account(new).await?;
        Ok(self.store.add_account(&account).await?)
    }

    async fn new_account(&self, new: NewAccount<'_>) -> Result<Account> {
        if new.password.chars().count() < 8 {
            return Err(AppError::invalid(
                "password",
                "Use a password of at least 8 characters.",
                "口令至少 8 个字符。",
            ));
        }
        let hash = self.hash_password(new.password.to_owned()).await?;
        Ok(Account {
            name: new.name,
            display_name: new.display.to_owned(),
            party: new.party,
            roles: new.roles.into_iter().collect(),
            locale: new.locale,
            password_hash: hash,
            disabled: false,
            created_at: self.clock.now(),
        })
    }

    /// Somebody who sits at the node's own machine and needs no password: the command line. Without a name,
    /// the only account with the role.
    ///
    /// # Errors
    /// When there is no such account, when it lacks the role, or when it has to be named.
    pub async fn local_actor(&self, name: Option<&str>, role: Role) -> Result<Actor> {
        let actor = match name {
            Some(name) => {
                let missing = || {
                    AppError::not_found(format!("There is no account {name}."), format!("没有账号 {name}。"))
                };
                let name = AccountName::new(name).map_err(|_| missing())?;
                let account = found(self.store.account(&name).await)?.ok_or_else(missing)?;
                self.vouch(account).await?
            }
            None => {
                let accounts = self.store.accounts(None, &Page::first(Page::MOST)).await?.items;
                let mut fitting = accounts.into_iter().filter(|a| !a.disabled && a.roles.contains(&role));
                match (fitting.next(), fitting.next()) {
                    (Some(account), None) => self.vouch(account).await?,
                    _ => {
                        return Err(AppError::invalid(
                            "account",
                            format!("Say with --as which account acts: it needs the role {}.", role.code()),
                            format!("请用 --as 指定账号，该账号须有角色 {}。", role.code()),
                        ));
                    }
                }
            }
        };
        actor.require(&[role])?;
        Ok(actor)
    }

    /// A connection may last for hours: it outlives neither its account nor the account's role.
    ///
    /// # Errors
    /// When the account was disabled, moved to another party or lost the role since it signed in.
    pub(crate) async fn still_analyst(&self, actor: &Actor) -> Result<()> {
        let account = found(self.store.account(&actor.account).await)?;
        let holds = account.is_some_and(|account| {
            !account.disabled && account.party == actor.party.id && account.roles.contains(&Role::Analyst)
        });
        if holds {
            return Ok(());
        }
        Err(AppError::forbidden(
            "Your account may not use grants any more. Ask your party's administrator.",
            "您的账号已不能使用授权。请联系本单位管理员。",
        ))
    }

    /// From an account that proved itself to an actor: the seam where other proofs of identity join.
    async fn vouch(&self, account: Account) -> Result<Actor> {
        let party = found(self.store.party(&account.party).await)?.ok_or(AppError::NotSignedIn)?;
        Ok(Actor {
            account: account.name,
            name: account.display_name,
            party,
            roles: account.roles.into_iter().collect(),
            locale: account.locale,
        })
    }

    async fn check_password(&self, name: &str, password: &str, from: IpAddr) -> Result<Account> {
        let attempt = self.limiter.begin(from, name)?;
        let account = match AccountName::new(name) {
            Ok(name) => found(self.store.account(&name).await)?.filter(|account| !account.disabled),
            Err(_) => None,
        };
        // The same work is done for unknown names, so that time does not tell which names exist.
        let hash = account.as_ref().map_or(self.decoy_hash.as_str(), |a| a.password_hash.as_str()).to_owned();
        let password = password.to_owned();
        // Each check takes 19 MiB by design: only a few run at a time, the others wait in line.
        let _turn = self.hashing.acquire().await;
        attempt.look()?;
        let fits = tokio::task::spawn_blocking(move || verify(&hash, &password)).await.unwrap_or(false);
        match account {
            Some(account) if fits => {
                attempt.succeeded();
                Ok(account)
            }
            _ => self.failed(attempt),
        }
    }

    fn failed<T>(&self, attempt: Attempt<'_>) -> Result<T> {
        attempt.failed();
        Err(AppError::NotSignedIn)
    }

    pub(crate) async fn hash_password(&self, password: String) -> Result<String> {
        let salt = self.entropy::<16>()?;
        tokio::task::spawn_blocking(move || hash(&salt, &password))
            .await
            .ok()
            .flatten()
            .ok_or_else(|| AppError::unavailable("The password could not be hashed.", "口令处理失败。"))
    }

    /// 32 random bytes for a cookie, a form or a token.
    fn secret(&self) -> Result<String> {
        Ok(URL_SAFE_NO_PAD.encode(self.entropy::<32>()?))
    }
}

/// What an account is made of.
#[derive(Debug)]
pub struct NewAccount<'a> {
    /// The sign-in name.
    pub name: AccountName,
    /// What people call them.
    pub display: &'a str,
    /// The party they act for.
    pub party: PartyId,
    /// What they may do.
    pub roles: Vec<Role>,
    /// Their language.
    pub locale: Locale,
    /// The password; only its Argon2id hash is kept.
    pub password: &'a str,
}

/// SHA-256 of a secret with 256 bits of entropy: no slow hash is needed for those.
fn digest(secret: &str) -> TokenHash {
    TokenHash::new(Sha256::digest(secret.as_bytes()).into())
}

/// The token that forms of a session carry: derived from the cookie, which a foreign page cannot read.
fn csrf_of(session: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"cogov.csrf.v1\0");
    hash.update(session.as_bytes());
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// The hash that unknown names are checked against; no password fits it.
pub(crate) fn decoy_hash() -> String {
    hash(&[0; 16], "no account has this").unwrap_or_default()
}

/// Argon2id with the crate's defaults (19 MiB, two passes: OWASP's recommendation).
fn hash(salt: &[u8; 16], password: &str) -> Option<String> {
    let salt = SaltString::encode_b64(salt).ok()?;
    Argon2::default().hash_password(password.as_bytes(), &salt).ok().map(|hash| hash.to_string())
}

fn verify(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}
