//! No value of one person decides what is shown.
//!
//! Whether a group is large enough is told by its being shown. With a condition such as *nine people who are known, or one
//! more if the wage is above a number*, a single person's wage would decide that, and could be searched for. So what is said of a
//! sensitive column is said of everybody alike: a condition on one stands alone, and what it is compared with is the same for all.
//! Then whoever would know which persons decide has to know the values of all others in the group.

use super::asked::{Beneath, Condition, People};
use super::origins::{Relation, Told};
use crate::error::QueryError;
use datafusion::logical_expr::{Expr, Operator};
use std::collections::BTreeSet;

const COMPARISONS: [Operator; 8] = [
    Operator::Eq,
    Operator::NotEq,
    Operator::Lt,
    Operator::LtEq,
    Operator::Gt,
    Operator::GtEq,
    Operator::IsDistinctFrom,
    Operator::IsNotDistinctFrom,
];

/// Checks the conditions beneath a statistic.
///
/// # Errors
/// When one of them is about a sensitive column and something else.
pub(super) fn conditions(beneath: &Beneath, peoples: &[People]) -> Result<(), QueryError> {
    for (at, condition) in beneath.conditions.iter().enumerate() {
        let told = &condition.told;
        let alike = !told.sensitive || told.columns.len() < 2 || is_fixed(condition, peoples);
        if alike {
            continue;
        }
        if !condition.joins {
            return Err(beside(told));
        }
        if is_linked_otherwise(beneath, at) {
            return Err(two_ways(told));
        }
    }
    Ok(())
}

/// Checks a group of a statistic.
///
/// # Errors
/// When it is of a sensitive column and something else.
pub(super) fn group(told: &Told, group: &Expr, peoples: &[People]) -> Result<(), QueryError> {
    let fixed = compares(group) && is_of_one(&told.of, peoples);
    if told.sensitive && told.columns.len() > 1 && !fixed { Err(beside(told)) } else { Ok(()) }
}

/// Whether an expression does nothing but compare two columns.
pub(super) fn compares(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => compares(&alias.expr),
        Expr::BinaryExpr(both) => {
            COMPARISONS.contains(&both.op) && is_column(&both.left) && is_column(&both.right)
        }
        _ => false,
    }
}

fn is_column(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) => true,
        Expr::Cast(cast) => is_column(&cast.expr),
        Expr::TryCast(cast) => is_column(&cast.expr),
        _ => false,
    }
}

/// Whether it compares two columns of the same people: nobody chooses a number there.
fn is_fixed(condition: &Condition, peoples: &[People]) -> bool {
    condition.compares && is_of_one(&condition.told.of, peoples)
}

fn is_of_one(of: &BTreeSet<Relation>, peoples: &[People]) -> bool {
    peoples.iter().any(|people| of.is_subset(people))
}

/// Whether the tables that a condition links are linked by something else too: which row of the one a person meets would not
/// follow from the sensitive column alone.
fn is_linked_otherwise(beneath: &Beneath, at: usize) -> bool {
    let Some(link) = beneath.conditions.get(at).map(|condition| &condition.told.of) else { return true };
    if beneath.links.iter().filter(|one| *one == link).count() > 1 {
        return true;
    }
    let joins = beneath.links.iter().filter(|one| *one != link);
    let compared = beneath.conditions.iter().filter(|one| !one.joins).map(|one| &one.told.of);
    let mut parts: Vec<BTreeSet<&Relation>> = Vec::new();
    for other in joins.chain(compared) {
        let (met, mut rest): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| other.iter().any(|one| part.contains(one)));
        rest.push(met.into_iter().flatten().chain(other).collect());
        parts = rest;
    }
    // Several that are not of people may be one side of it.
    let people = link.iter().filter(|one| one.counted).count();
    let both = |part: &BTreeSet<&Relation>| {
        let (counted, others): (Vec<&Relation>, Vec<&Relation>) =
            link.iter().filter(|one| part.contains(one)).partition(|one| one.counted);
        counted.len() > 1 || (!counted.is_empty() && !others.is_empty())
    };
    people == 0 || parts.iter().any(both)
}

fn columns(told: &Told) -> String {
    let names = told.columns.iter().map(|name| name.trim_matches('"'));
    names.collect::<Vec<_>>().join(", ")
}

fn beside(told: &Told) -> QueryError {
    let columns = columns(told);
    QueryError::not_governed(
        &format!(
            "one condition or group on {columns} together, which could leave a single person in doubt; put each column into a condition of its own, joined by AND, and ask for alternatives or other numbers one by one"
        ),
        &format!(
            "同时涉及 {columns} 的条件或分组，它可能使结果仅取决于某一个主体；请让每列各自成为一个条件并以 AND 连接，其他情形或数值请逐一查询"
        ),
    )
}

fn two_ways(told: &Told) -> QueryError {
    let columns = columns(told);
    QueryError::not_governed(
        &format!(
            "a join on {columns} of a table that is joined by something else too, which could leave a single person in doubt; join it on that column alone"
        ),
        &format!(
            "在 {columns} 上连接一个同时以其他方式连接的表，它可能使结果仅取决于某一个主体；请仅以该列连接"
        ),
    )
}
