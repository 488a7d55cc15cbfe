//! The physical barrier: policy below, the asker's operators above, and nothing passes but released rows.
//!
//! Without it an optimiser merges the asker's predicate with the row filter, runs it on hidden rows, and an
//! error prints their values. A barrier is a leaf: it shows no children, no ordering, no column statistics
//! and no metrics; no predicate is pushed into it except those its provider took when it was planned.

use super::faults;
use super::in_order::InOrder;
use super::leaf::{nothing_below, shown_by_name};
use super::planted::{Fault, planted};
use super::watch::watched;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::{Result, Statistics, stats::Precision};
use datafusion::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, reset_plan_states};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties, StatisticsArgs,
};
use futures::StreamExt;
use std::sync::Arc;

/// How rows pass.
pub(super) enum Passage {
    /// As they are read: every row of the table may pass.
    AsRead(Arc<dyn ExecutionPlan>),
    /// In one order and in full batches: some rows are withheld.
    InOrder(InOrder),
    /// The same by way of the optimiser, whose scans keep what they measured: runs once.
    Linked(InOrder),
}

/// A governed plan, closed towards what stands above.
pub(super) struct Barrier {
    passage: Passage,
    schema: SchemaRef,
    rows: usize,
    properties: Arc<PlanProperties>,
}

impl Barrier {
    /// Closes what was planned on its own. `rows` is a public guess of its rows.
    ///
    /// # Errors
    /// When its operators cannot be watched.
    pub(super) fn new(passage: Passage, schema: SchemaRef, rows: usize) -> Result<Self> {
        let (passage, partitions) = match passage {
            Passage::AsRead(plan) => {
                let partitions = plan.output_partitioning().partition_count();
                (Passage::AsRead(watched(plan)?), partitions)
            }
            Passage::InOrder(rows) => (Passage::InOrder(InOrder { rows: watched(rows.rows)?, ..rows }), 1),
            Passage::Linked(rows) => (Passage::Linked(InOrder { rows: watched(rows.rows)?, ..rows }), 1),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self { passage, schema, rows, properties: Arc::new(properties) })
    }

    /// Whether it may run more than once.
    pub(super) const fn runs_again(&self) -> bool {
        !matches!(self.passage, Passage::Linked(_))
    }

    fn estimate(&self) -> Arc<Statistics> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = match planted(Fault::CountFromMetadata) {
            true => Precision::Exact(self.rows),
            false => Precision::Inexact(self.rows),
        };
        Arc::new(statistics)
    }
}

shown_by_name!(Barrier, "Barrier");

impl ExecutionPlan for Barrier {
    nothing_below!("Barrier");

    /// What lies below keeps its state from run to run as well.
    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        let passage = match &self.passage {
            Passage::AsRead(plan) => Passage::AsRead(reset_plan_states(Arc::clone(plan))?),
            Passage::InOrder(rows) => {
                let below = reset_plan_states(Arc::clone(&rows.rows))?;
                Passage::InOrder(InOrder { rows: below, ..rows.clone() })
            }
            Passage::Linked(_) => return Err(faults::broken()),
        };
        let (schema, properties) = (Arc::clone(&self.schema), Arc::clone(&self.properties));
        Ok(Arc::new(Self { passage, schema, rows: self.rows, properties }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let inner = match &self.passage {
            Passage::AsRead(plan) => plan.execute(partition, context).map_err(faults::below)?,
            Passage::InOrder(rows) | Passage::Linked(rows) => rows.stream(&context),
        };
        let schema = Arc::clone(&self.schema);
        let batches = inner.map(move |batch| relabel(&batch.map_err(faults::below)?, &schema));
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches)))
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        Ok(self.estimate())
    }

    fn handle_child_pushdown_result(
        &self,
        _: FilterPushdownPhase,
        result: ChildPushdownResult,
        _: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        Ok(FilterPushdownPropagation::all_unsupported(result))
    }
}

/// The same columns under the declared schema, whose fields are all nullable and carry no metadata.
fn relabel(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), batch.columns().to_vec(), &options)
        .map_err(|_| faults::broken())
}
