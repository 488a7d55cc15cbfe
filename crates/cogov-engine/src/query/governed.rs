//! A granted table as a query sees it: only its visible columns, masked, on the rows of the scope.

use super::barrier::{Barrier, Passage};
use super::beneath::{Beneath, Named};
use super::facts::{self, Facts};
use super::in_order::{InOrder, Reading};
use super::objects::{ROW_NUMBER, RawTable};
use super::planted::{Fault, planted};
use super::raw_provider::RawProvider;
use super::scope::{self, Opened};
use super::world::{GrantWorld, MaskKey, Source};
use super::{faults, leakproof, mask, noise, statistic};
use crate::error::QueryError;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use cogov_model::{
    Aggregation, Column as ModelColumn, ColumnName, ColumnRef, DatasetId, Form, TableName, Text, Treatment,
};
use cogov_rulebook::Ruling;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Column;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::error::Result as PlanResult;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, ScalarUDF, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use std::{fmt, sync::Arc};

/// The name of the raw table inside the barrier's own plan.
pub(super) const RAW: &str = "raw";

/// The hidden column with the raw unit, for counting persons below a protected statistic.
pub(super) const UNIT: &str = "__cogov_unit";

/// The hidden column with the number of the row, for telling rows apart below a protected statistic.
pub(super) const ROW: &str = "__cogov_row";

/// A column beside those that the grant shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hidden {
    Nothing,
    /// The raw unit.
    Unit,
    /// A key of the row.
    Row,
}

/// What a scan is for: which treatments let stored values through it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// Whatever the asker's statement does with rows.
    Rows,
    /// A protected statistic right above.
    Statistic,
    /// A statistic right above to which noise is added.
    Noise,
}

impl Reads {
    /// Whether values of a column with this treatment pass as they are stored.
    fn stored(self, treatment: &Treatment) -> bool {
        match treatment {
            Treatment::Clear => true,
            Treatment::Mask(_) => planted(Fault::MaskForgotten),
            Treatment::Aggregate(_) => self != Self::Rows,
            Treatment::Noise { .. } => self == Self::Noise,
            Treatment::Withhold => planted(Fault::WithheldShown),
        }
    }
}

/// A column that the grant shows.
#[derive(Debug, Clone)]
pub(super) struct Visible {
    pub(super) column: ModelColumn,
    pub(super) ruling: Ruling,
    /// The type after the treatment.
    pub(super) data_type: DataType,
    /// What is known of it at a scan.
    pub(super) facts: Arc<Facts>,
}

impl Visible {
    /// Whether queries see the values as they are stored.
    const fn is_raw(&self) -> bool {
        matches!(self.ruling.treatment, Treatment::Clear | Treatment::Aggregate(_))
    }

    /// What is known of it at a scan of its table where this protects it.
    pub(super) fn facts_under(&self, table: &GovernedTable, protection: Option<Aggregation>) -> Facts {
        let column = &self.column;
        let reference = ColumnRef {
            dataset: table.dataset.clone(),
            table: table.name.clone(),
            column: column.name.clone(),
        };
        Facts::of_column(reference, &column.label, &self.ruling, self.data_type.is_numeric(), protection)
    }
}

/// A column that is shown, its ruling, and its type after the treatment.
type Admitted = (ModelColumn, Ruling, DataType);

/// A granted table. One is made for a decision; its clones are cheap.
#[derive(Clone)]
pub(super) struct GovernedTable {
    pub(super) dataset: DatasetId,
    pub(super) name: TableName,
    pub(super) columns: Arc<[Visible]>,
    /// What its rows oblige, whatever is asked of them; nothing where rows may be shown.
    pub(super) protection: Option<Aggregation>,
    /// Columns whose mask does not fit their type, and so are withheld.
    pub(super) unenforceable: Vec<(ColumnName, Text)>,
    /// The declared unit, whether visible or not.
    pub(super) unit: Option<ColumnName>,
    /// Whether nothing in it, granted or not, is about anybody.
    pub(super) public: bool,
    hidden: Hidden,
    reads: Reads,
    schema: SchemaRef,
    raw: Arc<RawTable>,
    filter: Option<Expr>,
    key: MaskKey,
    planner: Arc<SessionState>,
}

