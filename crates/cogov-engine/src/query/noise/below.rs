//! What lies below a noisy statistic: a plan in which one unit has so many rows at most.
//!
//! Every protected table names its unit and how many rows one unit brings. Rows beyond are left out by a rule that
//! looks at the unit's own rows only, so that taking one unit away changes no row of another. WHERE and computed
//! columns are functions of one row; a join on the unit brings a unit its own rows only; a join to a public table
//! multiplies rows by how often its key stands there, which is public.

use super::super::facts::Facts;
use super::super::governed::{GovernedTable, UNIT};
use super::super::statistic::default_threshold;
use super::super::{allowed, faults, total};
use super::quantise::{Mix, Range};
use super::terms::NoiseTerms;
use super::{ranges, words};
use crate::error::QueryError;
use cogov_model::{Aggregation, Clauses, ColumnRef, Epsilon, MinGroup, PublicKeys, TablePrivacy, Treatment};
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, DFSchema, JoinType};
use datafusion::datasource::provider_as_source;
use datafusion::error::Result as PlanResult;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, Filter, Join, LogicalPlan, LogicalPlanBuilder, Operator, Projection, ScalarUDF,
    SubqueryAlias, TableScan, lit,
};
use std::sync::Arc;

/// A protected table that is scanned below.
#[derive(Clone)]
pub(super) struct Scanned {
    pub(super) table: GovernedTable,
    /// The most rows of one unit.
    pub(super) rows: u32,
}

/// A join to a public table, whose key may stand there several times.
#[derive(Clone)]
pub(super) struct Fan {
    pub(super) table: GovernedTable,
    /// The column of the table that is joined on; none when every row meets every row.
    pub(super) key: Option<String>,
}

/// What is known of a column below.
#[derive(Clone, Default)]
pub(super) struct Known {
    pub(super) facts: Facts,
    /// Between which values it lies, where that is declared.
    pub(super) range: Option<Range>,
    /// Its public values.
    pub(super) keys: Option<PublicKeys>,
    /// Whether it is the unit.
    pub(super) unit: bool,
    /// The column of a table that it is, as it stands there.
    pub(super) base: Option<String>,
}

/// A plan with what is known of its columns.
pub(super) struct Below {
    /// As it runs when no unit has more rows than it may.
    pub(super) plain: LogicalPlan,
    /// With rows beyond a unit's share left out.
    pub(super) bounded: LogicalPlan,
    pub(super) columns: Vec<Known>,
    /// What the presence of rows depends on.
    pub(super) rows: Facts,
    pub(super) scanned: Vec<Scanned>,
    pub(super) fans: Vec<Fan>,
    /// The only public table below, when nothing is protected.
    public: Option<GovernedTable>,
}

/// What rules a statistic: the strictest of the noise of every table below.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) k: MinGroup,
    pub(super) month: Epsilon,
    pub(super) clauses: Clauses,
}

/// Whether a table is answered from under noise only.
pub(in crate::query) fn is_noisy(table: &GovernedTable) -> bool {
    table.columns.iter().any(|c| matches!(c.ruling.treatment, Treatment::Noise { .. }))
}

/// The clauses that put a table under noise.
pub(in crate::query) fn noise_clauses(table: &GovernedTable) -> Clauses {
    let noisy = table.columns.iter().filter(|c| matches!(c.ruling.treatment, Treatment::Noise { .. }));
    noisy.flat_map(|c| c.ruling.clauses.iter().cloned()).collect()
}

/// The least group that a table's columns name, and the usual one where none does.
fn least_group(table: &GovernedTable) -> Result<MinGroup, QueryError> {
    let named = table.columns.iter().filter_map(|c| match c.ruling.treatment {
        Treatment::Noise { min_group, .. } => Some(min_group),
        Treatment::Aggregate(rules) => Some(rules.min_group),
        Treatment::Clear | Treatment::Mask(_) | Treatment::Withhold => None,
    });
    named.max().map_or_else(default_threshold, Ok)
}

/// The scan as it stands beneath noise.
fn beneath(scan: &TableScan, table: &GovernedTable) -> LogicalPlan {
    let mut scan = scan.clone();
    scan.source = provider_as_source(Arc::new(table.beneath_noise()) as Arc<dyn TableProvider>);
    LogicalPlan::TableScan(scan)
}

