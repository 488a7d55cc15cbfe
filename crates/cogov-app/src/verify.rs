//! Verification (核验): a declared question about one identified person → yes, no or unknown, with a signed receipt.
//!
//! session → decide → count → look up → answer on the ledger → receipt. The answer is durable on the ledger before
//! anybody learns it; whom it was about stands there as a salted hash.

use crate::{
    Actor, App, AppError, Door, GrantSession, NoiseAsk, Receipt,
    error::Result,
    indexer,
    journal::leaf_hash,
    record::{Act, Sealed},
    recorded::KeptFacts,
};
use cogov_engine::{FactQuestion, GrantWorld, QueryError, Verdict};
use cogov_model::{
    Clauses, ColumnName, EntryKind, Form, Grade, Grant, GrantId, Outcome, Predicate, PredicateId, Role,
    RulebookVersion, Scalar, Text, Verification, VerifyAnswer,
};
use cogov_rulebook::{Refusal, Rulebook};
use cogov_store::{VerificationLimit, VerificationUse};
use std::{collections::BTreeMap, sync::Arc};

/// The longest value that identifies a person, in bytes.
const VALUE_MAX: usize = 256;
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// The values that identify a person, by column.
pub type Subject = BTreeMap<ColumnName, Scalar>;

/// An answer that was written to the ledger.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Yes, no or unknown.
    pub answer: VerifyAnswer,
    /// The question in words.
    pub words: Text,
    /// The decision's index on the ledger.
    pub decision: u64,
    /// The grade of the answer.
    pub grade: Grade,
    /// Why it has this grade, column by column.
    pub chain: Vec<Text>,
    /// The clauses that decided.
    pub clauses: Clauses,
    /// The rulebook that decided.
    pub rulebook: RulebookVersion,
    /// The receipt, a signed note: see [`Receipt`].
    pub receipt: String,
    /// The salt under which the receipt's hash of the person can be recomputed, hex.
    pub subject_salt: String,
}

/// What a grant may still ask today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VerificationLeft {
    /// What was used.
    pub used: VerificationUse,
    /// Questions a day.
    pub questions: u32,
    /// Of them, answers that are unknown.
    pub unknown: u32,
}

/// The person as the ledger seals them: one JSON object, columns in order. Receipts hash this text.
#[must_use]
pub fn subject_text(subject: &Subject) -> String {
    let pairs = subject.iter().map(|(column, value)| {
        let value = match value {
            Scalar::Text(text) => serde_json::Value::from(text.as_str()),
            Scalar::Int(number) => (*number).into(),
            Scalar::Bool(truth) => (*truth).into(),
            Scalar::Real(number) => (*number).into(),
        };
        (column.to_string(), value)
    });
    serde_json::Value::Object(pairs.collect()).to_string()
}

impl App {
    /// Answers a declared question about one person.
    ///
    /// # Errors
    /// `NotFound` for a grant or question that the actor's party does not hold, `Invalid` for values that cannot
    /// identify, `Refused` and `Query` when the rulebook, the day's limit or the engine refuses; a refusal is on the
    /// ledger before it is returned.
    pub async fn verify(
        &self,
        actor: &Actor,
        grant: &GrantId,
        predicate: &PredicateId,
        subject: Subject,
        door: Door,
    ) -> Result<Verified> {
        actor.require(&[Role::Analyst])?;
        let session = GrantSession { actor: actor.clone(), grant: grant.clone(), noise: NoiseAsk::default() };
        let grant = Arc::new(self.held_grant(&session).await?);
        let (world, basis) = self.world(&session, &grant, door.code()).await?;
        let verification = declared(&grant)?;
        let predicate = verification.predicate(predicate).ok_or_else(no_question)?.clone();
        let subject = checked(verification, subject)?;
        let facts = &basis.facts;
        let asked =
            Asked { session: &session, grant: &grant, facts, predicate: &predicate, subject: &subject, door };
        let day = self.count(&asked, &world).await?;
        let question = FactQuestion {
            verification: verification.clone(),
            predicate: predicate.clone(),
            subject: subject.clone(),
        };
        match self.engine.verify(&world, question).await {
            Ok(verdict) => self.answer(&asked, day, &world, verdict).await,
            Err(error) => Err(self.unanswered(&asked, &world, error).await),
        }
    }

