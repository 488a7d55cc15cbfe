//! A raw table as a source of plans that an optimiser makes: those of links, of verifications and of what noise looks up.

use super::objects::RawTable;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Statistics, stats::Precision};
use datafusion::datasource::TableType;
use datafusion::error::Result as PlanResult;
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_expr_common::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExecBuilder;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A raw table as a plan reads it.
#[derive(Debug)]
pub(super) struct RawProvider {
    table: Arc<RawTable>,
    schema: SchemaRef,
    /// At most so many; as many as the session wants when none.
    partitions: Option<usize>,
    /// Over all its columns: what rows are left out by.
    met: Option<Arc<dyn PhysicalExpr>>,
}

impl RawProvider {
    /// All of it, in as many partitions as the session wants.
    pub(super) fn all(table: &Arc<RawTable>) -> Self {
        Self { table: Arc::clone(table), schema: table.schema(), partitions: None, met: None }
    }

    /// The rows that meet a condition, which the optimiser does not see: beside it, it might take a condition of a scope
    /// for superfluous.
    ///
    /// # Errors
    /// When the condition names what is no column of the table.
    pub(super) fn meeting(table: &Arc<RawTable>, met: Option<Arc<dyn PhysicalExpr>>) -> PlanResult<Self> {
        let all = Self::all(table);
        let met = met.map(|met| reassign_expr_columns(met, &all.schema)).transpose()?;
        Ok(Self { met, ..all })
    }

    /// The same with the numbers of rows, in one partition, so that rows keep their order where a join collects them.
    pub(super) fn in_one(self) -> Self {
        Self { schema: Arc::clone(self.table.numbered_schema()), partitions: Some(1), ..self }
    }

    /// Some columns of the rows that meet the condition, the first so many of them at most.
    fn chosen(
        &self,
        met: &Arc<dyn PhysicalExpr>,
        wanted: &[usize],
        partitions: usize,
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let access = self.table.access(Some(met));
        let named = collect_columns(met).into_iter().map(|column| column.index());
        // In the order of the table: an optimiser may put a projection through the filter only where both are in one order.
        let read: Vec<usize> =
            wanted.iter().copied().chain(named).collect::<BTreeSet<_>>().into_iter().collect();
        let parts = RawTable::partitions(&access, partitions);
        let rows = self.table.read(None, &read, &access, &parts, None)?;
        let met = reassign_expr_columns(Arc::clone(met), &rows.schema())?;
        let places = wanted.iter().filter_map(|column| read.binary_search(column).ok()).collect();
        let filter = FilterExecBuilder::new(met, rows).apply_projection(Some(places))?.with_fetch(limit);
        Ok(Arc::new(filter.build()?))
    }
}

#[async_trait]
impl TableProvider for RawProvider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = Precision::Inexact(self.table.rows());
        Some(statistics)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let partitions = self.partitions.unwrap_or_else(|| state.config().target_partitions());
        let all = || (0..self.schema.fields().len()).collect();
        let columns = projection.cloned().unwrap_or_else(all);
        if let Some(met) = &self.met {
            return self.chosen(met, &columns, partitions, limit);
        }
        let access = self.table.access(None);
        let parts = RawTable::partitions(&access, partitions);
        self.table.read(None, &columns, &access, &parts, limit)
    }
}