impl Below {
    /// Walks a plan under the terms.
    ///
    /// # Errors
    /// When something is not declared, or rows per unit cannot be bounded.
    pub(super) fn walk(plan: &LogicalPlan, terms: &NoiseTerms) -> Result<Self, QueryError> {
        if !plan.all_out_ref_exprs().is_empty() {
            return Err(words::shape());
        }
        match plan {
            LogicalPlan::TableScan(scan) => Self::scan(scan, terms),
            LogicalPlan::SubqueryAlias(node) => Self::walk(&node.input, terms)?.mapped(|plan| {
                SubqueryAlias::try_new(Arc::new(plan), node.alias.clone()).map(LogicalPlan::SubqueryAlias)
            }),
            LogicalPlan::Filter(node) => Self::filter(node, terms),
            LogicalPlan::Projection(node) => Self::projection(node, terms),
            LogicalPlan::Join(node) => Self::join(node, terms),
            _ => Err(words::shape()),
        }
    }

    fn mapped(self, with: impl Fn(LogicalPlan) -> PlanResult<LogicalPlan>) -> Result<Self, QueryError> {
        let Self { plain, bounded, columns, rows, scanned, fans, public } = self;
        let with = |plan| with(plan).map_err(|e| faults::planning(&e));
        Ok(Self { plain: with(plain)?, bounded: with(bounded)?, columns, rows, scanned, fans, public })
    }

    /// What is known of a column by its name.
    pub(super) fn known(&self, column: &Column) -> Option<&Known> {
        known(self.plain.schema(), &self.columns, column)
    }

    /// The facts of an expression.
    pub(super) fn facts(&self, expr: &Expr) -> Facts {
        let columns = expr.column_refs();
        Facts::join_all(columns.into_iter().filter_map(|c| self.known(c)).map(|known| &known.facts))
    }

    /// What rules a statistic over it.
    pub(super) fn rules(&self) -> Result<Rules, QueryError> {
        let mut k = None;
        for scanned in &self.scanned {
            k = k.max(Some(least_group(&scanned.table)?));
        }
        let (mut month, mut clauses) = (None, Clauses::new());
        for ruling in self.scanned.iter().flat_map(|s| s.table.columns.iter()).map(|c| &c.ruling) {
            if let Treatment::Noise { epsilon_per_month, .. } = ruling.treatment {
                month = Some(month.map_or(epsilon_per_month, |least: Epsilon| least.min(epsilon_per_month)));
                clauses.extend(ruling.clauses.iter().cloned());
            }
        }
        let (k, month) = k.zip(month).ok_or_else(QueryError::internal)?;
        Ok(Rules { k, month, clauses })
    }

    fn scan(scan: &TableScan, terms: &NoiseTerms) -> Result<Self, QueryError> {
        let table = allowed::governed(scan).map_err(|e| faults::planning(&e))?;
        let plain = beneath(scan, &table);
        let columns = |declared: Option<&TablePrivacy>| {
            let fields = scan.projected_schema.fields().iter();
            fields.map(|f| at_scan(&table, f.name(), declared)).collect::<Result<Vec<_>, _>>()
        };
        if table.public {
            let (columns, bounded) = (columns(None)?, plain.clone());
            let (scanned, fans) = (Vec::new(), Vec::new());
            return Ok(Self {
                plain,
                bounded,
                columns,
                rows: Facts::default(),
                scanned,
                fans,
                public: Some(table),
            });
        }
        let name = format!("{}.{}", table.dataset, table.name);
        let missing = |what| words::undeclared(&name, what, noise_clauses(&table));
        if table.unit.is_none() {
            return Err(missing(("the column that identifies a person or unit", "标识主体的列")));
        }
        let declared = terms.declared.get(&(table.dataset.clone(), table.name.clone()));
        let declared = declared.ok_or_else(|| {
            missing((
                "how many rows one unit may bring, and bounds of its columns",
                "每个主体的最多行数与各列的上下界",
            ))
        })?;
        let bounded = bounded_scan(scan, &table, declared.rows_per_unit).map_err(|e| faults::planning(&e))?;
        Ok(Self {
            plain,
            bounded,
            columns: columns(Some(declared))?,
            rows: Facts::default(),
            scanned: vec![Scanned { rows: declared.rows_per_unit, table }],
            fans: Vec::new(),
            public: None,
        })
    }

