//! Which row groups and pages of an object can hold a row that meets a condition, by the least and greatest values of each.
//!
//! The reader would find the same each time it runs, one row group after the other; known once while planning, a lookup by
//! key opens one row group and reads a few pages, as often as its plan is run.

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::Schema;
use datafusion::common::{Column, ScalarValue, pruning::PruningStatistics};
use datafusion::datasource::physical_plan::parquet::{
    PagePruningAccessPlanFilter, ParquetAccessPlan, ParquetFileMetrics,
};
use datafusion::physical_expr_common::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::metadata::ParquetMetaData;
use std::{collections::HashSet, sync::Arc};

/// What may hold a row for which the condition holds; everything where nothing is known.
pub(super) fn access(
    footer: &ParquetMetaData,
    schema: &Arc<Schema>,
    condition: Option<&Arc<dyn PhysicalExpr>>,
) -> ParquetAccessPlan {
    let Some(condition) = condition else { return ParquetAccessPlan::new_all(footer.num_row_groups()) };
    let mut access = ParquetAccessPlan::new_none(footer.num_row_groups());
    row_groups(footer, schema, condition).into_iter().for_each(|group| access.scan(group));
    if footer.column_index().is_none() || footer.offset_index().is_none() {
        return access;
    }
    let unseen = ParquetFileMetrics::new(0, "", &ExecutionPlanMetricsSet::new());
    PagePruningAccessPlanFilter::new(condition, Arc::clone(schema)).prune_plan_with_page_index(
        access,
        schema,
        footer.file_metadata().schema_descr(),
        footer,
        &unseen,
    )
}

/// The row groups that may hold a row for which the condition holds; all of them where nothing is known.
fn row_groups(
    footer: &ParquetMetaData,
    schema: &Arc<Schema>,
    condition: &Arc<dyn PhysicalExpr>,
) -> Vec<usize> {
    let all = 0..footer.num_row_groups();
    if all.len() < 2 {
        return all.collect();
    }
    let builder = PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema));
    let Ok(predicate) = builder.try_build(Arc::clone(condition)) else {
        return all.collect();
    };
    match predicate.prune(&Extremes { footer, schema }) {
        Ok(may) => all.zip(may).filter_map(|(group, may)| may.then_some(group)).collect(),
        Err(_) => all.collect(),
    }
}

/// What a footer tells of the values of its row groups.
struct Extremes<'a> {
    footer: &'a ParquetMetaData,
    schema: &'a Schema,
}

impl Extremes<'_> {
    fn of(&self, column: &Column) -> Option<StatisticsConverter<'_>> {
        let file = self.footer.file_metadata().schema_descr();
        StatisticsConverter::try_new(column.name(), self.schema, file).ok()
    }
}

impl PruningStatistics for Extremes<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.of(column)?.row_group_mins(self.footer.row_groups()).ok()
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.of(column)?.row_group_maxes(self.footer.row_groups()).ok()
    }

    fn num_containers(&self) -> usize {
        self.footer.num_row_groups()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let nulls = self.of(column)?.row_group_null_counts(self.footer.row_groups()).ok()?;
        Some(Arc::new(nulls))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows = self.footer.row_groups().iter().map(|group| u64::try_from(group.num_rows()).ok());
        Some(Arc::new(arrow::array::UInt64Array::from_iter(rows)))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
