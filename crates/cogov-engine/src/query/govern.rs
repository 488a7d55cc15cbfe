//! One walk over a planned statement: every column gets its label and its protection, and aggregates over
//! protected values become protected statistics. What would show a protected value otherwise is refused. The rules
//! L1 to L14 of `docs/labels.md`, one function a node.

use super::around::Around;
use super::engine::Engine;
use super::facts::{self, Facts};
use super::noise::{self, Noise};
use super::planted::{Fault, planted};
use super::statistic::{self, Piece};
use super::world::GrantWorld;
use super::{allowed, faults, refused, total};
use crate::error::QueryError;
use cogov_model::Form;
use datafusion::common::JoinType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, Filter, Join, LogicalPlan, Projection, Sort, SortExpr, SubqueryAlias,
    TableScan, Union, Window,
};
use std::borrow::Cow;
use std::cell::Cell;
use std::{collections::HashSet, sync::Arc};

/// A plan with its facts.
pub(super) struct Node {
    pub(super) plan: LogicalPlan,
    /// One a column of the plan's schema. Never less protected than `rows`.
    pub(super) columns: Vec<Arc<Facts>>,
    /// What the presence and number of rows depend on.
    pub(super) rows: Facts,
}

impl Node {
    /// The node with new facts of its rows; what protects the rows protects every column.
    pub(super) fn new(
        plan: LogicalPlan,
        mut columns: Vec<Arc<Facts>>,
        rows: Facts,
    ) -> Result<Self, QueryError> {
        if columns.len() != plan.schema().fields().len() {
            return Err(QueryError::internal());
        }
        for column in &mut columns {
            let protection = facts::stricter(column.protection, rows.protection);
            if protection != column.protection {
                Arc::make_mut(column).protection = protection;
            }
        }
        Ok(Self { plan, columns, rows })
    }

    /// Everything known of the node at once.
    fn all(&self) -> Facts {
        Facts::join_all(&self.columns).join(&self.rows)
    }
}

/// What the walk needs to know of the grant.
pub(super) struct Governor {
    pub(super) form: Form,
    pub(super) engine: Engine,
    pub(super) world: Arc<GrantWorld>,
    pub(super) statistics: Cell<usize>,
    /// The greatest least group of them.
    pub(super) least: Cell<u64>,
    /// What is asked under noise.
    pub(super) noise: Noise,
}

impl Governor {
    /// Governs a whole statement.
    ///
    /// # Errors
    /// When it would show a protected value, or uses what cannot be governed.
    pub(super) fn statement(&self, plan: &LogicalPlan) -> Result<Node, QueryError> {
        let node = self.walk(plan, None)?;
        let all = node.all();
        noise::check(&all)?;
        refused::unprotected(&all, refused::shown)?;
        Ok(node)
    }