    fn filter(node: &Filter, terms: &NoiseTerms) -> Result<Self, QueryError> {
        let mut below = Self::walk(&node.input, terms)?;
        let predicate = total::totalise(&node.predicate, below.plain.schema())?;
        below.rows = below.rows.clone().join(&below.facts(&predicate));
        below.mapped(|plan| Filter::try_new(predicate.clone(), Arc::new(plan)).map(LogicalPlan::Filter))
    }

    fn projection(node: &Projection, terms: &NoiseTerms) -> Result<Self, QueryError> {
        let mut below = Self::walk(&node.input, terms)?;
        let names = NamePreserver::new_for_projection();
        let (mut exprs, mut columns) = (Vec::new(), Vec::new());
        for expr in &node.expr {
            let name = names.save(expr);
            let total = total::totalise(expr, below.plain.schema())?;
            columns.push(below.computed(&total));
            exprs.push(name.restore(total));
        }
        below.columns = columns;
        below.mapped(|plan| Projection::try_new(exprs.clone(), Arc::new(plan)).map(LogicalPlan::Projection))
    }

    /// What is known of a computed column.
    fn computed(&self, expr: &Expr) -> Known {
        if let Expr::Column(column) = expr.clone().unalias()
            && let Some(known) = self.known(&column)
        {
            return known.clone();
        }
        Known { facts: self.facts(expr), range: ranges::of(expr, self), ..Known::default() }
    }

    fn join(node: &Join, terms: &NoiseTerms) -> Result<Self, QueryError> {
        let (left, right) = (Self::walk(&node.left, terms)?, Self::walk(&node.right, terms)?);
        if !matches!(node.join_type, JoinType::Inner | JoinType::Left) {
            return Err(words::shape());
        }
        let schema = Arc::clone(&node.schema);
        let columns: Vec<Known> = left.columns.iter().chain(&right.columns).cloned().collect();
        let pairs = pairs(node);
        let side = |column: &Column| known(&schema, &columns, column);
        let mut fans: Vec<Fan> = left.fans.iter().chain(&right.fans).cloned().collect();
        let outer = node.join_type == JoinType::Left;
        match (&left.public, &right.public) {
            (None, None) => {
                let on_unit = |(l, r): &(Column, Column)| {
                    side(l).is_some_and(|k| k.unit) && side(r).is_some_and(|k| k.unit)
                };
                if !pairs.iter().any(on_unit) {
                    return Err(words::join());
                }
            }
            (None, Some(table)) => fans.push(fan(table, &right, &pairs)),
            (Some(table), None) if !outer => fans.push(fan(table, &left, &pairs)),
            _ => return Err(words::shape()),
        }
        let total = |expr: &Expr| total::totalise(expr, &schema);
        let on = node.on.iter().map(|(l, r)| Ok((total(l)?, total(r)?)));
        let on = on.collect::<Result<Vec<_>, QueryError>>()?;
        let filter = node.filter.as_ref().map(total).transpose()?;
        let mut rows = left.rows.clone().join(&right.rows);
        for expr in on.iter().flat_map(|(l, r)| [l, r]).chain(&filter) {
            let refs = expr.column_refs();
            rows = rows.join(&Facts::join_all(refs.into_iter().filter_map(side).map(|k| &k.facts)));
        }
        let joined = |l: LogicalPlan, r: LogicalPlan| {
            let (l, r) = (Arc::new(l), Arc::new(r));
            let (on, filter) = (on.clone(), filter.clone());
            let (kind, constraint) = (node.join_type, node.join_constraint);
            Join::try_new(l, r, on, filter, kind, constraint, node.null_equality, node.null_aware)
                .map(LogicalPlan::Join)
                .map_err(|e| faults::planning(&e))
        };
        let columns = if outer { columns_of_outer(columns, left.columns.len()) } else { columns };
        Ok(Self {
            plain: joined(left.plain, right.plain)?,
            bounded: joined(left.bounded, right.bounded)?,
            columns,
            rows,
            scanned: left.scanned.into_iter().chain(right.scanned).collect(),
            fans,
            public: None,
        })
    }
}

/// Columns of the right side of an outer join may be missing.
fn columns_of_outer(mut columns: Vec<Known>, left: usize) -> Vec<Known> {
    for known in columns.iter_mut().skip(left) {
        known.unit = false;
        known.keys = None;
        if let Some(range) = &mut known.range {
            range.complete = false;
        }
    }
    columns
}

