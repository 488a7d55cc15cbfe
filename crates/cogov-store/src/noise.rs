//! Budgets of privacy: what was spent, and the answers that it was spent on.
//!
//! A cost is taken off every account that it concerns in one change, before anything is drawn; the answer is kept
//! before anything of it is shown. So a crash in between loses an answer that nobody saw, never a cost, and the same
//! question finds its cost taken already.

use crate::{
    Cursor, Page, Paged, Store, StoreError,
    open::commit,
    sql::{Statement, from_json, int, maybe_int, maybe_text, signed, text, to_json, unsigned},
};
use cogov_model::{DatasetId, Delta, Epsilon, GrantId, Loss, Month, Rho, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, any::AnyRow};
use std::fmt;

const SPENT: &str = "privacy budget";
const ANSWER: &str = "answer under noise";

/// Whose budget.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BudgetOf {
    /// Of a dataset: what all grants together spend.
    Dataset(DatasetId),
    /// Of a grant.
    Grant(GrantId),
}

impl fmt::Display for BudgetOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BudgetOf::Dataset(id) => write!(f, "dataset:{id}"),
            BudgetOf::Grant(id) => write!(f, "grant:{id}"),
        }
    }
}

/// A question that is to be paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoiseCharge {
    /// The grant that asks.
    pub grant: GrantId,
    /// What tells the question again.
    pub fingerprint: String,
    /// What is known of it.
    pub facts: NoiseFacts,
    /// The accounts that it is taken off, each with what may be spent from it in a month.
    pub accounts: Vec<(BudgetOf, Epsilon)>,
}

/// What is kept of a question beside its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoiseFacts {
    /// The ε that it promises by itself.
    pub epsilon: Epsilon,
    /// What it cost.
    pub loss: Loss,
    /// The mechanism.
    pub mechanism: String,
    /// The datasets whose privacy it spent.
    pub datasets: Vec<DatasetId>,
}

/// A question that was paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoiseRecord {
    /// The grant that asked.
    pub grant: GrantId,
    /// When it was paid for.
    pub at: Timestamp,
    /// In which month.
    pub month: Month,
    /// What is known of it.
    pub facts: NoiseFacts,
    /// Whether its answer was kept: not when it was broken off before.
    pub answered: bool,
    /// The first decision on the ledger that released it.
    pub entry: Option<u64>,
}

/// How a payment went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payment {
    /// Every question is paid for: by its place, whether it is paid now, and the answer kept from before.
    Paid(Vec<Paid>),
    /// An account has not enough left; nothing was taken off any.
    Exhausted {
        /// Which.
        of: BudgetOf,
        /// What was spent from it this month.
        spent: Loss,
        /// What may be spent from it in a month.
        limit: Epsilon,
    },
}

/// A question that is paid for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// Whether it was paid for now, not before.
    pub now: bool,
    /// The answer, when it was kept before.
    pub answer: Option<String>,
}

impl Store {
    /// Pays for questions: all of them or none, each once for ever.
    ///
    /// # Errors
    /// When the database fails; nothing was taken off then.
    pub async fn pay_noise(&self, charges: &[NoiseCharge], at: Timestamp) -> Result<Payment, StoreError> {
        let month = Month::of(at);
        let mut change = self.change().await?;
        let mut paid = vec![None; charges.len()];
        let mut owed: Vec<(BudgetOf, Loss, Epsilon)> = Vec::new();
        // Always in the same order, so that two payments never wait for each other.
        let mut order: Vec<(usize, &NoiseCharge)> = charges.iter().enumerate().collect();
        order.sort_by_key(|(_, charge)| id(&charge.grant, &charge.fingerprint));
        for (place, charge) in order {
            let known = record(&mut change, charge, at, month).await?;
            if known.now {
                for (of, limit) in &charge.accounts {
                    owe(&mut owed, of, charge.facts.loss, *limit);
                }
            }
            if let Some(slot) = paid.get_mut(place) {
                *slot = Some(known);
            }
        }
        owed.sort_by(|a, b| a.0.cmp(&b.0));
        for (of, loss, limit) in owed {
            if !take(&mut change, &of, month, loss, limit).await? {
                let spent = spent(&mut change, &of, month).await?;
                // Dropping the change takes back what was taken off other accounts.
                return Ok(Payment::Exhausted { of, spent, limit });
            }
        }
        commit(change).await?;
        Ok(Payment::Paid(paid.into_iter().flatten().collect()))
    }

