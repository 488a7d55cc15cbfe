//! AND, OR and the FILTER of aggregates look at what may raise only for rows that the rest leaves open:
//! `b <> 0 AND a / b > 1` does not divide by zero.
//!
//! DataFusion takes both sides of AND for a whole batch unless few of its rows pass the left one, so that whether a statement
//! raises would depend on which rows meet in a batch. CASE looks at each of its branches for the rows that come there and no
//! others. So a plan is written in two steps. Before it is optimised, what cannot raise comes first ([`in_order`]), what may
//! raise in the order of the statement: an optimiser computes what stands first, or in an aggregate, once for all rows. Once it
//! is optimised, conditions become CASE ([`in_turn`]), which an optimiser would take apart.

use super::nesting::{DEEP, DEEPEST, deep};
use super::raising::may_raise;
use super::simplify::is_logic;
use super::total;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{Case, Sort};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, disjunction, merge_schema, split_binary_owned};
use datafusion::logical_expr::{Expr, ExprSchemable, Join, LogicalPlan, Operator, lit, when};
use std::cell::Cell;

/// Parts of expressions that are written a second time in one plan, at most: where unknown must be told from false, and in
/// what a FILTER stands beside. Beyond it they stay as they are.
const TWICE: usize = 20_000;

/// A plan to be optimised, in whose conditions what cannot raise comes first, and whose aggregates look at their arguments
/// only for rows that they take.
///
/// # Errors
/// When the plan contradicts itself.
pub(super) fn in_order(plan: LogicalPlan) -> Result<LogicalPlan> {
    let twice = Cell::new(TWICE);
    let done = plan.transform_up_with_subqueries(|node| {
        let turns = Turns { schema: merge_schema(&node.inputs()), twice: &twice };
        turns.each(node, |expr| turns.ordered(expr))
    })?;
    Ok(done.data)
}

/// An optimised plan whose conditions are looked at one after the other. To be done once.
///
/// # Errors
/// When the plan contradicts itself.
pub(super) fn in_turn(plan: LogicalPlan) -> Result<LogicalPlan> {
    let twice = Cell::new(TWICE);
    let done = plan.transform_up_with_subqueries(|node| {
        let turns = Turns { schema: merge_schema(&node.inputs()), twice: &twice };
        match node {
            // Its conditions cannot raise, or stand above it again.
            LogicalPlan::TableScan(_) => Ok(Transformed::no(node)),
            LogicalPlan::Filter(mut filter) => {
                filter.predicate = turns.whole(filter.predicate, Sense::Truth)?;
                Ok(Transformed::yes(LogicalPlan::Filter(filter)))
            }
            LogicalPlan::Join(join) => Ok(Transformed::yes(LogicalPlan::Join(turns.of_join(join)?))),
            other => turns.each(other, |expr| turns.whole(expr, Sense::Value)),
        }
    })?;
    Ok(done.data)
}

/// What of a condition's three values matters where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sense {
    /// Whether it is true: unknown is as good as false.
    Truth,
    /// Whether it is false: unknown is as good as true.
    Falsity,
    /// Each of them.
    Value,
}

impl Sense {
    const fn denied(self) -> Self {
        match self {
            Self::Truth => Self::Falsity,
            Self::Falsity => Self::Truth,
            Self::Value => Self::Value,
        }
    }
}

struct Turns<'a> {
    schema: DFSchema,
    /// What may still be written twice.
    twice: &'a Cell<usize>,
}

