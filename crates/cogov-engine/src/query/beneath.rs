//! What lies beneath a barrier where no link is followed: a scan, the conditions of scope and asker, then masks.
//!
//! Built by hand, since an optimiser has nothing to choose here and takes longer than many a query; and since one that saw
//! the conditions of a scope beside the asker's might take one of them for superfluous, and be mistaken. Each is
//! simplified alone here.

use super::faults;
use super::in_order::{InOrder, Reading};
use super::objects::RawTable;
use super::raw_scan::RawScan;
use super::simplify;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchema, DFSchemaRef};
use datafusion::error::Result as PlanResult;
use datafusion::execution::SessionState;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::physical_expr::utils::{conjunction_opt, reassign_expr_columns};
use datafusion::physical_expr_common::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::expressions::Column as PhysicalColumn;
use datafusion::physical_plan::filter::FilterExecBuilder;
use datafusion::physical_plan::projection::ProjectionExec;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// A raw table that expressions name.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub(super) planner: &'a SessionState,
    pub(super) raw: &'a Arc<RawTable>,
    /// What it is called in them.
    pub(super) name: &'a str,
}

/// What is wanted of a raw table.
pub(super) struct Beneath<'a> {
    pub(super) table: Named<'a>,
    /// What all rows meet: the conditions of the scope, then leakproof predicates.
    pub(super) conditions: Vec<Expr>,
    /// What is shown.
    pub(super) shown: Vec<Expr>,
    /// The schema of what is shown.
    pub(super) schema: SchemaRef,
    /// How many rows are wanted.
    pub(super) limit: Option<usize>,
}

type Physical = Arc<dyn PhysicalExpr>;

/// Places of columns in the table.
struct Columns {
    /// Shown, or computed from.
    kept: Vec<usize>,
    /// Those, and what the condition looks at.
    read: Vec<usize>,
}

impl Beneath<'_> {
    /// Rows as they are read, in as many partitions as the session wants.
    pub(super) fn as_read(&self) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let config = self.table.planner.config();
        let columns = self.columns()?;
        let rows = self.rows(&columns, config.target_partitions(), config.batch_size(), self.limit)?;
        let Some(shown) = self.shown(&columns.kept)? else { return Ok(rows) };
        let names = self.schema.fields().iter().map(|field| field.name().clone());
        Ok(Arc::new(ProjectionExec::try_new(shown.into_iter().zip(names), rows)?))
    }

    /// Rows in the order of the table, in full batches.
    pub(super) fn in_order(&self) -> PlanResult<InOrder> {
        let columns = self.columns()?;
        let reading =
            Reading::of(self.table.raw.row_bytes(&columns.read), self.table.planner.config().batch_size());
        let rows = self.rows(&columns, usize::MAX, reading.rows, None)?;
        let shown = self.shown(&columns.kept)?.map(Into::into);
        Ok(InOrder { rows, reading, shown, schema: Arc::clone(&self.schema), fetch: self.limit })
    }

    /// The rows that meet the condition, with the columns that are kept. A limit is for each partition: it spares work, and
    /// whoever asks for so many rows counts them.
    fn rows(
        &self,
        columns: &Columns,
        partitions: usize,
        batch: usize,
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let Columns { kept, read } = columns;
        let Some(judging) = self.table.judging(&self.conditions)? else {
            return Ok(Arc::new(RawScan::new(self.table.raw, read, None, partitions, limit)?));
        };
        let pruning = Some(reassign_expr_columns(Arc::clone(&judging), self.table.raw.schema_ref())?);
        let rows: Arc<dyn ExecutionPlan> =
            Arc::new(RawScan::new(self.table.raw, read, pruning, partitions, None)?);
        let judging = reassign_expr_columns(judging, &rows.schema())?;
        let places = |(place, column): (usize, &usize)| kept.contains(column).then_some(place);
        let places: Vec<usize> = read.iter().enumerate().filter_map(places).collect();
        let filter = FilterExecBuilder::new(judging, rows)
            .apply_projection(Some(places))?
            .with_fetch(limit)
            .with_batch_size(batch);
        Ok(Arc::new(filter.build()?))
    }

    fn columns(&self) -> PlanResult<Columns> {
        let names = |all: &mut dyn Iterator<Item = &Expr>| {
            let mut names: BTreeSet<Column> = BTreeSet::new();
            all.for_each(|expr| names.extend(expr.column_refs().into_iter().cloned()));
            names
        };
        let shown = names(&mut self.shown.iter());
        let read = names(&mut self.shown.iter().chain(&self.conditions));
        let positions = |names: &BTreeSet<Column>| -> Vec<usize> {
            let names: HashSet<&str> = names.iter().map(|c| c.name()).collect();
            self.table.raw.positions(&names).collect()
        };
        let columns = Columns { kept: positions(&shown), read: positions(&read) };
        let found = columns.kept.len() == shown.len() && columns.read.len() == read.len();
        if found { Ok(columns) } else { Err(faults::broken()) }
    }

    /// What is shown over those columns; none when it is those columns.
    fn shown(&self, kept: &[usize]) -> PlanResult<Option<Vec<Physical>>> {
        let schema = self.table.part(kept)?;
        let shown = self.shown.iter().map(|shown| self.table.physical(shown.clone(), &schema));
        let shown: Vec<Physical> = shown.collect::<PlanResult<_>>()?;
        let at_its_place = |(place, shown): (usize, &Physical)| {
            shown.downcast_ref::<PhysicalColumn>().is_some_and(|column| column.index() == place)
        };
        let plain = shown.len() == kept.len() && shown.iter().enumerate().all(at_its_place);
        Ok((!plain).then_some(shown))
    }
}

