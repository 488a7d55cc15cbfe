//! Protected statistics: an aggregate over protected rows, settled before anyone looks.
//!
//! The aggregate is planned on its own, and beside it the rows behind each of its groups. Both lie behind a leaf
//! ([`super::guarded`]), so that no predicate of the asker's meets a group that is not shown. A group of fewer than
//! k units is no row, nor is one whose members all share a sensitive value; a figure to which fewer than k units
//! contribute, that few of them dominate, that tells the value of each, or from which with earlier answers anything
//! about fewer than k units could be computed, is null. The rules are those of `docs/labels.md`.

use super::asked::{self, Asked};
use super::cells::NUMBER;
use super::engine::Engine;
use super::facts::Facts;
use super::functions::is_safe_statistic;
use super::guarded::{Case, Guarded, Shown};
use super::linear::{Combined, Linear, with_argument};
use super::origins::Names;
use super::planted::{Fault, planted};
use super::units::{self, Counted};
use super::world::GrantWorld;
use super::{faults, total, zeros};
use crate::error::QueryError;
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType, SchemaRef};
use async_trait::async_trait;
use cogov_disclosure::{Digest, Measure, Rules};
use cogov_model::{Aggregation, Form, MinGroup};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchema};
use datafusion::datasource::{TableType, provider_as_source, source_as_provider};
use datafusion::error::Result as PlanResult;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::{
    Aggregate, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, TableScan, lit, try_cast, when,
};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use std::{fmt, sync::Arc};

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
    pub(super) groups: &'a [(Expr, Arc<Facts>)],
    pub(super) values: &'a [(Expr, Arc<Facts>)],
    pub(super) obliged: Aggregation,
    pub(super) form: Form,
    pub(super) engine: &'a Engine,
    pub(super) world: &'a Arc<GrantWorld>,
}

