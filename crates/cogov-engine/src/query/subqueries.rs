//! IN, EXISTS and scalar subqueries, as they are meant.
//!
//! DataFusion 55 makes joins of them, and forgets in some that a condition may be unknown, that totals are there of no
//! rows as well, or that OFFSET was said. NOT IN is written out where it would be forgotten; of the others those that would
//! be answered wrongly are refused, with what to write instead.

use super::{faults, parse};
use crate::error::{ErrorKind, QueryError};
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, Filter, LogicalPlan, LogicalPlanBuilder, Operator, SkipType, Subquery,
};
use std::sync::Arc;

/// A planned and coerced statement whose subqueries mean what they say.
///
/// # Errors
/// When one of them would be answered wrongly.
pub(super) fn meant(plan: LogicalPlan) -> std::result::Result<LogicalPlan, QueryError> {
    let mut any = false;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|top| {
            top.apply(|expr| {
                let Some((subquery, kind)) = subquery(expr) else { return Ok(TreeNodeRecursion::Continue) };
                any = true;
                check(subquery, kind).map_err(faults::carry)?;
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })
    .map_err(|e| faults::planning(&e))?;
    if !any {
        return Ok(plan);
    }
    let mut more = 0;
    let written = plan.transform_down_with_subqueries(|node| match node {
        LogicalPlan::Filter(filter) if !has_in(&filter.predicate) => {
            Ok(Transformed::no(LogicalPlan::Filter(filter)))
        }
        LogicalPlan::Filter(filter) => {
            let predicate = condition(filter.predicate, true, &mut more)?;
            Ok(Transformed::yes(LogicalPlan::Filter(Filter::new(predicate, filter.input))))
        }
        other if other.expressions().iter().any(has_in) => Err(faults::carry(unknown())),
        other => Ok(Transformed::no(other)),
    });
    written.map(|done| done.data).map_err(|e| faults::planning(&e))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exists,
    In,
    Scalar,
}

fn subquery(expr: &Expr) -> Option<(&Subquery, Kind)> {
    match expr {
        Expr::Exists(exists) => Some((&exists.subquery, Kind::Exists)),
        Expr::InSubquery(within) => Some((&within.subquery, Kind::In)),
        Expr::ScalarSubquery(subquery) => Some((subquery, Kind::Scalar)),
        _ => None,
    }
}

/// What of a correlated subquery would be forgotten.
fn check(subquery: &Subquery, kind: Kind) -> std::result::Result<(), QueryError> {
    if subquery.outer_ref_columns.is_empty() {
        return Ok(());
    }
    let mut refusal = None;
    let walked = subquery.subquery.apply(|node| {
        refusal = forgotten(node, kind);
        Ok(if refusal.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    match (refusal, walked) {
        (Some(refusal), _) => Err(refusal),
        (None, Ok(_)) => Ok(()),
        (None, Err(_)) => Err(QueryError::internal()),
    }
}

fn forgotten(node: &LogicalPlan, kind: Kind) -> Option<QueryError> {
    match node {
        LogicalPlan::Aggregate(_) if kind != Kind::Scalar && is_total(node) => Some(one_row()),
        LogicalPlan::Filter(filter) if kind == Kind::Scalar && is_total(&filter.input) => Some(having()),
        LogicalPlan::Limit(limit) if !matches!(limit.get_skip_type(), Ok(SkipType::Literal(0))) => {
            refers_outside(node).then(offset)
        }
        LogicalPlan::Aggregate(aggregate) => equates_cast(&aggregate.input).then(cast_key),
        _ => None,
    }
}

/// Whether it is an aggregate without keys over rows that the outer statement chooses.
fn is_total(node: &LogicalPlan) -> bool {
    match node {
        LogicalPlan::Aggregate(aggregate) => {
            aggregate.group_expr.is_empty() && refers_outside(&aggregate.input)
        }
        _ => false,
    }
}

fn refers_outside(plan: &LogicalPlan) -> bool {
    any_expression(plan, |expr| matches!(expr, Expr::OuterReferenceColumn(..)))
}

/// Whether a value of the outer statement must equal a cast that brings several values to one: each of them would be added up
/// by itself.
fn equates_cast(plan: &LogicalPlan) -> bool {
    let outside = |expr: &Expr| expr.exists(|part| Ok(matches!(part, Expr::OuterReferenceColumn(..))));
    any_of(plan, |expr, schema| match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => {
            (brings_together(left, schema) && outside(right).unwrap_or(true))
                || (brings_together(right, schema) && outside(left).unwrap_or(true))
        }
        _ => false,
    })
}

fn brings_together(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::TryCast(_) => true,
        Expr::Cast(cast) => {
            let from = cast.expr.get_type(schema).ok();
            !from.is_some_and(|from| keeps_apart(&from, cast.field.data_type()))
        }
        _ => false,
    }
}

/// Whether a cast between two types gives different values for different ones.
fn keeps_apart(from: &DataType, to: &DataType) -> bool {
    use DataType::{Date32, Decimal128, Decimal256, Float32, Float64, Int64, Timestamp};
    let text = |of: &DataType| matches!(of, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let wider = from.primitive_width() <= to.primitive_width();
    match (from, to) {
        (from, to) if from == to || (text(from) && text(to)) => true,
        (from, to) if from.is_signed_integer() => match to {
            to if to.is_signed_integer() => wider,
            Float64 => *from != Int64,
            to => to.is_decimal() || text(to),
        },
        (Decimal128(p, s) | Decimal256(p, s), Decimal128(to_p, to_s) | Decimal256(to_p, to_s)) => {
            let whole = |p: u8, s: i8| i16::from(p) - i16::from(s);
            to_s >= s && whole(*to_p, *to_s) >= whole(*p, *s)
        }
        (Float32, Float64) | (Date32, Timestamp(..)) => true,
        (Timestamp(unit, _), Timestamp(to, _)) => to >= unit,
        _ => false,
    }
}

fn any_expression(plan: &LogicalPlan, is: impl Fn(&Expr) -> bool) -> bool {
    any_of(plan, |expr, _| is(expr))
}

/// Whether an expression of a plan or its subqueries is such, among the columns that it may name.
fn any_of(plan: &LogicalPlan, is: impl Fn(&Expr, &DFSchema) -> bool) -> bool {
    let mut found = false;
    let walked = plan.apply_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        node.apply_expressions(|top| {
            found |= top.exists(|expr| Ok(is(expr, &schema)))?;
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    });
    found || walked.is_err()
}

fn has_in(expr: &Expr) -> bool {
    expr.exists(|part| Ok(matches!(part, Expr::InSubquery(_)))).unwrap_or(true)
}

/// A condition of which unknown counts as false, with NOT IN written out where it does not stand alone. `more` counts the
/// tables that this adds to the statement.
fn condition(expr: Expr, alone: bool, more: &mut u64) -> Result<Expr> {
    if !has_in(&expr) {
        return Ok(expr);
    }
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            Ok(condition(*left, alone, more)?.and(condition(*right, alone, more)?))
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            Ok(condition(*left, false, more)?.or(condition(*right, false, more)?))
        }
        Expr::IsTrue(inner) => condition(*inner, alone, more),
        Expr::InSubquery(within) if has_in(&within.expr) => Err(faults::carry(unknown())),
        Expr::InSubquery(within) if !within.negated => Ok(Expr::InSubquery(within)),
        Expr::InSubquery(within) if alone && within.subquery.outer_ref_columns.is_empty() => {
            Ok(Expr::InSubquery(within))
        }
        Expr::InSubquery(within) => not_in(within, more),
        Expr::Not(inner) => condition(denied(*inner)?, alone, more),
        _ => Err(faults::carry(unknown())),
    }
}

/// What a condition denies, with NOT further inside.
fn denied(expr: Expr) -> Result<Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if matches!(op, Operator::And | Operator::Or) => {
            let (left, right) = (Expr::Not(left), Expr::Not(right));
            Ok(if op == Operator::And { left.or(right) } else { left.and(right) })
        }
        Expr::Not(inner) => Ok(*inner),
        Expr::InSubquery(within) => Ok(Expr::InSubquery(InSubquery { negated: !within.negated, ..within })),
        _ => Err(faults::carry(unknown())),
    }
}

