//! The ledger's decisions as columns: equal decisions are one case with a count, so that a million of them are
//! taken again as quickly as the few hundred that differ.

use crate::{Idle, Moment};
use cogov_model::{Entry, EntryKind, Outcome, RulebookVersion};
use std::collections::HashMap;

/// Examples kept of each case: the first entry and the newest ones.
const EXAMPLES: usize = 3;

/// What tells one recorded decision from another, as far as deciding it again goes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Case {
    /// The digest of its facts.
    pub facts: String,
    /// The moment.
    pub moment: Moment,
    /// The rulebook that decided.
    pub rulebook: RulebookVersion,
    /// How it ended.
    pub outcome: Ending,
    /// The places of the fact groups whose columns the query used, as `0,2`; none when it is not known, as
    /// for uses that were refused before a query was planned.
    pub used: Option<String>,
}

/// How a recorded decision ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// Permitted.
    Permit,
    /// The rulebook refused the use.
    Deny,
    /// The rulebook allowed the use, and the engine refused the query: it asked for what the treatments
    /// do not give, or for what the engine cannot enforce.
    EngineDeny,
}

/// How many decisions are a case, and where some of them stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Decisions.
    pub count: u64,
    /// Indexes of the first one and of the newest ones.
    pub examples: Vec<u64>,
}

impl Tally {
    fn add(&mut self, index: u64) {
        self.count += 1;
        if self.examples.len() == EXAMPLES {
            self.examples.remove(1);
        }
        self.examples.push(index);
    }
}

/// Every decision of a ledger, folded into cases.
#[derive(Debug, Clone, Default)]
pub struct Cases {
    cases: HashMap<Case, Tally>,
    /// Decisions.
    decisions: u64,
    /// Decisions whose facts were not recorded: those of earlier versions of cogov.
    unrecorded: u64,
}

impl Cases {
    /// Adds an entry of the ledger; what is no decision is passed over, and what follows one: a query that was decided and
    /// then refused is one request. `used` is the sealed word that says
    /// which groups of facts the query used.
    pub fn add(&mut self, index: u64, entry: &Entry, used: Option<&str>) {
        if entry.kind != EntryKind::Decision || entry.follows.is_some() {
            return;
        }
        self.decisions += 1;
        match case(entry, used) {
            Some(case) => self.cases.entry(case).or_default().add(index),
            None => self.unrecorded += 1,
        }
    }

    /// Decisions, recorded with facts or not.
    #[must_use]
    pub const fn decisions(&self) -> u64 {
        self.decisions
    }

    /// Decisions that were written without their facts and cannot be taken again.
    #[must_use]
    pub const fn unrecorded(&self) -> u64 {
        self.unrecorded
    }

    /// The cases, in an order that depends on nothing but them.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&Case, &Tally)> {
        let mut all: Vec<_> = self.cases.iter().collect();
        all.sort_unstable_by_key(|(case, _)| *case);
        all
    }

    /// The cases that a rulebook decided.
    #[must_use]
    pub fn decided_by(&self, version: &RulebookVersion) -> Cases {
        let cases: HashMap<_, _> = self
            .cases
            .iter()
            .filter(|(case, _)| case.rulebook == *version)
            .map(|(case, tally)| (case.clone(), tally.clone()))
            .collect();
        let decisions = cases.values().map(|tally| tally.count).sum();
        Cases { cases, decisions, unrecorded: 0 }
    }
}

fn case(entry: &Entry, used: Option<&str>) -> Option<Case> {
    let fact = |name: &str| entry.facts.get(name).map(String::as_str);
    let idle = match fact("idle") {
        Some(code) => Some(Idle::ALL.into_iter().find(|idle| idle.code() == code)?),
        None => None,
    };
    let by_engine = fact("refused_by") == Some("engine");
    Some(Case {
        facts: fact("facts")?.to_owned(),
        moment: Moment { days_left: fact("days_left")?.parse().ok()?, idle },
        rulebook: entry.rulebook.clone()?,
        outcome: match entry.outcome {
            Outcome::Permit => Ending::Permit,
            Outcome::Deny if by_engine => Ending::EngineDeny,
            Outcome::Deny => Ending::Deny,
            Outcome::Done => return None,
        },
        used: used.map(str::to_owned),
    })
}
