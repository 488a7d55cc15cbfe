//! Answering: contributions that belong together get one answer, which leads to a change or gives the reason for none.

use super::{About, ContributionView, moderate::require_moderator, said};
use crate::{
    Actor, App, AppError,
    error::{Result, found},
};
use cogov_model::{Answer, AnswerOutcome, ClauseId, ConsultationEvent, ConsultationId, EntryKind, Standing};
use cogov_store::{ContributionFilter, Page, Paged};

/// Contributions of one answer at most.
const TOGETHER: usize = 10_000;

/// An answer as its form holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnswer {
    /// The answer whose words and contributions it replaces.
    pub replaces: Option<u64>,
    /// What the contributions have in common.
    pub title: String,
    /// The answer.
    pub words: String,
    /// What came of it.
    pub outcome: AnswerOutcome,
    /// The numbers of the contributions.
    pub contributions: Vec<u64>,
    /// Also every contribution on this clause that has no answer yet.
    pub all_on: Option<ClauseId>,
}

/// An answer with what it replies to.
#[derive(Debug, Clone)]
pub struct AnswerPage {
    /// The answer.
    pub answer: Answer,
    /// The contributions.
    pub contributions: Paged<ContributionView>,
}

impl App {
    /// Answers contributions together, for the first time or anew. Returns the answer's number.
    ///
    /// # Errors
    /// `Forbidden` for others than the host's people, `Invalid` when words or contributions are missing,
    /// `Conflict` when one of them is hidden or merged or the consultation is concluded.
    pub async fn answer_contributions(
        &self,
        actor: &Actor,
        id: &ConsultationId,
        new: NewAnswer,
    ) -> Result<u64> {
        let _beside = self.deliberation.acts.read().await;
        let counted = self.counted_consultation(id).await?;
        let consultation = counted.consultation;
        require_moderator(actor, &consultation)?;
        if consultation.conclusion.is_some() {
            return Err(AppError::conflict("This consultation is concluded.", "该征求意见已办结。"));
        }
        let title = said(&new.title, "title", 200)?;
        let words = said(&new.words, "words", 10_000)?;
        let outcome = self.checked_outcome(id, new.outcome).await?;
        let contributions = self.checked_targets(id, new.contributions, new.all_on).await?;
        if let Some(replaced) = new.replaces {
            self.answer_or_missing(id, replaced).await?;
        }
        let mut facts =
            vec![("outcome", outcome.code().to_owned()), ("contributions", contributions.len().to_string())];
        if let AnswerOutcome::Change { clause, .. } = &outcome {
            facts.push(("clause", clause.to_string()));
        }
        let about = About::of_host(&consultation, self.clock.now());
        let event =
            ConsultationEvent::Answered { answer: new.replaces, title, words, outcome, contributions };
        let entry = self.record_event(EntryKind::Answer, &about, &event, &facts).await?;
        match new.replaces {
            Some(number) => Ok(number),
            None => Ok(self.store.answer_at(id, entry).await?.number),
        }
    }

    /// The answers of a consultation, by number.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn consultation_answers(&self, id: &ConsultationId, page: &Page) -> Result<Paged<Answer>> {
        self.consultation_record(id).await?;
        Ok(self.store.answers(id, page).await?)
    }

    /// An answer with what it replies to.
    ///
    /// # Errors
    /// `NotFound` when there is none of this number.
    pub async fn consultation_answer(
        &self,
        viewer: Option<&Actor>,
        id: &ConsultationId,
        number: u64,
        page: &Page,
    ) -> Result<AnswerPage> {
        let filter = ContributionFilter { answer: Some(number), ..ContributionFilter::default() };
        Ok(AnswerPage {
            answer: self.answer_or_missing(id, number).await?,
            contributions: self.contributions(viewer, id, &filter, page).await?,
        })
    }

    async fn answer_or_missing(&self, id: &ConsultationId, number: u64) -> Result<Answer> {
        found(self.store.answer(id, number).await)?.ok_or_else(|| {
            AppError::not_found(format!("There is no answer {number}."), format!("没有第 {number} 条答复。"))
        })
    }

    async fn checked_outcome(&self, id: &ConsultationId, outcome: AnswerOutcome) -> Result<AnswerOutcome> {
        match outcome {
            AnswerOutcome::NoChange { reason } => {
                Ok(AnswerOutcome::NoChange { reason: said(&reason, "reason", 5_000)? })
            }
            AnswerOutcome::Change { clause, words } => {
                let of_draft = || async {
                    let clauses = self.clauses_of_draft(id).await?;
                    Ok::<bool, AppError>(clauses.iter().any(|of_draft| of_draft.anchor == clause))
                };
                if found(self.store.consultation_clause(id, &clause).await)?.is_none() && !of_draft().await? {
                    return Err(AppError::invalid(
                        "clause",
                        "The text has no such clause.",
                        "文本中没有这一条。",
                    ));
                }
                Ok(AnswerOutcome::Change { clause, words: said(&words, "change", 20_000)? })
            }
        }
    }

    async fn checked_targets(
        &self,
        id: &ConsultationId,
        numbers: Vec<u64>,
        all_on: Option<ClauseId>,
    ) -> Result<Vec<u64>> {
        let mut targets: std::collections::BTreeSet<u64> = numbers.into_iter().collect();
        for number in &targets {
            let contribution = self.contribution_or_missing(id, *number).await?;
            if contribution.standing != Standing::Shown {
                return Err(AppError::conflict(
                    format!("Contribution {number} is hidden or merged: answer the one it was merged into."),
                    format!("第 {number} 条意见已隐藏或合并：请答复其并入的意见。"),
                ));
            }
        }
        if let Some(clause) = all_on {
            let filter = ContributionFilter {
                clause: Some(clause),
                unanswered: true,
                shown: true,
                ..ContributionFilter::default()
            };
            let mut page = Page::first(Page::MOST);
            while targets.len() <= TOGETHER {
                let found = self.store.contributions(id, &filter, &page).await?;
                targets.extend(found.items.iter().map(|found| found.contribution.number));
                match found.next {
                    Some(next) => page = Page::new(Some(next), Page::MOST),
                    None => break,
                }
            }
        }
        if targets.is_empty() || targets.len() > TOGETHER {
            return Err(AppError::invalid(
                "contributions",
                "Choose the contributions that you answer: at most 10,000 together.",
                "请选择要答复的意见（一次不超过一万条）。",
            ));
        }
        Ok(targets.into_iter().collect())
    }
}
