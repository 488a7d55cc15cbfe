//! Protected statistics: an aggregate over protected rows, its small groups gone before anyone looks.
//!
//! The aggregate, with hidden counts of units beside it, is planned on its own and closed by a barrier, so that
//! no predicate of the asker's meets a group below the threshold. A group of fewer than k units is no row; a
//! statistic to which fewer than k units contribute a value is null. The statistic of a whole table with
//! fewer than k units is no row either.
//!
//! Not protected here: the difference of two answers whose groups differ by one person, and values that a few
//! persons dominate.

use super::barrier::Barrier;
use super::facts::Facts;
use super::functions::is_safe_statistic;
use super::units::{self, Counted};
use super::{faults, total};
use crate::error::QueryError;
use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use cogov_model::{Form, MinGroup};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::datasource::{TableType, provider_as_source};
use datafusion::error::Result as PlanResult;
use datafusion::execution::SessionState;
use datafusion::functions_aggregate::expr_fn::{count, count_distinct};
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{
    Aggregate, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, lit, when,
};
use datafusion::physical_plan::ExecutionPlan;
use std::{fmt, sync::Arc};

/// A guess of the groups of a statistic, for the planner.
const GROUPS: usize = 1000;

/// The threshold when the form is statistics and no ruling gives one: 10, the common one of disclosure control.
///
/// # Errors
/// Never: ten is a threshold.
pub(super) fn default_threshold() -> Result<MinGroup, QueryError> {
    MinGroup::new(10).map_err(|_| QueryError::internal())
}

/// An aggregate over protected rows, governed below.
pub(super) struct Piece<'a> {
    pub(super) input: &'a LogicalPlan,
    pub(super) groups: &'a [(Expr, Facts)],
    pub(super) values: &'a [(Expr, Facts)],
    pub(super) k: MinGroup,
    pub(super) form: Form,
}

/// The plan that takes the aggregate's place: the same columns under the same names.
///
/// # Errors
/// When the aggregate could show a single row, or an error could tell a value.
pub(super) fn build(
    piece: &Piece<'_>,
    node: &Aggregate,
    planner: &Arc<SessionState>,
    number: usize,
) -> Result<LogicalPlan, QueryError> {
    let counted = units::thread(piece.input, piece.form)?;
    let inner = inner_plan(piece, &counted).map_err(|e| faults::planning(&e))?;
    let schema = Arc::new(inner.schema().as_arrow().clone());
    let table = Statistic { plan: inner, schema, planner: Arc::clone(planner) };
    let name = format!("__cogov_statistic_{number}");
    let outside = || -> PlanResult<LogicalPlan> {
        let source = provider_as_source(Arc::new(table) as Arc<dyn TableProvider>);
        let renamed = node.schema.iter().enumerate().map(|(i, (relation, field))| {
            let column = Expr::Column(Column::new(Some(name.as_str()), position(i)));
            column.alias_qualified(relation.cloned(), field.name())
        });
        LogicalPlanBuilder::scan(name.as_str(), source, None)?.project(renamed.collect::<Vec<_>>())?.build()
    };
    outside().map_err(|e| faults::planning(&e))
}

fn position(index: usize) -> String {
    format!("c{index}")
}

