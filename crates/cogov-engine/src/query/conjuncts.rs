//! Conditions that are joined by AND and kept, each of them.
//!
//! DataFusion 55 looks for conditions on one column of which one follows from the other, while it pushes filters down
//! (`simplify_predicates`), and is mistaken: `x = 1 AND 1 = x` is false to it, of `x >= 1 AND 1 < x` it keeps the weaker one, and
//! of `x > 1 AND x > NULL` the first. So it is shown one condition of each kind on a column; a second one is written as what it
//! denies. (Conditions of a row scope never come here: they are planned apart, see `beneath.rs`.)

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::utils::{conjunction, split_conjunction, split_conjunction_owned};
use datafusion::logical_expr::{BinaryExpr, Expr, Filter, LogicalPlan, Operator};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use std::collections::HashSet;
use std::sync::Arc;

/// DataFusion's rule, which sees conditions that have nothing to do with each other.
#[derive(Debug)]
pub(super) struct PushDown(pub(super) PushDownFilter);

impl OptimizerRule for PushDown {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = plan else { return self.0.rewrite(plan, config) };
        let (filter, changed) = apart(filter);
        if is_of_totals(&filter) {
            return Ok(Transformed::new_transformed(LogicalPlan::Filter(filter), changed));
        }
        let mut done = self.0.rewrite(LogicalPlan::Filter(filter), config)?;
        done.transformed |= changed;
        Ok(done)
    }
}

/// Whether it has a condition that names no column, such as `false` or one of a subquery, right above totals, which there are
/// also of no rows. Below them it would change what is added up.
fn is_of_totals(filter: &Filter) -> bool {
    let LogicalPlan::Aggregate(aggregate) = filter.input.as_ref() else { return false };
    let totals = aggregate.group_expr.is_empty()
        || aggregate.group_expr.iter().any(|key| matches!(key, Expr::GroupingSet(_)));
    totals && split_conjunction(&filter.predicate).iter().any(|part| part.column_refs().is_empty())
}

/// The filter, together with filters right below it, which the rule would put together itself; and whether that changed it.
fn apart(filter: Filter) -> (Filter, bool) {
    let mut input = Arc::clone(&filter.input);
    let mut predicates = vec![filter.predicate.clone()];
    while let LogicalPlan::Filter(below) = input.as_ref() {
        predicates.push(below.predicate.clone());
        let next = Arc::clone(&below.input);
        input = next;
    }
    let mut changed = predicates.len() > 1;
    let (mut seen, mut kinds) = (HashSet::new(), HashSet::new());
    let mut parts = Vec::new();
    // Those below come first, as they did.
    for part in predicates.into_iter().rev().flat_map(split_conjunction_owned) {
        if !seen.insert(part.clone()) {
            changed = true;
            continue;
        }
        let again = kind(&part).is_some_and(|kind| !kinds.insert(kind));
        changed |= again;
        parts.push(if again { denied(part) } else { part });
    }
    match conjunction(parts).filter(|_| changed) {
        Some(predicate) => (Filter::new(predicate, input), true),
        None => (filter, false),
    }
}

/// What a condition says of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Equal,
    Above,
    Below,
}

/// The column and the kind of a comparison with a literal, on whichever side; none for what DataFusion leaves alone.
fn kind(part: &Expr) -> Option<(Column, Kind)> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = part else { return None };
    let (column, op) = match (left.as_ref(), right.as_ref()) {
        (Expr::Column(column), Expr::Literal(..)) => (column, *op),
        (Expr::Literal(..), Expr::Column(column)) => (column, op.swap()?),
        _ => return None,
    };
    let kind = match op {
        Operator::Eq => Kind::Equal,
        Operator::Gt | Operator::GtEq => Kind::Above,
        Operator::Lt | Operator::LtEq => Kind::Below,
        _ => return None,
    };
    Some((column.clone(), kind))
}

/// The same of a comparison as NOT of its contrary, which also has no value where it has none.
fn denied(part: Expr) -> Expr {
    match part {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op.negate() {
            Some(op) => Expr::Not(Box::new(Expr::BinaryExpr(BinaryExpr { left, op, right }))),
            None => Expr::BinaryExpr(BinaryExpr { left, op, right }),
        },
        other => other,
    }
}
