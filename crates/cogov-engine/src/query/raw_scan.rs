//! A scan of a raw table that may be run again: each partition's reader, and what it measures of itself, is made when it
//! runs and goes with it.

use super::faults;
use super::leaf::{nothing_below, shown_by_name};
use super::objects::RawTable;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::datasource::physical_plan::parquet::ParquetAccessPlan;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_expr_common::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::{ExecutionPlan, Partitioning, PlanProperties};
use std::sync::Arc;

/// Rows that are read sooner than Bloom filters are.
const FEW: usize = 16_384;

/// The scan. It lies below barriers only.
pub(super) struct RawScan {
    raw: Arc<RawTable>,
    columns: Vec<usize>,
    /// Over all columns of the table: what the reader may leave out besides, by what lies in the object itself.
    condition: Option<Arc<dyn PhysicalExpr>>,
    /// What the footer rules out already.
    access: ParquetAccessPlan,
    /// Row groups.
    partitions: Vec<Vec<usize>>,
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
}

impl RawScan {
    /// A scan of what may meet the condition, in so many partitions at most.
    pub(super) fn new(
        raw: &Arc<RawTable>,
        columns: &[usize],
        condition: Option<Arc<dyn PhysicalExpr>>,
        partitions: usize,
        limit: Option<usize>,
    ) -> Result<Self> {
        let access = raw.access(condition.as_ref());
        let condition = condition.filter(|_| raw.rows_of(&access) > FEW);
        let partitions = RawTable::partitions(&access, partitions);
        let schema: SchemaRef = Arc::new(raw.numbered_schema().project(columns)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let (raw, columns) = (Arc::clone(raw), columns.to_vec());
        Ok(Self { raw, columns, condition, access, partitions, limit, properties: Arc::new(properties) })
    }
}

shown_by_name!(RawScan, "RawScan");

impl ExecutionPlan for RawScan {
    nothing_below!("RawScan");

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let part = self.partitions.get(partition).cloned().ok_or_else(faults::broken)?;
        let reader =
            self.raw.read(self.condition.as_ref(), &self.columns, &self.access, &[part], self.limit)?;
        reader.execute(0, context)
    }
}
