//! The logical optimiser: DataFusion's rules, but for what of them changes answers.

use super::conjuncts::PushDown;
use super::simplify::Simplify;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality, Result};
use datafusion::logical_expr::{Expr, Join, LogicalPlan, Projection};
use datafusion::optimizer::eliminate_cross_join::EliminateCrossJoin;
use datafusion::optimizer::optimizer::{ApplyOrder, Optimizer};
use datafusion::optimizer::propagate_empty_relation::PropagateEmptyRelation;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use std::sync::Arc;

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// DataFusion's rules without their mistakes. Sessions of DataFusion alone need them too when their answers are compared
/// with ours.
#[must_use]
pub fn sound_rules() -> Vec<Rule> {
    let sound = |rule: Rule| -> Option<Rule> {
        match rule.name() {
            "simplify_expressions" => Some(Arc::new(Simplify)),
            "push_down_filter" => Some(Arc::new(PushDown(PushDownFilter::new()))),
            "eliminate_cross_join" => Some(Arc::new(CrossJoins(EliminateCrossJoin::new()))),
            "propagate_empty_relation" => Some(Arc::new(EmptyRelations(PropagateEmptyRelation::new()))),
            // It puts the columns of unions in unions together by name.
            "optimize_unions" => None,
            _ => Some(rule),
        }
    };
    Optimizer::new().rules.into_iter().filter_map(sound).collect()
}

/// DataFusion's rule makes one chain of joins of many, of which all take nulls for equal where the topmost does. It
/// leaves alone a plan in which one of them does.
#[derive(Debug)]
struct CrossJoins(EliminateCrossJoin);

impl OptimizerRule for CrossJoins {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let inner = |join: &Join| {
            join.join_type == JoinType::Inner && join.null_equality == NullEquality::NullEqualsNull
        };
        // It goes into subqueries by itself.
        let mut any = false;
        plan.apply_with_subqueries(|node| {
            any |= matches!(node, LogicalPlan::Join(join) if inner(join));
            Ok(if any { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        if any { Ok(Transformed::no(plan)) } else { self.0.rewrite(plan, config) }
    }
}

/// DataFusion's rule leaves out what is empty of a union, and where one input stays puts a projection above it that says
/// that its columns bear the names of the union, and gives them none: another rule finds those of the input, and the plan
/// contradicts itself.
#[derive(Debug)]
struct EmptyRelations(PropagateEmptyRelation);

impl OptimizerRule for EmptyRelations {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let empty = |input: &Arc<LogicalPlan>| matches!(input.as_ref(), LogicalPlan::EmptyRelation(none) if !none.produce_one_row);
        let LogicalPlan::Union(union) = &plan else { return self.0.rewrite(plan, config) };
        let stay: Vec<&Arc<LogicalPlan>> = union.inputs.iter().filter(|input| !empty(input)).collect();
        let [input] = stay.as_slice() else { return self.0.rewrite(plan, config) };
        let columns = input.schema().columns().into_iter().zip(union.schema.columns());
        let named = columns.map(|(is, named)| Expr::Column(is).alias_qualified(named.relation, named.name));
        let named = Projection::try_new(named.collect(), Arc::clone(input))?;
        Ok(Transformed::yes(LogicalPlan::Projection(named)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_stand_in_their_places() {
        let ours: Vec<String> = sound_rules().iter().map(|rule| rule.name().to_owned()).collect();
        let theirs = Optimizer::new().rules;
        let theirs: Vec<String> = theirs.iter().map(|rule| rule.name().to_owned()).collect();
        let kept: Vec<&String> = theirs.iter().filter(|name| *name != "optimize_unions").collect();
        assert_eq!(ours.iter().collect::<Vec<_>>(), kept);
        assert!(theirs.len() > ours.len(), "{theirs:?}");
        for own in ["Simplify", "PushDown(", "CrossJoins(", "EmptyRelations("] {
            assert!(sound_rules().iter().any(|rule| format!("{rule:?}").starts_with(own)), "{own}");
        }
    }
}
