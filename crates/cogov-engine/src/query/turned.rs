//! Comparisons turned so that the literal stands on the right: `1 = x` becomes `x = 1`.
//!
//! DataFusion 55 takes `x = 1 AND 1 = x` for false (`simplify_predicates` compares the expressions), and keeps `x >= 1` of
//! `x >= 1 AND 1 < x`. It turns comparisons itself, but before constants are folded and not those of joins, from which
//! conditions of the other side follow.

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan};
use datafusion::optimizer::optimizer::{ApplyOrder, Optimizer};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use std::sync::Arc;

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// DataFusion's logical optimiser with comparisons turned before predicates are put together. Sessions of DataFusion alone
/// need it too when their answers are compared with ours.
#[must_use]
pub fn sound_rules() -> Vec<Rule> {
    let mut rules = Optimizer::new().rules;
    let place = rules.iter().position(|rule| rule.name() == "push_down_filter").unwrap_or(0);
    rules.insert(place, Arc::new(Turn));
    rules
}

/// Turns the comparisons of filters and joins.
#[derive(Debug)]
struct Turn;

impl OptimizerRule for Turn {
    fn name(&self) -> &str {
        "turn"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(&self, plan: LogicalPlan, _: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Filter(_) | LogicalPlan::Join(_) => {
                plan.map_expressions(|expr| expr.transform_up(|part| Ok(turned(part))))
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

fn turned(expr: Expr) -> Transformed<Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right })
            if matches!(*left, Expr::Literal(..)) && !matches!(*right, Expr::Literal(..)) =>
        {
            match op.swap() {
                Some(op) => Transformed::yes(Expr::BinaryExpr(BinaryExpr { left: right, op, right: left })),
                None => Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })),
            }
        }
        other => Transformed::no(other),
    }
}