    fn walk(&self, plan: &LogicalPlan, outer: Option<&Around<'_>>) -> Result<Node, QueryError> {
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(scan),
            LogicalPlan::Projection(node) => self.projection(node, outer),
            LogicalPlan::Filter(node) => self.filter(node, outer),
            LogicalPlan::SubqueryAlias(node) => {
                let below = self.walk(&node.input, outer)?;
                let plan =
                    SubqueryAlias::try_new(Arc::new(below.plan), node.alias.clone()).map_err(planning)?;
                Node::new(LogicalPlan::SubqueryAlias(plan), below.columns, below.rows)
            }
            LogicalPlan::Join(node) => self.join(node, outer),
            LogicalPlan::Aggregate(node) => self.aggregate(node, outer),
            LogicalPlan::Window(node) => self.window(node, outer),
            LogicalPlan::Sort(node) => self.sort(node, outer),
            LogicalPlan::Limit(node) => {
                let below = self.walk(&node.input, outer)?;
                refused::constants(plan, refused::limit)?;
                refused::unprotected(&below.rows, refused::cut)?;
                let mut node = node.clone();
                node.input = Arc::new(below.plan);
                Node::new(LogicalPlan::Limit(node), below.columns, below.rows)
            }
            LogicalPlan::Distinct(node) => self.distinct(node, outer),
            LogicalPlan::Union(node) => self.union(node, outer),
            LogicalPlan::Values(_) | LogicalPlan::EmptyRelation(_) => {
                refused::constants(plan, refused::values)?;
                let columns = vec![Arc::default(); plan.schema().fields().len()];
                Node::new(plan.clone(), columns, Facts::default())
            }
            LogicalPlan::Subquery(_) => Err(QueryError::not_governed("LATERAL", "LATERAL 连接")),
            _ => Err(QueryError::not_governed("this kind of statement", "此类语句")),
        }
    }

    fn scan(&self, scan: &TableScan) -> Result<Node, QueryError> {
        let table = allowed::governed(scan).map_err(|e| faults::planning(&e))?;
        let rows = Facts { protection: table.protection, ..Facts::default() };
        noise::check_scan(&table, self.form)?;
        let facts = |place: usize| table.columns.get(place).map(|visible| Arc::clone(&visible.facts));
        let columns: Option<Vec<Arc<Facts>>> = match &scan.projection {
            Some(places) => places.iter().map(|place| facts(*place)).collect(),
            None => (0..scan.projected_schema.fields().len()).map(facts).collect(),
        };
        let columns = columns.ok_or_else(QueryError::internal)?;
        Node::new(LogicalPlan::TableScan(scan.clone()), columns, rows)
    }

    /// An expression with its subqueries governed, and its facts.
    fn expr(&self, expr: &Expr, around: &Around<'_>) -> Result<(Expr, Arc<Facts>), QueryError> {
        if let Expr::Column(column) = expr {
            let facts = around.find(column).cloned().ok_or_else(QueryError::internal)?;
            noise::check(&facts)?;
            return Ok((expr.clone(), facts));
        }
        let mut facts = Facts { protection: around.rows.protection, ..Facts::default() };
        let mut failure = None;
        let done = expr.clone().transform_up(|part| match self.part(part, around) {
            Ok((part, known)) => {
                facts = std::mem::take(&mut facts).join(&known);
                Ok(Transformed::yes(part))
            }
            Err((part, error)) => {
                failure = Some(error);
                Ok(Transformed::new(part, false, TreeNodeRecursion::Stop))
            }
        });
        if let Some(error) = failure {
            return Err(error);
        }
        noise::check(&facts)?;
        done.map(|done| (done.data, Arc::new(facts))).map_err(planning)
    }

    #[expect(clippy::result_large_err, reason = "the part goes back into the tree that is walked")]
    fn part(&self, part: Expr, around: &Around<'_>) -> Result<(Expr, Arc<Facts>), (Expr, QueryError)> {
        let (plan, facts) = match &part {
            Expr::Column(column) => (None, around.find(column).cloned()),
            Expr::OuterReferenceColumn(_, column) => (None, around.find_outer(column).cloned()),
            Expr::Exists(e) => (Some(&e.subquery), None),
            Expr::InSubquery(e) => (Some(&e.subquery), None),
            Expr::ScalarSubquery(e) => (Some(e), None),
            _ => (None, Some(Arc::default())),
        };
        let Some(subquery) = plan else {
            return match facts {
                Some(facts) => Ok((part, facts)),
                None => Err((part, QueryError::internal())),
            };
        };
        let governed = self
            .walk(&subquery.subquery, Some(around))
            .and_then(|node| refused::unprotected(&node.all(), refused::inside).map(|()| node));
        match governed {
            Ok(node) => {
                let facts = Arc::new(node.all());
                let mut subquery = subquery.clone();
                subquery.subquery = Arc::new(node.plan);
                Ok((with_subquery(part, subquery), facts))
            }
            Err(error) => Err((part, error)),
        }
    }

    fn exprs(&self, exprs: &[Expr], around: &Around<'_>) -> Result<Vec<(Expr, Arc<Facts>)>, QueryError> {
        exprs.iter().map(|expr| self.expr(expr, around)).collect()
    }

    fn projection(&self, node: &Projection, outer: Option<&Around<'_>>) -> Result<Node, QueryError> {
        let below = self.walk(&node.input, outer)?;
        let around = around(&below, outer);
        let names = NamePreserver::new_for_projection();
        let mut exprs = Vec::new();
        let mut columns = Vec::new();
        let mut plain = Arc::ptr_eq(node.input.schema(), below.plan.schema());
        for asked in &node.expr {
            let (mut expr, facts) = self.expr(asked, &around)?;
            if facts.protection.is_some() {
                expr = names.save(asked).restore(total::totalise(&expr, &around.schema)?);
            }
            plain &= matches!(expr, Expr::Column(_));
            exprs.push(expr);
            columns.push(facts);
        }
        let below_plan = Arc::new(below.plan);
        // Columns of the same schema have the same schema.
        let plan = match plain {
            true => Projection::try_new_with_schema(exprs, below_plan, Arc::clone(&node.schema)),
            false => Projection::try_new(exprs, below_plan),
        };
        let plan = plan.map_err(planning)?;
        Node::new(LogicalPlan::Projection(plan), columns, below.rows)
    }

    fn filter(&self, node: &Filter, outer: Option<&Around<'_>>) -> Result<Node, QueryError> {
        let below = self.walk(&node.input, outer)?;
        let around = around(&below, outer);
        let (mut predicate, facts) = self.expr(&node.predicate, &around)?;
        if facts.protection.is_some() && !planted(Fault::ProtectedMayRaise) {
            predicate = total::totalise(&predicate, &around.schema)?;
        }
        let plan = Filter::try_new(predicate, Arc::new(below.plan)).map_err(planning)?;
        Node::new(LogicalPlan::Filter(plan), below.columns, below.rows.join(&facts))
    }

    fn join(&self, node: &Join, outer: Option<&Around<'_>>) -> Result<Node, QueryError> {
        let left = self.walk(&node.left, outer)?;
        let right = self.walk(&node.right, outer)?;
        // INTERSECT and EXCEPT are joins that show the left side only.
        let compares = matches!(node.join_type, JoinType::LeftSemi | JoinType::LeftAnti);
        let joins =
            matches!(node.join_type, JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full);
        if !(joins || (compares && node.filter.is_none())) {
            return Err(QueryError::not_governed("this kind of join", "此类连接"));
        }
        let rows = left.rows.clone().join(&right.rows);
        let mut facts = rows.clone();
        let mut on = Vec::new();
        for (l, r) in &node.on {
            let (l, known_l) = self.expr(l, &around(&left, outer))?;
            let (r, known_r) = self.expr(r, &around(&right, outer))?;
            facts = facts.join(&known_l).join(&known_r);
            on.push((l, r));
        }
        if compares {
            refused::unprotected(&facts.clone().join(&left.all()).join(&right.all()), refused::cut)?;
        }
        let mut columns = left.columns;
        if joins {
            columns.extend(right.columns);
        }
        let mut filter = None;
        if let Some(condition) = &node.filter {
            let around = Around::new(&node.schema, &columns, &rows, outer);
            let (condition, known) = self.expr(condition, &around)?;
            facts = facts.join(&known);
            filter = Some(condition);
        }
        if facts.protection.is_some() {
            if node.join_type != JoinType::Inner {
                return Err(refused::outer_join());
            }
            filter = filter.map(|f| total::totalise(&f, &node.schema)).transpose()?;
        }
        let plan = Join::try_new(
            Arc::new(left.plan),
            Arc::new(right.plan),
            on,
            filter,
            node.join_type,
            node.join_constraint,
            node.null_equality,
            node.null_aware,
        )
        .map_err(planning)?;
        Node::new(LogicalPlan::Join(plan), columns, facts)
    }

    fn aggregate(&self, node: &Aggregate, outer: Option<&Around<'_>>) -> Result<Node, QueryError> {
        let node = &each_key_once(node);
        if self.form == Form::Aggregate && noise::concerns(&node.input) {
            return self.noisy(node);
        }
        let below = self.walk(&node.input, outer)?;
        let around = around(&below, outer);
        let groups = self.exprs(&node.group_expr, &around)?;
        let values = self.exprs(&node.aggr_expr, &around)?;
        let known = |all: &[(Expr, Arc<Facts>)]| Facts::join_all(all.iter().map(|(_, facts)| facts));
        let keys = known(&groups);
        let rows = below.rows.clone().join(&keys);
        let every = rows.clone().join(&known(&values));
        if let Some(obliged) = every.protection {
            let name = self.statistics.get();
            self.statistics.set(name + 1);
            self.least.set(self.least.get().max(obliged.get()));
            let piece = Piece {
                input: &below.plan,
                groups: &groups,
                values: &values,
                obliged,
                form: self.form,
                engine: &self.engine,
                world: &self.world,
            };
            let plan = statistic::build(&piece, node, name)?;
            let k = obliged.min_group;
            let released = |facts: &Facts, name: Option<&str>| Arc::new(facts.clone().released(name, k));
            let keys = groups.iter().map(|(_, facts)| released(facts, None));
            let figures =
                values.iter().map(|(value, facts)| released(facts, function_name(value).as_deref()));
            return Node::new(plan, keys.chain(figures).collect(), rows.released(None, k));
        }
        let sets = node.schema.fields().len() - values.len();
        let mut columns: Vec<Arc<Facts>> = match sets == groups.len() {
            true => groups.iter().map(|(_, facts)| Arc::clone(facts)).collect(),
            false => std::iter::repeat_n(Arc::new(keys), sets).collect(),
        };
        columns.extend(values.iter().map(|(_, facts)| Arc::clone(facts)));
        let exprs = |all: Vec<(Expr, Arc<Facts>)>| all.into_iter().map(|(expr, _)| expr).collect();
        let plan =
            Aggregate::try_new(Arc::new(below.plan), exprs(groups), exprs(values)).map_err(planning)?;
        Node::new(LogicalPlan::Aggregate(plan), columns, rows)
    }

    fn window(&self, node: &Window, outer: Option<&Around<'_>>) -> Result<Node, QueryError> {
        let below = self.walk(&node.input, outer)?;
        let around = around(&below, outer);
        let (mut exprs, mut columns) = (Vec::new(), below.columns.clone());
        for expr in &node.window_expr {
            let (expr, facts) = self.expr(expr, &around)?;
            refused::unprotected(&facts, refused::windowed)?;
            exprs.push(expr);
            columns.push(facts);
        }
        let plan = Window::try_new(exprs, Arc::new(below.plan)).map_err(planning)?;
        Node::new(LogicalPlan::Window(plan), columns, below.rows)
    }

    fn sort(&self, node: &Sort, outer: Option<&Around<'_>>) -> Result<Node, QueryError> {
        let below = self.walk(&node.input, outer)?;
        let (expr, facts) = self.sort_exprs(&node.expr, &around(&below, outer))?;
        let plan = Sort { expr, input: Arc::new(below.plan), fetch: node.fetch };
        Node::new(LogicalPlan::Sort(plan), below.columns, below.rows.join(&facts))
    }

    fn sort_exprs(
        &self,
        sorts: &[SortExpr],
        around: &Around<'_>,
    ) -> Result<(Vec<SortExpr>, Facts), QueryError> {
        let mut all = Facts::default();
        let mut out = Vec::new();
        for sort in sorts {
            let (expr, facts) = self.expr(&sort.expr, around)?;
            refused::unprotected(&facts, refused::cut)?;
            all = all.join(&facts);
            out.push(SortExpr { expr, ..sort.clone() });
        }
        Ok((out, all))
    }

    fn distinct(&self, node: &Distinct, outer: Option<&Around<'_>>) -> Result<Node, QueryError> {
        let Distinct::All(input) = node else {
            return Err(QueryError::not_governed(
                "DISTINCT ON; use GROUP BY",
                "DISTINCT ON；请使用 GROUP BY",
            ));
        };
        let below = self.walk(input, outer)?;
        let all = below.all();
        noise::check(&all)?;
        refused::unprotected(&all, refused::cut)?;
        Node::new(LogicalPlan::Distinct(Distinct::All(Arc::new(below.plan))), below.columns, all)
    }

    fn union(&self, node: &Union, outer: Option<&Around<'_>>) -> Result<Node, QueryError> {
        let mut columns = vec![Arc::<Facts>::default(); node.schema.fields().len()];
        let mut rows = Facts::default();
        let mut inputs = Vec::new();
        for input in &node.inputs {
            let below = self.walk(input, outer)?;
            noise::check(&below.all())?;
            refused::unprotected(&below.all(), refused::cut)?;
            for (column, facts) in columns.iter_mut().zip(&below.columns) {
                *column = Arc::new(Arc::unwrap_or_clone(std::mem::take(column)).join(facts));
            }
            rows = rows.join(&below.rows);
            inputs.push(Arc::new(below.plan));
        }
        let plan = Union { inputs, schema: Arc::clone(&node.schema) };
        Node::new(LogicalPlan::Union(plan), columns, rows)
    }
}