/// The plan that takes the aggregate's place: the same columns under the same names.
///
/// # Errors
/// When the aggregate could show a single row, or an error could tell a value.
pub(super) fn build(piece: &Piece<'_>, node: &Aggregate, number: usize) -> Result<LogicalPlan, QueryError> {
    let input =
        if planted(Fault::ProtectedMayRaise) { piece.input.clone() } else { total::beneath(piece.input)? };
    let counted = units::thread(&input, piece.form)?;
    let table = Statistic::new(piece, &input, counted)?;
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

/// The name of a statistic that was released, the same for the same question; of another table its name.
pub(super) fn name(scan: &TableScan) -> String {
    let provider = source_as_provider(&scan.source).ok();
    let statistic = provider.as_ref().and_then(|provider| provider.downcast_ref::<Statistic>());
    statistic.map_or_else(|| scan.table_name.to_string(), |statistic| statistic.name.to_string())
}

/// Whether it is a statistic that was released.
pub(super) fn is_one(scan: &TableScan) -> bool {
    source_as_provider(&scan.source).is_ok_and(|provider| provider.downcast_ref::<Statistic>().is_some())
}

fn position(index: usize) -> String {
    format!("c{index}")
}

/// A protected statistic as a table: its groups, then its values.
struct Statistic {
    engine: Engine,
    world: Arc<GrantWorld>,
    counted: Counted,
    asked: Asked,
    obliged: Aggregation,
    groups: Vec<Expr>,
    values: Vec<Value>,
    /// Tells it from other statistics.
    name: Digest,
    schema: SchemaRef,
}

/// A value of the statistic.
struct Value {
    /// What is computed over the rows of a group.
    aggregates: Vec<Expr>,
    /// What it is of these.
    combined: Combined,
    /// What its persons contribute, each to be weighed; nothing for counts of all.
    contributions: Vec<Expr>,
    count: bool,
    /// Whether it is right only where each unit has one row.
    single: bool,
}

impl Statistic {
    fn new(piece: &Piece<'_>, input: &LogicalPlan, mut counted: Counted) -> Result<Self, QueryError> {
        let schema = Arc::clone(counted.plan.schema());
        let mut groups = Vec::new();
        for (group, _) in piece.groups {
            if matches!(group, Expr::GroupingSet(_)) {
                return Err(grouping_sets());
            }
            groups.push(total::totalise(group, &schema)?.unalias());
        }
        let read = |(value, _): &(Expr, Arc<Facts>)| Value::new(value, &schema, piece, &counted);
        let values: Vec<Value> = piece.values.iter().map(read).collect::<Result<_, _>>()?;
        let name = |below: &units::Below| (below.table.dataset.clone(), below.table.name.clone());
        counted.tables.sort_by_key(name);
        if counted.tables.windows(2).any(|two| two.first().map(name) == two.last().map(name)) {
            return Err(twice());
        }
        // Of what is executed: now() has a value there.
        let names = Names::new(piece.form);
        let asked = asked::read(input, &groups, &names, piece.obliged.get() > 1)?;
        let figures = piece.values.iter().map(|(value, _)| names.figure(input, value));
        let figures = figures.collect::<Result<Vec<_>, _>>()?;
        let words = format!("{:?} by {:?}: {figures:?}", asked.words, asked.groups);
        let mut statistic = Self {
            engine: piece.engine.clone(),
            world: Arc::clone(piece.world),
            counted,
            asked,
            obliged: piece.obliged,
            groups,
            values,
            name: Digest::of_text(&words),
            schema: Arc::new(arrow::datatypes::Schema::empty()),
        };
        let whole: Vec<usize> = (0..statistic.values.len()).collect();
        let plan = statistic.answers(&whole).map_err(|e| faults::planning(&e))?;
        let shown = statistic.groups.len() + statistic.values.len();
        let fields = plan.schema().fields().iter().take(shown).enumerate();
        let fields = fields.map(|(i, f)| f.as_ref().clone().with_name(position(i)).with_nullable(true));
        statistic.schema = Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()));
        Ok(statistic)
    }

    fn named_groups(&self) -> Vec<Expr> {
        self.groups.iter().enumerate().map(|(i, group)| group.clone().alias(format!("g{i}"))).collect()
    }

    /// Groups, then the wanted values, then the number of rows, of every group.
    fn answers(&self, wanted: &[usize]) -> PlanResult<LogicalPlan> {
        let wanted: Vec<&Value> = wanted.iter().filter_map(|at| self.values.get(*at)).collect();
        let column = |name: String| Expr::Column(Column::from_name(name));
        let mut all = Vec::new();
        let mut columns: Vec<Expr> = (0..self.groups.len()).map(|i| column(format!("g{i}"))).collect();
        for (i, value) in wanted.into_iter().enumerate() {
            let name = |part: usize| format!("a{i} {part}");
            let parts = value.aggregates.iter().enumerate();
            all.extend(parts.map(|(part, aggregate)| aggregate.clone().alias(name(part))));
            let parts: Vec<Expr> = (0..value.aggregates.len()).map(|part| column(name(part))).collect();
            let figure = value.combined.of(&parts).ok_or_else(faults::broken)?;
            let figure = match self.obliged.round.filter(|_| value.count) {
                Some(base) => rounded(figure, base),
                None => figure,
            };
            columns.push(figure.alias(format!("a{i}")));
        }
        all.push(count_all().alias("rows"));
        columns.push(column("rows".to_owned()));
        LogicalPlanBuilder::from(self.counted.plan.clone())
            .aggregate(self.named_groups(), all)?
            .project(columns)?
            .build()
    }

    /// Groups, then a number for each argument, then the row of each table, of every joined row.
    fn members(&self, arguments: &[&Expr]) -> PlanResult<LogicalPlan> {
        let mut columns = self.named_groups();
        for (i, argument) in arguments.iter().enumerate() {
            let numeric = argument.get_type(self.counted.plan.schema())?.is_numeric();
            let number = match numeric {
                true => try_cast((*argument).clone(), NUMBER),
                false => when((*argument).clone().is_not_null(), lit(0.0_f64)).end()?,
            };
            columns.push(number.alias(format!("m{i}")));
        }
        let tables = self.counted.tables.iter().enumerate();
        columns.extend(tables.map(|(i, below)| Expr::Column(below.row.clone()).alias(format!("r{i}"))));
        LogicalPlanBuilder::from(self.counted.plan.clone()).project(columns)?.build()
    }

    async fn physical(&self, plan: &LogicalPlan) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let plan = zeros::zero_without_sign(plan.clone())?;
        let plan = self.engine.inner.planner.create_physical_plan(&plan).await.map_err(faults::below)?;
        Ok(Arc::new(CoalescePartitionsExec::new(plan)))
    }

    /// What is collected for these columns of the schema.
    async fn case(&self, positions: &[usize]) -> PlanResult<Case> {
        let groups = self.groups.len();
        let (mut shown, mut wanted) = (Vec::new(), Vec::new());
        let (mut arguments, mut measures): (Vec<&Expr>, Vec<Measure>) = (Vec::new(), Vec::new());
        for position in positions {
            let Some(value) = position.checked_sub(groups) else {
                shown.push(Shown::Group(*position));
                continue;
            };
            let of = self.values.get(value).ok_or_else(faults::broken)?;
            let weighed = of.contributions.iter().map(|argument| {
                let same = |(known, measure): (&&Expr, &Measure)| {
                    *known == argument && measure.magnitude != of.count
                };
                let known = arguments.iter().zip(&measures).position(same);
                known.unwrap_or_else(|| {
                    arguments.push(argument);
                    measures.push(Measure { magnitude: !of.count });
                    arguments.len() - 1
                })
            });
            shown.push(Shown::Value(groups + wanted.len(), weighed.collect()));
            wanted.push(value);
        }
        Ok(Case {
            engine: self.engine.clone(),
            world: Arc::clone(&self.world),
            tables: self.counted.tables.clone(),
            rules: Rules { obliged: self.obliged, story: self.asked.story.clone() },
            measures,
            sensitive: self.asked.sensitive_groups.clone(),
            groups,
            shown,
            single: self.values.iter().any(|value| value.single),
            paired: self.asked.single,
            compares: self.asked.compares,
            answers: self.physical(&self.answers(&wanted)?).await?,
            members: self.physical(&self.members(&arguments)?).await?,
        })
    }
}

