//! Answers under noise: the cost is taken off the budget, then the answer is drawn, kept, and only then released.
//!
//! Between the first two nothing can be lost but an answer that nobody saw: the question stays paid for, and asking
//! it again draws it. Once it is kept, asking again gives the same answer and costs nothing.

use super::{PreparedQuery, Reach};
use crate::{App, AppError, error::Result, record::Act};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cogov_engine::{NoiseTerms, Question, noise::SystemRandomness};
use cogov_model::{
    Clauses, Dataset, DatasetId, Delta, EntryKind, Epsilon, Grade, Grant, Loss, Month, Outcome, PublicKeys,
    Text,
};
use cogov_store::{BudgetOf, NoiseCharge, NoiseFacts, Paid, Payment};
use std::{collections::BTreeMap, sync::Arc};

/// How an asker wants answers under noise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoiseAsk {
    /// The ε that a question may take; the usual one when absent.
    pub epsilon: Option<Epsilon>,
    /// Leaves out the columns with margins of error.
    pub without_margins: bool,
}

/// What an answer under noise cost, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoiseReport {
    /// The ε that this answer took; none when it was given before.
    pub cost: Option<Epsilon>,
    /// The ε that the answer promises by itself.
    pub epsilon: Epsilon,
    /// The mechanism.
    pub mechanism: &'static str,
    /// What is left of the month.
    pub left: BudgetLeft,
}

/// What is left of a grant's budget this month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetLeft {
    /// What may be spent in the month.
    pub of: Epsilon,
    /// The greatest ε that one more question may take.
    pub epsilon: Epsilon,
    /// The share that is spent, in hundredths of a percent.
    pub spent: u64,
    /// When it is whole again.
    pub refills: Month,
}

impl BudgetLeft {
    pub(crate) fn new(limit: Epsilon, spent: Loss, month: Month) -> Self {
        let spent = spent.epsilon();
        let share = u128::from(spent.micros()) * 10_000 / u128::from(limit.micros().max(1));
        Self {
            of: limit,
            epsilon: limit.minus(spent),
            spent: u64::try_from(share).unwrap_or(10_000),
            refills: month.next(),
        }
    }
}

impl NoiseReport {
    /// In words.
    #[must_use]
    pub fn words(&self) -> Text {
        let BudgetLeft { of, epsilon, spent, refills } = self.left;
        let (whole, part) = (spent / 100, spent % 100);
        let cost = match self.cost {
            Some(cost) => Text::new(format!("cost epsilon {cost}"), format!("消耗 epsilon {cost}")),
            None => Text::new("was answered before and cost nothing", "此前已作答，未消耗预算"),
        };
        Text::new(
            format!(
                "differential privacy: this answer {}; {whole}.{part:02} % of this month's epsilon {of} is spent, one more question may take up to {epsilon}; margins are at 95 %; the budget is whole again in {refills}",
                cost.en
            ),
            format!(
                "差分隐私：本次作答{}；本月 epsilon {of} 已使用 {whole}.{part:02}%，下一次查询最多可用 {epsilon}；误差范围为 95%；预算于 {refills} 恢复",
                cost.zh
            ),
        )
    }
}

impl App {
    /// The terms of noise of a grant's datasets.
    pub(super) fn noise_terms(reach: &Reach, ask: &NoiseAsk) -> NoiseTerms {
        let declared = reach.datasets.values().flat_map(|(dataset, _)| {
            let tables = dataset.privacy.tables.iter();
            tables.map(|(table, privacy)| ((dataset.id.clone(), table.clone()), privacy.clone()))
        });
        NoiseTerms {
            declared: declared.collect(),
            epsilon: ask.epsilon,
            without_margins: ask.without_margins,
        }
    }

    /// What an answer would cost and what is left; none when nothing is asked under noise.
    pub(super) async fn quote(&self, query: &PreparedQuery) -> Result<Option<NoiseReport>> {
        let questions = query.prepared.questions();
        if questions.is_empty() {
            return Ok(None);
        }
        self.report(query, questions, total(questions)).await
    }

