//! Accounts that people make for themselves, to take part in public life and nothing else.

use crate::{
    App, AppError, NewAccount, SignedIn,
    deliberation::Limited,
    error::{Result, found},
};
use cogov_model::{AccountName, Locale, Party, PartyClass, PartyId, Role, Text};
use std::net::IpAddr;

/// The party that all of them act for: no data is granted to it, so that belonging to it gives nobody a right.
const SOCIETY: &str = "society";
/// Characters of a password at least.
const PASSWORD: usize = 10;

/// An account as its form holds it.
#[derive(Debug)]
pub struct Registration<'a> {
    /// The sign-in name.
    pub account: &'a str,
    /// What people call them; shown to others only where they choose so.
    pub name: &'a str,
    /// The password.
    pub password: &'a str,
    /// Their language.
    pub locale: Locale,
}

impl App {
    /// Makes an account of a member of the public and signs in.
    ///
    /// # Errors
    /// `Invalid` names the first field that cannot be used, `TooMany` after many accounts from one network.
    pub async fn register(&self, registration: Registration<'_>, from: IpAddr) -> Result<SignedIn> {
        let name = AccountName::new(registration.account).ok().filter(|name| {
            name.as_str().len() >= 3 && name.as_str().starts_with(|c: char| c.is_ascii_lowercase())
        });
        let Some(name) = name else {
            return Err(AppError::invalid(
                "account",
                "Use 3 to 64 characters for the account: a letter first, then a–z, 0–9, ., - and _.",
                "账号须为 3 至 64 个字符，以字母开头，可用 a–z、0–9、.、- 和 _。",
            ));
        };
        let display = crate::deliberation::said(registration.name, "name", 80)?;
        if registration.password.chars().count() < PASSWORD {
            return Err(AppError::invalid(
                "password",
                "Use a password of at least 10 characters.",
                "口令至少 10 个字符。",
            ));
        }
        let buckets = Limited::of_client(Limited::Registration, from);
        self.deliberation.limits.take_each(buckets, self.clock.now())?;
        let party = self.society().await?;
        let new = NewAccount {
            name: name.clone(),
            display: &display,
            party,
            roles: vec![Role::Citizen],
            locale: registration.locale,
            password: registration.password,
        };
        self.add_account(new).await?;
        self.sign_in(name.as_str(), registration.password, from).await
    }

    /// The party of everybody who registered; made when the first one does.
    async fn society(&self) -> Result<PartyId> {
        let id = PartyId::new(SOCIETY).map_err(crate::checks::never)?;
        if found(self.store.party(&id).await)?.is_none() {
            let party = Party {
                id: id.clone(),
                name: Text::new("Members of the public", "社会公众"),
                class: PartyClass::Individual,
                tier: None,
                region: None,
            };
            self.put_party(&party).await?;
        }
        Ok(id)
    }
}