    /// Keeps the answer to a question that was paid for, unless one is kept already, and gives the one that is kept.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it was never paid for.
    pub async fn keep_noise(
        &self,
        grant: &GrantId,
        fingerprint: &str,
        answer: &str,
    ) -> Result<String, StoreError> {
        let id = id(grant, fingerprint);
        let wrong = |error| StoreError::of(ANSWER, &id, error);
        let mut change = self.change().await?;
        let set = "UPDATE noise_answers SET answer = $2 WHERE id = $1 AND answer IS NULL";
        Statement::with(set, [id.as_str().into(), answer.into()])
            .execute(&mut change)
            .await
            .map_err(wrong)?;
        let row = Statement::with("SELECT answer FROM noise_answers WHERE id = $1", [id.as_str().into()])
            .optional(&mut change)
            .await
            .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
            .map_err(wrong)?;
        let kept = maybe_text(&row, "answer").map_err(wrong)?;
        commit(change).await?;
        kept.ok_or_else(|| StoreError::NotFound { what: ANSWER, id: id.clone() })
    }

    /// Notes the first decision that released an answer.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_noise(&self, grant: &GrantId, fingerprint: &str, entry: u64) -> Result<(), StoreError> {
        let id = id(grant, fingerprint);
        let mut connection = self.connection().await?;
        Statement::with(
            "UPDATE noise_answers SET entry = $2 WHERE id = $1 AND entry IS NULL",
            [id.as_str().into(), signed(ANSWER, &id, entry)?.into()],
        )
        .execute(&mut connection)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of(ANSWER, &id, error))
    }

    /// What was spent from an account in a month.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn noise_spent(&self, of: &BudgetOf, month: Month) -> Result<Loss, StoreError> {
        spent(&mut *self.connection().await?, of, month).await
    }

    /// Questions that were paid for from an account, newest first.
    ///
    /// # Errors
    /// When the database fails, a record is corrupt or the cursor is of another list.
    pub async fn noise_answers(&self, of: &BudgetOf, page: &Page) -> Result<Paged<NoiseRecord>, StoreError> {
        const COLUMNS: &str = "SELECT a.id, a.grant_id, a.at, a.month, a.body, a.entry, \
             CAST(CASE WHEN a.answer IS NULL THEN 0 ELSE 1 END AS BIGINT) AS answered FROM ";
        let statement = Statement::new(COLUMNS);
        let mut statement = match of {
            BudgetOf::Grant(grant) => {
                statement.push("noise_answers a WHERE a.grant_id = ").bind(grant.as_str())
            }
            BudgetOf::Dataset(dataset) => statement
                .push("noise_answer_datasets d JOIN noise_answers a ON a.id = d.id WHERE d.dataset = ")
                .bind(dataset.as_str()),
        };
        if let Some(cursor) = &page.after {
            let (at, id) = cursor.moment()?;
            statement = statement.push(" AND (a.at, a.id) < (").bind(at).push(", ").bind(id).push(")");
        }
        let mut connection = self.connection().await?;
        let rows = statement
            .push(" ORDER BY a.at DESC, a.id DESC LIMIT ")
            .bind(page.fetch())
            .all(&mut connection)
            .await
            .map_err(|error| StoreError::of(ANSWER, "list", error))?;
        let records: Result<Vec<_>, _> = rows.iter().map(decode).collect();
        let paged = Paged::cut(records?, page, |(id, record)| Cursor::at_moment(record.at, id));
        Ok(Paged { items: paged.items.into_iter().map(|(_, record)| record).collect(), next: paged.next })
    }
}

fn id(grant: &GrantId, fingerprint: &str) -> String {
    format!("{grant}/{fingerprint}")
}

fn owe(owed: &mut Vec<(BudgetOf, Loss, Epsilon)>, of: &BudgetOf, loss: Loss, limit: Epsilon) {
    match owed.iter_mut().find(|(known, ..)| known == of) {
        Some((_, sum, least)) => {
            *sum = sum.plus(loss);
            *least = limit.min(*least);
        }
        None => owed.push((of.clone(), loss, limit)),
    }
}

/// Writes a question down unless it is there, and says which.
async fn record(
    on: &mut AnyConnection,
    charge: &NoiseCharge,
    at: Timestamp,
    month: Month,
) -> Result<Paid, StoreError> {
    let id = id(&charge.grant, &charge.fingerprint);
    let wrong = |error| StoreError::of(ANSWER, &id, error);
    let made = Statement::with(
        "INSERT INTO noise_answers (id, grant_id, at, month, body) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO NOTHING",
        [
            id.as_str().into(),
            charge.grant.as_str().into(),
            at.millis().into(),
            month.number().into(),
            to_json(ANSWER, &charge.facts)?.into(),
        ],
    )
    .execute(on)
    .await
    .map_err(wrong)?;
    if made == 0 {
        let row = Statement::with("SELECT answer FROM noise_answers WHERE id = $1", [id.as_str().into()])
            .optional(on)
            .await
            .and_then(|row| row.ok_or(sqlx::Error::RowNotFound))
            .map_err(wrong)?;
        return Ok(Paid { now: false, answer: maybe_text(&row, "answer").map_err(wrong)? });
    }
    for dataset in &charge.facts.datasets {
        Statement::with(
            "INSERT INTO noise_answer_datasets (dataset, at, id) VALUES ($1, $2, $3)",
            [dataset.as_str().into(), at.millis().into(), id.as_str().into()],
        )
        .execute(on)
        .await
        .map_err(wrong)?;
    }
    Ok(Paid { now: true, answer: None })
}