fn known<'a>(schema: &DFSchema, columns: &'a [Known], column: &Column) -> Option<&'a Known> {
    columns.get(schema.maybe_index_of_column(column)?)
}

fn at_scan(table: &GovernedTable, name: &str, declared: Option<&TablePrivacy>) -> Result<Known, QueryError> {
    let visible = table.visible(name).ok_or_else(QueryError::internal)?;
    let raw = !matches!(visible.ruling.treatment, Treatment::Mask(_));
    let column = &visible.column.name;
    let bounds = declared.and_then(|d| d.bounds.get(column)).filter(|_| raw);
    #[expect(clippy::cast_precision_loss, reason = "a bound is a rough number")]
    let number = |bound: cogov_model::Bound| bound.micros() as f64 / 1e6;
    let keys = match declared {
        Some(declared) => declared.keys.get(column).cloned(),
        // Every value of a public table is public.
        None => Some(PublicKeys::Column(ColumnRef {
            dataset: table.dataset.clone(),
            table: table.name.clone(),
            column: column.clone(),
        })),
    };
    // Of a public table nothing is protected, so nothing of its labels falls.
    let protection = match declared {
        Some(_) => Some(Aggregation::over(least_group(table)?)),
        None => None,
    };
    Ok(Known {
        facts: visible.facts_under(table, protection),
        range: bounds.map(|b| Range { lower: number(b.lower), upper: number(b.upper), complete: b.complete }),
        keys: keys.filter(|_| raw),
        unit: raw && table.unit.as_ref() == Some(column),
        base: raw.then(|| name.to_owned()),
    })
}

/// The scan with rows that have a unit, and so many of each at most, in an order that depends on the unit's own
/// rows only.
fn bounded_scan(scan: &TableScan, table: &GovernedTable, rows: u32) -> PlanResult<LogicalPlan> {
    const PLACE: &str = "__cogov_place";
    let source = provider_as_source(Arc::new(table.counting_units()) as Arc<dyn TableProvider>);
    let name = scan.table_name.clone();
    let unit = Expr::Column(Column::new(Some(name.clone()), UNIT));
    let visible: Vec<Expr> = scan.projected_schema.columns().into_iter().map(Expr::Column).collect();
    let every: Vec<Expr> = table
        .columns
        .iter()
        .map(|c| Expr::Column(Column::new(Some(name.clone()), c.column.name.as_str())))
        .collect();
    let mixed = ScalarUDF::from(Mix::new()).call(every.clone()).sort(true, false);
    // Rows of one hash differ in some column, or in none.
    let order = std::iter::once(mixed).chain(every.into_iter().map(|c| c.sort(true, false))).collect();
    let place = row_number().partition_by(vec![unit.clone()]).order_by(order).build()?.alias(PLACE);
    LogicalPlanBuilder::scan(name, source, None)?
        .filter(unit.is_not_null())?
        .window(vec![place])?
        .filter(Expr::Column(Column::from_name(PLACE)).lt_eq(lit(u64::from(rows))))?
        .project(visible)?
        .build()
}

/// The pairs of columns that a join equates, left and right.
fn pairs(node: &Join) -> Vec<(Column, Column)> {
    let left = |c: &Column| node.left.schema().maybe_index_of_column(c).is_some();
    let pair = |a: &Expr, b: &Expr| match (a.clone().unalias(), b.clone().unalias()) {
        (Expr::Column(a), Expr::Column(b)) if left(&a) && !left(&b) => Some((a, b)),
        (Expr::Column(a), Expr::Column(b)) if left(&b) && !left(&a) => Some((b, a)),
        _ => None,
    };
    let written = node.filter.as_ref().map(split_conjunction).unwrap_or_default();
    let written = written.into_iter().filter_map(|e| match e {
        Expr::BinaryExpr(both) if both.op == Operator::Eq => pair(&both.left, &both.right),
        _ => None,
    });
    node.on.iter().filter_map(|(l, r)| pair(l, r)).chain(written).collect()
}

/// How a public table multiplies rows.
fn fan(table: &GovernedTable, side: &Below, pairs: &[(Column, Column)]) -> Fan {
    let key = pairs.iter().flat_map(|(l, r)| [l, r]).find_map(|c| side.known(c)?.base.clone());
    Fan { table: table.clone(), key }
}