/// Aggregate with hidden counts → small groups dropped → statistics with few contributors null.
fn inner_plan(piece: &Piece<'_>, counted: &Counted) -> PlanResult<LogicalPlan> {
    let schema = Arc::clone(counted.plan.schema());
    let mut aggregates = Aggregates { schema: &schema, counted, all: Vec::new() };
    let mut groups = Vec::new();
    for (index, (group, _)) in piece.groups.iter().enumerate() {
        if matches!(group, Expr::GroupingSet(_)) {
            return Err(faults::carry(grouping_sets()));
        }
        let group = total::totalise(group, &schema).map_err(faults::carry)?;
        groups.push(group.unalias().alias(format!("g{index}")));
    }
    let k = lit(ScalarValue::Int64(Some(i64::try_from(piece.k.get()).unwrap_or(i64::MAX))));
    let enough = |names: &[String]| {
        let each = names.iter().map(|n| Expr::Column(Column::from_name(n)).gt_eq(k.clone()));
        each.reduce(Expr::and)
    };
    let members = aggregates.count_units(None);
    let mut columns: Vec<Expr> = (0..groups.len())
        .map(|i| Expr::Column(Column::from_name(format!("g{i}"))).alias(position(i)))
        .collect();
    for (value, _) in piece.values {
        let shown = aggregates.statistic(value).map_err(faults::carry)?;
        let value = Expr::Column(Column::from_name(&shown.name));
        let value = match enough(&shown.contributors) {
            None => value,
            Some(enough) => when(enough, value).end()?,
        };
        columns.push(value.alias(position(columns.len())));
    }
    let all = aggregates.all.into_iter().map(|(name, expr)| expr.alias(name)).collect::<Vec<_>>();
    let small_groups_gone = enough(&members).ok_or_else(faults::broken)?;
    LogicalPlanBuilder::from(counted.plan.clone())
        .aggregate(groups, all)?
        .filter(small_groups_gone)?
        .project(columns)?
        .build()
}

/// The aggregates to compute, each once, by the name of its column.
struct Aggregates<'a> {
    schema: &'a DFSchema,
    counted: &'a Counted,
    all: Vec<(String, Expr)>,
}

/// A statistic and the counts of those who contribute to it.
struct Shown {
    name: String,
    contributors: Vec<String>,
}

impl Aggregates<'_> {
    fn add(&mut self, expr: Expr) -> String {
        if let Some((name, _)) = self.all.iter().find(|(_, known)| *known == expr) {
            return name.clone();
        }
        let name = format!("a{}", self.all.len());
        self.all.push((name.clone(), expr));
        name
    }

    /// Counts of units, of those alone that have a value when one is given.
    fn count_units(&mut self, having: Option<&Expr>) -> Vec<String> {
        let some = having.filter(|value| !total::constant(value));
        if self.counted.units.is_empty() {
            return vec![self.add(count(some.cloned().unwrap_or_else(|| lit(1_i64))))];
        }
        let units: Vec<Expr> = self.counted.units.iter().cloned().map(Expr::Column).collect();
        let mut names = Vec::new();
        for unit in units {
            let counted = match some {
                None => Some(unit),
                Some(value) => when(value.clone().is_not_null(), unit).end().ok(),
            };
            names.extend(counted.map(|expr| self.add(count_distinct(expr))));
        }
        names
    }

    fn statistic(&mut self, expr: &Expr) -> Result<Shown, QueryError> {
        let Expr::AggregateFunction(function) = expr.clone().unalias() else {
            return Err(QueryError::internal());
        };
        let name = function.func.name().to_owned();
        let params = &function.params;
        let distinct = params.distinct && name != "count";
        if !is_safe_statistic(&name) || params.args.len() != 1 || distinct {
            return Err(unsafe_statistic(&name));
        }
        if params.filter.is_some() || !params.order_by.is_empty() {
            return Err(sub_groups());
        }
        let mut args = Vec::new();
        for arg in &params.args {
            let allowed = if name == "count" {
                total::constant(arg) || matches!(arg.clone().unalias(), Expr::Column(_))
            } else {
                linear(arg, self.schema)
            };
            if !allowed {
                return Err(sub_groups());
            }
            args.push(total::totalise(arg, self.schema)?);
        }
        let contributors = match args.first() {
            Some(arg) if !total::constant(arg) => self.count_units(Some(arg)),
            _ => Vec::new(),
        };
        let mut function: AggregateFunction = function;
        function.params.args = args;
        Ok(Shown { name: self.add(Expr::AggregateFunction(function)), contributors })
    }
}