fn around<'a>(below: &'a Node, outer: Option<&'a Around<'a>>) -> Around<'a> {
    Around::new(below.plan.schema(), &below.columns, &below.rows, outer)
}

fn with_subquery(part: Expr, subquery: datafusion::logical_expr::Subquery) -> Expr {
    match part {
        Expr::Exists(mut e) => {
            e.subquery = subquery;
            Expr::Exists(e)
        }
        Expr::InSubquery(mut e) => {
            e.subquery = subquery;
            Expr::InSubquery(e)
        }
        Expr::ScalarSubquery(_) => Expr::ScalarSubquery(subquery),
        other => other,
    }
}

/// The aggregate as its schema has it: DataFusion keeps keys that are written twice, and gives each of them once.
fn each_key_once(node: &Aggregate) -> Cow<'_, Aggregate> {
    let mut seen = HashSet::new();
    let keys: Vec<Expr> = node.group_expr.iter().filter(|key| seen.insert(*key)).cloned().collect();
    if keys.len() == node.group_expr.len() {
        return Cow::Borrowed(node);
    }
    let mut node = node.clone();
    node.group_expr = keys;
    Cow::Owned(node)
}

/// The name of an aggregate.
fn function_name(value: &Expr) -> Option<String> {
    match value.clone().unalias() {
        Expr::AggregateFunction(function) => Some(function.func.name().to_owned()),
        _ => None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn planning(error: datafusion::error::DataFusionError) -> QueryError {
    faults::planning(&error)
}
