//! The cells of a statistic: its answers and the rows behind each, matched by their groups.

use super::faults;
use super::guarded::Shown;
use super::planted::{Fault, planted};
use crate::error::QueryError;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, nullif, take};
use arrow::datatypes::{DataType, Float64Type, Schema, SchemaRef, UInt64Type};
use arrow::record_batch::RecordBatchOptions;
use arrow::row::{RowConverter, SortField};
use cogov_disclosure::{Cell, CellShown};
use datafusion::error::Result as PlanResult;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use std::collections::HashMap;
use std::sync::Arc;

type Done<T> = Result<T, QueryError>;

/// Groups that one statement may have beneath it.
const GROUPS: usize = 1 << 20;

/// The group of a row: its values in a form that compares.
type Group = Box<[u8]>;

/// The answers of a statistic, every group of it.
pub(super) struct Answers {
    batch: RecordBatch,
    groups: Vec<Group>,
    columns: usize,
    _memory: MemoryReservation,
}

/// The rows behind the groups.
pub(super) struct Collected {
    cells: HashMap<Group, Cell>,
    _memory: MemoryReservation,
}

/// An answered group: its row, its group, and whether all its members share a sensitive value.
pub(super) struct Place {
    row: u32,
    group: Group,
    concentrated: bool,
}

fn internal<E>(_: E) -> QueryError {
    QueryError::internal()
}

fn reservation(context: &TaskContext) -> MemoryReservation {
    MemoryConsumer::new("cogov-cells").register(&context.runtime_env().memory_pool)
}

fn converter(schema: &Schema, columns: usize) -> Done<RowConverter> {
    let fields = schema.fields().iter().take(columns);
    RowConverter::new(fields.map(|f| SortField::new(f.data_type().clone())).collect()).map_err(internal)
}

/// The groups of the leading columns of a batch.
fn groups(converter: &RowConverter, batch: &RecordBatch, columns: usize) -> Done<Vec<Group>> {
    if columns == 0 {
        return Ok(vec![Group::default(); batch.num_rows()]);
    }
    let leading: Vec<ArrayRef> = batch.columns().iter().take(columns).cloned().collect();
    let rows = converter.convert_columns(&leading).map_err(internal)?;
    Ok(rows.iter().map(|row| row.as_ref().into()).collect())
}

/// Runs the plan of the answers.
pub(super) async fn answers(
    plan: &Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
    columns: usize,
) -> Done<Answers> {
    let memory = reservation(context);
    let mut stream =
        execute_stream(Arc::clone(plan), Arc::clone(context)).map_err(|e| faults::running(&e))?;
    let mut batches = Vec::new();
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|e| faults::running(&e))?;
        rows += batch.num_rows();
        if rows > GROUPS {
            return Err(faults::out_of_memory());
        }
        memory.try_grow(2 * batch.get_array_memory_size()).map_err(|_| faults::out_of_memory())?;
        batches.push(batch);
    }
    let batch = concat_batches(&plan.schema(), &batches).map_err(internal)?;
    let groups = groups(&converter(batch.schema_ref(), columns)?, &batch, columns)?;
    Ok(Answers { batch, groups, columns, _memory: memory })
}

/// Runs the plan of the members: groups, a number for each measure, a key for each table.
pub(super) async fn collect(
    plan: &Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
    columns: usize,
    measures: usize,
    tables: usize,
) -> Done<Collected> {
    let memory = reservation(context);
    let converter = converter(&plan.schema(), columns)?;
    let mut stream =
        execute_stream(Arc::clone(plan), Arc::clone(context)).map_err(|e| faults::running(&e))?;
    let mut cells: HashMap<Group, Cell> = HashMap::new();
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|e| faults::running(&e))?;
        // What a row takes, with the spare room of growing vectors.
        let size = 2 * 8 * (measures + tables) * batch.num_rows();
        memory.try_grow(size).map_err(|_| faults::out_of_memory())?;
        let groups = groups(&converter, &batch, columns)?;
        let values = columns_of::<Float64Type>(&batch, columns, measures)?;
        let keys = columns_of::<UInt64Type>(&batch, columns + measures, tables)?;
        for (row, group) in groups.into_iter().enumerate() {
            if !cells.contains_key(&group) {
                memory.try_grow(group.len() + 200).map_err(|_| faults::out_of_memory())?;
            }
            let cell = cells.entry(group).or_insert_with(|| Cell {
                keys: vec![Vec::new(); tables],
                values: vec![Vec::new(); measures],
            });
            for (into, column) in cell.values.iter_mut().zip(&values) {
                into.push(if column.is_null(row) { f64::NAN } else { column.value(row) });
            }
            for (into, column) in cell.keys.iter_mut().zip(&keys) {
                into.push(column.value(row));
            }
        }
        if cells.len() > GROUPS {
            return Err(faults::out_of_memory());
        }
    }
    Ok(Collected { cells, _memory: memory })
}

