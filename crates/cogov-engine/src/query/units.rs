//! Whom a protected statistic counts: the numbers of the rows of every protected table below it, carried up to the
//! aggregate in hidden columns. A row's number tells its unit; a table without one counts its rows.

use super::governed::{GovernedTable, ROW};
use super::{allowed, faults, statistic};
use crate::error::QueryError;
use cogov_model::{Form, Treatment};
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, JoinType};
use datafusion::datasource::provider_as_source;
use datafusion::error::{DataFusionError, Result as PlanResult};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    Expr, Filter, Join, LogicalPlan, LogicalPlanBuilder, Operator, Projection, SubqueryAlias, TableScan,
};
use std::sync::Arc;

/// A plan below a protected statistic, with the columns that tell its units apart.
pub(super) struct Counted {
    pub(super) plan: LogicalPlan,
    /// The protected tables below, each with the column of its rows' numbers.
    pub(super) tables: Vec<Below>,
    /// Whether a protected table lies below.
    protected: bool,
    /// Whether one of them has no declared unit.
    unitless: bool,
}

/// A protected table below a statistic.
#[derive(Clone)]
pub(super) struct Below {
    pub(super) table: GovernedTable,
    /// The column of the plan with the number of each row.
    pub(super) row: Column,
}

/// Carries the numbers of the rows of every protected table up.
///
/// # Errors
/// When something below would make counting wrong.
pub(super) fn thread(plan: &LogicalPlan, form: Form) -> Result<Counted, QueryError> {
    if !plan.all_out_ref_exprs().is_empty() {
        return Err(QueryError::not_governed(
            "a statistic of protected values that depends on a row around it; use GROUP BY and JOIN",
            "依赖外层行的受保护统计；请使用 GROUP BY 与 JOIN",
        ));
    }
    Threads { form, next: 0 }.walk(plan)
}

impl Counted {
    fn bare(plan: LogicalPlan, protected: bool, unitless: bool) -> Self {
        Self { plan, tables: Vec::new(), protected, unitless }
    }
}

struct Threads {
    form: Form,
    next: usize,
}

impl Threads {
    fn walk(&mut self, plan: &LogicalPlan) -> Result<Counted, QueryError> {
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(plan, scan),
            LogicalPlan::SubqueryAlias(node) => {
                let below = self.walk(&node.input)?;
                let renamed = |column: &Column| Column::new(Some(node.alias.clone()), column.name());
                let tables = below.tables.iter();
                let tables = tables.map(|b| Below { row: renamed(&b.row), table: b.table.clone() }).collect();
                let plan = built(SubqueryAlias::try_new(Arc::new(below.plan), node.alias.clone()))?;
                Ok(Counted {
                    plan: LogicalPlan::SubqueryAlias(plan),
                    tables,
                    protected: below.protected,
                    unitless: below.unitless,
                })
            }
            LogicalPlan::Filter(node) => {
                let below = self.walk(&node.input)?;
                let plan = built(Filter::try_new(node.predicate.clone(), Arc::new(below.plan)))?;
                Ok(Counted { plan: LogicalPlan::Filter(plan), ..below })
            }
            LogicalPlan::Projection(node) => self.projection(node),
            LogicalPlan::Join(node) => self.join(node),
            _ => Err(only_simple()),
        }
    }

    fn scan(&mut self, plan: &LogicalPlan, scan: &TableScan) -> Result<Counted, QueryError> {
        // A statistic that was already released is a scan too, of no governed table.
        let Ok(table) = allowed::governed(scan) else {
            return match statistic::is_one(scan) {
                true => Ok(Counted::bare(plan.clone(), false, false)),
                false => Err(under_noise()),
            };
        };
        if !are_counted(&table, self.form) {
            return Ok(Counted::bare(plan.clone(), false, false));
        }
        let unitless = table.unit.is_none();
        let name = format!("{ROW}_{}", self.next);
        self.next += 1;
        let row = Column::from_name(name.as_str());
        let mut counted = Counted::bare(built(numbered_scan(scan, &table, &name))?, true, unitless);
        counted.tables.push(Below { table, row });
        Ok(counted)
    }

    fn projection(&mut self, node: &Projection) -> Result<Counted, QueryError> {
        let below = self.walk(&node.input)?;
        // A column that is computed below a statistic could pick out one row and pass for a plain column above.
        if below.protected && !node.expr.iter().all(|expr| matches!(expr.clone().unalias(), Expr::Column(_)))
        {
            return Err(QueryError::not_governed(
                "computed columns beneath a statistic of protected values, which could pick out few rows; take the statistic of the column itself and write group expressions into GROUP BY",
                "受保护数值统计之下的计算列，它们可能挑出少数行；请直接对列作统计，并将分组表达式写入 GROUP BY",
            ));
        }
        let exprs = node
            .expr
            .iter()
            .cloned()
            .chain(below.tables.iter().map(|b| Expr::Column(b.row.clone())))
            .collect();
        let plan = built(Projection::try_new(exprs, Arc::new(below.plan.clone())))?;
        Ok(Counted { plan: LogicalPlan::Projection(plan), ..below })
    }

    fn join(&mut self, node: &Join) -> Result<Counted, QueryError> {
        let (left, right) = (self.walk(&node.left)?, self.walk(&node.right)?);
        if node.join_type != JoinType::Inner || !equi(node) {
            return Err(only_simple());
        }
        if left.unitless || right.unitless {
            return Err(QueryError::not_governed(
                "a join beneath a statistic when a protected table has no declared unit; ask its steward to declare the column that identifies a person or unit",
                "受保护的表未声明主体列时的连接统计；请联系数据管理员声明标识主体的列",
            ));
        }
        if let Some(name) = one_name(node) {
            return Err(two_of_one_name(&name));
        }
        let tables = left.tables.iter().chain(&right.tables).cloned().collect();
        let protected = left.protected || right.protected;
        let plan = built(Join::try_new(
            Arc::new(left.plan),
            Arc::new(right.plan),
            node.on.clone(),
            node.filter.clone(),
            node.join_type,
            node.join_constraint,
            node.null_equality,
            node.null_aware,
        ))?;
        Ok(Counted { plan: LogicalPlan::Join(plan), tables, protected, unitless: false })
    }
}

