//! AND, OR and the FILTER of aggregates look at what may raise only for rows that the rest leaves open:
//! `b <> 0 AND a / b > 1` does not divide by zero.
//!
//! DataFusion takes both sides of AND for a whole batch unless few of its rows pass the left one, so that whether a statement
//! raises would depend on which rows meet in a batch. CASE looks at each of its branches for the rows that come there and no
//! others, so an optimised plan is written with it: what cannot raise comes first, what may raise in the order of the
//! statement.

use super::total;
use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{Case, Sort};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, disjunction, merge_schema, split_binary_owned};
use datafusion::logical_expr::{
    Expr, ExprSchemable, Join, LogicalPlan, Operator, binary_expr, case, lit, when,
};
use std::cell::Cell;

/// Parts of expressions that are written a second time in one plan, at most: where unknown must be told from false, one of
/// two conditions is. Beyond it AND and OR stay as they are.
const TWICE: usize = 20_000;

/// An optimised plan whose conditions are looked at one after the other. To be done once, after the optimiser, which would
/// do it again and take it apart.
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
                filter.predicate = turns.taken(filter.predicate, Sense::Truth)?;
                Ok(Transformed::yes(LogicalPlan::Filter(filter)))
            }
            LogicalPlan::Join(join) => Ok(Transformed::yes(LogicalPlan::Join(turns.of_join(join)?))),
            other => turns.of_values(other),
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
    fn of_join(&self, mut join: Join) -> Result<Join> {
        join.filter = join.filter.map(|filter| self.taken(filter, Sense::Truth)).transpose()?;
        let keys = join
            .on
            .into_iter()
            .map(|(left, right)| Ok((self.taken(left, Sense::Value)?, self.taken(right, Sense::Value)?)));
        join.on = keys.collect::<Result<_>>()?;
        Ok(join)
    }

    fn of_values(&self, node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
        let names = NamePreserver::new(&node);
        let value = |expr: Expr| {
            if !has_conditions(&expr) {
                return Ok(Transformed::no(expr));
            }
            let name = names.save(&expr);
            Ok(Transformed::yes(name.restore(self.taken(expr, Sense::Value)?)))
        };
        node.map_expressions(|top| match top {
            Expr::GroupingSet(_) => top.map_children(value),
            other => value(other),
        })
    }

    /// An expression whose conditions are taken in turn.
    fn taken(&self, expr: Expr, sense: Sense) -> Result<Expr> {
        match expr {
            Expr::BinaryExpr(ref both) if is_logic(both.op) => {
                let op = both.op;
                if self.may_raise(&expr) { self.chain(op, expr, sense) } else { Ok(expr) }
            }
            Expr::Not(inner) => Ok(Expr::Not(Box::new(self.taken(*inner, sense.denied())?))),
            Expr::Alias(mut alias) => {
                alias.expr = Box::new(self.taken(*alias.expr, sense)?);
                Ok(Expr::Alias(alias))
            }
            Expr::Case(case) => self.of_case(case, sense),
            Expr::AggregateFunction(mut of) => {
                self.filtered(&mut of.params.filter, &mut of.params.args, &mut of.params.order_by)?;
                self.parts_taken(Expr::AggregateFunction(of), Sense::Value)
            }
            Expr::WindowFunction(mut of) => {
                self.filtered(&mut of.params.filter, &mut of.params.args, &mut [])?;
                self.parts_taken(Expr::WindowFunction(of), Sense::Value)
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

    /// Conditions that are joined by AND or OR, at least one of which may raise.
    fn chain(&self, op: Operator, expr: Expr, sense: Sense) -> Result<Expr> {
        let parts = split_binary_owned(expr, op).into_iter();
        let parts: Vec<Expr> = parts.map(|part| self.taken(part, sense)).collect::<Result<_>>()?;
        let (raising, safe): (Vec<Expr>, Vec<Expr>) =
            parts.into_iter().partition(|part| self.may_raise(part));
        let safe = if op == Operator::And { conjunction(safe) } else { disjunction(safe) };
        let mut last_first = safe.into_iter().chain(raising).rev();
        let last = last_first.next().unwrap_or_else(|| lit(op == Operator::And));
        last_first.try_fold(last, |rest, first| self.turn(op, first, rest, sense))
    }

    /// `first` AND or OR `rest`, of which the second is looked at where the first decides nothing.
    fn turn(&self, op: Operator, first: Expr, rest: Expr, sense: Sense) -> Result<Expr> {
        if sense == Sense::Value && first.nullable(&self.schema)? {
            return self.valued(op, first, rest);
        }
        // What counts as true of the first one.
        let first = if sense == Sense::Falsity { first.is_not_false() } else { first };
        match op {
            Operator::And => when(first, rest).otherwise(lit(false)),
            _ => when(first, lit(true)).otherwise(rest),
        }
    }

    /// The same where the first may be unknown and it matters whether both are. The shorter one is written twice.
    fn valued(&self, op: Operator, first: Expr, rest: Expr) -> Result<Expr> {
        let (one, other) = (parts(&first), parts(&rest));
        let Some(left) = self.twice.get().checked_sub(one.min(other)) else {
            return Ok(binary_expr(first, op, rest));
        };
        self.twice.set(left);
        // The other one's value where the first is unknown: false AND unknown is false, true OR unknown is true.
        let unknown = || lit(ScalarValue::Boolean(None));
        match (op, one <= other) {
            (Operator::And, true) => {
                Ok(first.clone().and(when(first.is_not_false(), rest).otherwise(lit(false))?))
            }
            (_, true) => Ok(first.clone().or(when(first.is_not_true(), rest).otherwise(lit(true))?)),
            (Operator::And, false) => case(first)
                .when(lit(true), rest.clone())
                .when(lit(false), lit(false))
                .otherwise(rest.and(unknown())),
            (_, false) => case(first)
                .when(lit(true), lit(true))
                .when(lit(false), rest.clone())
                .otherwise(rest.or(unknown())),
        }
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

    /// The arguments of an aggregate that takes only some rows are looked at for these.
    fn filtered(&self, filter: &mut Option<Box<Expr>>, args: &mut [Expr], sorts: &mut [Sort]) -> Result<()> {
        let Some(condition) = filter.take() else { return Ok(()) };
        let condition = self.taken(*condition, Sense::Truth)?;
        for arg in args.iter_mut().chain(sorts.iter_mut().map(|sort| &mut sort.expr)) {
            if self.may_raise(arg) {
                *arg = when(condition.clone(), arg.clone()).end()?;
            }
        }
        *filter = Some(Box::new(condition));
        Ok(())
    }

    /// Whether it ends in an error for some row that there may be.
    fn may_raise(&self, expr: &Expr) -> bool {
        let raises = |part: &Expr| {
            Ok(match part {
                Expr::Cast(cast) => match cast.expr.get_type(&self.schema) {
                    Ok(from) => !widens(&from, cast.field.data_type()),
                    Err(_) => true,
                },
                // They are computed once, whatever rows there are.
                Expr::ScalarSubquery(_) => false,
                // A pattern that is none raises wherever it stands.
                Expr::BinaryExpr(both) if is_pattern(both.op) => !matches!(*both.right, Expr::Literal(..)),
                Expr::ScalarFunction(call) if TOTAL_BY_LITERALS.contains(&call.name()) => {
                    call.args.iter().skip(1).any(|arg| !matches!(arg, Expr::Literal(..)))
                }
                other => !total::gives_always(other, &self.schema),
            })
        };
        expr.exists(raises).unwrap_or(true)
    }
}

const fn is_logic(op: Operator) -> bool {
    matches!(op, Operator::And | Operator::Or)
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

const fn is_pattern(op: Operator) -> bool {
    use Operator::{RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch};
    matches!(op, RegexMatch | RegexIMatch | RegexNotMatch | RegexNotIMatch)
}

/// Functions that give a result for every first argument, where the others are literals.
const TOTAL_BY_LITERALS: &[&str] = &[
    "ascii",
    "bit_length",
    "initcap",
    "isnan",
    "iszero",
    "left",
    "octet_length",
    "regexp_like",
    "reverse",
    "right",
    "split_part",
    "substr",
];

/// How many parts an expression has.
fn parts(expr: &Expr) -> usize {
    let mut count = 0;
    let walked = expr.apply(|_| {
        count += 1;
        Ok(TreeNodeRecursion::Continue)
    });
    if walked.is_ok() { count } else { usize::MAX }
}

/// Whether each value of a type has one in another.
fn widens(from: &DataType, to: &DataType) -> bool {
    use DataType::{Float64, Null, Utf8, Utf8View};
    if from == to || *from == Null {
        return true;
    }
    match (digits(from), digits(to)) {
        (Some(before), Some(after)) => before.0 <= after.0 && before.1 <= after.1,
        (Some(_), None) => matches!(to, Float64 | Utf8 | Utf8View),
        (None, _) => from.is_floating() && *to == Float64,
    }
}

/// Digits before and after the point.
fn digits(of: &DataType) -> Option<(i16, i16)> {
    Some(match of {
        DataType::Int8 => (3, 0),
        DataType::Int16 => (5, 0),
        DataType::Int32 => (10, 0),
        DataType::Int64 => (19, 0),
        DataType::Decimal128(all, scale) | DataType::Decimal256(all, scale) => {
            let scale = i16::from(*scale);
            (i16::from(*all) - scale, scale)
        }
        _ => return None,
    })
}
