//! Zero has no sign, as in PostgreSQL: -0.0 and 0.0 are one value to whatever orders, counts or compares.
//!
//! DataFusion's comparisons, groups and joins have it so. Its sorts and windows, the different values that an aggregate
//! counts, CASE with an operand and `nullif` look at the bits.

use super::rewriting::rewritten;
use arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator, Sort, binary_expr, cast};

/// A plan with its types brought together, in which zero has no sign. Sessions of DataFusion alone need it too when their
/// answers are compared with ours.
///
/// # Errors
/// When the plan contradicts itself.
pub fn zero_without_sign(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = rewritten(plan, |expr, around| looked_at(expr, &around.schema))?;
    let done = plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Sort(Sort { mut expr, input, fetch }) => {
            let mut changed = false;
            expr.iter_mut().for_each(|key| changed |= unsign(&mut key.expr, input.schema()));
            Ok(Transformed::new_transformed(LogicalPlan::Sort(Sort { expr, input, fetch }), changed))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(done.data)
}

/// An expression that looks at bits, over values in which zero has no sign.
fn looked_at(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    let mut changed = false;
    let mut plain = |value: &mut Expr| changed |= unsign(value, schema);
    let expr = match expr {
        Expr::WindowFunction(mut f) => {
            f.params.partition_by.iter_mut().for_each(&mut plain);
            f.params.order_by.iter_mut().for_each(|key| plain(&mut key.expr));
            Expr::WindowFunction(f)
        }
        Expr::AggregateFunction(mut f) => {
            f.params.order_by.iter_mut().for_each(|key| plain(&mut key.expr));
            if f.params.distinct {
                f.params.args.iter_mut().for_each(&mut plain);
            } else if f.func.name() == "approx_distinct" {
                // It hashes no real numbers.
                f.params.args.iter_mut().for_each(|arg| changed |= unsign(arg, schema) && in_text(arg));
            }
            Expr::AggregateFunction(f)
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

fn in_text(value: &mut Expr) -> bool {
    *value = cast(std::mem::take(value), DataType::Utf8);
    true
}

/// The sum of a real number and zero, which is never -0.0 (IEEE 754, 6.3). Whether it changed.
fn unsign(value: &mut Expr, schema: &DFSchema) -> bool {
    let zero = value.get_type(schema).ok().filter(|of| of.is_floating());
    let Some(zero) = zero.and_then(|of| ScalarValue::new_zero(&of).ok()) else { return false };
    *value = binary_expr(std::mem::take(value), Operator::Plus, Expr::Literal(zero, None));
    true
}
