//! What is known of the rows of an outer join: nothing but their columns.
//!
//! DataFusion 55 takes what was constant on the side that an outer join pads with nulls for constant in the result
//! (`EquivalenceGroup::join`), leaves sorts by it out, and could take groups by it for sorted. So a node stands between such a
//! join and what is planned above it that forgets what was known.

use super::faults;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_expr_common::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::joins::{
    HashJoinExec, NestedLoopJoinExec, PiecewiseMergeJoinExec, SortMergeJoinExec, SymmetricHashJoinExec,
};
use datafusion::physical_plan::statistics::ChildStats;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties, StatisticsArgs,
};
use std::fmt;
use std::sync::Arc;

/// DataFusion's physical optimiser with the rule before whatever looks at orders.
pub(super) fn optimiser() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    let place = rules.iter().position(|rule| rule.name() == "EnsureRequirements").unwrap_or(0);
    rules.insert(place, Arc::new(OuterJoins));
    rules
}

/// Puts [`Padded`] above every outer join.
#[derive(Debug)]
struct OuterJoins;

impl PhysicalOptimizerRule for OuterJoins {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let pad = |node: Arc<dyn ExecutionPlan>| match join_type(&node) {
            Some(JoinType::Left | JoinType::Right | JoinType::Full) => {
                Ok(Transformed::yes(Arc::new(Padded::new(node)) as Arc<dyn ExecutionPlan>))
            }
            _ => Ok(Transformed::no(node)),
        };
        plan.transform_up(pad).map(|done| done.data)
    }

    fn name(&self) -> &str {
        "OuterJoins"
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

/// Passes the rows of an outer join on.
#[derive(Debug)]
struct Padded {
    join: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl Padded {
    fn new(join: Arc<dyn ExecutionPlan>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(join.schema()),
            join.output_partitioning().clone(),
            join.pipeline_behavior(),
            join.boundedness(),
        );
        Self { join, properties: Arc::new(properties) }
    }
}

impl DisplayAs for Padded {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Padded")
    }
}

impl ExecutionPlan for Padded {
    fn name(&self) -> &str {
        "Padded"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.join]
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
        let join = children.into_iter().next().ok_or_else(faults::broken)?;
        Ok(Arc::new(Self::new(join)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.join.execute(partition, context)
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
