//! Receipts: what somebody did stands in the ledger, word for word, and is counted.

use super::moderate::require_moderator;
use crate::{
    Actor, App, AppError, EntryView,
    error::{Result, found},
    indexer,
};
use cogov_ledger::{InclusionProof, seal};
use cogov_model::{
    Consultation, ConsultationEvent, ConsultationId, EntryKind, Participant, ParticipantKey, Standing,
};

/// One thing that a receipt shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptCheck {
    /// The entry leads to the signed root of the ledger.
    InLedger,
    /// The salted hash in the entry is that of the content.
    SameContent,
    /// The records that results are made from hold it.
    Counted,
}

impl ReceiptCheck {
    /// The code used in pages.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            ReceiptCheck::InLedger => "in-ledger",
            ReceiptCheck::SameContent => "same-content",
            ReceiptCheck::Counted => "counted",
        }
    }
}

/// A receipt with what was checked.
#[derive(Debug, Clone)]
pub struct ReceiptPage {
    /// The consultation.
    pub consultation: Consultation,
    /// The ledger entry with its proof.
    pub entry: EntryView,
    /// What was checked now, and whether it holds.
    pub checks: Vec<(ReceiptCheck, bool)>,
    /// The content that the entry commits to, and its salt, where the viewer may read them.
    pub content: Option<(String, String)>,
    /// The number of the contribution, when it is one.
    pub contribution: Option<u64>,
    /// A later vote of the same participant on the same statement, which holds instead.
    pub replaced_by: Option<u64>,
}

/// What the records hold of an entry.
#[derive(Default)]
struct Held {
    there: bool,
    /// Its content may be read by everybody.
    public: bool,
    contribution: Option<u64>,
    replaced_by: Option<u64>,
}

impl App {
    /// The receipt of an entry of a consultation, checked now.
    ///
    /// # Errors
    /// `NotFound` when the entry is not of this consultation.
    pub async fn receipt(
        &self,
        viewer: Option<&Actor>,
        id: &ConsultationId,
        index: u64,
    ) -> Result<ReceiptPage> {
        let consultation = self.consultation_record(id).await?;
        let entry = self.entry(None, index).await?;
        let is_ours = entry.entry.facts.get("consultation").is_some_and(|of| of == id.as_str());
        if !is_ours {
            return Err(AppError::not_found(
                format!("Entry {index} is not of this consultation."),
                format!("第 {index} 条不属于本次征求意见。"),
            ));
        }
        let content = self.content(index)?;
        let held = self.held(&consultation, &entry, content.as_ref().map(|(text, _)| text.as_str())).await?;
        let mut checks = vec![(ReceiptCheck::InLedger, self.leads_to_root(&entry))];
        if let Some((text, salt)) = &content {
            checks.push((ReceiptCheck::SameContent, commits_to(&entry, text, salt)));
        }
        checks.push((ReceiptCheck::Counted, held.there));
        let may_read = held.public
            || viewer.is_some_and(|actor| {
                let own = self.deliberation.pseudonyms.participant(id, &actor.account);
                require_moderator(actor, &consultation).is_ok() || own.is_some_and(|own| is_by(&entry, &own))
            });
        Ok(ReceiptPage {
            checks,
            content: content.filter(|_| may_read),
            contribution: held.contribution,
            replaced_by: held.replaced_by,
            consultation,
            entry,
        })
    }

    /// The content of an entry and its salt, as they lie sealed beside it.
    fn content(&self, index: u64) -> Result<Option<(String, String)>> {
        let stored = self.ledger.read(index)?;
        let sealed = indexer::read(&stored).and_then(|(_, mut sealed)| sealed.remove("content"));
        Ok(sealed.map(|sealed| (sealed.text, sealed.salt)))
    }

    fn leads_to_root(&self, entry: &EntryView) -> bool {
        entry.proof.as_ref().is_some_and(|proof| {
            InclusionProof::from_text(&proof.receipt, self.ledger.key()).is_ok_and(|(proof, checkpoint)| {
                proof.index == entry.index && proof.check(&entry.leaf, &checkpoint).is_ok()
            })
        })
    }

    /// Whether the records hold the very content of the entry.
    async fn held(
        &self,
        consultation: &Consultation,
        entry: &EntryView,
        content: Option<&str>,
    ) -> Result<Held> {
        let id = &consultation.id;
        let event = content.and_then(|content| serde_json::from_str::<ConsultationEvent>(content).ok());
        let mut held = Held { public: true, ..Held::default() };
        match (entry.entry.kind, event) {
            (EntryKind::Contribution, Some(ConsultationEvent::Contributed { words, proposed, .. })) => {
                if let Some(found) = found(self.store.contribution_at(id, entry.index).await)? {
                    let found = found.contribution;
                    held.there = found.words == words && found.proposed == proposed;
                    held.public = !matches!(found.standing, Standing::Hidden { .. });
                    held.contribution = Some(found.number);
                }
            }
            (EntryKind::Vote, Some(ConsultationEvent::Voted { statement, vote })) => {
                if let Some(found) = found(self.store.vote_at(id, entry.index).await)? {
                    held.there = found.statement == statement && found.vote == vote;
                    let cast = self.store.votes_of(id, found.participant).await?;
                    let last = cast.iter().rfind(|vote| vote.statement == statement);
                    held.replaced_by = last.map(|last| last.entry).filter(|last| *last > entry.index);
                    held.contribution = Some(statement);
                }
            }
            (EntryKind::Participation, _) => {
                let number = entry.entry.facts.get("number").and_then(|number| number.parse().ok());
                let number: Vec<u64> = number.into_iter().collect();
                let people = self.store.participants_of(id, &number).await?;
                held.there = people.first().is_some_and(|person| joined_with(person, entry));
            }
            (EntryKind::Consultation, _) => held.there = consultation.entry == entry.index,
            _ => held.there = self.deliberation.projector.holds(entry.index),
        }
        Ok(held)
    }
}

fn joined_with(person: &Participant, entry: &EntryView) -> bool {
    let fact = |name: &str, value: &str| entry.entry.facts.get(name).is_some_and(|fact| fact == value);
    is_by(entry, &person.key)
        && fact("class", person.class.code())
        && fact("verified", &person.verified.to_string())
}

fn is_by(entry: &EntryView, key: &ParticipantKey) -> bool {
    entry.entry.facts.get("participant").is_some_and(|participant| participant == key.as_str())
}

fn commits_to(entry: &EntryView, content: &str, salt: &str) -> bool {
    let mut bytes = [0; 16];
    hex::decode_to_slice(salt, &mut bytes).is_ok()
        && entry.entry.sealed.get("content").is_some_and(|hash| *hash == seal(bytes, content))
}