    /// Pays for every question of a query, draws what was not answered before, keeps it, and puts the answers into
    /// the plan. None when nothing is asked under noise.
    pub(super) async fn settle(&self, query: &PreparedQuery) -> Result<Option<NoiseReport>> {
        let questions = query.prepared.questions();
        if questions.is_empty() {
            return Ok(None);
        }
        let limits = self.dataset_limits(query, questions).await?;
        let charges: Vec<NoiseCharge> =
            questions.iter().map(|question| charge(&query.grant, question, &limits)).collect();
        let paid = match self.store.pay_noise(&charges, self.clock.now()).await? {
            Payment::Paid(paid) => paid,
            Payment::Exhausted { of, .. } => return Err(self.exhausted(query, questions, &of).await),
        };
        let now = paid.iter().zip(questions).filter(|(paid, _)| paid.now);
        let cost = now.map(|(_, question)| question.loss()).fold(Loss::default(), Loss::plus);
        // In a task of its own: who asks may go away, but what was paid for is drawn and kept.
        let (app, grant) = (self.clone(), Arc::clone(&query.grant));
        let work: Vec<(Arc<Question>, Paid)> = questions.iter().cloned().zip(paid).collect();
        let task = tokio::spawn(async move {
            for (question, paid) in work {
                app.answer_question(&grant, &question, paid.answer).await?;
            }
            Ok::<(), AppError>(())
        });
        task.await.map_err(|error| broken(&error))??;
        self.report(query, questions, cost).await
    }

    async fn answer_question(
        &self,
        grant: &Grant,
        question: &Arc<Question>,
        kept: Option<String>,
    ) -> Result<()> {
        let wrong = |error| AppError::Query { error, decision: None };
        let kept = match kept {
            Some(kept) => kept,
            None => {
                let drawn = question.draw(&self.engine, Arc::new(SystemRandomness)).await.map_err(wrong)?;
                let drawn = STANDARD.encode(drawn);
                // Another may have drawn it at the same time: what was kept first is the answer.
                self.store.keep_noise(&grant.id, question.fingerprint(), &drawn).await?
            }
        };
        let bytes = STANDARD.decode(kept).map_err(|error| broken(&error))?;
        question.fill(&bytes).map_err(wrong)
    }

    /// Notes on the records which decision released the answers.
    pub(super) async fn note_release(&self, query: &PreparedQuery, decision: u64) {
        for question in query.prepared.questions() {
            let noted = self.store.note_noise(&query.grant.id, question.fingerprint(), decision).await;
            if let Err(error) = noted {
                tracing::warn!(%error, "an answer could not be linked to its decision");
            }
        }
    }

    async fn report(
        &self,
        query: &PreparedQuery,
        questions: &[Arc<Question>],
        cost: Loss,
    ) -> Result<Option<NoiseReport>> {
        let Some(limit) = questions.iter().map(|q| q.epsilon_per_month()).min() else { return Ok(None) };
        let month = Month::of(self.clock.now());
        let spent = self.store.noise_spent(&BudgetOf::Grant(query.grant.id.clone()), month).await?;
        let secret = questions.iter().find(|q| q.loss().delta > Delta::default());
        let mechanism = secret.or_else(|| questions.first()).map_or("", |q| q.mechanism());
        Ok(Some(NoiseReport {
            cost: (cost != Loss::default()).then(|| cost.epsilon()),
            epsilon: total(questions).epsilon(),
            mechanism,
            left: BudgetLeft::new(limit, spent, month),
        }))
    }

    /// What all grants together may spend of each dataset.
    async fn dataset_limits(
        &self,
        query: &PreparedQuery,
        questions: &[Arc<Question>],
    ) -> Result<BTreeMap<DatasetId, Epsilon>> {
        let mut limits = BTreeMap::new();
        for id in questions.iter().flat_map(|question| question.datasets()) {
            let declared =
                self.find_dataset(&id).await?.and_then(|dataset| dataset.privacy.epsilon_per_month);
            match declared {
                Some(limit) => drop(limits.insert(id, limit)),
                None => {
                    let reason = Text::new(
                        format!(
                            "The provider of {id} has not declared how much privacy all grants together may spend in a month; ask its steward to declare it."
                        ),
                        format!(
                            "{id} 的提供方尚未声明全部授权每月可消耗的隐私预算；请联系数据管理员作出声明。"
                        ),
                    );
                    return Err(self.refuse_noise(query, questions, reason).await);
                }
            }
        }
        Ok(limits)
    }

    async fn exhausted(&self, query: &PreparedQuery, questions: &[Arc<Question>], of: &BudgetOf) -> AppError {
        let refills = Month::of(self.clock.now()).next();
        let (en, zh) = match of {
            BudgetOf::Grant(id) => (format!("grant {id}"), format!("授权 {id}")),
            BudgetOf::Dataset(id) => {
                (format!("dataset {id}, over all its grants,"), format!("数据集 {id}（全部授权合计）"))
            }
        };
        let reason = Text::new(
            format!(
                "The privacy budget of {en} has not enough left this month for this question. It is whole again on {refills}-01; until then ask with a smaller epsilon, or ask again what was answered before, which costs nothing."
            ),
            format!(
                "{zh}本月剩余的隐私预算不足以回答此问题，将于 {refills}-01 恢复；此前可降低 epsilon，或重复已作答的查询（不消耗预算）。"
            ),
        );
        self.refuse_noise(query, questions, reason).await
    }