    /// What the actor's verify grant may still ask today; nothing when the rulebook sets no limit, since then it may
    /// ask nothing.
    ///
    /// # Errors
    /// `NotFound` when the actor's party holds no such grant.
    pub async fn verification_left(
        &self,
        actor: &Actor,
        grant: &GrantId,
    ) -> Result<Option<VerificationLeft>> {
        let session = GrantSession { actor: actor.clone(), grant: grant.clone(), noise: NoiseAsk::default() };
        let grant = self.held_grant(&session).await?;
        let used = self.store.verification_use(&grant.id, self.today()).await?;
        let limit = limit(&self.rulebook()).ok();
        Ok(limit.map(|(limit, _)| VerificationLeft { used, questions: limit.asked, unknown: limit.unknown }))
    }

    fn today(&self) -> i64 {
        self.clock.now().millis().div_euclid(DAY)
    }

    /// Counts the question before it is looked up, so that no crash and no race gives more than the day's. Returns the
    /// day on which it counts: its answer may come after midnight.
    async fn count(&self, asked: &Asked<'_>, world: &GrantWorld) -> Result<i64> {
        let (rulebook, day) = (self.rulebook(), self.today());
        let refusal = match limit(&rulebook) {
            Err(refusal) => refusal,
            Ok((limit, clauses)) => {
                if self.store.count_verification(&asked.grant.id, day, limit).await? {
                    return Ok(day);
                }
                Refusal { reason: used_up(limit), clauses }
            }
        };
        let act = asked
            .act(Outcome::Deny)
            .decided_by(world.permit().rulebook(), &refusal.clauses)
            .fact("refused_by", "engine")
            .sealed("reason", refusal.reason.en.clone());
        let decision = Some(self.record(act).await?);
        Err(AppError::Refused { reason: refusal.reason, clauses: refusal.clauses, decision })
    }

    async fn answer(
        &self,
        asked: &Asked<'_>,
        day: i64,
        world: &GrantWorld,
        verdict: Verdict,
    ) -> Result<Verified> {
        if verdict.answer != VerifyAnswer::Unknown {
            self.store.verification_known(&asked.grant.id, day).await?;
        }
        let rulebook = world.permit().rulebook();
        let act = asked
            .act(Outcome::Permit)
            .decided_by(rulebook, &verdict.clauses)
            .fact("grade", verdict.label.grade)
            .fact("columns", 1)
            .sealed("used", asked.facts.used(&declared(asked.grant)?.columns(asked.predicate)))
            .sealed("answer", verdict.answer.code());
        let decision = self.record(act).await?;
        let (receipt, subject_salt) = self.sign_receipt(asked, decision, &verdict)?;
        // One answer left: what the figures count as rows and bytes.
        let release = Act::new(EntryKind::Release, Outcome::Done)
            .party(&asked.session.actor.party.id)
            .grant(&asked.grant.id)
            .datasets(asked.grant.datasets())
            .follows(decision)
            .fact("door", asked.door.code())
            .fact("rows", 1)
            .fact("bytes", verdict.answer.code().len())
            .fact("ended", "complete");
        self.record(asked.grant.providers.iter().fold(release, Act::party)).await?;
        Ok(Verified {
            answer: verdict.answer,
            words: asked.predicate.words.clone(),
            decision,
            grade: verdict.label.grade,
            chain: verdict.chain,
            clauses: verdict.clauses,
            rulebook: rulebook.clone(),
            receipt,
            subject_salt,
        })
    }

    /// The signed receipt of an answer that is on the ledger, and the salt of its subject.
    fn sign_receipt(&self, asked: &Asked<'_>, decision: u64, verdict: &Verdict) -> Result<(String, String)> {
        let stored = self.ledger.read(decision)?;
        let (entry, sealed) = indexer::read(&stored).ok_or_else(unreadable)?;
        let hash = entry.sealed.get("subject").ok_or_else(unreadable)?;
        let salt = sealed.get("subject").map(|Sealed { salt, .. }| salt.clone()).ok_or_else(unreadable)?;
        let receipt = Receipt {
            ledger: self.ledger.origin().to_owned(),
            decision,
            leaf: leaf_hash(&stored.leaf),
            grant: asked.grant.id.clone(),
            predicate: asked.predicate.id.clone(),
            subject: hash.clone(),
            answer: verdict.answer,
            at: entry.at.rfc3339(),
            rulebook: entry.rulebook.ok_or_else(unreadable)?,
            grade: verdict.label.grade,
        };
        Ok((self.ledger.sign_statement(crate::receipt::KIND, &receipt.lines())?, salt))
    }

