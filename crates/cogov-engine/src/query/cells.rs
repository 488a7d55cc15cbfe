//! The cells of a statistic: its answers and the rows behind each, matched by their groups.

use super::faults;
use super::guarded::Shown;
use super::planted::{Fault, planted};
use crate::error::QueryError;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, is_null, nullif, take};
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema, SchemaRef};
use arrow::record_batch::RecordBatchOptions;
use arrow::row::{RowConverter, SortField};
use cogov_disclosure::{Cell, CellShown, Digest};
use datafusion::error::Result as PlanResult;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;
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
    /// Which cell a group is; groups are told apart as the aggregate beside it does.
    groups: Option<Box<dyn GroupValues>>,
    types: Vec<DataType>,
    /// Bytes that telling them apart takes.
    names: usize,
    cells: Vec<Cell>,
    memory: MemoryReservation,
}

/// The answered groups with the rows behind them, those of most rows first.
pub(super) struct Ordered {
    places: Vec<Place>,
    cells: Vec<Cell>,
    _memory: MemoryReservation,
}

/// An answered group: its row, its group, its cell, and whether all its members share a sensitive value.
struct Place {
    row: u32,
    group: Group,
    cell: usize,
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

/// Names what a statistic holds, in whatever order: of reals only whether they are shown, since their last digit may
/// depend on the order in which they were added.
pub(super) fn digest(batch: &RecordBatch) -> Done<Digest> {
    let column = |column: &ArrayRef| match column.data_type().is_floating() {
        true => is_null(column).map(|nulls| Arc::new(nulls) as ArrayRef).map_err(internal),
        false => Ok(Arc::clone(column)),
    };
    let columns = batch.columns().iter().map(column).collect::<Done<Vec<_>>>()?;
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone()));
    let converter = RowConverter::new(fields.collect()).map_err(internal)?;
    let rows = converter.convert_columns(&columns).map_err(internal)?;
    let mut rows: Vec<Group> = rows.iter().map(|row| row.as_ref().into()).collect();
    rows.sort_unstable();
    let lengths: Vec<[u8; 8]> = rows.iter().map(|row| (row.len() as u64).to_be_bytes()).collect();
    Ok(Digest::of(lengths.iter().zip(&rows).flat_map(|(length, row)| [length.as_slice(), row])))
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

/// Runs the plan of the members: groups, a number for each measure, the row of each table.
pub(super) async fn collect(
    plan: &Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
    columns: usize,
    measures: usize,
    tables: usize,
) -> Done<Collected> {
    let mut collected = Collected::new(&plan.schema(), columns, reservation(context))?;
    let mut stream =
        execute_stream(Arc::clone(plan), Arc::clone(context)).map_err(|e| faults::running(&e))?;
    while let Some(batch) = stream.next().await {
        let batch = batch.map_err(|e| faults::running(&e))?;
        collected.take(&batch, columns, measures, tables)?;
        if collected.cells.len() > GROUPS {
            return Err(faults::out_of_memory());
        }
    }
    Ok(collected)
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
    fn new(schema: &Schema, columns: usize, memory: MemoryReservation) -> Done<Self> {
        let leading: Vec<usize> = (0..columns).collect();
        let leading = Arc::new(schema.project(&leading).map_err(internal)?);
        let types = leading.fields().iter().map(|field| field.data_type().clone()).collect();
        let groups = (columns > 0).then(|| new_group_values(leading, &GroupOrdering::None));
        Ok(Self { groups: groups.transpose().map_err(internal)?, types, names: 0, cells: Vec::new(), memory })
    }

    /// The cell of each row of a batch, by the leading columns.
    fn places(&mut self, batch: &RecordBatch, columns: usize) -> Done<Vec<usize>> {
        let mut places = Vec::new();
        match &mut self.groups {
            None => places.resize(batch.num_rows(), 0),
            Some(groups) => {
                let leading: Vec<ArrayRef> = batch.columns().iter().take(columns).cloned().collect();
                if !leading.iter().map(|column| column.data_type()).eq(&self.types) {
                    return Err(QueryError::internal());
                }
                groups.intern(&leading, &mut places).map_err(internal)?;
            }
        }
        Ok(places)
    }

    fn take(&mut self, batch: &RecordBatch, columns: usize, measures: usize, tables: usize) -> Done<()> {
        let places = self.places(batch, columns)?;
        let known = self.cells.len();
        let groups = self.groups.as_ref().map_or(1, |groups| groups.len());
        self.cells.resize_with(groups.max(known), || Cell {
            rows: vec![Vec::new(); tables],
            values: vec![Vec::new(); measures],
        });
        // What a row takes, with the spare room of growing vectors, and what a new group does.
        let new = self.cells.len() - known;
        let names = if new > 0 { self.groups.as_ref().map_or(0, |groups| groups.size()) } else { self.names };
        let grown = names.saturating_sub(std::mem::replace(&mut self.names, names));
        let size = 2 * (8 * measures + 4 * tables) * batch.num_rows() + new * 100 + grown;
        self.memory.try_grow(size).map_err(|_| faults::out_of_memory())?;
        for (measure, column) in columns_of::<Float64Type>(batch, columns, measures)?.iter().enumerate() {
            for (place, value) in places.iter().zip(column) {
                let cell = self.cells.get_mut(*place).and_then(|cell| cell.values.get_mut(measure));
                cell.ok_or_else(QueryError::internal)?.push(value.unwrap_or(f64::NAN));
            }
        }
        for (table, column) in columns_of::<Int64Type>(batch, columns + measures, tables)?.iter().enumerate()
        {
            for (place, row) in places.iter().zip(column) {
                let row = row.and_then(|row| u32::try_from(row).ok()).ok_or_else(QueryError::internal)?;
                let cell = self.cells.get_mut(*place).and_then(|cell| cell.rows.get_mut(table));
                cell.ok_or_else(QueryError::internal)?.push(row);
            }
        }
        Ok(())
    }

    /// Whether each answer is over the rows that are weighed for it: as many of them, and of no other answer.
    fn check(&self, answers: &Answers, cells: &[usize]) -> Done<()> {
        let counts = answers.batch.columns().last().and_then(|counts| counts.as_primitive_opt::<Int64Type>());
        let counts = counts.ok_or_else(QueryError::internal)?;
        let mut met = vec![false; self.cells.len()];
        for (place, count) in cells.iter().zip(counts) {
            let Some((cell, met)) = self.cells.get(*place).zip(met.get_mut(*place)) else { continue };
            let rows = cell.rows.first().map_or(0, Vec::len);
            if std::mem::replace(met, true) || count.and_then(|c| usize::try_from(c).ok()) != Some(rows) {
                return Err(QueryError::internal());
            }
        }
        Ok(())
    }

    /// The answered groups, those of most rows first: they are the most useful, and the last that should be hidden.
    pub(super) fn order(mut self, answers: &Answers, sensitive: &[usize]) -> Done<Ordered> {
        let concentrated = answers.concentrated(sensitive)?;
        let cells = self.places(&answers.batch, answers.columns)?;
        self.check(answers, &cells)?;
        let places = answers.groups.iter().zip(concentrated).zip(cells).zip(0_u32..);
        let mut places: Vec<Place> = places
            .filter(|(((_, _), cell), _)| *cell < self.cells.len())
            .map(|(((group, concentrated), cell), row)| Place {
                row,
                group: group.clone(),
                cell,
                concentrated,
            })
            .collect();
        let size =
            |place: &Place| self.cells.get(place.cell).and_then(|c| c.rows.first()).map_or(0, Vec::len);
        places.sort_by(|a, b| size(b).cmp(&size(a)).then_with(|| a.group.cmp(&b.group)));
        Ok(Ordered { places, cells: self.cells, _memory: self.memory })
    }
}

