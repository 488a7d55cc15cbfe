//! Margins of error beside the figures of a result: for every column of the statement that is a noisy figure, or a
//! multiple of one, a column `…_margin` at the end of the row.

use super::super::faults;
use super::super::govern::Node;
use super::super::nearest;
use super::drawn::{self, margin_of};
use crate::error::QueryError;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::{
    Expr, Filter, Limit, LogicalPlan, Operator, Projection, Sort, SubqueryAlias, TableScan, lit,
};
use std::sync::Arc;

/// The governed statement with margins at the end of each row.
///
/// # Errors
/// When the plan cannot be put together.
pub(in crate::query) fn append(node: Node) -> std::result::Result<Node, QueryError> {
    let count = node.plan.schema().fields().len();
    let (plan, margins) = carry(&node.plan).map_err(|e| faults::planning(&e))?;
    if margins.iter().all(Option::is_none) {
        return Ok(node);
    }
    let mut columns = node.columns.clone();
    let mut exprs: Vec<Expr> = plan.schema().columns().into_iter().take(count).map(Expr::Column).collect();
    let names: Vec<String> = node.plan.schema().fields().iter().map(|f| f.name().clone()).collect();
    for (place, margin) in margins.into_iter().enumerate() {
        let (Some(margin), Some(name)) = (margin, names.get(place)) else { continue };
        let name = format!("{name}_margin");
        if names.contains(&name) {
            continue;
        }
        exprs.push(Expr::Column(margin).alias(name));
        columns.extend(node.columns.get(place).cloned());
    }
    let plan = Projection::try_new(exprs, Arc::new(plan)).map_err(|e| faults::planning(&e))?;
    Node::new(LogicalPlan::Projection(plan), columns, node.rows)
}

/// A plan whose first columns are those of the given one, and the column that holds the margin of each.
fn carry(plan: &LogicalPlan) -> Result<(LogicalPlan, Vec<Option<Column>>)> {
    match plan {
        LogicalPlan::Projection(node) => projection(node),
        LogicalPlan::Filter(node) => {
            let (input, margins) = carry(&node.input)?;
            Ok((LogicalPlan::Filter(Filter::try_new(node.predicate.clone(), Arc::new(input))?), margins))
        }
        LogicalPlan::Sort(node) => {
            let (input, margins) = carry(&node.input)?;
            Ok((LogicalPlan::Sort(Sort { input: Arc::new(input), ..node.clone() }), margins))
        }
        LogicalPlan::Limit(node) => {
            let (input, margins) = carry(&node.input)?;
            Ok((LogicalPlan::Limit(Limit { input: Arc::new(input), ..node.clone() }), margins))
        }
        LogicalPlan::SubqueryAlias(node) => {
            let (input, margins) = carry(&node.input)?;
            let margins =
                margins.into_iter().map(|m| m.map(|m| Column::new(Some(node.alias.clone()), m.name)));
            let margins = margins.collect();
            let alias = SubqueryAlias::try_new(Arc::new(input), node.alias.clone())?;
            Ok((LogicalPlan::SubqueryAlias(alias), margins))
        }
        LogicalPlan::TableScan(scan) => Ok((plan.clone(), of_scan(scan))),
        other => Ok((other.clone(), vec![None; other.schema().fields().len()])),
    }
}

/// The margins that the table of an answer holds itself.
fn of_scan(scan: &TableScan) -> Vec<Option<Column>> {
    let columns = scan.projected_schema.columns();
    let here = scan.table_name.table().starts_with(drawn::NAME);
    columns.iter().map(|c| if here { margin_of(c, &scan.source.schema()) } else { None }).collect()
}

fn projection(node: &Projection) -> Result<(LogicalPlan, Vec<Option<Column>>)> {
    let (input, below) = carry(&node.input)?;
    let schema: &DFSchema = node.input.schema();
    let mut exprs = node.expr.clone();
    let mut margins = Vec::new();
    for (place, expr) in node.expr.iter().enumerate() {
        let margin = scaled(expr, schema, &below);
        margins.push(margin.map(|margin| {
            let name = format!("__cogov_margin_{place}");
            exprs.push(margin.alias(&name));
            Column::from_name(name)
        }));
    }
    Ok((LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?), margins))
}

/// The margin of an expression: of a figure, or of a figure times, divided by, plus or minus a number.
fn scaled(expr: &Expr, schema: &DFSchema, margins: &[Option<Column>]) -> Option<Expr> {
    match expr {
        Expr::Alias(alias) => scaled(&alias.expr, schema, margins),
        Expr::Column(column) => {
            let place = schema.maybe_index_of_column(column)?;
            margins.get(place)?.clone().map(Expr::Column)
        }
        Expr::Cast(cast) => scaled(&cast.expr, schema, margins),
        Expr::Negative(inner) => scaled(inner, schema, margins),
        Expr::ScalarFunction(f) if ["round", nearest::NAME].contains(&f.name()) => {
            scaled(f.args.first()?, schema, margins)
        }
        Expr::BinaryExpr(both) => {
            let (left, right) = (number(&both.left), number(&both.right));
            match (both.op, left, right) {
                (Operator::Plus | Operator::Minus, None, Some(_)) => scaled(&both.left, schema, margins),
                (Operator::Plus | Operator::Minus, Some(_), None) => scaled(&both.right, schema, margins),
                (Operator::Multiply, None, Some(by)) => {
                    Some(scaled(&both.left, schema, margins)? * lit(by.abs()))
                }
                (Operator::Multiply, Some(by), None) => {
                    Some(scaled(&both.right, schema, margins)? * lit(by.abs()))
                }
                (Operator::Divide, None, Some(by)) if by != 0.0 => {
                    Some(scaled(&both.left, schema, margins)? / lit(by.abs()))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Cast(cast) => number(&cast.expr),
        Expr::Literal(value, _) => match value.cast_to(&arrow::datatypes::DataType::Float64) {
            Ok(ScalarValue::Float64(Some(number))) => Some(number),
            _ => None,
        },
        _ => None,
    }
}
