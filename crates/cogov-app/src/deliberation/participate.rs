//! Taking part: joining in a class, contributing, voting. Every act gets a receipt: its ledger entry.

use super::{About, Limited, pseudonym, require_open, said};
use crate::{
    Actor, App, AppError,
    error::{Result, found},
    record::Act,
};
use cogov_model::{
    ClauseId, Consultation, ConsultationEvent, ConsultationId, ContributionKind, EntryKind, Outcome,
    Participant, ParticipantClass, ParticipantKey, Standing, Text, Vote,
};
use std::net::IpAddr;

/// Characters of a statement at most: it is read in one breath.
const STATEMENT: usize = 280;
/// Characters of a comment, or of the reasons of an amendment, at most.
const COMMENT: usize = 5_000;
/// Characters of an amendment's proposed words at most.
const AMENDMENT: usize = 20_000;

/// A contribution as its form holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewContribution {
    /// What it is.
    pub kind: ContributionKind,
    /// The clause, for comments and amendments.
    pub clause: Option<ClauseId>,
    /// The words; the reasons, for an amendment.
    pub words: String,
    /// The proposed words, for an amendment.
    pub proposed: Option<String>,
}

/// That something was written down: where in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The consultation.
    pub consultation: ConsultationId,
    /// The ledger entry.
    pub entry: u64,
}

/// The next statement for somebody, and how far they are.
#[derive(Debug, Clone)]
pub struct Turn {
    /// The statement's number; none when every statement has their vote.
    pub statement: Option<u64>,
    /// Statements that they voted on.
    pub voted: usize,
    /// Statements there are.
    pub statements: usize,
}

impl App {
    /// Takes the actor in as a participant in a class. Joining twice changes nothing.
    ///
    /// # Errors
    /// `Conflict` when the consultation is not open, `Invalid` when the class is not asked for.
    pub async fn join_consultation(
        &self,
        actor: &Actor,
        id: &ConsultationId,
        class: ParticipantClass,
        under_own_name: bool,
    ) -> Result<Participant> {
        let consultation = self.consultation_record(id).await?;
        let now = self.clock.now();
        require_open(&consultation, now)?;
        if class.asks_for_proof() && !consultation.invited.contains(&class) {
            return Err(AppError::invalid(
                "class",
                "This class is not asked for: take part as the public.",
                "本次未征求该类别的意见：请以公众身份参与。",
            ));
        }
        let new = Participant {
            number: 0,
            key: self.participant_key(id, actor)?,
            account: actor.account.clone(),
            class,
            verified: class.is_shown_by(actor.party.class),
            name: under_own_name.then(|| actor.name.clone()),
            joined_at: now,
            entry: None,
        };
        let participant = {
            let _turn = self.deliberation.joining.lock().await;
            self.store.add_participant(id, &new).await?
        };
        self.record_joining(&consultation, participant).await
    }

    /// Writes a comment, an amendment or a statement of this machine's own; doors say where it comes from.
    ///
    /// # Errors
    /// `Conflict` when the consultation is not open or the actor has not joined, `Invalid` when words are
    /// missing or too long, `TooMany` when it is too fast.
    pub async fn contribute(
        &self,
        actor: &Actor,
        id: &ConsultationId,
        new: NewContribution,
    ) -> Result<Receipt> {
        self.contribute_within(actor, id, new, Vec::new()).await
    }

    /// Writes a comment, an amendment or a statement that came through a door.
    ///
    /// # Errors
    /// As [`App::contribute`]; `TooMany` also when too much comes from one network.
    pub async fn contribute_from(
        &self,
        actor: &Actor,
        id: &ConsultationId,
        new: NewContribution,
        from: IpAddr,
    ) -> Result<Receipt> {
        self.contribute_within(actor, id, new, Limited::of_client(Limited::Contributions, from)).await
    }

    async fn contribute_within(
        &self,
        actor: &Actor,
        id: &ConsultationId,
        new: NewContribution,
        mut buckets: Vec<(Limited, String)>,
    ) -> Result<Receipt> {
        let _beside = self.deliberation.acts.read().await;
        let consultation = self.consultation_record(id).await?;
        let now = self.clock.now();
        require_open(&consultation, now)?;
        let participant = self.joined(&consultation, actor).await?;
        let event = self.checked_contribution(&consultation, new).await?;
        buckets.push((Limited::Contribution, actor.account.as_str().to_owned()));
        self.deliberation.limits.take_each(buckets, now)?;
        let about = About {
            consultation: id,
            host: &consultation.host,
            participant: Some(&participant.key),
            at: now,
        };
        let facts = match &event {
            ConsultationEvent::Contributed { kind, clause, .. } => [
                Some(("form", kind.code().to_owned())),
                clause.as_ref().map(|clause| ("clause", clause.to_string())),
            ],
            _ => [None, None],
        };
        let facts: Vec<_> = facts.into_iter().flatten().collect();
        let entry = self.record_event(EntryKind::Contribution, &about, &event, &facts).await?;
        Ok(Receipt { consultation: id.clone(), entry })
    }

