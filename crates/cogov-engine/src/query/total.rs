//! Expressions over protected values: they must give a result for every value, so that no error tells one.

use super::functions::is_total;
use crate::error::QueryError;
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator, TryCast};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use std::sync::Arc;

/// An expression made total: casts become TRY_CAST, and what may raise is refused.
///
/// # Errors
/// When it has an operator or function that may raise for some value.
pub(super) fn totalise(expr: &Expr, schema: &DFSchema) -> Result<Expr, QueryError> {
    let mut refusal = None;
    let done = expr.clone().transform_down(|expr| {
        if !matches!(expr, Expr::Alias(_)) && constant(&expr) {
            let folded = fold(&expr, schema);
            refusal = folded.is_none().then(unfolded);
            let next = if folded.is_some() { TreeNodeRecursion::Jump } else { TreeNodeRecursion::Stop };
            return Ok(Transformed::new(folded.unwrap_or(expr), true, next));
        }
        if let Err(error) = check(&expr, schema) {
            refusal = Some(error);
            return Ok(Transformed::new(expr, false, TreeNodeRecursion::Stop));
        }
        Ok(match expr {
            Expr::Cast(cast) => {
                Transformed::yes(Expr::TryCast(TryCast { expr: cast.expr, field: cast.field }))
            }
            other => Transformed::no(other),
        })
    });
    match (refusal, done) {
        (Some(refusal), _) => Err(refusal),
        (None, Ok(done)) => Ok(done.data),
        (None, Err(_)) => Err(QueryError::internal()),
    }
}

/// A plan beneath a statistic over protected values, with all of its expressions total: also those over columns that
/// anybody may see. An optimiser moves conditions over protected values below them, and which rows they meet then, or whether
/// they meet any, would tell who passed.
///
/// # Errors
/// When something in it may raise for some value.
pub(super) fn beneath(plan: &LogicalPlan) -> Result<LogicalPlan, QueryError> {
    let mut refusal = None;
    let done = plan.clone().transform_up(|node| {
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        let done = node.map_expressions(|expr| {
            let name = names.save(&expr);
            match totalise(&expr, &schema) {
                Ok(done) => Ok(Transformed::yes(name.restore(done))),
                Err(error) => {
                    refusal = Some(error);
                    Ok(Transformed::new(expr, false, TreeNodeRecursion::Stop))
                }
            }
        })?;
        done.map_data(LogicalPlan::recompute_schema)
    });
    match (refusal, done) {
        (Some(refusal), _) => Err(refusal),
        (None, Ok(done)) => Ok(done.data),
        (None, Err(_)) => Err(QueryError::internal()),
    }
}

/// A constant's value. One that cannot be computed now must not be computed on rows: whether it raises
/// there would tell whether a row was met.
fn fold(expr: &Expr, schema: &DFSchema) -> Option<Expr> {
    // With a parameter still open nothing runs; when it is bound, the statement is governed again.
    let open = expr.exists(|part| Ok(matches!(part, Expr::Placeholder(_)))).unwrap_or(false);
    if open || matches!(expr, Expr::Literal(..)) {
        return Some(expr.clone());
    }
    let context =
        SimplifyContext::builder().with_schema(Arc::new(schema.clone())).with_current_time().build();
    let folded = ExprSimplifier::new(context).simplify(expr.clone()).ok()?;
    matches!(folded, Expr::Literal(..)).then_some(folded)
}

fn unfolded() -> QueryError {
    QueryError::not_governed(
        "a constant that has no value over protected values; write its value",
        "作用于受保护数值的、无法求值的常量；请直接写出其值",
    )
}

/// Whether an expression depends on no row.
pub(super) fn constant(expr: &Expr) -> bool {
    let mut constant = true;
    let walked = expr.apply(|part| {
        constant &= !matches!(
            part,
            Expr::Column(_)
                | Expr::OuterReferenceColumn(..)
                | Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::ScalarSubquery(_)
                | Expr::AggregateFunction(_)
                | Expr::WindowFunction(_)
        );
        Ok(TreeNodeRecursion::Continue)
    });
    constant && walked.is_ok()
}