/// A column, a number, sums and differences of these, and multiples by a number: nothing that picks out rows.
///
/// Divisions are left out, since those of whole numbers are steps; so are casts that lose something, and numbers so
/// large that a product could leave the range of its type for some rows only.
fn linear(expr: &Expr, schema: &DFSchema) -> bool {
    match expr {
        Expr::Column(_) => expr.get_type(schema).is_ok_and(|t| t.is_numeric()),
        Expr::Alias(alias) => linear(&alias.expr, schema),
        Expr::Cast(cast) => linear(&cast.expr, schema) && widens(expr, schema),
        Expr::TryCast(cast) => linear(&cast.expr, schema) && widens(expr, schema),
        Expr::Negative(inner) => linear(inner, schema),
        Expr::BinaryExpr(both) => match both.op {
            Operator::Plus | Operator::Minus => linear(&both.left, schema) && linear(&both.right, schema),
            Operator::Multiply => {
                linear(&both.left, schema)
                    && linear(&both.right, schema)
                    && (is_number(&both.left) || is_number(&both.right))
            }
            _ => false,
        },
        other => is_number(other),
    }
}

/// Whether a cast of a whole number goes to a type that holds every value of it, as sums and averages need.
fn widens(cast: &Expr, schema: &DFSchema) -> bool {
    cast.get_type(schema).is_ok_and(|to| {
        matches!(
            to,
            DataType::Int64
                | DataType::UInt64
                | DataType::Float64
                | DataType::Decimal128(_, _)
                | DataType::Decimal256(_, _)
        )
    })
}

/// A written number between minus and plus a thousand million, possibly cast.
fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value, _) => {
            let number = value.cast_to(&DataType::Float64).ok();
            matches!(number, Some(ScalarValue::Float64(Some(n))) if n.abs() <= 1e9)
        }
        Expr::Cast(cast) => is_number(&cast.expr),
        Expr::Negative(inner) => is_number(inner),
        _ => false,
    }
}

fn unsafe_statistic(name: &str) -> QueryError {
    QueryError::not_governed(
        &format!(
            "{name} of protected values, which may show a single one; use count, sum, avg, var or stddev of one column"
        ),
        &format!("对受保护数值使用 {name}，它可能显露单个数值；请对单列使用 count、sum、avg、var 或 stddev"),
    )
}

fn sub_groups() -> QueryError {
    QueryError::not_governed(
        "FILTER, CASE, products of columns or functions inside a statistic of protected values, which pick out few rows; put conditions in WHERE or GROUP BY, whose groups are counted",
        "受保护数值统计内部的 FILTER、CASE、列的乘积或函数，它们可能挑出少数行；请将条件写入 WHERE 或 GROUP BY，由系统核算组的大小",
    )
}

fn grouping_sets() -> QueryError {
    QueryError::not_governed(
        "ROLLUP, CUBE and GROUPING SETS of protected values, whose totals would give suppressed groups away",
        "受保护数值的 ROLLUP、CUBE 与 GROUPING SETS，其合计会泄露被隐去的组",
    )
}

/// The inner plan as a table, closed by a barrier when scanned.
struct Statistic {
    plan: LogicalPlan,
    schema: SchemaRef,
    planner: Arc<SessionState>,
}

impl fmt::Debug for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Statistic")
    }
}

#[async_trait]
impl TableProvider for Statistic {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let positions = match projection {
            Some(some) => some.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let schema = Arc::new(self.schema.project(&positions)?);
        let columns = positions.iter().map(|i| Expr::Column(Column::from_name(position(*i))));
        let plan =
            LogicalPlanBuilder::from(self.plan.clone()).project(columns.collect::<Vec<_>>())?.build()?;
        let inner = self.planner.create_physical_plan(&plan).await.map_err(faults::below)?;
        Ok(Arc::new(Barrier::new(inner, schema, GROUPS)?))
    }
}
