//! What keeps a declaration of questions from being made: no words, a column that is not asked for, a wrong value.

use crate::{
    AppError,
    checks::{check_condition, check_links_of},
    error::Result,
    query::Reach,
};
use cogov_model::{ColumnRef, Condition, Form, Grant, Predicate, Verification};
use std::collections::BTreeSet;

/// The most questions of one grant, and the most conditions of one question.
const MOST: usize = 20;

/// Questions belong to the form of verification and to nothing else, and look at granted columns only.
pub(crate) fn check_verification(grant: &Grant, reach: &Reach) -> Result<()> {
    match (&grant.verification, grant.form) {
        (None, Form::Verify) => Err(AppError::invalid(
            "verification",
            "Declare what is to be verified: how the person is identified, and at least one question.",
            "请声明核验内容：如何识别当事人，以及至少一个问题。",
        )),
        (None, _) => Ok(()),
        (Some(_), form) if form != Form::Verify => Err(AppError::invalid(
            "verification",
            "Questions are declared for the form of use “verify” only: choose that form, or leave them out.",
            "只有“核验”这一使用方式可以声明问题：请选择该方式，或者不声明问题。",
        )),
        (Some(verification), _) => check_declared(grant, verification, reach),
    }
}

fn check_declared(grant: &Grant, verification: &Verification, reach: &Reach) -> Result<()> {
    let wrong = |en: String, zh: String| AppError::invalid("verification", en, zh);
    let (dataset, table) = (&verification.dataset, &verification.table);
    let known = reach.datasets.get(dataset).and_then(|(dataset, _)| dataset.table(table));
    let Some(known) = known else {
        return Err(wrong(
            format!("There is no table {dataset}.{table} to look persons up in."),
            format!("没有可供查找当事人的表 {dataset}.{table}。"),
        ));
    };
    let count = verification.predicates.len();
    if verification.subject.is_empty() || count == 0 || count > MOST {
        return Err(wrong(
            format!("Name the columns that identify a person, and 1 to {MOST} questions."),
            format!("请指明用于识别当事人的列，以及 1 至 {MOST} 个问题。"),
        ));
    }
    let ids: BTreeSet<_> = verification.predicates.iter().map(|predicate| &predicate.id).collect();
    if ids.len() != count {
        return Err(wrong(
            "Give every question a name of its own.".into(),
            "每个问题须有各自的名称。".into(),
        ));
    }
    for predicate in &verification.predicates {
        if predicate.words.en.trim().is_empty() || predicate.words.zh.trim().is_empty() {
            return Err(wrong(
                format!("Write the question {} in both languages.", predicate.id),
                format!("请用两种语言写明问题 {}。", predicate.id),
            ));
        }
        check_links_of(grant, &predicate.all, reach)?;
        let broken = |what: String| {
            wrong(
                format!("The question {} names {what}, which is not there.", predicate.id),
                format!("问题 {} 中的 {what} 不存在。", predicate.id),
            )
        };
        if predicate.all.is_empty() || conditions(&predicate.all) > MOST {
            return Err(wrong(
                format!("The question {} needs 1 to {MOST} conditions.", predicate.id),
                format!("问题 {} 须有 1 至 {MOST} 个条件。", predicate.id),
            ));
        }
        predicate.all.iter().try_for_each(|c| check_condition(c, known, reach)).map_err(broken)?;
        missing(verification, predicate, &grant.columns).map_or(Ok(()), Err)?;
    }
    Ok(())
}

/// A column that a question looks at and that is not among the granted ones.
fn missing(verification: &Verification, predicate: &Predicate, granted: &[ColumnRef]) -> Option<AppError> {
    let column = verification.columns(predicate).into_iter().find(|column| !granted.contains(column))?;
    Some(AppError::invalid(
        "columns",
        format!("The question {} looks at {column}: it must be among the columns.", predicate.id),
        format!("问题 {} 涉及 {column}：该列须在所选列之中。", predicate.id),
    ))
}

fn conditions(all: &[Condition]) -> usize {
    let one = |condition: &Condition| match condition {
        Condition::Compare { .. } => 1,
        Condition::In { values, .. } => values.len(),
        Condition::Any { any } => conditions(any),
        Condition::Linked { linked } => 1 + conditions(&linked.any),
    };
    all.iter().map(one).sum()
}

/// What a part of the columns would leave without its question.
///
/// # Errors
/// The first question that could not be answered any more.
pub(crate) fn check_agreed(verification: Option<&Verification>, columns: &[ColumnRef]) -> Result<()> {
    let Some(verification) = verification else { return Ok(()) };
    let missing = |predicate| missing(verification, predicate, columns);
    verification.predicates.iter().find_map(missing).map_or(Ok(()), Err)
}