impl GovernedTable {
    /// The table of a source under the world's permit and scope.
    ///
    /// # Errors
    /// When the row scope cannot be enforced.
    pub(super) fn new(
        world: &GrantWorld,
        source: &Source,
        opened: &Opened,
        planner: &Arc<SessionState>,
    ) -> Result<Self, QueryError> {
        let place = (source.dataset.clone(), source.table.name.clone());
        let raw = opened.get(&place).ok_or_else(faults::unreadable)?;
        let conditions = world.scope().of(&source.dataset, &source.table.name);
        let filter = scope::predicate(conditions, raw, RAW, opened)?;
        let stored = raw.schema();
        let mut table = Self {
            dataset: source.dataset.clone(),
            name: source.table.name.clone(),
            columns: Arc::new([]),
            protection: None,
            unenforceable: Vec::new(),
            unit: source.table.unit.clone().filter(|u| stored.field_with_name(u.as_str()).is_ok()),
            public: noise::is_public(&source.table, &stored),
            hidden: Hidden::Nothing,
            reads: Reads::Rows,
            schema: Arc::new(Schema::empty()),
            raw: Arc::clone(raw),
            filter,
            key: world.mask_key().clone(),
            planner: Arc::clone(planner),
        };
        let mut admitted = Vec::new();
        for column in &source.table.columns {
            let ruling = world.ruling(source, &column.name);
            admitted.extend(table.admit(column, ruling, &stored));
        }
        if world.permit().form() == Form::Aggregate {
            table.protection = Some(threshold(&admitted)?);
        }
        table.columns = admitted.into_iter().map(|admitted| table.visible_column(admitted)).collect();
        table.schema = Arc::new(table.visible_schema());
        Ok(table)
    }

    /// A column with its ruling and the type after its treatment, when the ruling shows it and the treatment fits its type.
    fn admit(&mut self, column: &ModelColumn, ruling: Option<&Ruling>, stored: &Schema) -> Option<Admitted> {
        let ruling = ruling?;
        let Ok(field) = stored.field_with_name(column.name.as_str()) else {
            let words = Text::new("the column is not in the data", "数据中没有该列");
            self.unenforceable.push((column.name.clone(), words));
            return None;
        };
        let data_type = match ruling.treatment {
            Treatment::Withhold if !planted(Fault::WithheldShown) => return None,
            Treatment::Mask(mask) => mask::masked_type(mask, field.data_type()),
            _ => Some(field.data_type().clone()),
        };
        if data_type.is_none() {
            self.unenforceable.push((column.name.clone(), misfit(&ruling.treatment)));
        }
        Some((column.clone(), ruling.clone(), data_type?))
    }

    fn visible_column(&self, (column, ruling, data_type): Admitted) -> Visible {
        let own = match ruling.treatment {
            Treatment::Aggregate(obliged) => Some(obliged),
            Treatment::Clear | Treatment::Mask(_) | Treatment::Noise { .. } | Treatment::Withhold => None,
        };
        let protection = facts::stricter(own, self.protection);
        let mut visible = Visible { column, ruling, data_type, facts: Arc::default() };
        visible.facts = Arc::new(visible.facts_under(self, protection));
        visible
    }

    fn visible_schema(&self) -> Schema {
        let mut fields: Vec<Field> = self
            .columns
            .iter()
            .map(|c| Field::new(c.column.name.as_str(), c.data_type.clone(), true))
            .collect();
        if self.hidden == Hidden::Row {
            fields.push(Field::new(ROW, DataType::Int64, true));
        }
        if self.hidden == Hidden::Unit
            && let Some(unit) = &self.unit
            && let Ok(field) = self.raw.schema().field_with_name(unit.as_str())
        {
            fields.push(Field::new(UNIT, field.data_type().clone(), true));
        }
        Schema::new(fields)
    }

    /// The same table for a statistic with noise.
    pub(super) fn beneath_noise(&self) -> Self {
        Self { reads: Reads::Noise, ..self.clone() }
    }

    /// The same with the raw unit as a last column, which no name of the asker's reaches.
    pub(super) fn counting_units(&self) -> Self {
        let mut table = self.beneath_noise();
        table.hidden = Hidden::Unit;
        table.schema = Arc::new(table.visible_schema());
        table
    }

    /// The same table for a protected statistic, with the number of each row as a last column, which no name of the
    /// asker's reaches.
    pub(super) fn telling_rows_apart(&self) -> Self {
        let mut table = self.clone();
        table.reads = Reads::Statistic;
        table.hidden = Hidden::Row;
        table.schema = Arc::new(table.visible_schema());
        table
    }

