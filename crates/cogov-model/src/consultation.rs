//! Consultations (征求意见): a text open to opinions between two moments, and what happens to it.

use crate::{
    AnswerOutcome, ClauseId, ConsultationId, ContributionKind, DraftRef, Moderation, PartyClass, PartyId,
    Text, Timestamp, Vote,
};
use serde::{Deserialize, Serialize};

/// In which class somebody takes part. Results are shown for each class, so that none drowns another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParticipantClass {
    /// Anybody.
    Public,
    /// Somebody who does research on the matter.
    Scholar,
    /// Somebody who works in the trade.
    Practitioner,
    /// A body or firm that the text binds.
    RegulatedEntity,
    /// An official of a public body.
    Official,
}

impl ParticipantClass {
    /// Every class.
    pub const ALL: [ParticipantClass; 5] = [
        ParticipantClass::Public,
        ParticipantClass::Scholar,
        ParticipantClass::Practitioner,
        ParticipantClass::RegulatedEntity,
        ParticipantClass::Official,
    ];

    /// The code used in records, entries and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            ParticipantClass::Public => "public",
            ParticipantClass::Scholar => "scholar",
            ParticipantClass::Practitioner => "practitioner",
            ParticipantClass::RegulatedEntity => "regulated-entity",
            ParticipantClass::Official => "official",
        }
    }

    /// Whether declaring the class is not enough: the account's party has to show it.
    #[must_use]
    pub const fn asks_for_proof(self) -> bool {
        !matches!(self, ParticipantClass::Public)
    }

    /// Whether a party of this class shows that its people are of the participant's class. The public
    /// needs no proof.
    #[must_use]
    pub const fn is_shown_by(self, party: PartyClass) -> bool {
        match self {
            ParticipantClass::Public => true,
            ParticipantClass::Scholar => matches!(party, PartyClass::University),
            ParticipantClass::Practitioner => {
                matches!(party, PartyClass::Enterprise | PartyClass::Operator | PartyClass::Social)
            }
            ParticipantClass::RegulatedEntity => {
                matches!(party, PartyClass::Enterprise | PartyClass::Operator)
            }
            ParticipantClass::Official => matches!(party, PartyClass::Government),
        }
    }
}

/// A clause of the text that is consulted on, as it stood when the consultation was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsultedClause {
    /// Its anchor, the citation.
    pub anchor: ClauseId,
    /// Its title.
    pub title: Text,
    /// Its words as Markdown.
    pub words: Text,
}

/// Where a consultation stands. It follows from the clock, not from anybody's click, up to its conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsultationState {
    /// Published, but not open yet.
    Announced,
    /// Open to opinions.
    Open,
    /// Closed to opinions; contributions are being answered.
    Answering,
    /// Every contribution has its answer.
    Concluded,
}

impl ConsultationState {
    /// The code used in records and pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            ConsultationState::Announced => "announced",
            ConsultationState::Open => "open",
            ConsultationState::Answering => "answering",
            ConsultationState::Concluded => "concluded",
        }
    }
}

/// How a consultation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conclusion {
    /// When.
    pub at: Timestamp,
    /// What was made of it.
    pub words: Text,
    /// Its ledger entry.
    pub entry: u64,
}

/// A consultation, without its clauses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consultation {
    /// Its identifier.
    pub id: ConsultationId,
    /// What it is called.
    pub title: Text,
    /// What it is about and why.
    pub summary: Text,
    /// The public body that consults.
    pub host: PartyId,
    /// The draft of a rulebook that it is about, when it is about one.
    #[serde(default)]
    pub draft: Option<DraftRef>,
    /// What the body asks.
    pub questions: Vec<Text>,
    /// Whose opinion is asked for; others may take part as the public.
    pub invited: Vec<ParticipantClass>,
    /// From when opinions are taken.
    pub opens: Timestamp,
    /// From when they are no longer taken.
    pub closes: Timestamp,
    /// When it was published.
    pub opened_at: Timestamp,
    /// The ledger entry that opened it.
    pub entry: u64,
    /// How it ended.
    #[serde(default)]
    pub conclusion: Option<Conclusion>,
}

impl Consultation {
    /// Where it stands at a moment.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> ConsultationState {
        if self.conclusion.is_some() {
            ConsultationState::Concluded
        } else if now < self.opens {
            ConsultationState::Announced
        } else if now < self.closes {
            ConsultationState::Open
        } else {
            ConsultationState::Answering
        }
    }
}

/// What happened in a consultation: the content that a ledger entry commits to, as JSON. The records of
/// consultations are made from these alone, in the order of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum ConsultationEvent {
    /// It was opened: everything that it is made of.
    Opened {
        /// What it is called.
        title: Text,
        /// What it is about.
        summary: Text,
        /// The draft.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        draft: Option<DraftRef>,
        /// What is asked.
        questions: Vec<Text>,
        /// Whose opinion is asked for.
        invited: Vec<ParticipantClass>,
        /// From when.
        opens: Timestamp,
        /// Until when.
        closes: Timestamp,
        /// The text.
        clauses: Vec<ConsultedClause>,
    },
    /// Somebody contributed.
    Contributed {
        /// A statement, a comment or an amendment.
        kind: ContributionKind,
        /// The clause that it is about; none for statements.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        clause: Option<ClauseId>,
        /// The words; the reasons, for an amendment.
        words: String,
        /// The words that an amendment proposes for the clause.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proposed: Option<String>,
    },
    /// Somebody voted, for the first time or anew.
    Voted {
        /// The statement's number.
        statement: u64,
        /// The vote.
        vote: Vote,
    },
    /// A moderator acted.
    Moderated {
        /// The contribution's number.
        contribution: u64,
        /// What was done.
        moderation: Moderation,
        /// Why, in words that everybody reads.
        reason: String,
    },
    /// Contributions were answered together, for the first time or anew.
    Answered {
        /// The answer's number, when it replaces an earlier text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<u64>,
        /// What the contributions have in common.
        title: String,
        /// The answer.
        words: String,
        /// What came of it.
        outcome: AnswerOutcome,
        /// The numbers of the contributions.
        contributions: Vec<u64>,
    },
    /// It was concluded.
    Concluded {
        /// What was made of it.
        words: Text,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_clock_opens_and_closes() {
        let at = Timestamp::from_millis;
        let mut consultation = Consultation {
            id: "c".parse().unwrap(),
            title: Text::same("t"),
            summary: Text::default(),
            host: "authority".parse().unwrap(),
            draft: None,
            questions: vec![],
            invited: vec![],
            opens: at(10),
            closes: at(20),
            opened_at: at(1),
            entry: 0,
            conclusion: None,
        };
        for (now, state) in [
            (9, ConsultationState::Announced),
            (10, ConsultationState::Open),
            (19, ConsultationState::Open),
            (20, ConsultationState::Answering),
        ] {
            assert_eq!(consultation.state_at(at(now)), state, "{now}");
        }
        consultation.conclusion = Some(Conclusion { at: at(30), words: Text::default(), entry: 9 });
        assert_eq!(consultation.state_at(at(31)), ConsultationState::Concluded);
    }

    #[test]
    fn only_a_party_of_the_right_class_shows_a_class() {
        for class in ParticipantClass::ALL {
            let shown = PartyClass::ALL.into_iter().filter(|party| class.is_shown_by(*party)).count();
            assert_eq!(shown == PartyClass::ALL.len(), !class.asks_for_proof(), "{class:?}");
            assert!(shown > 0);
        }
    }
}
