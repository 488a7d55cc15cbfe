//! Parties (主体): who acts, in which class, from where.

use crate::{PartyId, RegionCode, Text};
use serde::{Deserialize, Serialize};

/// The class of a party, as rules name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartyClass {
    /// A government body.
    Government,
    /// An operator authorised to work public data for the economy.
    Operator,
    /// A firm.
    Enterprise,
    /// A university or research body.
    University,
    /// A social organisation.
    Social,
    /// One person.
    Individual,
}

impl PartyClass {
    /// Every class.
    pub const ALL: [PartyClass; 6] = [
        PartyClass::Government,
        PartyClass::Operator,
        PartyClass::Enterprise,
        PartyClass::University,
        PartyClass::Social,
        PartyClass::Individual,
    ];

    /// The code used in rules and files.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            PartyClass::Government => "government",
            PartyClass::Operator => "operator",
            PartyClass::Enterprise => "enterprise",
            PartyClass::University => "university",
            PartyClass::Social => "social",
            PartyClass::Individual => "individual",
        }
    }
}

/// The tier of a government body; a higher tier governs a lower one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// The whole commonwealth.
    State,
    /// A region.
    Region,
    /// A city or county.
    Local,
}

impl Tier {
    /// The code used in rules and files.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Tier::State => "state",
            Tier::Region => "region",
            Tier::Local => "local",
        }
    }
}

/// What an account may do for its party.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Imports, grades and publishes the party's datasets.
    Steward,
    /// Applies for data.
    Requester,
    /// Decides applications to the party.
    Approver,
    /// Head of the sharing office: the approval that article 20 wants from both sides.
    Head,
    /// Queries the party's grants.
    Analyst,
    /// Reads every decision, with its sealed words.
    Auditor,
    /// Keeps accounts and reviews catalogue entries.
    Admin,
    /// Takes part in public life.
    Citizen,
    /// Writes drafts of rules and other policy texts.
    Drafter,
}

impl Role {
    /// The code used in files and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Role::Steward => "steward",
            Role::Requester => "requester",
            Role::Approver => "approver",
            Role::Head => "head",
            Role::Analyst => "analyst",
            Role::Auditor => "auditor",
            Role::Admin => "admin",
            Role::Citizen => "citizen",
            Role::Drafter => "drafter",
        }
    }
}

/// An organisation or a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Its identifier.
    pub id: PartyId,
    /// Its name.
    pub name: Text,
    /// Its class.
    pub class: PartyClass,
    /// Its tier, for government bodies.
    #[serde(default)]
    pub tier: Option<Tier>,
    /// Its region, where it has one.
    #[serde(default)]
    pub region: Option<RegionCode>,
}
