//! Opening a consultation and concluding it.

use super::{About, OPENERS, said};
use crate::{Actor, App, AppError, DraftSnapshot, checks::never, error::Result};
use cogov_model::{
    ConsultationEvent, ConsultationId, ConsultationState, ConsultedClause, DraftId, DraftRef, EntryKind,
    ParticipantClass, PartyClass, Text, Timestamp,
};
use std::{collections::BTreeSet, sync::Arc};

/// Clauses of one text at most.
const CLAUSES: usize = 2_000;
/// Bytes of one text at most: it is sealed in one ledger entry.
const BYTES: usize = 1 << 20;
/// Questions at most.
const QUESTIONS: usize = 20;

/// A consultation as its form holds it.
#[derive(Debug, Clone)]
pub struct NewConsultation {
    /// What it is called.
    pub title: Text,
    /// What it is about and why.
    pub summary: Text,
    /// The text, clause by clause: see [`crate::split_clauses`]. Not looked at where a draft is named.
    pub clauses: Vec<ConsultedClause>,
    /// The draft that it is on: then its text is the draft's published one, as the records have it.
    pub draft: Option<DraftId>,
    /// From when opinions are taken; a moment that has passed means at once.
    pub opens: Timestamp,
    /// Until when.
    pub closes: Timestamp,
    /// What is asked.
    pub questions: Vec<Text>,
    /// Whose opinion is asked for.
    pub invited: Vec<ParticipantClass>,
}

impl App {
    /// What the form of a new consultation begins with: the draft that it is on, or nothing for another text.
    ///
    /// # Errors
    /// As `open_consultation`, so that nobody fills in a form in vain.
    pub async fn consultation_form(
        &self,
        actor: &Actor,
        draft: Option<&DraftId>,
    ) -> Result<Option<DraftSnapshot>> {
        let Some(id) = draft else {
            actor.require(&OPENERS)?;
            require_public_body(actor)?;
            return Ok(None);
        };
        let snapshot = self.draft_for_consultation(actor, id).await?;
        require_public_body(actor)?;
        match self.consultation_under_way(id).await? {
            Some(other) => Err(AppError::conflict(
                format!("The consultation {other} on this draft is not concluded yet."),
                format!("就该草案进行的征求意见 {other} 尚未办结。"),
            )),
            None => Ok(Some(snapshot)),
        }
    }

    /// Opens a consultation of the actor's public body. From then on the clock opens and closes it.
    ///
    /// # Errors
    /// `Forbidden` for others than heads and administrators of public bodies and, for a draft, its drafters; `Conflict`
    /// when the draft is not published or has a consultation under way; `Invalid` names the first field that is
    /// missing or wrong, the last day among them where it comes before the days that the rulebook prescribes are over.
    pub async fn open_consultation(&self, actor: &Actor, new: NewConsultation) -> Result<ConsultationId> {
        // No other text is published, and nothing is adopted, between the look at the draft and the entry.
        let turn = self.draft_turn().await?;
        let snapshot = self.consultation_form(actor, new.draft.as_ref()).await?;
        let now = self.clock.now();
        let clauses = snapshot.as_ref().map_or_else(|| new.clauses.clone(), DraftSnapshot::consulted);
        let new = checked(NewConsultation { clauses, ..new }, now)?;
        if let Some(snapshot) = &snapshot {
            snapshot.check_days(new.opens, new.closes)?;
        }
        let draft = snapshot.map(|draft| DraftRef::of(&draft.id, draft.text).map_err(never)).transpose()?;
        let id = ConsultationId::new(self.new_id("c")?).map_err(never)?;
        let about = About { consultation: &id, host: &actor.party.id, participant: None, at: now };
        let mut facts = vec![
            ("opens", new.opens.rfc3339()),
            ("closes", new.closes.rfc3339()),
            ("clauses", new.clauses.len().to_string()),
        ];
        facts.extend(draft.iter().map(|draft| ("consulted", draft.to_string())));
        let event = ConsultationEvent::Opened {
            title: new.title,
            summary: new.summary,
            draft,
            questions: new.questions,
            invited: new.invited,
            opens: new.opens,
            closes: new.closes,
            clauses: new.clauses,
        };
        self.record_in_turn(turn, EntryKind::Consultation, &about, &event, &facts).await?;
        Ok(id)
    }