fn columns_of<T: arrow::datatypes::ArrowPrimitiveType>(
    batch: &RecordBatch,
    from: usize,
    count: usize,
) -> Done<Vec<arrow::array::PrimitiveArray<T>>> {
    let columns = batch.columns().iter().skip(from).take(count);
    columns.map(|c| c.as_primitive_opt::<T>().cloned().ok_or_else(QueryError::internal)).collect()
}

impl Collected {
    /// The answered groups, those of most rows first: they are the most useful, and the last that should be hidden.
    pub(super) fn order(&self, answers: &Answers, sensitive: &[usize]) -> Done<Vec<Place>> {
        let concentrated = answers.concentrated(sensitive)?;
        let places = answers.groups.iter().zip(concentrated).zip(0_u32..);
        let mut places: Vec<Place> = places
            .filter(|((group, _), _)| self.cells.contains_key(*group))
            .map(|((group, concentrated), row)| Place { row, group: group.clone(), concentrated })
            .collect();
        let size =
            |place: &Place| self.cells.get(&place.group).and_then(|c| c.keys.first()).map_or(0, Vec::len);
        places.sort_by(|a, b| size(b).cmp(&size(a)).then_with(|| a.group.cmp(&b.group)));
        Ok(places)
    }

    pub(super) fn cells(&self, order: &[Place]) -> Vec<(&Cell, bool)> {
        let cell = |place: &Place| self.cells.get(&place.group).map(|cell| (cell, place.concentrated));
        order.iter().filter_map(cell).collect()
    }
}

impl Answers {
    /// For each group, whether a sensitive column has one value only in all groups that agree on the other columns: then
    /// it is the value of every member.
    fn concentrated(&self, sensitive: &[usize]) -> Done<Vec<bool>> {
        let mut all = vec![false; self.groups.len()];
        for position in sensitive {
            let others: Vec<ArrayRef> = (0..self.columns)
                .filter(|column| column != position)
                .filter_map(|column| self.batch.columns().get(column).cloned())
                .collect();
            let fields = others.iter().map(|c| SortField::new(c.data_type().clone())).collect();
            let converter = RowConverter::new(fields).map_err(internal)?;
            let classes: Vec<Group> = match others.is_empty() {
                true => vec![Group::default(); self.groups.len()],
                false => {
                    let rows = converter.convert_columns(&others).map_err(internal)?;
                    rows.iter().map(|row| row.as_ref().into()).collect()
                }
            };
            let mut sizes: HashMap<&Group, usize> = HashMap::new();
            classes.iter().for_each(|class| *sizes.entry(class).or_default() += 1);
            for (flag, class) in all.iter_mut().zip(&classes) {
                *flag |= sizes.get(class) == Some(&1);
            }
        }
        Ok(all)
    }

    /// The rows that are shown, what is hidden in them null.
    pub(super) fn shown(
        &self,
        order: &[Place],
        verdicts: &[CellShown],
        columns: &[Shown],
        schema: &SchemaRef,
    ) -> Done<RecordBatch> {
        let mut rows: Vec<(u32, bool, &[bool])> = Vec::new();
        for (place, verdict) in order.iter().zip(verdicts) {
            if let CellShown::Row(all, figures) = verdict {
                rows.push((place.row, *all, figures));
            } else if planted(Fault::SmallFiguresShown) {
                rows.push((place.row, true, &[]));
            }
        }
        rows.sort_unstable_by_key(|(row, _, _)| *row);
        let indices: UInt32Array = rows.iter().map(|(row, _, _)| *row).collect::<Vec<_>>().into();
        let column = |shown: &Shown| -> PlanResult<ArrayRef> {
            let (Shown::Group(at) | Shown::Value(at, _)) = shown;
            let whole = self.batch.columns().get(*at).ok_or_else(faults::broken)?;
            let picked = take(whole, &indices, None)?;
            let Shown::Value(_, measure) = shown else { return Ok(picked) };
            let hidden = rows.iter().map(|(_, all, figures)| {
                Some(!measure.map_or(*all, |m| figures.get(m).copied().unwrap_or(false)))
            });
            if planted(Fault::SmallFiguresShown) {
                return Ok(picked);
            }
            Ok(nullif(&picked, &hidden.collect::<BooleanArray>())?)
        };
        let columns = columns.iter().map(column).collect::<PlanResult<Vec<_>>>().map_err(internal)?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(internal)
    }
}

/// The type in which a measure's numbers are collected.
pub(super) const NUMBER: DataType = DataType::Float64;
