//! EXCEPT ALL and INTERSECT ALL, which count how often a row stands on each side.
//!
//! DataFusion 55 plans them as joins that ask only whether a row stands on the other side: of three equal rows less one it
//! leaves none. So each row is numbered among those that are like it, and the number compared with the rest: the third of
//! three goes where the other side has a third.

use super::faults;
use crate::error::QueryError;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, JoinType, NullEquality, Result};
use datafusion::functions_window::row_number::row_number;
use datafusion::logical_expr::{Expr, ExprFunctionExt, Join, LogicalPlan, LogicalPlanBuilder};
use std::sync::Arc;

/// What the number is called, on each side. No column of a statement is called so.
const NUMBERS: [&str; 2] = ["$cogov like it, left", "$cogov like it, right"];

/// A plan as it was asked, in which rows that stand several times are counted.
///
/// # Errors
/// When the plan contradicts itself.
pub(super) fn counted(plan: LogicalPlan) -> std::result::Result<LogicalPlan, QueryError> {
    let done = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Join(join) if counts(&join) => numbered(join).map(Transformed::yes),
        other => Ok(Transformed::no(other)),
    });
    done.map(|done| done.data).map_err(|e| faults::planning(&e))
}

/// Whether it stands for EXCEPT ALL or INTERSECT ALL. Without ALL, and above DISTINCT, no row stands twice on the left.
fn counts(join: &Join) -> bool {
    matches!(join.join_type, JoinType::LeftAnti | JoinType::LeftSemi)
        && join.null_equality == NullEquality::NullEqualsNull
        && !matches!(join.left.as_ref(), LogicalPlan::Distinct(_))
}

fn numbered(mut join: Join) -> Result<LogicalPlan> {
    let shown: Vec<Expr> = columns(&join.left);
    let [left, right] = NUMBERS;
    let sides = (among_like(&join.left, left)?, among_like(&join.right, right)?);
    join.on.push((named(left), named(right)));
    let join = Join::try_new(
        Arc::new(sides.0),
        Arc::new(sides.1),
        join.on,
        None,
        join.join_type,
        join.join_constraint,
        join.null_equality,
        false,
    )?;
    LogicalPlanBuilder::from(LogicalPlan::Join(join)).project(shown)?.build()
}

/// The rows with a number of each among those that are like it.
fn among_like(plan: &LogicalPlan, name: &str) -> Result<LogicalPlan> {
    let all = columns(plan);
    let number = row_number().partition_by(all.clone()).build()?;
    let place = Expr::Column(Column::from_name(number.schema_name().to_string())).alias(name);
    let window = LogicalPlanBuilder::from(plan.clone()).window([number])?;
    window.project(all.into_iter().chain([place]))?.build()
}

fn columns(plan: &LogicalPlan) -> Vec<Expr> {
    plan.schema().columns().into_iter().map(Expr::Column).collect()
}

fn named(name: &str) -> Expr {
    Expr::Column(Column::from_name(name))
}