    /// Concludes a consultation that has closed and whose every contribution has its answer.
    ///
    /// # Errors
    /// `Conflict` while it is open or a contribution has no answer, `Forbidden` for others than its host's heads.
    pub async fn conclude_consultation(
        &self,
        actor: &Actor,
        id: &ConsultationId,
        words: &str,
    ) -> Result<u64> {
        actor.require(&OPENERS)?;
        // Nothing else happens in any consultation between the check and the entry, and what was begun before by
        // somebody who went away is counted.
        let alone = Arc::clone(&self.deliberation.acts).write_owned().await;
        self.nothing_on_its_way().await?;
        let found = self.counted_consultation(id).await?;
        let (consultation, counts) = (found.consultation, found.counts);
        if actor.party.id != consultation.host {
            return Err(not_yours());
        }
        let now = self.clock.now();
        match consultation.state_at(now) {
            ConsultationState::Answering => {}
            ConsultationState::Concluded => {
                return Err(AppError::conflict("It is concluded already.", "已经办结。"));
            }
            _ => {
                return Err(AppError::conflict(
                    "It is still open: it can be concluded after its last day.",
                    "征求意见尚未截止，截止后方可办结。",
                ));
            }
        }
        if counts.unanswered > 0 {
            let open = counts.unanswered;
            return Err(AppError::conflict(
                format!("Contributions without an answer: {open}. Answer them first."),
                format!("尚有 {open} 条意见未答复，请先答复。"),
            ));
        }
        let words = Text::same(said(words, "words", 10_000)?);
        let event = ConsultationEvent::Concluded { words };
        let facts =
            [("contributions", counts.contributions.to_string()), ("answers", counts.answers.to_string())];
        let about = About::of_host(&consultation, now);
        self.record_in_turn(alone, EntryKind::Conclusion, &about, &event, &facts).await
    }
}

fn require_public_body(actor: &Actor) -> Result<()> {
    if actor.party.class == PartyClass::Government {
        return Ok(());
    }
    Err(AppError::forbidden("Only public bodies open consultations.", "只有公共机构可以发起征求意见。"))
}

pub(crate) fn not_yours() -> AppError {
    AppError::forbidden("This consultation is of another body.", "该征求意见由其他单位发起。")
}

fn checked(mut new: NewConsultation, now: Timestamp) -> Result<NewConsultation> {
    if new.title.is_empty() || new.title.en.chars().count().max(new.title.zh.chars().count()) > 200 {
        return Err(AppError::invalid(
            "title",
            "Give it a title of up to 200 characters.",
            "请填写标题（不超过 200 字）。",
        ));
    }
    if new.summary.is_empty() {
        return Err(AppError::invalid(
            "summary",
            "Say what it is about and why.",
            "请说明征求意见的内容和原因。",
        ));
    }
    // Nothing was open before it was published.
    new.opens = new.opens.max(now);
    if new.closes <= new.opens {
        return Err(AppError::invalid(
            "closes",
            "It must close after it opens, and in the future.",
            "截止时间须晚于开始时间，且在当前时间之后。",
        ));
    }
    new.questions.retain(|question| !question.is_empty());
    if new.questions.len() > QUESTIONS {
        return Err(AppError::invalid("questions", "Ask at most 20 questions.", "问题不超过 20 个。"));
    }
    let invited: BTreeSet<_> = new.invited.iter().copied().collect();
    new.invited = invited.into_iter().collect();
    if new.invited.is_empty() {
        return Err(AppError::invalid("invited", "Choose whom you ask.", "请选择征求意见的对象。"));
    }
    if new.clauses.is_empty() || new.clauses.len() > CLAUSES {
        return Err(AppError::invalid(
            "text",
            "The text needs one to 2,000 clauses, each under a heading.",
            "文本须有 1 至 2000 条，每条以标题开始。",
        ));
    }
    let anchors: BTreeSet<_> = new.clauses.iter().map(|clause| &clause.anchor).collect();
    if anchors.len() != new.clauses.len() {
        return Err(AppError::invalid("text", "An anchor stands twice.", "锚点重复。"));
    }
    let length = |text: &Text| text.en.len() + text.zh.len();
    let bytes: usize = new.clauses.iter().map(|clause| length(&clause.title) + length(&clause.words)).sum();
    if bytes > BYTES {
        return Err(AppError::invalid("text", "Keep the text under 1 MB.", "文本请控制在 1 MB 以内。"));
    }
    Ok(new)
}