    /// Votes on a statement, or votes anew: the last vote holds.
    ///
    /// # Errors
    /// `Conflict` when the consultation is not open, the actor has not joined or the statement is not shown,
    /// `TooMany` when it is too fast.
    pub async fn vote(
        &self,
        actor: &Actor,
        id: &ConsultationId,
        statement: u64,
        vote: Vote,
    ) -> Result<Receipt> {
        let _beside = self.deliberation.acts.read().await;
        let consultation = self.consultation_record(id).await?;
        let now = self.clock.now();
        require_open(&consultation, now)?;
        let participant = self.joined(&consultation, actor).await?;
        let found = found(self.store.contribution(id, statement).await)?.map(|found| found.contribution);
        let Some(found) = found.filter(|found| found.kind == ContributionKind::Statement) else {
            return Err(no_statement(statement));
        };
        match found.standing {
            Standing::Shown => {}
            Standing::Hidden { .. } => return Err(no_statement(statement)),
            Standing::Merged { into, .. } => {
                return Err(AppError::conflict(
                    format!(
                        "Statement {statement} was merged into {into}: vote there. Votes cast before count."
                    ),
                    format!("观点 {statement} 已并入 {into}：请在该处表态。此前的表态有效。"),
                ));
            }
        }
        self.deliberation.limits.take(Limited::Vote, actor.account.as_str(), now)?;
        let about = About {
            consultation: id,
            host: &consultation.host,
            participant: Some(&participant.key),
            at: now,
        };
        let event = ConsultationEvent::Voted { statement, vote };
        let entry = self.record_event(EntryKind::Vote, &about, &event, &[]).await?;
        Ok(Receipt { consultation: id.clone(), entry })
    }

    /// The actor's own last vote on a statement.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn my_vote(&self, actor: &Actor, id: &ConsultationId, statement: u64) -> Result<Option<Vote>> {
        let Some(participant) = self.part_of(actor, id).await? else { return Ok(None) };
        let cast = self.store.votes_of(id, participant.number).await?;
        Ok(cast.iter().rfind(|vote| vote.statement == statement).map(|vote| vote.vote))
    }

    /// The actor as a participant, if they joined.
    pub(crate) async fn part_of(&self, actor: &Actor, id: &ConsultationId) -> Result<Option<Participant>> {
        found(self.store.participant(id, &actor.account).await)
    }

    /// The name that others read of a participant.
    pub(crate) fn shown_name(participant: &Participant) -> Text {
        match &participant.name {
            Some(name) => Text::same(name.clone()),
            None => pseudonym::name(&participant.key),
        }
    }

    fn participant_key(&self, id: &ConsultationId, actor: &Actor) -> Result<ParticipantKey> {
        self.deliberation.pseudonyms.participant(id, &actor.account).ok_or_else(|| {
            AppError::unavailable("A pseudonym could not be made. Try again.", "无法生成化名，请重试。")
        })
    }

    async fn joined(&self, consultation: &Consultation, actor: &Actor) -> Result<Participant> {
        match self.part_of(actor, &consultation.id).await? {
            Some(participant) => self.record_joining(consultation, participant).await,
            None => Err(AppError::conflict(
                "Say first in which class you take part.",
                "请先声明您以何种类别参与。",
            )),
        }
    }

    /// Writes a joining to the ledger, if a crash or a fault kept it from being written.
    async fn record_joining(
        &self,
        consultation: &Consultation,
        participant: Participant,
    ) -> Result<Participant> {
        if participant.entry.is_some() {
            return Ok(participant);
        }
        let act = Act::new(EntryKind::Participation, Outcome::Done)
            .at(participant.joined_at)
            .party(&consultation.host)
            .fact("consultation", &consultation.id)
            .fact("participant", &participant.key)
            .fact("number", participant.number)
            .fact("class", participant.class.code())
            .fact("verified", participant.verified);
        let entry = self.record(act).await?;
        let _turn = self.deliberation.joining.lock().await;
        self.store.note_joining(&consultation.id, participant.number, entry).await?;
        Ok(Participant { entry: Some(entry), ..participant })
    }

    async fn checked_contribution(
        &self,
        consultation: &Consultation,
        new: NewContribution,
    ) -> Result<ConsultationEvent> {
        let clause = match (new.kind, new.clause) {
            (ContributionKind::Statement, _) => None,
            (_, Some(clause)) => {
                Some(found(self.store.consultation_clause(&consultation.id, &clause).await)?)
            }
            (_, None) => Some(None),
        };
        let clause = match clause {
            None => None,
            Some(Some(clause)) => Some(clause.clause),
            Some(None) => {
                return Err(AppError::invalid(
                    "clause",
                    "The text has no such clause.",
                    "文本中没有这一条。",
                ));
            }
        };
        let (words, proposed) = match new.kind {
            ContributionKind::Statement => (said(&new.words, "words", STATEMENT)?, None),
            ContributionKind::Comment => (said(&new.words, "words", COMMENT)?, None),
            ContributionKind::Amendment => {
                let proposed = said(new.proposed.as_deref().unwrap_or_default(), "proposed", AMENDMENT)?;
                let unchanged = clause
                    .as_ref()
                    .is_some_and(|clause| [&clause.words.en, &clause.words.zh].contains(&&proposed));
                if unchanged {
                    return Err(AppError::invalid(
                        "proposed",
                        "These are the clause's own words: change something in them.",
                        "与原文相同：请修改其中内容。",
                    ));
                }
                (said(&new.words, "words", COMMENT)?, Some(proposed))
            }
        };
        let clause = clause.map(|clause| clause.anchor);
        Ok(ConsultationEvent::Contributed { kind: new.kind, clause, words, proposed })
    }
}

fn no_statement(number: u64) -> AppError {
    AppError::conflict(
        format!("There is no statement {number} to vote on."),
        format!("没有可供表态的观点 {number}。"),
    )
}