    /// A question that the engine does not answer. Refusals go on the ledger; a wrong value does not.
    async fn unanswered(&self, asked: &Asked<'_>, world: &GrantWorld, error: QueryError) -> AppError {
        if error.sqlstate() != "42501" {
            return AppError::Query { error, decision: None };
        }
        let act = asked
            .act(Outcome::Deny)
            .decided_by(world.permit().rulebook(), error.clauses())
            .fact("refused_by", "engine")
            .sealed("reason", error.reason().en.clone());
        match self.record(act).await {
            Ok(index) => AppError::Query { error, decision: Some(index) },
            Err(unavailable) => unavailable,
        }
    }
}

/// A question on its way.
struct Asked<'a> {
    session: &'a GrantSession,
    grant: &'a Grant,
    facts: &'a KeptFacts,
    predicate: &'a Predicate,
    subject: &'a Subject,
    door: Door,
}

impl Asked<'_> {
    fn act(&self, outcome: Outcome) -> Act {
        let act = Act::new(EntryKind::Decision, outcome)
            .party(&self.session.actor.party.id)
            .grant(&self.grant.id)
            .datasets(self.grant.datasets())
            .fact("door", self.door.code())
            .fact("form", self.grant.form.code())
            .fact("purpose", &self.grant.purpose.code)
            .fact("predicate", &self.predicate.id)
            .decided_on(self.facts)
            .by(&self.session.actor.account)
            .sealed("subject", subject_text(self.subject));
        self.grant.providers.iter().fold(act, Act::party)
    }
}

fn declared(grant: &Grant) -> Result<&Verification> {
    let declared = grant.verification.as_ref().filter(|_| grant.form == Form::Verify);
    declared.ok_or_else(|| {
        AppError::conflict(
            "This grant declares no question to be verified: its form of use is another one.",
            "该授权未声明核验问题：其使用方式并非核验。",
        )
    })
}

fn no_question() -> AppError {
    AppError::not_found("This grant declares no question of this name.", "该授权未声明此名称的问题。")
}

fn unreadable() -> AppError {
    AppError::unavailable(
        "The decision could not be read back, so no answer is given. Try again.",
        "无法读回裁决记录，因此不给出结果，请重试。",
    )
}

/// One value for each column that identifies the person, and nothing else.
fn checked(verification: &Verification, given: Subject) -> Result<Subject> {
    let names: Vec<&str> = verification.subject.iter().map(ColumnName::as_str).collect();
    let wrong = || {
        AppError::invalid(
            "subject",
            format!("Give exactly these values of the person: {}.", names.join(", ")),
            format!("请准确填写当事人的以下信息：{}。", names.join("、")),
        )
    };
    if given.len() != verification.subject.len() {
        return Err(wrong());
    }
    let mut subject = Subject::new();
    for (column, value) in given {
        let value = match value {
            Scalar::Text(text) => Scalar::Text(text.trim().to_owned()),
            other => other,
        };
        let empty = matches!(&value, Scalar::Text(text) if text.is_empty() || text.len() > VALUE_MAX);
        if empty || !verification.subject.contains(&column) {
            return Err(wrong());
        }
        subject.insert(column, value);
    }
    Ok(subject)
}

/// The day's limits and the clauses that set them. Where no clause does, nothing may be asked.
fn limit(rulebook: &Rulebook) -> std::result::Result<(VerificationLimit, Clauses), Refusal> {
    let workflow = rulebook.workflow();
    match (&workflow.verify_questions_a_day, &workflow.verify_unknown_a_day) {
        (Some(asked), Some(unknown)) => Ok((
            VerificationLimit { asked: asked.value, unknown: unknown.value },
            Clauses::from([asked.clause.clone(), unknown.clause.clone()]),
        )),
        _ => Err(Refusal {
            clauses: Clauses::from([workflow.silence().clone()]),
            reason: Text::new(
                "The rulebook in force sets no number of verifications a day, so none are answered.",
                "现行规则未规定每日核验次数，因此不予核验。",
            ),
        }),
    }
}

fn used_up(limit: VerificationLimit) -> Text {
    let VerificationLimit { asked, unknown } = limit;
    Text::new(
        format!(
            "This grant has used up its day: at most {asked} questions, of which at most {unknown} may stay without an answer. The next day begins at 00:00 UTC."
        ),
        format!(
            "该授权当日的核验次数已用完：每日最多 {asked} 次，其中没有结果的最多 {unknown} 次。次日自 UTC 00:00 起算。"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_is_one_text_in_column_order() {
        let subject: Subject = [("number", "7"), ("birth", "2000-01-01")]
            .into_iter()
            .map(|(c, v)| (c.parse().unwrap(), Scalar::Text(v.into())))
            .collect();
        assert_eq!(subject_text(&subject), r#"{"birth":"2000-01-01","number":"7"}"#);
    }
}
