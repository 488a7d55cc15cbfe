//! How deep CASE may stand in CASE: DataFusion makes copies of each that double at every level.

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};

/// In the text of a statement, with all that is written out with an argument twice.
pub(super) const IN_THE_TEXT: usize = 10;

/// In a plan once it is optimised.
pub(super) const IN_A_PLAN: usize = 14;

/// How deep conditions stand in each other as CASE at most, alone and with what a statement has of it: what DataFusion makes
/// of each doubles at every level. Deeper ones stay as they are.
pub(super) const DEEP: usize = 8;
pub(super) const DEEPEST: usize = 12;

/// How deep CASE may come to stand in CASE when projections are put into each other: over rows that only pass from node to
/// node, the depths of all of them together.
pub(super) fn depth(plan: &LogicalPlan) -> usize {
    let mut deepest = 0;
    let along = depth_along(plan, &mut deepest);
    deepest.max(along)
}

fn depth_along(plan: &LogicalPlan, deepest: &mut usize) -> usize {
    let (mut own, mut below) = (0, 0);
    let looked = plan.apply_expressions(|expr| {
        own = own.max(deep(expr));
        Ok(TreeNodeRecursion::Continue)
    });
    let inside = plan.apply_subqueries(|subquery| {
        let along = depth_along(subquery, deepest);
        *deepest = (*deepest).max(along);
        Ok(TreeNodeRecursion::Continue)
    });
    for input in plan.inputs() {
        below = below.max(depth_along(input, deepest));
    }
    if looked.is_err() || inside.is_err() {
        return usize::MAX;
    }
    if matches!(plan, LogicalPlan::Aggregate(_) | LogicalPlan::Join(_) | LogicalPlan::Union(_)) {
        *deepest = (*deepest).max(below);
        return own;
    }
    own.saturating_add(below)
}

/// How deep CASE stands in CASE.
pub(super) fn deep(expr: &Expr) -> usize {
    let mut below = 0;
    let walked = expr.apply_children(|part| {
        below = below.max(deep(part));
        Ok(TreeNodeRecursion::Continue)
    });
    if walked.is_err() { usize::MAX } else { below + usize::from(matches!(expr, Expr::Case(_))) }
}
