//! What is known of the rows of an outer join, a union, grouping sets or a window: nothing but their columns. And the optimiser that
//! heeds it.
//!
//! DataFusion 55 takes what was constant on the side that an outer join pads with nulls for constant in the result
//! (`EquivalenceGroup::join`), the literals of two branches of a union for one constant, and constant keys that grouping sets
//! fill with nulls for constant ones; and of a window that is ordered by a constant it takes rows for sorted by their rank and whatever
//! follows. It leaves sorts by them out, and takes groups by them for sorted. So a node stands between
//! these and what is planned above them that forgets what was known.

use super::faults;
use super::planted::{Fault, planted};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result, Statistics};
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_expr_common::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::CardinalityEffect;
use datafusion::physical_plan::joins::{
    HashJoinExec, NestedLoopJoinExec, PiecewiseMergeJoinExec, SortMergeJoinExec, SymmetricHashJoinExec,
};
use datafusion::physical_plan::statistics::ChildStats;
use datafusion::physical_plan::union::{InterleaveExec, UnionExec};
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, StatisticsArgs,
};
use std::fmt;
use std::sync::Arc;

/// DataFusion's physical optimiser with a rule that makes outer joins, unions and grouping sets forget what was constant in their inputs,
/// before whatever looks at orders. Sessions of DataFusion alone need it too when their answers are compared with ours.
///
/// Filters stay where the logical plan has them: DataFusion 55 finds out by the names of columns alone which side of a join a
/// filter belongs to, and moves one that compares two columns of the same name, one of each side, into either of them.
#[must_use]
pub fn sound_optimiser() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = optimiser_below();
    // An open barrier shows nothing to an optimiser that moves nothing: the fault is a barrier that a moved filter passes.
    rules.retain(|rule| planted(Fault::BarrierOpen) || !rule.name().starts_with("FilterPushdown"));
    rules
}

/// The same for what lies below barriers and statistics, where filters let scans leave row groups out. Joins there are inner
/// ones or follow the link of a scope, so that no filter over the columns of both sides stays above one.
pub(super) fn optimiser_below() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    // Counts of what is known to have so many rows, but with no eye for two of the same with another FILTER. Behind barriers
    // nothing is known so well; the fault is one that says that it is.
    rules.retain(|rule| planted(Fault::CountFromMetadata) || rule.name() != "aggregate_statistics");
    let place = rules.iter().position(|rule| rule.name() == "EnsureRequirements").unwrap_or(0);
    rules.insert(place, Arc::new(Forget));
    let gentle = |rule: Rule| -> Rule {
        if rule.name() == "ProjectionPushdown" { Arc::new(OrAsItWas(rule)) } else { rule }
    };
    rules.into_iter().map(gentle).collect()
}

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// A rule that may fail, which leaves the plan as it was: DataFusion's moves what the condition of a join computes below it, and
/// then does not find its own columns where both sides are of one name (`full join … on a.day = b.org where …`).
#[derive(Debug)]
struct OrAsItWas(Rule);

impl PhysicalOptimizerRule for OrAsItWas {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match self.0.optimize(Arc::clone(&plan), config) {
            Err(error) if matches!(error.find_root(), DataFusionError::Internal(_)) => Ok(plan),
            done => done,
        }
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

/// Puts [`Forgetting`] above every outer join, union, aggregate over grouping sets and window.
#[derive(Debug)]
struct Forget;

impl PhysicalOptimizerRule for Forget {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let forget = |node: Arc<dyn ExecutionPlan>| {
            let outer = matches!(join_type(&node), Some(JoinType::Left | JoinType::Right | JoinType::Full));
            let union = node.is::<UnionExec>() || node.is::<InterleaveExec>();
            let sets =
                node.downcast_ref::<AggregateExec>().is_some_and(|a| a.group_expr().has_grouping_set());
            let window = node.is::<WindowAggExec>() || node.is::<BoundedWindowAggExec>();
            Ok(match outer || union || sets || window {
                true => Transformed::yes(Arc::new(Forgetting::new(node)) as Arc<dyn ExecutionPlan>),
                false => Transformed::no(node),
            })
        };
        plan.transform_up(forget).map(|done| done.data)
    }

    fn name(&self) -> &str {
        "Forget"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn join_type(node: &Arc<dyn ExecutionPlan>) -> Option<JoinType> {
    let hash = || node.downcast_ref::<HashJoinExec>().map(|join| *join.join_type());
    let loops = || node.downcast_ref::<NestedLoopJoinExec>().map(|join| *join.join_type());
    let merge = || node.downcast_ref::<SortMergeJoinExec>().map(SortMergeJoinExec::join_type);
    let symmetric = || node.downcast_ref::<SymmetricHashJoinExec>().map(|join| *join.join_type());
    let pieces = || node.downcast_ref::<PiecewiseMergeJoinExec>().map(PiecewiseMergeJoinExec::join_type);
    hash().or_else(loops).or_else(merge).or_else(symmetric).or_else(pieces)
}

/// Passes rows on.
#[derive(Debug)]
struct Forgetting {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl Forgetting {
    fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            input.output_partitioning().clone(),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self { input, properties: Arc::new(properties) }
    }
}

impl DisplayAs for Forgetting {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Forgetting")
    }
}

impl ExecutionPlan for Forgetting {
    fn name(&self) -> &str {
        "Forgetting"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next().ok_or_else(faults::broken)?;
        Ok(Arc::new(Self::new(input)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }

    fn child_stats_requests(&self, partition: Option<usize>) -> Vec<ChildStats> {
        vec![ChildStats::At(partition)]
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        inputs.first().cloned().ok_or_else(faults::broken)
    }
}