    /// The object it lies in, without any policy.
    pub(super) const fn raw(&self) -> &Arc<RawTable> {
        &self.raw
    }

    /// The row scope as a predicate over the raw table, called [`RAW`].
    pub(super) const fn scope(&self) -> Option<&Expr> {
        self.filter.as_ref()
    }

    /// The row scope as a text that stays the same while the scope does.
    pub(super) fn scope_words(&self) -> Option<String> {
        let filter = self.filter.as_ref()?;
        let mut words = format!("scope of {}.{}: {filter}", self.dataset, self.name);
        // What it links to is not written with the expression.
        let walked = filter.apply(|part| {
            if let Expr::InSubquery(linked) = part {
                words.push_str(&linked.subquery.subquery.display_indent().to_string());
            }
            Ok(TreeNodeRecursion::Continue)
        });
        walked.ok().map(|_| words)
    }

    /// A visible column by its name.
    pub(super) fn visible(&self, name: &str) -> Option<&Visible> {
        self.columns.iter().find(|c| c.column.name.as_str() == name)
    }

    /// What the barrier computes for the column at a position of the schema. None when nothing may be read there for
    /// what the scan is for.
    fn expression(&self, position: usize) -> Option<Expr> {
        let raw = |name: &str| Expr::Column(Column::new(Some(RAW), name));
        let Some(visible) = self.columns.get(position) else {
            return match self.hidden {
                Hidden::Nothing => None,
                Hidden::Unit => self.unit.as_ref().map(|unit| raw(unit.as_str()).alias(UNIT)),
                Hidden::Row => Some(raw(ROW_NUMBER).alias(ROW)),
            };
        };
        let value = raw(visible.column.name.as_str());
        let treatment = &visible.ruling.treatment;
        if self.reads.stored(treatment) {
            return Some(value);
        }
        let Treatment::Mask(mask) = treatment else { return None };
        let function = mask::MaskFunction::new(*mask, self.key.clone());
        Some(ScalarUDF::from(function).call(vec![value]).alias(visible.column.name.as_str()))
    }

    /// A public guess of the rows, for the planner: a fifth of them for each kind of filter, as DataFusion
    /// guesses of a filter that it knows nothing about. It depends on no value.
    fn guess(&self, filtered: bool, limit: Option<usize>) -> usize {
        let mut rows = self.raw.rows();
        for _ in 0..usize::from(self.filter.is_some()) + usize::from(filtered) {
            rows = rows.div_ceil(5);
        }
        limit.map_or(rows, |limit| limit.min(rows))
    }

    /// Whether a predicate of the asker's may meet a column's stored values beside the row scope.
    fn meets(&self, visible: &Visible) -> bool {
        visible.is_raw() && self.reads.stored(&visible.ruling.treatment)
    }

    fn leakproof(&self, filter: &Expr) -> bool {
        let raw = |name: &str| {
            self.visible(name).is_some_and(|v| self.meets(v) || planted(Fault::PredicateBelowMask))
        };
        leakproof::is_leakproof(filter, &self.schema, &raw)
    }

    /// Whether a planted fault drops the row scope of a scan.
    fn forgets_scope(&self, asked: &[Expr]) -> bool {
        planted(Fault::ScopeForgotten)
            || (planted(Fault::ScopeForgottenWithPredicate) && !asked.is_empty())
            || (planted(Fault::ScopeForgottenInStatistics) && self.hidden == Hidden::Row)
    }

