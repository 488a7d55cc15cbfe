//! The place of an answer in a plan: a table that reads what was drawn, and nothing before it was.

use super::super::faults;
use super::question::{Draft, margin};
use crate::error::QueryError;
use crate::query::leaf::{nothing_below, shown_by_name};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Column, Result};
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Aggregate, Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, Partitioning, PlanProperties};
use parking_lot::Mutex;
use std::{fmt, sync::Arc};

/// Tables of answers are called so, with a number; names of the asker's cannot begin with it.
pub(super) const NAME: &str = "__cogov_noise";

/// Holds an answer once it was drawn.
pub(super) struct Slot {
    schema: SchemaRef,
    answer: Mutex<Option<RecordBatch>>,
}

impl Slot {
    pub(super) fn new(schema: SchemaRef) -> Arc<Self> {
        Arc::new(Self { schema, answer: Mutex::default() })
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Takes an answer in.
    ///
    /// # Errors
    /// When it has other columns than the question.
    pub(super) fn fill(&self, answer: RecordBatch) -> std::result::Result<(), QueryError> {
        if answer.schema().fields() != self.schema.fields() {
            return Err(QueryError::internal());
        }
        *self.answer.lock() = Some(answer);
        Ok(())
    }
}

/// The scan that takes an aggregate's place: the same columns under the same names, and beside them margins.
pub(super) fn scan(draft: &Draft, node: &Aggregate, number: usize) -> Result<LogicalPlan> {
    let name = format!("{NAME}_{number}");
    let table = Drawn { slot: Arc::clone(&draft.slot) };
    let source = provider_as_source(Arc::new(table) as Arc<dyn TableProvider>);
    let renamed = node.schema.iter().enumerate().map(|(place, (relation, field))| {
        let column = Expr::Column(Column::new(Some(name.as_str()), format!("c{place}")));
        column.alias_qualified(relation.cloned(), field.name())
    });
    LogicalPlanBuilder::scan(name.as_str(), source, None)?.project(renamed.collect::<Vec<_>>())?.build()
}

/// The margin column of a figure's column, when the table is one of answers.
pub(super) fn margin_of(column: &Column, schema: &SchemaRef) -> Option<Column> {
    let relation = column.relation.as_ref().filter(|r| r.table().starts_with(NAME))?;
    let place: usize = column.name.strip_prefix('c')?.parse().ok()?;
    let name = margin(place);
    schema.field_with_name(&name).ok()?;
    Some(Column::new(Some(relation.clone()), name))
}

/// The table of an answer.
struct Drawn {
    slot: Arc<Slot>,
}

impl fmt::Debug for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Drawn")
    }
}

#[async_trait]
impl TableProvider for Drawn {
    fn schema(&self) -> SchemaRef {
        self.slot.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let whole = self.slot.schema();
        let places = projection.cloned().unwrap_or_else(|| (0..whole.fields().len()).collect());
        let schema = Arc::new(whole.project(&places)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Arc::new(Reader {
            slot: Arc::clone(&self.slot),
            places,
            schema,
            properties: Arc::new(properties),
        }))
    }
}

/// Reads a slot when it runs.
struct Reader {
    slot: Arc<Slot>,
    places: Vec<usize>,
    schema: SchemaRef,
    properties: Arc<PlanProperties>,
}

shown_by_name!(Reader, "Reader");

impl ExecutionPlan for Reader {
    nothing_below!("Reader");

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        // An answer that was not drawn is none: the question was never paid for.
        let answer = self.slot.answer.lock().clone().ok_or_else(faults::broken)?;
        let batch = answer.project(&self.places)?;
        let rows = futures::stream::iter([Ok(batch)]);
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }
}
