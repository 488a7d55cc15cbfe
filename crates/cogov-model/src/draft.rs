//! Drafts (草案): texts of rules, or of another policy, on their way to being adopted.

use crate::{AccountName, Approval, DraftId, Locale, PartyId, RulebookVersion, Text, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a draft is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DraftKind {
    /// Of the rulebook that the engine enforces.
    Rulebook,
    /// Of another policy text, without rules.
    Text,
}

impl DraftKind {
    /// The code used in files and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            DraftKind::Rulebook => "rulebook",
            DraftKind::Text => "text",
        }
    }
}

/// Where a draft stands. Whether an adopted one is in force is asked of the clock, not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DraftState {
    /// Being written; its proposer's people see it.
    Writing,
    /// Open to everybody.
    Published,
    /// Adopted, with a date of effect.
    Adopted,
    /// Taken back by its proposer.
    Withdrawn,
}

impl DraftState {
    /// The code used in files and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            DraftState::Writing => "writing",
            DraftState::Published => "published",
            DraftState::Adopted => "adopted",
            DraftState::Withdrawn => "withdrawn",
        }
    }

    /// Whether nothing can be done with it any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, DraftState::Adopted | DraftState::Withdrawn)
    }
}

/// One version of a draft's words. A text that was saved is never changed: the next one has the next number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftText {
    /// Counts up from 1.
    pub number: u64,
    /// What the draft is called in it. Empty in texts of before this was kept with them.
    #[serde(default)]
    pub title: Text,
    /// What it wants to change, and why.
    #[serde(default)]
    pub summary: Text,
    /// The text in the language of the rules, as literate Markdown.
    pub original: String,
    /// The words of the same clauses in the other language; empty while nobody wrote them.
    #[serde(default)]
    pub translation: String,
    /// Who saved it.
    pub account: AccountName,
    /// When.
    pub at: Timestamp,
}

/// That a text of a draft was published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// Which of its texts.
    pub text: u64,
    /// When.
    pub at: Timestamp,
    /// The rulebook that it would be; none for a text without rules.
    #[serde(default)]
    pub version: Option<RulebookVersion>,
    /// The rulebook that it was published as a change of: what is approved and adopted is the text on this base. None for
    /// a text without rules, and in publications of before this was kept: these are of the base that the draft had
    /// until it took another.
    #[serde(default)]
    pub base: Option<RulebookVersion>,
}

/// Decisions by how they differ (`same`, `permit-to-deny`, …), as counts.
pub type Differences = BTreeMap<String, u64>;

/// What replaying the ledger's decisions said, in numbers that are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// When it was asked.
    pub at: Timestamp,
    /// Decisions on the ledger then.
    pub decisions: u64,
    /// Those of them that were taken again.
    pub replayed: u64,
    /// How they differ: under the draft from the rulebook that it branches from. Predictions of before `amended` was
    /// counted differ from what was recorded.
    pub counts: Differences,
    /// The same by class of the party.
    #[serde(default)]
    pub by_class: BTreeMap<String, Differences>,
    /// The same by dataset.
    #[serde(default)]
    pub by_dataset: BTreeMap<String, Differences>,
    /// How the same decisions differ under the rulebook that the draft branches from, from what was recorded: what
    /// earlier amendments changed. None of a real effect.
    #[serde(default)]
    pub amended: Option<Differences>,
}

