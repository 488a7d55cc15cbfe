//! The physical barrier: policy below, the asker's operators above, and nothing passes but released rows.
//!
//! Without it an optimiser merges the asker's predicate with the row filter, runs it on hidden rows, and an
//! error prints their values. A barrier is a leaf: it shows no children, no ordering, no column statistics
//! and no metrics; no predicate is pushed into it except those its provider took when it was planned.

use super::faults;
use super::in_order::in_order;
use super::planted::{Fault, planted};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::{Result, Statistics, stats::Precision, tree_node::TreeNodeRecursion};
use datafusion::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_expr_common::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning, PlanProperties,
    StatisticsArgs,
};
use futures::StreamExt;
use std::{fmt, sync::Arc};

/// How rows pass.
#[derive(Debug, Clone, Copy)]
pub(super) enum Passage {
    /// As they are read: every row of the table may pass.
    AsRead,
    /// In one order and in full batches, the first so many: some rows are withheld.
    InOrder(Option<usize>),
}

/// A governed plan, closed towards what stands above.
pub(super) struct Barrier {
    inner: Arc<dyn ExecutionPlan>,
    passage: Passage,
    schema: SchemaRef,
    rows: usize,
    properties: Arc<PlanProperties>,
}

impl Barrier {
    /// Closes a plan that was already optimised on its own. `rows` is a public guess of its rows.
    ///
    /// # Errors
    /// When its operators cannot be watched.
    pub(super) fn new(
        inner: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        rows: usize,
        passage: Passage,
    ) -> Result<Self> {
        let inner = super::watch::checkpoints(inner)?;
        let partitions = match passage {
            Passage::AsRead => inner.output_partitioning().partition_count(),
            Passage::InOrder(_) => 1,
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self { inner, passage, schema, rows, properties: Arc::new(properties) })
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

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Barrier")
    }
}

impl DisplayAs for Barrier {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Barrier")
    }
}

impl ExecutionPlan for Barrier {
    fn name(&self) -> &str {
        "Barrier"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
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
        if children.is_empty() { Ok(self) } else { Err(faults::broken()) }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let inner = match self.passage {
            Passage::AsRead => self.inner.execute(partition, context),
            Passage::InOrder(fetch) => in_order(&self.inner, &context, fetch),
        };
        let inner = inner.map_err(faults::below)?;
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
