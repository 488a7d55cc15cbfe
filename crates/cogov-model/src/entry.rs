//! Ledger entries: what anyone may read of a decision or public act.

use crate::{Clauses, DatasetId, GrantId, Outcome, PartyId, RulebookVersion, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A rulebook came into force.
    RulebookInForce,
    /// A dataset version was imported.
    Import,
    /// A column's label was accepted or overridden.
    Label,
    /// A dataset was published.
    Publish,
    /// An application was made.
    Application,
    /// The provider asked once for what is missing.
    AskedForMore,
    /// The requester supplied it.
    Supplied,
    /// A head agreed.
    Approval,
    /// A grant was made.
    Grant,
    /// An application was refused.
    Refusal,
    /// A grant was ended before its term.
    Revocation,
    /// The rulebook decided one use of one grant.
    Decision,
    /// Rows and bytes that left after a decision.
    Release,
    /// An auditor read or exported sealed words.
    Audit,
    /// A consultation was opened, with its dates.
    Consultation,
    /// Somebody joined a consultation in a class.
    Participation,
    /// A comment, an amendment or a statement in a consultation.
    Contribution,
    /// A vote on a statement of a consultation.
    Vote,
    /// A contribution was hidden, merged or shown again.
    Moderation,
    /// Contributions of a consultation were answered.
    Answer,
    /// A consultation was concluded.
    Conclusion,
    /// A draft was published.
    DraftPublished,
    /// A prescribed approval of a draft was given.
    DraftApproved,
    /// A draft was taken back.
    DraftWithdrawn,
    /// A draft was adopted; its rules hold from the date of effect.
    RulebookAdopted,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [EntryKind; 25] = [
        EntryKind::RulebookInForce,
        EntryKind::Import,
        EntryKind::Label,
        EntryKind::Publish,
        EntryKind::Application,
        EntryKind::AskedForMore,
        EntryKind::Supplied,
        EntryKind::Approval,
        EntryKind::Grant,
        EntryKind::Refusal,
        EntryKind::Revocation,
        EntryKind::Decision,
        EntryKind::Release,
        EntryKind::Audit,
        EntryKind::Consultation,
        EntryKind::Participation,
        EntryKind::Contribution,
        EntryKind::Vote,
        EntryKind::Moderation,
        EntryKind::Answer,
        EntryKind::Conclusion,
        EntryKind::DraftPublished,
        EntryKind::DraftApproved,
        EntryKind::DraftWithdrawn,
        EntryKind::RulebookAdopted,
    ];

    /// The code used in entries and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            EntryKind::RulebookInForce => "rulebook-in-force",
            EntryKind::Import => "import",
            EntryKind::Label => "label",
            EntryKind::Publish => "publish",
            EntryKind::Application => "application",
            EntryKind::AskedForMore => "asked-for-more",
            EntryKind::Supplied => "supplied",
            EntryKind::Approval => "approval",
            EntryKind::Grant => "grant",
            EntryKind::Refusal => "refusal",
            EntryKind::Revocation => "revocation",
            EntryKind::Decision => "decision",
            EntryKind::Release => "release",
            EntryKind::Audit => "audit",
            EntryKind::Consultation => "consultation",
            EntryKind::Participation => "participation",
            EntryKind::Contribution => "contribution",
            EntryKind::Vote => "vote",
            EntryKind::Moderation => "moderation",
            EntryKind::Answer => "answer",
            EntryKind::Conclusion => "conclusion",
            EntryKind::DraftPublished => "draft-published",
            EntryKind::DraftApproved => "draft-approved",
            EntryKind::DraftWithdrawn => "draft-withdrawn",
            EntryKind::RulebookAdopted => "rulebook-adopted",
        }
    }
}

/// The public leaf of one ledger entry, as JSON. What only the parties may read stands here as a
/// salted hash; the salt and the words are sealed beside the leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened.
    pub kind: EntryKind,
    /// When.
    pub at: Timestamp,
    /// The parties concerned, the acting one first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parties: Vec<PartyId>,
    /// The datasets concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<DatasetId>,
    /// The grant concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The rulebook that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rulebook: Option<RulebookVersion>,
    /// The clauses that decided.
    #[serde(default, skip_serializing_if = "Clauses::is_empty")]
    pub clauses: Clauses,
    /// How it ended.
    pub outcome: Outcome,
    /// The index of the entry that this one follows: a release names its decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<u64>,
    /// Public facts, such as `version`, `rows`, `bytes`, `grade`, `form`, `door`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// Salted SHA-256 hashes of the sealed texts, by name (`sql`, `account`, `reason` …), hex.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sealed: BTreeMap<String, String>,
}