impl Turns<'_> {
    /// Each expression of a node that holds a condition, under the name that it has.
    fn each(
        &self,
        node: LogicalPlan,
        change: impl Fn(Expr) -> Result<Expr>,
    ) -> Result<Transformed<LogicalPlan>> {
        let names = NamePreserver::new(&node);
        let changed = |expr: Expr| {
            if !has_conditions(&expr) {
                return Ok(Transformed::no(expr));
            }
            let name = names.save(&expr);
            Ok(Transformed::yes(name.restore(change(expr)?)))
        };
        node.map_expressions(|top| match top {
            Expr::GroupingSet(_) => top.map_children(changed),
            other => changed(other),
        })
    }

    fn of_join(&self, mut join: Join) -> Result<Join> {
        join.filter = join.filter.map(|filter| self.whole(filter, Sense::Truth)).transpose()?;
        let key = |expr: Expr| self.whole(expr, Sense::Value);
        let keys = join.on.into_iter().map(|(left, right)| Ok((key(left)?, key(right)?)));
        join.on = keys.collect::<Result<_>>()?;
        Ok(join)
    }

    /// An expression in whose conditions what cannot raise comes first.
    fn ordered(&self, expr: Expr) -> Result<Expr> {
        let expr = match expr {
            Expr::BinaryExpr(ref both) if is_logic(both.op) && may_raise(&expr, &self.schema) => {
                let op = both.op;
                let parts = split_binary_owned(expr, op).into_iter();
                let parts: Vec<Expr> = parts.map(|part| self.ordered(part)).collect::<Result<_>>()?;
                return Ok(self.safe_first(op, parts));
            }
            Expr::AggregateFunction(mut of) => {
                self.filtered(of.params.filter.as_deref(), &mut of.params.args, &mut of.params.order_by)?;
                Expr::AggregateFunction(of)
            }
            Expr::WindowFunction(mut of) => {
                self.filtered(of.params.filter.as_deref(), &mut of.params.args, &mut [])?;
                Expr::WindowFunction(of)
            }
            other => other,
        };
        Ok(expr.map_children(|part| self.ordered(part).map(Transformed::yes))?.data)
    }

    fn safe_first(&self, op: Operator, parts: Vec<Expr>) -> Expr {
        let (raising, safe): (Vec<Expr>, Vec<Expr>) =
            parts.into_iter().partition(|part| may_raise(part, &self.schema));
        joined(op, safe.into_iter().chain(raising))
    }

    /// What an aggregate that takes only some rows is computed of, looked at for these alone.
    fn filtered(&self, filter: Option<&Expr>, args: &mut [Expr], sorts: &mut [Sort]) -> Result<()> {
        // A subquery is not to be written twice.
        let Some(filter) = filter.filter(|filter| !has_subquery(filter)) else { return Ok(()) };
        for arg in args.iter_mut().chain(sorts.iter_mut().map(|sort| &mut sort.expr)) {
            if !total::constant(arg) && may_raise(arg, &self.schema) && self.may_write(parts(filter)) {
                *arg = when(filter.clone(), arg.clone()).end()?;
            }
        }
        Ok(())
    }

    /// A whole expression whose conditions are taken in turn.
    fn whole(&self, expr: Expr, sense: Sense) -> Result<Expr> {
        if !has_conditions(&expr) {
            return Ok(expr);
        }
        let taken = self.taken(expr.clone(), sense)?;
        Ok(if deep(&taken) > DEEPEST { expr } else { taken })
    }

    /// An expression whose conditions are taken in turn.
    fn taken(&self, expr: Expr, sense: Sense) -> Result<Expr> {
        match expr {
            Expr::BinaryExpr(ref both) if is_logic(both.op) => {
                let op = both.op;
                if may_raise(&expr, &self.schema) { self.chain(op, expr, sense) } else { Ok(expr) }
            }
            Expr::Not(inner) => Ok(Expr::Not(Box::new(self.taken(*inner, sense.denied())?))),
            Expr::Alias(mut alias) => {
                alias.expr = Box::new(self.taken(*alias.expr, sense)?);
                Ok(Expr::Alias(alias))
            }
            Expr::Case(case) => self.of_case(case, sense),
            Expr::AggregateFunction(mut of) => {
                let filter = of.params.filter.take().map(|filter| self.taken(*filter, Sense::Truth));
                let mut rest = self.parts_taken(Expr::AggregateFunction(of), Sense::Value)?;
                if let Expr::AggregateFunction(of) = &mut rest {
                    of.params.filter = filter.transpose()?.map(Box::new);
                }
                Ok(rest)
            }
            other => {
                let sense = match other {
                    Expr::IsTrue(_) | Expr::IsNotTrue(_) => Sense::Truth,
                    Expr::IsFalse(_) | Expr::IsNotFalse(_) => Sense::Falsity,
                    _ => Sense::Value,
                };
                self.parts_taken(other, sense)
            }
        }
    }

    fn parts_taken(&self, expr: Expr, sense: Sense) -> Result<Expr> {
        Ok(expr.map_children(|part| self.taken(part, sense).map(Transformed::yes))?.data)
    }

    /// Conditions that are joined by AND or OR, at least one of which may raise: each is looked at where those before it
    /// decide nothing.
    fn chain(&self, op: Operator, expr: Expr, sense: Sense) -> Result<Expr> {
        let parts = split_binary_owned(expr, op).into_iter();
        let parts: Vec<Expr> = parts.map(|part| self.taken(part, sense)).collect::<Result<_>>()?;
        let (raising, mut conditions): (Vec<Expr>, Vec<Expr>) =
            parts.into_iter().partition(|part| may_raise(part, &self.schema));
        if !conditions.is_empty() {
            // One batch of them is enough.
            conditions = vec![joined(op, conditions.into_iter())];
        }
        conditions.extend(raising);
        if conditions.len() < 2 || conditions.iter().map(deep).max() >= Some(DEEP) {
            return Ok(joined(op, conditions.into_iter()));
        }
        let told_apart = sense == Sense::Value && conditions.iter().any(|part| self.may_be_unknown(part));
        if told_apart { self.valued(op, conditions) } else { turns(op, conditions, sense) }
    }

    /// The same where it matters whether the whole is unknown: where none decides, each has been looked at, and all may be
    /// again.
    fn valued(&self, op: Operator, conditions: Vec<Expr>) -> Result<Expr> {
        let all = joined(op, conditions.iter().cloned());
        if !self.may_write(parts(&all)) {
            return Ok(all);
        }
        let decides = |part: Expr| if op == Operator::And { part.is_false() } else { part.is_true() };
        cases(conditions.into_iter().map(decides), op == Operator::Or, all)
    }

    fn of_case(&self, mut case: Case, sense: Sense) -> Result<Expr> {
        let condition = if case.expr.is_some() { Sense::Value } else { Sense::Truth };
        let inner = |part: Box<Expr>, sense| self.taken(*part, sense).map(Box::new);
        case.expr = case.expr.map(|base| inner(base, Sense::Value)).transpose()?;
        let branches = case.when_then_expr.into_iter();
        let branches = branches.map(|(when, then)| Ok((inner(when, condition)?, inner(then, sense)?)));
        case.when_then_expr = branches.collect::<Result<_>>()?;
        case.else_expr = case.else_expr.map(|other| inner(other, sense)).transpose()?;
        Ok(Expr::Case(case))
    }

    /// Whether so many parts may be written a second time.
    fn may_write(&self, parts: usize) -> bool {
        let left = self.twice.get().checked_sub(parts);
        self.twice.set(left.unwrap_or_default());
        left.is_some()
    }

    /// Whether it may have no value. DataFusion takes a subquery for one that has a row.
    fn may_be_unknown(&self, expr: &Expr) -> bool {
        expr.nullable(&self.schema).unwrap_or(true) || has_subquery(expr)
    }
}

