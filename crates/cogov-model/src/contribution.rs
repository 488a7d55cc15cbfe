//! What people bring to a consultation: statements, comments, amendments, votes; and what becomes of them.

use crate::{AccountName, ClauseId, ConsultationId, ParticipantClass, ParticipantKey, Timestamp};
use serde::{Deserialize, Serialize};

/// The kind of a contribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContributionKind {
    /// A sentence that others agree or disagree with.
    Statement,
    /// Words about a clause.
    Comment,
    /// Other words for a clause.
    Amendment,
}

impl ContributionKind {
    /// The code used in records and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            ContributionKind::Statement => "statement",
            ContributionKind::Comment => "comment",
            ContributionKind::Amendment => "amendment",
        }
    }
}

/// A vote on a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vote {
    /// For it.
    Agree,
    /// Against it.
    Disagree,
    /// Seen, and neither.
    Pass,
}

impl Vote {
    /// Every vote.
    pub const ALL: [Vote; 3] = [Vote::Agree, Vote::Disagree, Vote::Pass];

    /// The code used in records and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Vote::Agree => "agree",
            Vote::Disagree => "disagree",
            Vote::Pass => "pass",
        }
    }

    /// The number that Polis' CSV exports use.
    #[must_use]
    pub const fn number(self) -> i8 {
        match self {
            Vote::Agree => 1,
            Vote::Disagree => -1,
            Vote::Pass => 0,
        }
    }

    /// The vote of one person on a statement into which others were merged. Agreeing or disagreeing with the
    /// statement's own words counts as said. Otherwise one agreement with any of the merged wordings is a
    /// supporter who must not be lost; then a disagreement, then a pass.
    #[must_use]
    pub fn merged(own: Option<Vote>, others: impl IntoIterator<Item = Vote>) -> Option<Vote> {
        let rank = |vote: &Vote| match vote {
            Vote::Agree => 0,
            Vote::Disagree => 1,
            Vote::Pass => 2,
        };
        match own {
            Some(Vote::Agree | Vote::Disagree) => own,
            _ => others.into_iter().chain(own).min_by_key(rank),
        }
    }
}

/// Votes counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// For.
    pub agree: u64,
    /// Against.
    pub disagree: u64,
    /// Seen, and neither.
    pub pass: u64,
}

impl Tally {
    /// Everybody who voted.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.agree + self.disagree + self.pass
    }
}

/// Why a contribution is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HideReason {
    /// Advertising or repetition by machine.
    Spam,
    /// It tells personal data of somebody.
    PersonalData,
    /// It insults or threatens.
    Abuse,
    /// It is about something else.
    OffTopic,
}

impl HideReason {
    /// Every reason.
    pub const ALL: [HideReason; 4] =
        [HideReason::Spam, HideReason::PersonalData, HideReason::Abuse, HideReason::OffTopic];

    /// The code used in records and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            HideReason::Spam => "spam",
            HideReason::PersonalData => "personal-data",
            HideReason::Abuse => "abuse",
            HideReason::OffTopic => "off-topic",
        }
    }
}

/// What a moderator does. Nothing is ever deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Moderation {
    /// Its words are no longer shown.
    Hide {
        /// Why.
        because: HideReason,
    },
    /// A statement says the same as another: its votes count for that one.
    Merge {
        /// The statement that stays.
        into: u64,
    },
    /// It is shown again, on its own.
    Restore,
}

impl Moderation {
    /// The code used in entries and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Moderation::Hide { .. } => "hide",
            Moderation::Merge { .. } => "merge",
            Moderation::Restore => "restore",
        }
    }
}

/// Whether a contribution is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Standing {
    /// It is.
    #[default]
    Shown,
    /// A moderator hid it.
    Hidden {
        /// Why, as a code.
        because: HideReason,
        /// Why, in words.
        reason: String,
        /// The ledger entry of the act.
        entry: u64,
    },
    /// A moderator merged it into another.
    Merged {
        /// The number of the one that stays.
        into: u64,
        /// Why, in words.
        reason: String,
        /// The ledger entry of the act.
        entry: u64,
    },
}

impl Standing {
    /// The code used in records and pages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Standing::Shown => "shown",
            Standing::Hidden { .. } => "hidden",
            Standing::Merged { .. } => "merged",
        }
    }
}

/// Somebody in one consultation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Counts from 0 in the order of joining.
    pub number: u64,
    /// The keyed hash that stands in public records.
    pub key: ParticipantKey,
    /// The account: never shown to other participants.
    pub account: AccountName,
    /// The declared class.
    pub class: ParticipantClass,
    /// Whether the account's party shows the class.
    pub verified: bool,
    /// The name that they chose to be shown under; a pseudonym when absent.
    pub name: Option<String>,
    /// When they joined.
    pub joined_at: Timestamp,
    /// The ledger entry of it; none while it is being written.
    pub entry: Option<u64>,
}

/// A statement, a comment or an amendment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// The consultation.
    pub consultation: ConsultationId,
    /// Counts from 0 in the order of the ledger.
    pub number: u64,
    /// What it is.
    pub kind: ContributionKind,
    /// The clause that it is about.
    pub clause: Option<ClauseId>,
    /// The words; the reasons, for an amendment.
    pub words: String,
    /// The words that an amendment proposes.
    pub proposed: Option<String>,
    /// Who wrote it: the participant's number.
    pub participant: u64,
    /// When.
    pub at: Timestamp,
    /// Its ledger entry: the receipt.
    pub entry: u64,
    /// Whether it is shown.
    pub standing: Standing,
    /// The answer that it got.
    pub answer: Option<u64>,
    /// The votes, for a statement; those of merged ones are among them.
    pub tally: Tally,
}

/// What came of the contributions that an answer replies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum AnswerOutcome {
    /// A clause is changed.
    Change {
        /// Which.
        clause: ClauseId,
        /// Its new words, or what is changed in them.
        words: String,
    },
    /// Nothing is changed.
    NoChange {
        /// Why.
        reason: String,
    },
}

impl AnswerOutcome {
    /// The code used in records and pages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            AnswerOutcome::Change { .. } => "change",
            AnswerOutcome::NoChange { .. } => "no-change",
        }
    }
}

/// An answer to contributions that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Counts from 1.
    pub number: u64,
    /// What the contributions have in common.
    pub title: String,
    /// The answer.
    pub words: String,
    /// What came of it.
    pub outcome: AnswerOutcome,
    /// How many contributions it replies to.
    pub contributions: u64,
    /// When it was last written.
    pub at: Timestamp,
    /// The ledger entry of that.
    pub entry: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging_loses_no_supporter_and_turns_no_words_round() {
        use Vote::{Agree, Disagree, Pass};
        assert_eq!(Vote::merged(None, [Agree]), Some(Agree));
        assert_eq!(Vote::merged(Some(Pass), [Agree, Disagree]), Some(Agree));
        assert_eq!(Vote::merged(Some(Disagree), [Agree]), Some(Disagree));
        assert_eq!(Vote::merged(Some(Agree), [Disagree]), Some(Agree));
        assert_eq!(Vote::merged(None, [Pass, Disagree]), Some(Disagree));
        assert_eq!(Vote::merged(Some(Pass), []), Some(Pass));
        assert_eq!(Vote::merged(None, []), None);
    }
}
