//! The plan nodes and expressions that the engine governs. A new kind of either is refused until it is listed.

use super::functions::{is_aggregate, is_scalar, is_window};
use super::governed::{GovernedTable, ROW, UNIT};
use super::total::constant;
use crate::error::QueryError;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan, WindowFunctionDefinition};

/// Checks a planned statement, subqueries and all.
///
/// # Errors
/// When a node, an expression or a function is not on the list; the words say which.
pub(super) fn check(plan: &LogicalPlan) -> std::result::Result<(), QueryError> {
    let mut refusal = None;
    let walked = plan.apply_with_subqueries(|node| {
        refusal = node_refusal(node).or_else(|| expression_refusal(node));
        Ok(if refusal.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    match (refusal, walked) {
        (Some(refusal), _) => Err(refusal),
        (None, Ok(_)) => Ok(()),
        (None, Err(_)) => Err(QueryError::internal()),
    }
}

fn node_refusal(node: &LogicalPlan) -> Option<QueryError> {
    match node {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Distinct(_) => None,
        LogicalPlan::TableScan(scan) if governed(scan).is_ok() => None,
        LogicalPlan::RecursiveQuery(_) => Some(QueryError::not_governed("recursive queries", "递归查询")),
        LogicalPlan::Unnest(_) => Some(QueryError::not_governed("lists as rows", "将列表展开为行")),
        LogicalPlan::Ddl(_) | LogicalPlan::Dml(_) | LogicalPlan::Copy(_) => {
            Some(QueryError::not_governed("statements that write", "写入类语句"))
        }
        _ => Some(QueryError::not_governed("this kind of statement", "此类语句")),
    }
}

fn expression_refusal(node: &LogicalPlan) -> Option<QueryError> {
    let mut refusal = None;
    let walked = node.apply_expressions(|top| {
        top.apply(|expr| {
            refusal = expr_refusal(expr);
            Ok(if refusal.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })
    });
    refusal.or_else(|| walked.err().map(|_| QueryError::internal()))
}

fn expr_refusal(expr: &Expr) -> Option<QueryError> {
    match expr {
        Expr::Column(column) if column.name.starts_with(UNIT) || column.name.starts_with(ROW) => {
            Some(reserved())
        }
        Expr::Alias(alias) if alias.name.starts_with("__cogov") => Some(reserved()),
        Expr::InSubquery(within) if within.negated && constant(&within.expr) => Some(constant_not_in()),
        Expr::Not(inner) if matches!(inner.as_ref(), Expr::InSubquery(within) if constant(&within.expr)) => {
            Some(constant_not_in())
        }
        Expr::Alias(_)
        | Expr::Column(_)
        | Expr::Literal(..)
        | Expr::BinaryExpr(_)
        | Expr::Like(_)
        | Expr::SimilarTo(_)
        | Expr::Not(_)
        | Expr::IsNotNull(_)
        | Expr::IsNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNotFalse(_)
        | Expr::IsNotUnknown(_)
        | Expr::Negative(_)
        | Expr::Between(_)
        | Expr::Case(_)
        | Expr::Cast(_)
        | Expr::TryCast(_)
        | Expr::InList(_)
        | Expr::Exists(_)
        | Expr::InSubquery(_)
        | Expr::ScalarSubquery(_)
        | Expr::GroupingSet(_)
        | Expr::Placeholder(_)
        | Expr::OuterReferenceColumn(..) => None,
        Expr::ScalarFunction(f) => unless(is_scalar(f.name()), f.name()),
        Expr::AggregateFunction(f) => unless(is_aggregate(f.func.name()), f.func.name()),
        Expr::WindowFunction(f) => match &f.fun {
            WindowFunctionDefinition::AggregateUDF(f) => unless(is_window(f.name()), f.name()),
            WindowFunctionDefinition::WindowUDF(f) => unless(is_window(f.name()), f.name()),
        },
        _ => Some(QueryError::not_governed("this kind of expression", "此类表达式")),
    }
}

fn unless(listed: bool, name: &str) -> Option<QueryError> {
    let refusal = || QueryError::not_governed(&format!("the function {name}"), &format!("函数 {name}"));
    (!listed).then(refusal)
}

/// DataFusion 55 forgets that nulls in the subquery make it unknown, and would answer wrongly.
fn constant_not_in() -> QueryError {
    QueryError::not_governed(
        "a constant NOT IN a subquery; use NOT EXISTS (SELECT … WHERE column = constant)",
        "常量 NOT IN 子查询；请改用 NOT EXISTS (SELECT … WHERE 列 = 常量)",
    )
}

fn reserved() -> QueryError {
    QueryError::not_governed(
        "names that begin with __cogov; choose another name",
        "以 __cogov 开头的名称；请另取名称",
    )
}

/// The governed table of a scan.
///
/// # Errors
/// When the scan is of anything else.
pub(super) fn governed(scan: &TableScan) -> Result<GovernedTable> {
    let provider = source_as_provider(&scan.source)?;
    let table = provider.as_ref().downcast_ref::<GovernedTable>();
    table.cloned().ok_or_else(super::faults::broken)
}