/// Takes a loss off an account when so much is left: a compare-and-set on the row of the month.
async fn take(
    on: &mut AnyConnection,
    of: &BudgetOf,
    month: Month,
    loss: Loss,
    limit: Epsilon,
) -> Result<bool, StoreError> {
    let scope = of.to_string();
    let wrong = |error| StoreError::of(SPENT, &scope, error);
    let number = |number: u64| signed(SPENT, &scope, number);
    let place = || -> [crate::sql::Arg; 2] { [scope.as_str().into(), month.number().into()] };
    // The row is made, then held: who pays at the same time waits here and reads what was paid before.
    for text in [
        "INSERT INTO noise_spent (scope, month, pure, rho, delta) VALUES ($1, $2, 0, 0, 0) \
         ON CONFLICT (scope, month) DO NOTHING",
        "UPDATE noise_spent SET pure = pure WHERE scope = $1 AND month = $2",
    ] {
        Statement::with(text, place()).execute(on).await.map_err(wrong)?;
    }
    let before = spent(on, of, month).await?;
    let after = before.plus(loss);
    if !after.is_within(limit) {
        return Ok(false);
    }
    let changed = Statement::with(
        "UPDATE noise_spent SET pure = $3, rho = $4, delta = $5 \
         WHERE scope = $1 AND month = $2 AND pure = $6 AND rho = $7 AND delta = $8",
        [
            scope.as_str().into(),
            month.number().into(),
            number(after.pure.micros())?.into(),
            number(after.rho.units())?.into(),
            number(after.delta.units())?.into(),
            number(before.pure.micros())?.into(),
            number(before.rho.units())?.into(),
            number(before.delta.units())?.into(),
        ],
    )
    .execute(on)
    .await
    .map_err(wrong)?;
    if changed == 1 { Ok(true) } else { Err(StoreError::Conflict { what: SPENT, id: scope }) }
}

async fn spent(on: &mut AnyConnection, of: &BudgetOf, month: Month) -> Result<Loss, StoreError> {
    let scope = of.to_string();
    let wrong = |error| StoreError::of(SPENT, &scope, error);
    let row = Statement::with(
        "SELECT pure, rho, delta FROM noise_spent WHERE scope = $1 AND month = $2",
        [scope.as_str().into(), month.number().into()],
    )
    .optional(on)
    .await
    .map_err(wrong)?;
    let Some(row) = row else { return Ok(Loss::default()) };
    Ok(Loss {
        pure: Epsilon::from_micros(unsigned(SPENT, &scope, int(&row, "pure").map_err(wrong)?)?),
        rho: Rho::from_units(unsigned(SPENT, &scope, int(&row, "rho").map_err(wrong)?)?),
        delta: Delta::from_units(unsigned(SPENT, &scope, int(&row, "delta").map_err(wrong)?)?),
    })
}

fn decode(row: &AnyRow) -> Result<(String, NoiseRecord), StoreError> {
    let id = text(row, "id").map_err(|error| StoreError::of(ANSWER, "?", error))?;
    let wrong = |error| StoreError::of(ANSWER, &id, error);
    let corrupt = |why: &str| StoreError::Corrupt { what: ANSWER, id: id.clone(), why: why.to_owned() };
    let month = Month::from_number(int(row, "month").map_err(wrong)?);
    let entry = maybe_int(row, "entry").map_err(wrong)?;
    let record = NoiseRecord {
        grant: text(row, "grant_id").map_err(wrong)?.parse().map_err(|_| corrupt("its grant is none"))?,
        at: Timestamp::from_millis(int(row, "at").map_err(wrong)?),
        month: month.ok_or_else(|| corrupt("its month is none"))?,
        facts: from_json(ANSWER, &id, &text(row, "body").map_err(wrong)?)?,
        answered: int(row, "answered").map_err(wrong)? == 1,
        entry: entry.map(|entry| unsigned(ANSWER, &id, entry)).transpose()?,
    };
    Ok((id, record))
}
