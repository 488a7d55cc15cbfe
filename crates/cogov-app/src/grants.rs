//! Grants as lists and pages. What was granted to whom is public; who used it and how stays with the parties.

use crate::{
    Actor, App, AppError,
    catalogue::{reaches, unknown_party},
    error::{Result, found},
};
use cogov_model::{DatasetId, Grant, GrantId, Party, PartyId};
use cogov_store::{GrantFilter, Page};
use std::collections::HashMap;

/// A grant in a list.
#[derive(Debug, Clone)]
pub struct GrantCard {
    /// The grant.
    pub grant: Grant,
    /// `active`, `not-yet`, `expired`, `revoked` or `refused`.
    pub state: &'static str,
    /// Who may use it.
    pub party: Party,
    /// Who provides the data.
    pub providers: Vec<Party>,
}

/// A grant's public page.
#[derive(Debug, Clone)]
pub struct GrantPage {
    /// The grant.
    pub card: GrantCard,
    /// Decisions under it.
    pub decisions: u64,
}

impl App {
    /// The grants of the actor's party, those that hold now first.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn grants(&self, actor: &Actor) -> Result<Vec<GrantCard>> {
        let filter = GrantFilter { party: Some(actor.party.id.clone()), ..GrantFilter::default() };
        let grants = self.list_grants(&filter).await?;
        self.cards(grants).await
    }

    /// Every grant: what was granted to whom is public.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn public_grants(&self) -> Result<Vec<GrantCard>> {
        let grants = self.all_grants().await?;
        self.cards(grants).await
    }

    /// A grant's public page.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub async fn grant_page(&self, id: &GrantId) -> Result<GrantPage> {
        let missing = || AppError::not_found(format!("There is no grant {id}."), format!("没有授权 {id}。"));
        let grant = self.find_grant(id).await?.ok_or_else(missing)?;
        let card = self.cards(vec![grant]).await?.pop().ok_or_else(missing)?;
        let filter = cogov_store::EntryFilter {
            grant: Some(id.clone()),
            kind: Some(cogov_model::EntryKind::Decision),
            ..cogov_store::EntryFilter::default()
        };
        let mut decisions = 0;
        let mut page = Page::first(Page::MOST);
        loop {
            let found = self.store.entries(&filter, &page).await?;
            decisions += found.items.len() as u64;
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(GrantPage { card, decisions }),
            }
        }
    }

    pub(crate) async fn grants_on(&self, dataset: &DatasetId) -> Result<Vec<GrantCard>> {
        let filter = GrantFilter { dataset: Some(dataset.clone()), ..GrantFilter::default() };
        let mut grants = self.list_grants(&filter).await?;
        grants.retain(|grant| reaches(grant, dataset));
        self.cards(grants).await
    }

    pub(crate) async fn all_grants(&self) -> Result<Vec<Grant>> {
        self.list_grants(&GrantFilter::default()).await
    }

    pub(crate) async fn find_grant(&self, id: &GrantId) -> Result<Option<Grant>> {
        Ok(found(self.store.grant(id).await)?.map(|found| found.record))
    }

    async fn list_grants(&self, filter: &GrantFilter) -> Result<Vec<Grant>> {
        let mut grants = Vec::new();
        let mut page = Page::first(Page::MOST);
        loop {
            let found = self.store.grants(filter, &page).await?;
            grants.extend(found.items.into_iter().map(|item| item.record));
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => return Ok(grants),
            }
        }
    }

    async fn cards(&self, grants: Vec<Grant>) -> Result<Vec<GrantCard>> {
        let parties = self.party_map().await?;
        let now = self.clock.now();
        let mut cards: Vec<GrantCard> = grants.into_iter().map(|grant| card(grant, &parties, now)).collect();
        cards.sort_by(|a, b| (a.state != "active", &a.grant.id).cmp(&(b.state != "active", &b.grant.id)));
        Ok(cards)
    }
}

fn card(grant: Grant, parties: &HashMap<PartyId, Party>, now: cogov_model::Timestamp) -> GrantCard {
    let find = |id: &PartyId| parties.get(id).cloned().unwrap_or_else(|| unknown_party(id));
    GrantCard {
        state: grant.state_at(now),
        party: find(&grant.party),
        providers: grant.providers.iter().map(find).collect(),
        grant,
    }
}