    /// A refusal that is on the ledger before it is returned.
    async fn refuse_noise(
        &self,
        query: &PreparedQuery,
        questions: &[Arc<Question>],
        reason: Text,
    ) -> AppError {
        let clauses: Clauses = questions.iter().flat_map(|q| q.clauses().iter().cloned()).collect();
        let grant = &query.grant;
        let act = Act::new(EntryKind::Decision, Outcome::Deny)
            .party(&query.session.actor.party.id)
            .grant(&grant.id)
            .datasets(grant.datasets())
            .decided_by(query.prepared.rulebook(), &clauses)
            .fact("door", query.door.code())
            .fact("form", grant.form.code())
            .fact("purpose", &grant.purpose.code)
            // The rules allow the use; what is left of a budget is not theirs to decide.
            .fact("refused_by", "engine")
            .decided_on(&query.basis.facts)
            .by(&query.session.actor.account)
            .sealed("sql", query.sql.as_ref())
            .sealed("reason", reason.en.clone());
        match self.record(grant.providers.iter().fold(act, Act::party)).await {
            Ok(index) => AppError::Refused { reason, clauses, decision: Some(index) },
            Err(unavailable) => unavailable,
        }
    }

    /// Public tables whose values datasets of a grant name as keys of groups.
    pub(super) async fn reach_keys(&self, reach: &mut Reach) -> Result<()> {
        let keys = reach.datasets.values().flat_map(|(dataset, _)| dataset.privacy.tables.values());
        let columns: Vec<_> = keys
            .flat_map(|table| table.keys.values())
            .filter_map(|keys| match keys {
                PublicKeys::Column(column) => Some(column.clone()),
                PublicKeys::Values(_) => None,
            })
            .collect();
        for column in columns {
            if reach.datasets.contains_key(&column.dataset) {
                continue;
            }
            let Some(dataset) = self.find_dataset(&column.dataset).await? else { continue };
            if dataset.state != cogov_model::DatasetState::Published || !is_public_column(&dataset, &column) {
                continue;
            }
            let Some(version) = self.find_version(&dataset.id, dataset.version).await? else { continue };
            let provider = self.party_or_unknown(&dataset.provider).await?;
            reach.sources.extend(super::sources(&dataset, &version));
            reach.datasets.insert(dataset.id.clone(), (dataset, provider));
        }
        Ok(())
    }
}

/// Whether a column lies in a table that harms nobody and says nothing of persons in any column, so that its values may
/// be keys of groups anywhere. The engine asks the same of every column that is stored.
pub(crate) fn is_public_column(dataset: &Dataset, column: &cogov_model::ColumnRef) -> bool {
    let harmless = |stored: &cogov_model::Column| {
        stored.label.grade == Grade::General1
            && !stored.label.categories.iter().any(|code| code.is_within("person"))
    };
    dataset.table(&column.table).is_some_and(|table| {
        table.unit.is_none() && table.column(&column.column).is_some() && table.columns.iter().all(harmless)
    })
}

fn total(questions: &[Arc<Question>]) -> Loss {
    questions.iter().map(|question| question.loss()).fold(Loss::default(), Loss::plus)
}

/// What a question takes off which accounts.
fn charge(grant: &Grant, question: &Arc<Question>, limits: &BTreeMap<DatasetId, Epsilon>) -> NoiseCharge {
    let datasets = question.datasets();
    let mut accounts = vec![(BudgetOf::Grant(grant.id.clone()), question.epsilon_per_month())];
    for id in &datasets {
        accounts.push((BudgetOf::Dataset(id.clone()), limits.get(id).copied().unwrap_or_default()));
    }
    NoiseCharge {
        grant: grant.id.clone(),
        fingerprint: question.fingerprint().to_owned(),
        facts: NoiseFacts {
            epsilon: question.epsilon(),
            loss: question.loss(),
            mechanism: question.mechanism().to_owned(),
            datasets: datasets.into_iter().collect(),
        },
        accounts,
    }
}

fn broken(error: &dyn std::fmt::Display) -> AppError {
    tracing::error!(%error, "an answer under noise could not be made");
    AppError::unavailable(
        "The answer could not be made at the moment. It is paid for: ask again, which costs nothing.",
        "目前无法给出答案。该问题已计费，再次查询不会重复消耗预算。",
    )
}