/// Whether the people of a table beneath a statistic are counted: it is protected.
pub(super) fn are_counted(table: &GovernedTable, form: Form) -> bool {
    let mut columns = table.columns.iter();
    form == Form::Aggregate || columns.any(|c| matches!(c.ruling.treatment, Treatment::Aggregate(_)))
}

/// The scan with the number of each row as a last column of that name.
fn numbered_scan(scan: &TableScan, table: &GovernedTable, name: &str) -> PlanResult<LogicalPlan> {
    let source = provider_as_source(Arc::new(table.telling_rows_apart()) as Arc<dyn TableProvider>);
    let table_name = scan.table_name.clone();
    let mut columns: Vec<Expr> = scan.projected_schema.columns().into_iter().map(Expr::Column).collect();
    columns.push(Expr::Column(Column::new(Some(table_name.clone()), ROW)).alias(name));
    LogicalPlanBuilder::scan(table_name, source, None)?.project(columns)?.build()
}

/// Whether a join is on equal columns of its two sides, and nothing else.
fn equi(join: &Join) -> bool {
    let column = |e: &Expr| matches!(e, Expr::Column(_));
    let pair = |e: &Expr| {
        matches!(e, Expr::BinaryExpr(b) if b.op == Operator::Eq && column(&b.left) && column(&b.right)
            && across(join, &b.left, &b.right))
    };
    let filters = join.filter.as_ref().map(split_conjunction).unwrap_or_default();
    let some = !join.on.is_empty() || !filters.is_empty();
    some && join.on.iter().all(|(l, r)| column(l) && column(r)) && filters.into_iter().all(pair)
}

/// A name by which a column of either side may be called: `m` is also `data.m`.
fn one_name(join: &Join) -> Option<String> {
    let names = |plan: &LogicalPlan| plan.schema().columns();
    let (left, right) = (names(&join.left), names(&join.right));
    let same = |a: &Column, b: &Column| match (&a.relation, &b.relation) {
        (Some(one), Some(other)) => a.name == b.name && one.resolved_eq(other),
        _ => a.name == b.name,
    };
    left.into_iter().find(|a| right.iter().any(|b| same(a, b))).map(|column| column.flat_name())
}

fn across(join: &Join, a: &Expr, b: &Expr) -> bool {
    let (Expr::Column(a), Expr::Column(b)) = (a, b) else { return false };
    let left = |c: &Column| join.left.schema().maybe_index_of_column(c).is_some();
    left(a) != left(b)
}

fn built<T>(plan: Result<T, DataFusionError>) -> Result<T, QueryError> {
    plan.map_err(|e| faults::planning(&e))
}

fn two_of_one_name(column: &str) -> QueryError {
    QueryError::not_governed(
        &format!(
            "two tables that have {column} by one name, beneath a statistic of protected values; give one of them another alias"
        ),
        &format!("受保护数值统计之下有两个表可用同一名称指称 {column}；请为其中之一另取别名"),
    )
}

/// Each asking draws it anew, so that what it is compared with would be another condition each time.
fn under_noise() -> QueryError {
    QueryError::not_governed(
        "an answer under noise beneath a statistic of protected values; ask for each in a statement of its own",
        "受保护数值统计之下的加噪应答；请用单独的语句分别查询",
    )
}

fn only_simple() -> QueryError {
    QueryError::not_governed(
        "this beneath a statistic of protected values, where only WHERE, computed columns and JOIN … ON equal columns of granted tables may stand",
        "受保护数值统计之下的这种写法；其下仅可使用 WHERE、计算列以及授权表之间等值的 JOIN … ON",
    )
}