impl Named<'_> {
    /// Conditions, all of which rows are to meet, over those of its columns that they name. None when there are none.
    pub(super) fn judging(&self, conditions: &[Expr]) -> PlanResult<Option<Physical>> {
        let names: HashSet<&str> = conditions.iter().flat_map(Expr::column_refs).map(Column::name).collect();
        let part: Vec<usize> = self.raw.positions(&names).collect();
        let part = self.part(&part)?;
        let mut parts: Vec<&Expr> = conditions.iter().flat_map(split_conjunction).collect();
        // None of them can raise: those that are soon looked at spare the others work.
        parts.sort_by_key(|condition| self.effort(condition));
        let parts = parts.into_iter().map(|condition| self.physical(condition.clone(), &part));
        let parts: Vec<Physical> = parts.collect::<PlanResult<_>>()?;
        Ok(conjunction_opt(parts))
    }

    /// How long a condition takes to look at, beside others.
    fn effort(&self, condition: &Expr) -> (bool, bool) {
        let text = |column: &&Column| {
            let field = self.raw.schema_ref().field_with_name(column.name());
            field.is_ok_and(|field| !field.data_type().is_primitive())
        };
        let listed = condition.exists(|part| Ok(matches!(part, Expr::InList(_)))).unwrap_or(true);
        (condition.column_refs().iter().any(text), listed)
    }

    /// Some columns of the table under its name.
    fn part(&self, positions: &[usize]) -> PlanResult<DFSchemaRef> {
        let part: Schema = self.raw.numbered_schema().project(positions)?;
        DFSchema::try_from_qualified_schema(self.name, &part).map(Arc::new)
    }

    fn physical(&self, expr: Expr, schema: &DFSchemaRef) -> PlanResult<Physical> {
        let expr = expr.unalias();
        if matches!(expr, Expr::Column(_)) {
            return self.planner.create_physical_expr(expr, schema);
        }
        let expr = simplify::coerced(expr, schema, self.planner.config_options())?;
        self.planner.create_physical_expr(expr, schema)
    }
}