    /// What lies below the barrier: raw scan, row filter with leakproof predicates, then masks.
    async fn below(
        &self,
        positions: &[usize],
        filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Passage> {
        let asked = filters.iter().map(requalify).collect::<PlanResult<Vec<_>>>()?;
        let scope = self.filter.as_ref().filter(|_| !self.forgets_scope(&asked)).cloned();
        let shown: Option<Vec<Expr>> = positions.iter().map(|p| self.expression(*p)).collect();
        let shown = shown.ok_or_else(faults::broken)?;
        let schema = Arc::new(self.schema.project(positions)?);
        let linked = self.filter.as_ref().map(joins).transpose()?.unwrap_or_default();
        let faults = [Fault::LimitBelowScope, Fault::SortedByHidden, Fault::BarrierOpen];
        if linked || faults.into_iter().any(planted) {
            let rows = self.optimised(scope, &asked, shown, limit).await?;
            if self.filter.is_none() || planted(Fault::BarrierOpen) {
                return Ok(Passage::AsRead(rows));
            }
            let all: Vec<usize> = (0..self.raw.schema_ref().fields().len()).collect();
            let reading = Reading::of(self.raw.row_bytes(&all), self.planner.config().batch_size());
            return Ok(Passage::Linked(InOrder { rows, reading, shown: None, schema, fetch: limit }));
        }
        let conditions = scope.into_iter().chain(asked).collect();
        let beneath = Beneath { table: self.named(), conditions, shown, schema, limit };
        match self.filter {
            None => beneath.as_read().map(Passage::AsRead),
            Some(_) => beneath.in_order().map(Passage::InOrder),
        }
    }

    fn named(&self) -> Named<'_> {
        Named { planner: self.planner.as_ref(), raw: &self.raw, name: RAW }
    }

    /// The same by way of the optimiser, which makes joins of links. It does not see what is asked, beside which it
    /// might take a condition of the scope for superfluous: only the rows that meet that are there for it.
    async fn optimised(
        &self,
        scope: Option<Expr>,
        asked: &[Expr],
        shown: Vec<Expr>,
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let met = self.named().judging(asked)?;
        let source = provider_as_source(Arc::new(RawProvider::meeting(&self.raw, met)?.in_one()));
        let mut plan = LogicalPlanBuilder::scan(RAW, source, None)?;
        if planted(Fault::LimitBelowScope) {
            plan = plan.limit(0, limit)?;
        }
        if let Some(scope) = scope {
            plan = plan.filter(scope)?;
        }
        if planted(Fault::SortedByHidden) {
            let masked = self.columns.iter().filter(|c| !c.is_raw()).map(|c| c.column.name.as_str());
            plan = plan.sort(masked.map(|c| Expr::Column(Column::new(Some(RAW), c)).sort(true, true)))?;
        }
        self.planner.create_physical_plan(&plan.project(shown)?.build()?).await
    }
}

/// What the rows of a table oblige when nothing but statistics is granted: the strictest of what its columns ask for.
fn threshold(admitted: &[Admitted]) -> Result<Aggregation, QueryError> {
    let asked = admitted.iter().filter_map(|(_, ruling, _)| match ruling.treatment {
        Treatment::Aggregate(obliged) => Some(obliged),
        _ => None,
    });
    match asked.reduce(Aggregation::stricter) {
        Some(asked) => Ok(asked),
        None => statistic::default_threshold().map(Aggregation::over),
    }
}

/// Whether a scope follows a link into another table: it becomes a join, which may collect the rows of either side.
fn joins(scope: &Expr) -> PlanResult<bool> {
    scope.exists(|part| Ok(matches!(part, Expr::InSubquery(_))))
}

/// A predicate's columns as the raw table's. Only unmasked columns come here, whose names are the same.
fn requalify(filter: &Expr) -> PlanResult<Expr> {
    use datafusion::common::tree_node::Transformed;
    let raw = |expr| match expr {
        Expr::Column(c) => Ok(Transformed::yes(Expr::Column(Column::new(Some(RAW), c.name)))),
        other => Ok(Transformed::no(other)),
    };
    filter.clone().transform(raw).map(|done| done.data)
}

fn misfit(treatment: &Treatment) -> Text {
    Text::new(
        format!("withheld: the treatment “{treatment}” does not fit the type of the column"),
        format!("不予提供：处理方式“{treatment}”与该列类型不符"),
    )
}

impl fmt::Debug for GovernedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GovernedTable({}.{})", self.dataset, self.name)
    }
}

#[async_trait]
impl TableProvider for GovernedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        let exact = |filter: &&Expr| match self.leakproof(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(exact).collect())
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        if !filters.iter().all(|filter| self.leakproof(filter)) {
            return Err(faults::broken());
        }
        let positions = match projection {
            Some(some) => some.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let schema = Arc::new(self.schema.project(&positions)?);
        let passage = self.below(&positions, filters, limit).await.map_err(faults::below)?;
        if planted(Fault::BarrierOpen)
            && let Passage::AsRead(inner) = passage
        {
            return Ok(inner);
        }
        let rows = self.guess(!filters.is_empty(), limit);
        Ok(Arc::new(Barrier::new(passage, schema, rows)?))
    }
}
