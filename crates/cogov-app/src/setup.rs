//! Setting up a node: parties, grants made outside an application, the mark of the demo world.

use crate::{App, error::Result, record::Act};
use cogov_model::{Clauses, EntryKind, Grant, GrantState, Outcome, Party, Text};
use cogov_store::{MaskKey, Setting, StoreError};

/// A grant that is set up without an application, such as those of the demo world.
#[derive(Debug, Clone)]
pub struct SetupGrant {
    /// The grant.
    pub grant: Grant,
    /// Why it was made or refused.
    pub reasons: Text,
    /// The clauses that say so.
    pub clauses: Clauses,
}

impl App {
    /// Adds or changes a party.
    ///
    /// # Errors
    /// When the records cannot be written.
    pub async fn put_party(&self, party: &Party) -> Result<()> {
        Ok(self.store.put_party(party).await?)
    }

    /// Adds a grant with its ledger entry; nothing happens when it is there already.
    ///
    /// # Errors
    /// When records or ledger cannot be written.
    pub async fn put_grant(&self, setup: SetupGrant) -> Result<()> {
        let grant = &setup.grant;
        match self.store.add_grant(grant, &MaskKey::new(self.entropy()?)).await {
            Ok(_) => {}
            Err(StoreError::Exists { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let refused = grant.state == GrantState::Refused;
        let (kind, outcome) =
            if refused { (EntryKind::Refusal, Outcome::Deny) } else { (EntryKind::Grant, Outcome::Permit) };
        let act = Act::new(kind, outcome)
            .party(&grant.party)
            .grant(&grant.id)
            .datasets(grant.datasets())
            .decided_by(self.rulebook().version(), &setup.clauses)
            .fact("form", grant.form.code())
            .fact("lane", grant.lane.code())
            .fact("purpose", &grant.purpose.code)
            .fact("until", grant.term.until)
            .sealed("reason", setup.reasons.en);
        self.record(grant.providers.iter().fold(act, Act::party)).await?;
        Ok(())
    }

    /// Marks the demo world as loaded: from now on the node listens on loopback only.
    ///
    /// # Errors
    /// When the records cannot be written.
    pub async fn mark_demo(&self) -> Result<()> {
        self.store.put_setting(Setting::Demo, "loaded").await?;
        *self.demo.write() = true;
        Ok(())
    }
}
