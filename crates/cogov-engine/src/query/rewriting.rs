//! One walk for what changes expressions of a whole plan and keeps the names of its columns.

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// What stands around an expression.
pub(super) struct Around {
    /// The columns that it may name.
    pub(super) schema: DFSchema,
    /// Whether it stands beside an aggregate over distinct values, or is one.
    pub(super) distinct: bool,
}

/// Changes every expression of a plan and its subqueries from its leaves up. Types must stay as they are.
///
/// # Errors
/// When the plan contradicts itself.
pub(super) fn rewritten(
    plan: LogicalPlan,
    change: impl Fn(Expr, &Around) -> Transformed<Expr>,
) -> Result<LogicalPlan> {
    let done = plan.transform_up_with_subqueries(|node| {
        let around = Around { schema: merge_schema(&node.inputs()), distinct: distinct(&node) };
        let names = NamePreserver::new(&node);
        let up = |expr: Expr| expr.transform_up(|part| Ok(change(part, &around)));
        node.map_expressions(|top| {
            // The columns of grouping sets are named by what stands in them; the set itself has no name to keep.
            if matches!(top, Expr::GroupingSet(_)) {
                return top.map_children(|key| {
                    let name = names.save(&key);
                    Ok(up(key)?.update_data(|key| name.restore(key)))
                });
            }
            let name = names.save(&top);
            Ok(up(top)?.update_data(|expr| name.restore(expr)))
        })
    })?;
    Ok(done.data)
}

fn distinct(node: &LogicalPlan) -> bool {
    let LogicalPlan::Aggregate(aggregate) = node else { return false };
    let over_distinct = |expr: &Expr| matches!(expr, Expr::AggregateFunction(f) if f.params.distinct);
    aggregate.aggr_expr.iter().any(|expr| over_distinct(&expr.clone().unalias()))
}