/// Conditions one after the other, where of unknown it matters only what it counts as.
fn turns(op: Operator, mut conditions: Vec<Expr>, sense: Sense) -> Result<Expr> {
    let last = conditions.pop().unwrap_or_else(|| lit(op == Operator::And));
    let decides = |part: Expr| match (op, sense) {
        (Operator::And, Sense::Falsity) => part.is_false(),
        (Operator::And, _) => part.is_not_true(),
        (_, Sense::Falsity) => part.is_not_false(),
        _ => part,
    };
    cases(conditions.into_iter().map(decides), op == Operator::Or, last)
}

/// The value where one of the conditions holds, and the rest where none does.
fn cases(mut conditions: impl Iterator<Item = Expr>, value: bool, rest: Expr) -> Result<Expr> {
    let Some(first) = conditions.next() else { return Ok(rest) };
    conditions.fold(when(first, lit(value)), |mut case, next| case.when(next, lit(value))).otherwise(rest)
}

fn joined(op: Operator, parts: impl Iterator<Item = Expr>) -> Expr {
    let joined = if op == Operator::And { conjunction(parts) } else { disjunction(parts) };
    joined.unwrap_or_else(|| lit(op == Operator::And))
}

/// Whether it holds something to be taken in turn.
fn has_conditions(expr: &Expr) -> bool {
    let has = |part: &Expr| {
        Ok(match part {
            Expr::BinaryExpr(both) => is_logic(both.op),
            Expr::AggregateFunction(of) => of.params.filter.is_some(),
            Expr::WindowFunction(of) => of.params.filter.is_some(),
            _ => false,
        })
    };
    expr.exists(has).unwrap_or(true)
}

fn has_subquery(expr: &Expr) -> bool {
    let subquery =
        |part: &Expr| Ok(matches!(part, Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_)));
    expr.exists(subquery).unwrap_or(true)
}

/// How many parts an expression has.
fn parts(expr: &Expr) -> usize {
    let mut count = 0;
    let walked = expr.apply(|_| {
        count += 1;
        Ok(TreeNodeRecursion::Continue)
    });
    if walked.is_ok() { count } else { usize::MAX }
}
