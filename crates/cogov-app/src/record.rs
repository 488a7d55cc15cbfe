//! The one way onto the ledger: a public leaf with salted hashes, the words sealed beside it.

use crate::{App, error::Result};
use cogov_ledger::seal;
use cogov_model::{
    AccountName, Clauses, DatasetId, Entry, EntryKind, GrantId, Outcome, PartyId, RulebookVersion, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A text that only the parties and auditors may read, with the salt that its public hash uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// 16 random bytes, hex.
    pub salt: String,
    /// The words.
    pub text: String,
}

/// An act on its way to the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    kind: EntryKind,
    outcome: Outcome,
    at: Option<Timestamp>,
    parties: Vec<PartyId>,
    datasets: Vec<DatasetId>,
    grant: Option<GrantId>,
    rulebook: Option<RulebookVersion>,
    clauses: Clauses,
    follows: Option<u64>,
    facts: BTreeMap<String, String>,
    sealed: Vec<(&'static str, String)>,
}

impl Act {
    pub(crate) fn new(kind: EntryKind, outcome: Outcome) -> Self {
        Self {
            kind,
            outcome,
            at: None,
            parties: Vec::new(),
            datasets: Vec::new(),
            grant: None,
            rulebook: None,
            clauses: Clauses::new(),
            follows: None,
            facts: BTreeMap::new(),
            sealed: Vec::new(),
        }
    }

    /// The moment at which it was judged; the moment of writing when absent.
    pub(crate) fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }

    /// The acting party first.
    pub(crate) fn party(mut self, party: &PartyId) -> Self {
        if !self.parties.contains(party) {
            self.parties.push(party.clone());
        }
        self
    }

    pub(crate) fn datasets(mut self, datasets: impl IntoIterator<Item = DatasetId>) -> Self {
        self.datasets.extend(datasets);
        self
    }

    pub(crate) fn grant(mut self, grant: &GrantId) -> Self {
        self.grant = Some(grant.clone());
        self
    }

    pub(crate) fn decided_by(mut self, rulebook: &RulebookVersion, clauses: &Clauses) -> Self {
        self.rulebook = Some(rulebook.clone());
        self.clauses.extend(clauses.iter().cloned());
        self
    }

    pub(crate) fn follows(mut self, index: u64) -> Self {
        self.follows = Some(index);
        self
    }

    pub(crate) fn fact(mut self, name: &str, value: impl ToString) -> Self {
        self.facts.insert(name.to_owned(), value.to_string());
        self
    }

    /// Words that only the parties and auditors may read.
    pub(crate) fn sealed(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.sealed.push((name, text.into()));
        self
    }

    /// Who acted: sealed, as a person's name is.
    pub(crate) fn by(self, account: &AccountName) -> Self {
        self.sealed("account", account.as_str())
    }
}

impl App {
    /// Writes an act durably and returns its index.
    pub(crate) async fn record(&self, act: Act) -> Result<u64> {
        let mut hashes = BTreeMap::new();
        let mut sealed = BTreeMap::new();
        for (name, text) in act.sealed {
            let salt = self.entropy::<16>()?;
            hashes.insert(name.to_owned(), seal(salt, &text));
            sealed.insert(name, Sealed { salt: hex::encode(salt), text });
        }
        let entry = Entry {
            kind: act.kind,
            at: act.at.unwrap_or_else(|| self.clock.now()),
            parties: act.parties,
            datasets: act.datasets,
            grant: act.grant,
            rulebook: act.rulebook,
            clauses: act.clauses,
            outcome: act.outcome,
            follows: act.follows,
            facts: act.facts,
            sealed: hashes,
        };
        let index = self.ledger.append(to_json(&entry)?, to_json(&sealed)?).await?;
        self.indexer.wake();
        Ok(index)
    }
}

fn to_json<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an entry could not be written as JSON");
        crate::AppError::unavailable(
            "The entry could not be written, so nothing was done.",
            "无法生成账本条目，因此未执行任何操作。",
        )
    })
}
