//! EXCEPT ALL and INTERSECT ALL, which count how often a row stands on each side.
//!
//! DataFusion 55 plans them as joins that ask only whether a row stands on the other side: of three equal rows less one it
//! leaves none. So each row is numbered among those that are like it, and the number compared with the rest: the third of
//! three goes where the other side has a third.

use super::faults;
use crate::error::QueryError;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, JoinType, NullEquality, Result, plan_err};
use datafusion::functions_window::row_number::row_number;
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::{Expr, ExprFunctionExt, Join, LogicalPlan, LogicalPlanBuilder, cast};
use std::sync::Arc;

/// What the number is called, on each side. No column of a statement is called so.
const NUMBERS: [&str; 2] = ["$cogov like it, left", "$cogov like it, right"];

/// A plan as it was asked, in which rows that stand several times are counted.
///
/// # Errors
/// When the plan contradicts itself.
pub(super) fn counted(plan: LogicalPlan) -> std::result::Result<LogicalPlan, QueryError> {
    let mut outer = false;
    let done = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Join(join) if counts(&join) => {
            outer |= refers_outside(&join.left)? || refers_outside(&join.right)?;
            numbered(join).map(Transformed::yes)
        }
        other => Ok(Transformed::no(other)),
    });
    if outer {
        return Err(QueryError::not_governed(
            "EXCEPT ALL or INTERSECT ALL of what refers to the outer query; use EXCEPT or INTERSECT, or join the table",
            "引用外层查询的 EXCEPT ALL 或 INTERSECT ALL；请使用 EXCEPT 或 INTERSECT，或改用连接",
        ));
    }
    done.map(|done| done.data).map_err(|e| faults::planning(&e))
}

/// Whether a query names columns of the one that it stands in.
fn refers_outside(plan: &LogicalPlan) -> Result<bool> {
    plan.exists(|node| Ok(node.contains_outer_reference()))
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
    let types = compared(&join)?;
    let sides = (among_like(&join.left, &types, left)?, among_like(&join.right, &types, right)?);
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

/// The types in which columns of both sides are compared.
fn compared(join: &Join) -> Result<Vec<DataType>> {
    let fields = join.left.schema().fields().iter().zip(join.right.schema().fields());
    let common = |(left, right): (&FieldRef, &FieldRef)| {
        let (left, right) = (left.data_type(), right.data_type());
        comparison_coercion(left, right).map_or_else(|| plan_err!("{left} and {right} are never equal"), Ok)
    };
    fields.map(common).collect()
}

/// The rows with a number of each among those that are like it.
fn among_like(plan: &LogicalPlan, types: &[DataType], name: &str) -> Result<LogicalPlan> {
    let all = columns(plan);
    let fields = plan.schema().fields().iter();
    let keys = all.iter().zip(fields).zip(types).map(|((column, field), of)| {
        if field.data_type() == of { column.clone() } else { cast(column.clone(), of.clone()) }
    });
    let number = row_number().partition_by(keys.collect()).build()?;
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