impl Value {
    fn new(expr: &Expr, schema: &DFSchema, piece: &Piece<'_>, counted: &Counted) -> Result<Self, QueryError> {
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
        let Some(arg) = params.args.first() else { return Err(unsafe_statistic(&name)) };
        if name == "count" {
            return Self::count(&function, arg, schema, piece, counted);
        }
        let form = Linear::of(arg, schema).ok_or_else(sub_groups)?;
        let (aggregates, combined, contributions) = if total::constant(arg) || is_column(arg) {
            let arg = total::totalise(arg, schema)?;
            if name == "avg" && mean_may_overflow(&arg, schema) {
                return Err(wide_mean());
            }
            let contributions = if total::constant(&arg) { Vec::new() } else { vec![arg.clone().unalias()] };
            (vec![with_argument(&function, arg)], Combined::Itself, contributions)
        } else {
            let shown = expr.get_type(schema).map_err(|e| faults::planning(&e))?;
            let (aggregates, combined) = form.figure(&function, &shown).ok_or_else(sub_groups)?;
            (aggregates, combined, form.contributions())
        };
        Ok(Self { aggregates, combined, contributions, count: false, single: false })
    }

    /// A count of all, or of those of which a column has a value.
    fn count(
        function: &AggregateFunction,
        arg: &Expr,
        schema: &DFSchema,
        piece: &Piece<'_>,
        counted: &Counted,
    ) -> Result<Self, QueryError> {
        let contributions = match arg.clone().unalias() {
            column @ Expr::Column(_) => vec![column],
            _ if total::constant(arg) => Vec::new(),
            _ => return Err(sub_groups()),
        };
        let mut function = function.clone();
        // Where single persons may be shown anything may be.
        let single = function.params.distinct && piece.obliged.get() > 1;
        if single {
            if !contributions.first().is_some_and(|argument| is_sole_unit(argument, piece, counted)) {
                return Err(different());
            }
            // Where each unit has one row it is the count of rows that have a unit, and as such a sum.
            function.params.distinct = false;
        }
        let aggregates = vec![with_argument(&function, total::totalise(arg, schema)?)];
        Ok(Self { aggregates, combined: Combined::Itself, contributions, count: true, single })
    }
}

