//! Decisions (裁决): what the rulebook says, and which clauses say it.

use crate::{ClauseId, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Clauses of the rulebook, as a set: the citation under every decision.
pub type Clauses = BTreeSet<ClauseId>;

/// How a decision or an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Allowed.
    Permit,
    /// Refused.
    Deny,
    /// Done: an act that is no decision.
    Done,
}

impl Outcome {
    /// The code used in entries and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Outcome::Permit => "permit",
            Outcome::Deny => "deny",
            Outcome::Done => "done",
        }
    }
}

/// Why something was decided as it was: words that name clauses and never a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The words.
    pub words: Text,
    /// The clauses.
    pub clauses: Clauses,
}
