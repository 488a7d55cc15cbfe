//! What the walk over a plan refuses, and the words in which it says so.

use super::facts::Facts;
use super::{faults, steps, total};
use crate::error::QueryError;
use cogov_model::Text;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;

/// Refuses when anything is protected: says which columns, by which clauses, what was tried, and what may be asked.
pub(super) fn unprotected(facts: &Facts, tried: fn(u64) -> Text) -> Result<(), QueryError> {
    let Some(obliged) = facts.protection else { return Ok(()) };
    let (columns, tried, nearest) = (steps::protected(facts), tried(obliged.get()), steps::nearest(facts));
    let reason = Text::new(
        format!("{}: {}; {}", columns.en, tried.en, nearest.en),
        format!("{}：{}；{}", columns.zh, tried.zh, nearest.zh),
    );
    Err(QueryError::refused(reason, facts.clauses()))
}

pub(super) fn shown(k: u64) -> Text {
    Text::new(
        format!("shown only in statistics over groups of at least {k}"),
        format!("仅以每组不少于 {k} 的统计方式提供"),
    )
}

pub(super) fn inside(k: u64) -> Text {
    Text::new(
        format!("a subquery may use statistics over groups of at least {k} only, no single rows"),
        format!("子查询仅可使用每组不少于 {k} 的统计结果，不可使用单行"),
    )
}

pub(super) fn cut(k: u64) -> Text {
    Text::new(
        format!(
            "sorting, cutting, DISTINCT and combining would show single rows; first take groups of at least {k}"
        ),
        format!("排序、截取、去重或合并会显露单行；请先取每组不少于 {k} 的统计结果"),
    )
}

pub(super) fn windowed(k: u64) -> Text {
    Text::new(
        format!(
            "window functions, EXCEPT ALL and INTERSECT ALL give a value to each row; first take groups of at least {k}"
        ),
        format!("窗口函数、EXCEPT ALL 与 INTERSECT ALL 会为每行给出数值；请先取每组不少于 {k} 的统计结果"),
    )
}

/// Refuses a node that is taken as it stands when anything but constants stands in it: what it reads would be governed
/// by nobody.
pub(super) fn constants(plan: &LogicalPlan, refusal: fn() -> QueryError) -> Result<(), QueryError> {
    let mut all = true;
    let walked = plan.apply_expressions(|expr| {
        all &= total::constant(expr);
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(|e| faults::planning(&e))?;
    if all { Ok(()) } else { Err(refusal()) }
}

pub(super) fn values() -> QueryError {
    QueryError::not_governed(
        "subqueries and columns in VALUES; write constants there, or SELECT … UNION ALL SELECT …",
        "VALUES 中的子查询与列；请在其中书写常量，或改用 SELECT … UNION ALL SELECT …",
    )
}

pub(super) fn limit() -> QueryError {
    QueryError::not_governed(
        "subqueries in LIMIT and OFFSET; write a number, or filter by row_number() OVER (ORDER BY …)",
        "LIMIT 与 OFFSET 中的子查询；请书写数字，或以 row_number() OVER (ORDER BY …) 过滤",
    )
}

pub(super) fn outer_join() -> QueryError {
    QueryError::not_governed(
        "outer joins of protected rows; use JOIN … ON with columns equal",
        "受保护行的外连接；请使用等值的 JOIN … ON",
    )
}