/// NOT IN is true when the subquery has no rows; otherwise when the value is known, and neither it nor NULL is among them.
fn not_in(within: InSubquery, more: &mut u64) -> Result<Expr> {
    within.subquery.subquery.apply_with_subqueries(|node| {
        *more += 2 * u64::from(node.inputs().is_empty());
        Ok(TreeNodeRecursion::Continue)
    })?;
    if *more > parse::RELATIONS {
        return Err(faults::carry(too_many()));
    }
    let exists = |subquery: Subquery| Expr::Exists(Exists { subquery, negated: true });
    let plan = &within.subquery.subquery;
    let column = plan.schema().columns().into_iter().next();
    let column: Column = column.ok_or_else(faults::broken)?;
    let nulls = LogicalPlanBuilder::from(plan.as_ref().clone());
    let nulls = nulls.filter(Expr::Column(column).is_null())?.build()?;
    let nulls = Subquery { subquery: Arc::new(nulls), ..within.subquery.clone() };
    let known = within.expr.as_ref().clone().is_not_null();
    let none = exists(within.subquery.clone());
    Ok(none.or(known.and(Expr::InSubquery(within)).and(exists(nulls))))
}

fn too_many() -> QueryError {
    QueryError::new(
        ErrorKind::TooComplex,
        "NOT IN (SELECT …) stands so often beneath OR, NOT or another one that it would read too many tables; use NOT EXISTS",
        "NOT IN (SELECT …) 在 OR、NOT 或彼此之内嵌套过多，将读取过多的表；请改用 NOT EXISTS",
    )
}

fn one_row() -> QueryError {
    QueryError::not_governed(
        "EXISTS or IN over a total of rows that the outer query chooses, which has always one row; write the total as a scalar subquery, as in (SELECT count(*) …) > 0",
        "EXISTS 或 IN 中对由外层查询选取的行做总计（总计恒有一行）；请改写为标量子查询，例如 (SELECT count(*) …) > 0",
    )
}

fn having() -> QueryError {
    QueryError::not_governed(
        "HAVING in a scalar subquery that refers to the outer query; use CASE WHEN … THEN … END in its SELECT",
        "引用外层查询的标量子查询中的 HAVING；请在其 SELECT 中使用 CASE WHEN … THEN … END",
    )
}

fn offset() -> QueryError {
    QueryError::not_governed(
        "OFFSET in a subquery that refers to the outer query; count the rows instead",
        "引用外层查询的子查询中的 OFFSET；请改用计数",
    )
}

fn cast_key() -> QueryError {
    QueryError::not_governed(
        "a cast that is compared with the outer query inside a total; compute the cast in a subquery of FROM and compare its column",
        "总计子查询中将类型转换（cast）与外层查询比较；请先在 FROM 的子查询中算出转换结果，再比较该列",
    )
}

fn unknown() -> QueryError {
    QueryError::not_governed(
        "IN (SELECT …) outside WHERE and HAVING or inside CASE, IS NULL or another expression, where unknown and false differ; join the tables, or use EXISTS",
        "在 WHERE、HAVING 之外，或在 CASE、IS NULL 等表达式中使用 IN (SELECT …)（此处“未知”与“假”含义不同）；请改用连接或 EXISTS",
    )
}