impl Ordered {
    /// The cells, each with whether its members share a sensitive value.
    pub(super) fn cells(&self) -> Vec<(&Cell, bool)> {
        let cell = |place: &Place| self.cells.get(place.cell).map(|cell| (cell, place.concentrated));
        self.places.iter().filter_map(cell).collect()
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

    /// The rows that are shown, what is hidden in them null. The only row of a statistic without groups always is one, null
    /// where nothing may be shown.
    pub(super) fn shown(
        &self,
        order: &Ordered,
        verdicts: &[CellShown],
        columns: &[Shown],
        schema: &SchemaRef,
        protects: bool,
    ) -> Done<RecordBatch> {
        let mut rows: Vec<(u32, Figures<'_>)> = Vec::new();
        for (place, verdict) in order.places.iter().zip(verdicts) {
            match verdict {
                CellShown::Row(figures) => rows.push((place.row, Figures::These(figures))),
                CellShown::Gone if planted(Fault::SmallFiguresShown) => rows.push((place.row, Figures::All)),
                CellShown::Gone => {}
            }
        }
        if self.columns == 0 && rows.is_empty() && self.batch.num_rows() > 0 {
            rows.push((0, if protects { Figures::None } else { Figures::All }));
        }
        rows.sort_unstable_by_key(|(row, _)| *row);
        let indices: UInt32Array = rows.iter().map(|(row, _)| *row).collect::<Vec<_>>().into();
        let column = |shown: &Shown| -> PlanResult<ArrayRef> {
            let (Shown::Group(at) | Shown::Value(at, _)) = shown;
            let whole = self.batch.columns().get(*at).ok_or_else(faults::broken)?;
            let picked = take(whole, &indices, None)?;
            let Shown::Value(_, measures) = shown else { return Ok(picked) };
            let hidden = rows.iter().map(|(_, figures)| Some(!figures.allow(measures)));
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

/// Which figures of a row are shown.
enum Figures<'a> {
    None,
    All,
    /// By measure; counts of all are.
    These(&'a [bool]),
}

impl Figures<'_> {
    fn allow(&self, measures: &[usize]) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::These(figures) => measures.iter().all(|m| figures.get(*m).copied().unwrap_or(false)),
        }
    }
}

/// The type in which a measure's numbers are collected.
pub(super) const NUMBER: DataType = DataType::Float64;