/// That a draft was adopted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adoption {
    /// When it was adopted.
    pub at: Timestamp,
    /// From when it holds.
    pub effect: Timestamp,
    /// Whether it could not wait for the prescribed days.
    #[serde(default)]
    pub urgent: bool,
    /// Why, in words.
    #[serde(default)]
    pub reasons: Text,
    /// What it was predicted to change.
    #[serde(default)]
    pub predicted: Effect,
}

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Its identifier.
    pub id: DraftId,
    /// What it is of.
    pub kind: DraftKind,
    /// What it is called: in its published text, and before it has one in its newest.
    pub title: Text,
    /// What it wants to change, and why: as the title, in its published text.
    #[serde(default)]
    pub summary: Text,
    /// The party that proposes it.
    pub proposer: PartyId,
    /// The account that began it.
    pub account: AccountName,
    /// The language of its original text.
    pub locale: Locale,
    /// The rulebook that its newest text branches from; a published one keeps its own.
    #[serde(default)]
    pub base: Option<RulebookVersion>,
    /// Where it stands.
    pub state: DraftState,
    /// When it was begun.
    pub made_at: Timestamp,
    /// The number of its newest text.
    pub text: u64,
    /// Every publication, the newest last.
    #[serde(default)]
    pub publications: Vec<Publication>,
    /// Approvals of the newest publication.
    #[serde(default)]
    pub approvals: Vec<Approval>,
    /// That it was adopted.
    #[serde(default)]
    pub adoption: Option<Adoption>,
    /// The last of its ledger entries that this record holds.
    #[serde(default)]
    pub entry: Option<u64>,
}

impl Draft {
    /// The newest publication.
    #[must_use]
    pub fn published(&self) -> Option<&Publication> {
        self.publications.last()
    }

    /// The rulebook that one of its texts branches from: the published one from what it was published as a change of.
    #[must_use]
    pub fn base_of(&self, text: u64) -> Option<&RulebookVersion> {
        let published = self.published().filter(|published| published.text == text);
        published.and_then(|published| published.base.as_ref()).or(self.base.as_ref())
    }

    /// Whether it took another base since it was published. The same words on another base are another change: they may
    /// take back what lies between, so that nothing that was approved before holds until they are published again.
    #[must_use]
    pub fn is_rebased(&self) -> bool {
        let published = self.published().and_then(|published| published.base.as_ref());
        !self.state.is_final() && published.is_some_and(|base| self.base.as_ref() != Some(base))
    }

    /// Takes another rulebook as its base. What was published stays on the base that it had.
    pub fn rebase(&mut self, base: RulebookVersion) {
        let before = self.base.replace(base);
        if let Some(published) = self.publications.last_mut().filter(|published| published.base.is_none()) {
            published.base = before;
        }
        self.approvals.clear();
    }

    /// The state as a word, with the clock: `writing`, `published`, `adopted` (with a later date of
    /// effect), `in-force` (since its date of effect) or `withdrawn`.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> &'static str {
        match &self.adoption {
            Some(adoption) if adoption.effect <= now => "in-force",
            _ => self.state.code(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publication_without_its_base_is_of_the_one_that_the_draft_had() {
        let kept = r#"{"id":"d-1","kind":"rulebook","title":{"en":"A","zh":"A"},"proposer":"authority",
            "account":"authority-drafter","locale":"en","base":"test@0000000000000001","state":"published",
            "made_at":1,"text":2,"publications":[{"text":2,"at":2,"version":"test@0000000000000002"}]}"#;
        let mut draft: Draft = serde_json::from_str(kept).unwrap();
        let first: RulebookVersion = "test@0000000000000001".parse().unwrap();
        assert_eq!((draft.published().unwrap().base.as_ref(), draft.is_rebased()), (None, false));
        assert_eq!(draft.base_of(2), Some(&first));
        let second: RulebookVersion = "test@0000000000000003".parse().unwrap();
        draft.rebase(second.clone());
        draft.text = 3;
        assert!(draft.is_rebased() && draft.approvals.is_empty());
        assert_eq!((draft.base_of(2), draft.base_of(3)), (Some(&first), Some(&second)));
        // Where it is known, it stays, whatever base comes next.
        draft.rebase("test@0000000000000004".parse().unwrap());
        assert_eq!(draft.base_of(2), Some(&first));
        draft.state = DraftState::Withdrawn;
        assert!(!draft.is_rebased(), "nothing is to be published any more");
    }
}