/// Whether an expression gives a result for every value of its parts. Of casts it says nothing.
pub(super) fn gives_always(expr: &Expr, schema: &DFSchema) -> bool {
    check(expr, schema).is_ok()
}

fn check(expr: &Expr, schema: &DFSchema) -> Result<(), QueryError> {
    match expr {
        Expr::Alias(_)
        | Expr::Column(_)
        | Expr::Literal(..)
        | Expr::Placeholder(_)
        | Expr::Not(_)
        | Expr::IsNotNull(_)
        | Expr::IsNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNotFalse(_)
        | Expr::IsNotUnknown(_)
        | Expr::Between(_)
        | Expr::InList(_)
        | Expr::Case(_)
        | Expr::Cast(_)
        | Expr::TryCast(_) => Ok(()),
        Expr::Like(like) if constant(&like.pattern) => Ok(()),
        Expr::Negative(inner) if plain_number(inner, schema) => Ok(()),
        Expr::BinaryExpr(both) => operator(both.op, &both.left, &both.right, schema),
        Expr::Exists(_) | Expr::InSubquery(_) | Expr::ScalarSubquery(_) => Err(QueryError::not_governed(
            "a subquery beneath a statistic over protected values; join the table, or ask in two statements",
            "受保护数值统计之下的子查询；请改用连接，或分两条语句",
        )),
        Expr::ScalarFunction(f) if is_total(f.name()) => Ok(()),
        Expr::ScalarFunction(f) => {
            Err(may_raise(&format!("the function {}", f.name()), &format!("函数 {}", f.name())))
        }
        _ => Err(may_raise("this expression", "该表达式")),
    }
}

fn operator(op: Operator, left: &Expr, right: &Expr, schema: &DFSchema) -> Result<(), QueryError> {
    let plain = || plain_number(left, schema) && plain_number(right, schema);
    let floats = || float(left, schema) && float(right, schema);
    let fine = match op {
        Operator::Eq
        | Operator::NotEq
        | Operator::Lt
        | Operator::LtEq
        | Operator::Gt
        | Operator::GtEq
        | Operator::And
        | Operator::Or
        | Operator::IsDistinctFrom
        | Operator::IsNotDistinctFrom
        | Operator::StringConcat => true,
        Operator::Plus | Operator::Minus | Operator::Multiply => plain(),
        Operator::Divide | Operator::Modulo => floats() || (plain() && safe_divisor(right)),
        _ => false,
    };
    if fine {
        Ok(())
    } else {
        Err(may_raise(&format!("the operator {op} on these types"), &format!("这些类型上的运算符 {op}")))
    }
}

/// Numbers whose arithmetic wraps or saturates, and never raises: decimals and dates are not among them.
fn plain_number(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|t| t.is_integer() || t.is_floating() || t == DataType::Null)
}

fn float(expr: &Expr, schema: &DFSchema) -> bool {
    expr.get_type(schema).is_ok_and(|t| t.is_floating())
}

/// A literal that no whole number fails to be divided by: neither 0 nor -1 (whose quotient may overflow).
fn safe_divisor(expr: &Expr) -> bool {
    let Expr::Literal(value, _) = expr else { return false };
    matches!(value.cast_to(&DataType::Int64), Ok(ScalarValue::Int64(Some(n))) if n != 0 && n != -1)
}

fn may_raise(en: &str, zh: &str) -> QueryError {
    QueryError::not_governed(
        &format!(
            "{en} over protected values, because an error could tell one of them; use comparisons, + - * on numbers, division of floating numbers, or work on the statistic instead"
        ),
        &format!(
            "作用于受保护数值的{zh}，因为出错会泄露其值；请使用比较、数值加减乘、浮点除法，或在统计结果上运算"
        ),
    )
}
