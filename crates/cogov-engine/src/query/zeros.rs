//! Zero has no sign, as in PostgreSQL: -0.0 and 0.0 are one value to whatever orders, counts or compares.
//!
//! DataFusion's comparisons, groups and joins have it so. Its sorts and windows, the different values that an aggregate
//! counts, lists of columns, CASE with an operand and `nullif` look at the bits.

use super::rewriting::rewritten;
use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{AggregateFunction, InList};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator, Sort, binary_expr, cast};
use datafusion::optimizer::single_distinct_to_groupby::SingleDistinctToGroupBy;
use datafusion::optimizer::{OptimizerContext, OptimizerRule};

/// A plan with its types brought together, in which zero has no sign. Sessions of DataFusion alone need it too when their
/// answers are compared with ours.
///
/// # Errors
/// When the plan contradicts itself.
pub fn zero_without_sign(plan: LogicalPlan) -> Result<LogicalPlan> {
    let grouping = (SingleDistinctToGroupBy::new(), OptimizerContext::new());
    let plan = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Sort(Sort { mut expr, input, fetch }) => {
            let mut changed = false;
            expr.iter_mut().for_each(|key| changed |= unsign(&mut key.expr, input.schema()));
            Ok(Transformed::new_transformed(LogicalPlan::Sort(Sort { expr, input, fetch }), changed))
        }
        // It becomes a grouping if it can, as it would later: groups know no sign.
        LogicalPlan::Aggregate(ref of)
            if of.aggr_expr.iter().any(|figure| counts_different(figure, of.input.schema())) =>
        {
            grouping.0.rewrite(node, &grouping.1)
        }
        other => Ok(Transformed::no(other)),
    })?;
    rewritten(plan.data, |expr, around| looked_at(expr, &around.schema))
}

fn counts_different(figure: &Expr, schema: &DFSchema) -> bool {
    let Expr::AggregateFunction(AggregateFunction { params, .. }) = figure else { return false };
    params.distinct && params.args.iter().any(|arg| zero_of(arg, schema).is_some())
}

/// An expression that looks at bits, over values in which zero has no sign.
fn looked_at(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let mut changed = false;
    let mut plain = |value: &mut Expr| changed |= unsign(value, schema);
    let expr = match expr {
        Expr::WindowFunction(mut f) => {
            f.params.partition_by.iter_mut().for_each(&mut plain);
            f.params.order_by.iter_mut().for_each(|key| plain(&mut key.expr));
            changed |= of_aggregate(f.fun.name(), f.params.distinct, &mut f.params.args, schema);
            Expr::WindowFunction(f)
        }
        Expr::AggregateFunction(mut f) => {
            f.params.order_by.iter_mut().for_each(|key| plain(&mut key.expr));
            changed |= of_aggregate(f.func.name(), f.params.distinct, &mut f.params.args, schema);
            Expr::AggregateFunction(f)
        }
        Expr::InList(mut list) if !of_literals(&list) => {
            plain(&mut list.expr);
            list.list.iter_mut().for_each(&mut plain);
            Expr::InList(list)
        }
        Expr::Case(mut case) => {
            if let Some(operand) = &mut case.expr {
                plain(operand);
                case.when_then_expr.iter_mut().for_each(|(when, _)| plain(when));
            }
            Expr::Case(case)
        }
        Expr::ScalarFunction(mut f) => {
            if f.name() == "nullif" {
                f.args.iter_mut().for_each(&mut plain);
            }
            Expr::ScalarFunction(f)
        }
        other => other,
    };
    Transformed::new_transformed(expr, changed)
}

fn of_aggregate(name: &str, distinct: bool, args: &mut [Expr], schema: &DFSchema) -> bool {
    let mut changed = false;
    for arg in args {
        if distinct {
            changed |= unsign(arg, schema);
        } else if name == "approx_distinct" && unsign(arg, schema) {
            // It hashes no real numbers.
            *arg = cast(std::mem::take(arg), DataType::Utf8);
            changed = true;
        }
    }
    changed
}

/// Whether a column stands beside literals, among which the simplifier finds zero.
fn of_literals(list: &InList) -> bool {
    let literal = |expr: &Expr| matches!(expr, Expr::Literal(..));
    !literal(&list.expr) && list.list.iter().all(literal)
}

/// The zero of a real number's type.
fn zero_of(value: &Expr, schema: &DFSchema) -> Option<Expr> {
    let of = value.get_type(schema).ok().filter(DataType::is_floating)?;
    ScalarValue::new_zero(&of).ok().map(|zero| Expr::Literal(zero, None))
}

/// The sum of a real number and zero, which is never -0.0 (IEEE 754, 6.3). Whether it changed.
fn unsign(value: &mut Expr, schema: &DFSchema) -> bool {
    let Some(zero) = zero_of(value, schema) else { return false };
    *value = binary_expr(std::mem::take(value), Operator::Plus, zero);
    true
}
