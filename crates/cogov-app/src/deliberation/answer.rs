//! Answering: contributions that belong together get one answer, which leads to a change or gives the reason for none.

use super::{About, ContributionView, said};
use crate::{
    Actor, App, AppError,
    error::{Result, found},
};
use cogov_model::{Answer, AnswerOutcome, ClauseId, ConsultationEvent, ConsultationId, EntryKind, Standing};
use cogov_store::{ContributionFilter, Page, Paged};
use std::collections::BTreeSet;

/// Contributions of one answer at most.
const TOGETHER: usize = 10_000;
/// Contributions that a refusal names at most.
const NAMED: usize = 20;

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
    /// How many contributions there were when the answer was written: `all_on` takes none that came after them, since
    /// nobody has read those. Every one when absent.
    pub seen: Option<u64>,
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
    /// `Conflict` when one of them is hidden or merged or has another answer, or the consultation is concluded.
    pub async fn answer_contributions(
        &self,
        actor: &Actor,
        id: &ConsultationId,
        new: NewAnswer,
    ) -> Result<u64> {
        let (turn, consultation) = self.moderator_turn(actor, id).await?;
        let title = said(&new.title, "title", 200)?;
        let words = said(&new.words, "words", 10_000)?;
        if let Some(replaced) = new.replaces {
            self.answer_or_missing(id, replaced).await?;
        }
        let outcome = self.checked_outcome(id, new.outcome.clone()).await?;
        let contributions = self.checked_targets(id, &new).await?;
        let mut facts =
            vec![("outcome", outcome.code().to_owned()), ("contributions", contributions.len().to_string())];
        if let AnswerOutcome::Change { clause, .. } = &outcome {
            facts.push(("clause", clause.to_string()));
        }
        let about = About::of_host(&consultation, self.clock.now());
        let event =
            ConsultationEvent::Answered { answer: new.replaces, title, words, outcome, contributions };
        let entry = self.record_in_turn(turn, EntryKind::Answer, &about, &event, &facts).await?;
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

    /// The numbers of the contributions that an answer is to.
    async fn checked_targets(&self, id: &ConsultationId, new: &NewAnswer) -> Result<Vec<u64>> {
        let mut targets: BTreeSet<u64> = new.contributions.iter().copied().collect();
        self.check_chosen(id, &targets, new.replaces).await?;
        if let Some(clause) = &new.all_on {
            self.add_waiting(id, clause, new.seen, &mut targets).await?;
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

    /// Refuses what is not shown, and what has another answer than the one that is replaced: it would lose it unseen.
    async fn check_chosen(
        &self,
        id: &ConsultationId,
        chosen: &BTreeSet<u64>,
        replaces: Option<u64>,
    ) -> Result<()> {
        let mut answered = Vec::new();
        for number in chosen {
            let contribution = self.contribution_or_missing(id, *number).await?;
            if contribution.standing != Standing::Shown {
                return Err(AppError::conflict(
                    format!("Contribution {number} is hidden or merged: answer the one it was merged into."),
                    format!("第 {number} 条意见已隐藏或合并：请答复其并入的意见。"),
                ));
            }
            if let Some(answer) = contribution.answer.filter(|answer| Some(*answer) != replaces) {
                answered.push((*number, answer));
            }
        }
        if answered.is_empty() { Ok(()) } else { Err(has_answer(&answered)) }
    }

    /// Adds the contributions on a clause that wait for an answer, of those that there were.
    async fn add_waiting(
        &self,
        id: &ConsultationId,
        clause: &ClauseId,
        seen: Option<u64>,
        targets: &mut BTreeSet<u64>,
    ) -> Result<()> {
        let filter = ContributionFilter {
            clause: Some(clause.clone()),
            unanswered: true,
            shown: true,
            ..ContributionFilter::default()
        };
        let was_seen = |number: &u64| seen.is_none_or(|seen| *number < seen);
        let mut page = Page::first(Page::MOST);
        while targets.len() <= TOGETHER {
            let found = self.store.contributions(id, &filter, &page).await?;
            targets.extend(found.items.iter().map(|found| found.contribution.number).filter(was_seen));
            match found.next {
                Some(next) => page = Page::new(Some(next), Page::MOST),
                None => break,
            }
        }
        Ok(())
    }
}

/// Contributions that have an answer already, each with that answer's number.
fn has_answer(answered: &[(u64, u64)]) -> AppError {
    let list = |open: &str, close: &str, by: &str| {
        let named = answered.iter().take(NAMED);
        named.map(|(number, answer)| format!("{number}{open}{answer}{close}")).collect::<Vec<_>>().join(by)
    };
    AppError::conflict(
        format!(
            "These contributions have an answer already: {}. Leave them out, or replace that answer.",
            list(" (answer ", ")", ", ")
        ),
        format!("以下意见已有答复：{}。请不要选择这些意见，或更改原答复。", list("（答复 ", "）", "、")),
    )
}