/// Whether it is a column, possibly cast.
fn is_column(expr: &Expr) -> bool {
    match expr {
        Expr::Column(_) => true,
        Expr::Alias(alias) => is_column(&alias.expr),
        Expr::Cast(cast) => is_column(&cast.expr),
        Expr::TryCast(cast) => is_column(&cast.expr),
        _ => false,
    }
}

/// Whether an argument is the unit of the only table beneath, of which no join repeats a row.
fn is_sole_unit(argument: &Expr, piece: &Piece<'_>, counted: &Counted) -> bool {
    let Expr::Column(column) = argument else { return false };
    let joined = piece.input.exists(|node| Ok(matches!(node, LogicalPlan::Join(_)))).unwrap_or(true);
    !joined && counted.tables.len() == 1 && Names::new(piece.form).is_unit(piece.input, column)
}

fn count_all() -> Expr {
    datafusion::functions_aggregate::expr_fn::count(lit(1_i64))
}

/// The nearest multiple of the base, the greater of two that are as near: the same count is always rounded alike.
fn rounded(count: Expr, base: u32) -> Expr {
    let base = i64::from(base);
    (count + lit(base / 2)) / lit(base) * lit(base)
}

/// Whether the mean of a decimal may be too long for its type, which has four digits more after the point: it would raise, and
/// tell so before anything is weighed.
fn mean_may_overflow(argument: &Expr, schema: &DFSchema) -> bool {
    match argument.get_type(schema) {
        Ok(DataType::Decimal128(precision, _)) => precision > DECIMAL128_MAX_PRECISION - 4,
        Ok(DataType::Decimal256(precision, _)) => precision > DECIMAL256_MAX_PRECISION - 4,
        _ => false,
    }
}

fn wide_mean() -> QueryError {
    QueryError::not_governed(
        "the mean of decimals of more than 34 digits over protected values, because an error could tell one of them; cast to fewer digits, or to double precision",
        "受保护数值的 34 位以上小数的平均值，因为出错会泄露其值；请转换为更少位数或双精度",
    )
}

fn unsafe_statistic(name: &str) -> QueryError {
    QueryError::not_governed(
        &format!(
            "{name} of protected values, which may show a single one; use count, sum, avg, var or stddev of one column"
        ),
        &format!("对受保护数值使用 {name}，它可能显露单个数值；请对单列使用 count、sum、avg、var 或 stddev"),
    )
}

fn different() -> QueryError {
    QueryError::not_governed(
        "count(DISTINCT …) of protected values, which is no sum and could tell what few have in common; count the groups that are shown instead: SELECT count(*) FROM (SELECT x, count(*) FROM t GROUP BY x) s; persons are counted by count(DISTINCT unit) of one table alone, without a join",
        "受保护数值的 count(DISTINCT …)：它并非合计，可能显露少数主体的共同之处；请改为统计所显示的组数：SELECT count(*) FROM (SELECT x, count(*) FROM t GROUP BY x) s；人数可对单个表（不含连接）的主体列使用 count(DISTINCT …)",
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
        "ROLLUP, CUBE and GROUPING SETS of protected values; ask for the totals in a statement of their own, or with UNION ALL",
        "受保护数值的 ROLLUP、CUBE 与 GROUPING SETS；请用单独的语句或 UNION ALL 查询合计",
    )
}

fn twice() -> QueryError {
    QueryError::not_governed(
        "the same protected table twice beneath one statistic; ask for two statistics and join them",
        "在同一统计之下两次使用同一受保护的表；请分别统计后再连接",
    )
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
        Ok(Arc::new(Guarded::new(self.case(&positions).await?, schema)?))
    }
}
