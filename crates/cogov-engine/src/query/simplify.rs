//! Expressions are simplified one condition at a time.
//!
//! DataFusion's simplifier knows laws of pairs of conditions that do not hold where a value may be unknown, or is written in
//! two ways: `a NOT IN (1, 2) OR a NOT IN (3, 4)` is true to it, also of NULL, and of `x = -0.0 AND x <> 0.0` it keeps the
//! first. So it is shown conditions each alone, and what it would misread is hidden from it behind a parameter. AND, OR and NOT
//! are put together here, by laws that hold in the logic of three values.

use arrow::datatypes::{DataType, Field, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, DFSchemaRef, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::{InList, Placeholder, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::utils::{conjunction, disjunction, merge_schema, split_binary_owned};
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, lit};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::simplify_expressions::{ExprSimplifier, SimplifyExpressions};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use std::collections::HashSet;
use std::sync::Arc;

/// Takes the place of DataFusion's rule of this name.
#[derive(Debug)]
pub(super) struct Simplify;

impl OptimizerRule for Simplify {
    fn name(&self) -> &'static str {
        "simplify_expressions"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        SimplifyExpressions::new().apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let schema = match &plan {
            LogicalPlan::TableScan(scan) => {
                DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?
            }
            other => merge_schema(&other.inputs()),
        };
        let context = SimplifyContext::builder()
            .with_schema(Arc::new(schema))
            .with_config_options(config.options())
            .with_query_execution_start_time(config.query_execution_start_time())
            .build();
        // The two sides of a join's keys are not to be swapped.
        let canonical = !matches!(plan, LogicalPlan::Join(_));
        let apart = Apart::new(context, canonical);
        let names = NamePreserver::new(&plan);
        let simplified = |expr: Expr| -> Result<Transformed<Expr>> {
            if is_plain(&expr) {
                return Ok(Transformed::no(expr));
            }
            let (name, before) = (names.save(&expr), expr.clone());
            let after = apart.simplified(expr)?;
            let changed = after != before;
            Ok(Transformed::new_transformed(name.restore(after), changed))
        };
        plan.map_expressions(|top| match top {
            Expr::GroupingSet(_) => top.map_children(simplified),
            other => simplified(other),
        })
    }
}

/// An expression with its types brought together, and simplified.
///
/// # Errors
/// When its types do not fit.
pub(super) fn coerced(expr: Expr, schema: &DFSchemaRef, options: &Arc<ConfigOptions>) -> Result<Expr> {
    let context = SimplifyContext::builder()
        .with_schema(Arc::clone(schema))
        .with_config_options(Arc::clone(options))
        .build();
    let apart = Apart::new(context, true);
    let expr = apart.simplifier.coerce(expr, schema)?;
    apart.simplified(expr)
}

/// What nothing can be said of.
const fn is_plain(expr: &Expr) -> bool {
    matches!(expr, Expr::Column(_) | Expr::Literal(..))
}

struct Apart {
    simplifier: ExprSimplifier,
    context: SimplifyContext,
}

impl Apart {
    fn new(context: SimplifyContext, canonical: bool) -> Self {
        let simplifier = ExprSimplifier::new(context.clone()).with_canonicalize(canonical);
        Self { simplifier, context }
    }

    fn simplified(&self, expr: Expr) -> Result<Expr> {
        match expr {
            plain if is_plain(&plain) => Ok(plain),
            Expr::Alias(mut alias) => {
                alias.expr = Box::new(self.simplified(*alias.expr)?);
                Ok(Expr::Alias(alias))
            }
            Expr::BinaryExpr(ref both) if is_logic(both.op) => {
                let op = both.op;
                self.joined(op, split_binary_owned(expr, op))
            }
            Expr::Not(inner) => match *inner {
                Expr::BinaryExpr(both) if is_logic(both.op) => self.joined(
                    if both.op == Operator::And { Operator::Or } else { Operator::And },
                    vec![Expr::Not(both.left), Expr::Not(both.right)],
                ),
                Expr::Not(inner) => self.simplified(*inner),
                other => self.alone(Expr::Not(Box::new(other))),
            },
            Expr::ScalarFunction(call) if self.is_choice(&call) => self.called(call),
            other if self.is_misread(&other) => {
                let parts = other.map_children(|part| self.simplified(part).map(Transformed::yes))?.data;
                if is_constant(&parts) { self.simplifier.simplify(parts) } else { Ok(parts) }
            }
            other => self.alone(other),
        }
    }

    /// Conditions that are joined by AND or OR, each simplified alone.
    fn joined(&self, op: Operator, parts: Vec<Expr>) -> Result<Expr> {
        let (mut simple, mut seen) = (Vec::new(), HashSet::new());
        // AND of nothing is true, OR of nothing false; the other one decides whatever stands beside it.
        let neutral = op == Operator::And;
        for part in parts {
            for part in split_binary_owned(self.simplified(part)?, op) {
                match part {
                    Expr::Literal(ScalarValue::Boolean(Some(value)), _) if value == neutral => (),
                    Expr::Literal(ScalarValue::Boolean(Some(value)), _) => return Ok(lit(value)),
                    part if part.is_volatile() || seen.insert(part.clone()) => simple.push(part),
                    _ => (),
                }
            }
        }
        let joined = if neutral { conjunction(simple) } else { factored(simple) };
        Ok(joined.unwrap_or_else(|| lit(neutral)))
    }

    /// One condition, or a value, simplified by DataFusion, which sees nothing of what it would misread in it.
    fn alone(&self, expr: Expr) -> Result<Expr> {
        let mut hidden: Vec<Expr> = Vec::new();
        let shown = expr.transform_down(|part| {
            if !self.is_boundary(&part) {
                return Ok(Transformed::no(part));
            }
            let field = self.field(&part)?;
            let part = self.simplified(part)?;
            if is_plain(&part) {
                return Ok(Transformed::new(part, true, TreeNodeRecursion::Jump));
            }
            let place = hidden.iter().position(|known| *known == part && !part.is_volatile());
            let place = place.unwrap_or_else(|| {
                hidden.push(part);
                hidden.len() - 1
            });
            let stands = Placeholder::new_with_field(format!("{HIDDEN}{place}"), Some(field));
            Ok(Transformed::new(Expr::Placeholder(stands), true, TreeNodeRecursion::Jump))
        })?;
        let simple = self.simplifier.simplify(shown.data)?;
        let simple = simple.transform_up(|part| Ok(without_signed_zero(part)))?.data;
        if hidden.is_empty() {
            return Ok(simple);
        }
        let found = simple.transform_down(|part| match &part {
            Expr::Placeholder(stands) => {
                let place = stands.id.strip_prefix(HIDDEN).and_then(|place| place.parse::<usize>().ok());
                match place.and_then(|place| hidden.get(place)) {
                    Some(part) => Ok(Transformed::new(part.clone(), true, TreeNodeRecursion::Jump)),
                    None => Ok(Transformed::no(part)),
                }
            }
            _ => Ok(Transformed::no(part)),
        })?;
        Ok(found.data)
    }

    fn field(&self, part: &Expr) -> Result<Arc<Field>> {
        Ok(Arc::new(Field::new(
            "",
            part.get_type(self.context.schema())?,
            part.nullable(self.context.schema())?,
        )))
    }

    /// A function whose result is a condition, written out: what becomes of it is not simplified again, since its AND and
    /// OR may run for any row.
    fn called(&self, mut call: ScalarFunction) -> Result<Expr> {
        let args = call.args.into_iter().map(|arg| self.simplified(arg)).collect::<Result<_>>()?;
        match call.func.simplify(args, &self.context)? {
            ExprSimplifyResult::Simplified(expr) => Ok(expr),
            ExprSimplifyResult::Original(args) => {
                call.args = args;
                Ok(Expr::ScalarFunction(call))
            }
        }
    }

    /// What is simplified by itself wherever it stands.
    fn is_boundary(&self, part: &Expr) -> bool {
        let logic = |expr: &Expr| matches!(expr, Expr::BinaryExpr(both) if is_logic(both.op));
        match part {
            Expr::Not(inner) => logic(inner),
            other => logic(other) || self.is_misread(other),
        }
    }

    /// Whether a function chooses one of several conditions, and looks at no other.
    fn is_choice(&self, call: &ScalarFunction) -> bool {
        let condition =
            |arg: &Expr| arg.get_type(self.context.schema()).is_ok_and(|of| of == DataType::Boolean);
        CHOICES.contains(&call.name()) && call.args.iter().any(condition)
    }

    /// What DataFusion's simplifier has a wrong law for.
    fn is_misread(&self, part: &Expr) -> bool {
        let of = |expr: &Expr| expr.get_type(self.context.schema()).ok();
        match part {
            // Of two branches with conditions as values it makes AND and OR, whose right sides may run for any row.
            Expr::Case(_) => true,
            // `a # a` is 0 to it where `a` is unknown, and anything `% 1`, also of decimals.
            Expr::BinaryExpr(both) => matches!(
                both.op,
                Operator::BitwiseXor
                    | Operator::Modulo
                    // A pattern with a backslash is LIKE to it, and `.*` a test for null.
                    | Operator::RegexMatch
                    | Operator::RegexIMatch
                    | Operator::RegexNotMatch
                    | Operator::RegexNotIMatch
            ),
            // A cast that rounds is left out of comparisons.
            Expr::Cast(cast) => {
                let scale = |of: Option<DataType>| match of {
                    Some(DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale)) => Some(scale),
                    Some(other) if other.is_integer() => Some(0),
                    _ => None,
                };
                let (from, to) = (scale(of(&cast.expr)), scale(Some(cast.field.data_type().clone())));
                from.zip(to).is_some_and(|(from, to)| from > to)
            }
            // As is one that gives no value out of range.
            Expr::TryCast(_) => true,
            Expr::ScalarFunction(f) if self.is_choice(f) => true,
            Expr::ScalarFunction(f) => match f.name() {
                "regexp_like" => true,
                // Years beyond what nanoseconds can tell are unknown to it.
                "date_part" => {
                    let nanos = |of| matches!(of, Some(DataType::Timestamp(TimeUnit::Nanosecond, _)));
                    f.args.iter().any(|arg| nanos(of(arg)))
                }
                _ => false,
            },
            // Sums of what a literal is added to become other sums.
            Expr::AggregateFunction(_) | Expr::WindowFunction(_) => true,
            _ => false,
        }
    }
}

/// Functions that give one of their arguments, and become CASE.
pub(super) const CHOICES: [&str; 4] = ["coalesce", "nvl", "nvl2", "ifnull"];

/// What stands for a hidden part. No parameter of a statement is called so.
const HIDDEN: &str = "$cogov hidden ";

/// Whether it is AND or OR.
pub(super) const fn is_logic(op: Operator) -> bool {
    matches!(op, Operator::And | Operator::Or)
}

/// Whether an expression is made of literals.
fn is_constant(expr: &Expr) -> bool {
    let mut constant = !matches!(expr, Expr::AggregateFunction(_) | Expr::WindowFunction(_));
    let walked = expr.apply_children(|part| {
        constant &= matches!(part, Expr::Literal(..));
        Ok(if constant { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    walked.is_ok() && constant
}

/// OR, with what stands in each of the conjunctions taken out: joins look for keys there.
fn factored(parts: Vec<Expr>) -> Option<Expr> {
    let split = |part: Expr| split_binary_owned(part, Operator::And);
    let (Some(first), true) = (parts.first(), parts.len() > 1) else { return disjunction(parts) };
    let everywhere = |part: &Expr| {
        !part.is_volatile() && parts.iter().skip(1).all(|other| split(other.clone()).contains(part))
    };
    let common: Vec<Expr> = split(first.clone()).into_iter().filter(everywhere).collect();
    if common.is_empty() {
        return disjunction(parts);
    }
    let rest = |part: Expr| conjunction(split(part).into_iter().filter(|part| !common.contains(part)));
    let rests: Option<Vec<Expr>> = parts.into_iter().map(rest).collect();
    conjunction(common.into_iter().chain(rests.and_then(disjunction)))
}

/// A comparison in which zero has no sign, and a list of real numbers in which it does not stand: longer lists compare bits.
fn without_signed_zero(part: Expr) -> Transformed<Expr> {
    match part {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if compares(op) => {
            let changed = is_signed_zero(&left) || is_signed_zero(&right);
            let (left, right) = (Box::new(unsigned(*left)), Box::new(unsigned(*right)));
            Transformed::new_transformed(Expr::BinaryExpr(BinaryExpr { left, op, right }), changed)
        }
        Expr::Between(mut between) => {
            let changed = is_signed_zero(&between.low) || is_signed_zero(&between.high);
            between.low = Box::new(unsigned(*between.low));
            between.high = Box::new(unsigned(*between.high));
            Transformed::new_transformed(Expr::Between(between), changed)
        }
        Expr::InList(list) if list.list.iter().any(is_zero) => {
            let InList { expr, list, negated } = list;
            let (zeros, rest): (Vec<Expr>, Vec<Expr>) = list.into_iter().partition(is_zero);
            let Some(zero) = zeros.into_iter().next().map(unsigned) else {
                return Transformed::no(Expr::InList(InList { expr, list: rest, negated }));
            };
            let same = (*expr).clone();
            let same = if negated { same.not_eq(zero) } else { same.eq(zero) };
            if rest.is_empty() {
                return Transformed::yes(same);
            }
            let rest = Expr::InList(InList { expr, list: rest, negated });
            Transformed::yes(if negated { rest.and(same) } else { rest.or(same) })
        }
        other => Transformed::no(other),
    }
}

const fn compares(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

fn zero_of(expr: &Expr) -> Option<bool> {
    let number = match expr {
        Expr::Literal(ScalarValue::Float64(Some(number)), _) => *number,
        Expr::Literal(ScalarValue::Float32(Some(number)), _) => f64::from(*number),
        Expr::Literal(ScalarValue::Float16(Some(number)), _) => number.to_f64(),
        _ => return None,
    };
    (number == 0.0).then(|| number.is_sign_negative())
}

fn is_zero(expr: &Expr) -> bool {
    zero_of(expr).is_some()
}

fn is_signed_zero(expr: &Expr) -> bool {
    zero_of(expr) == Some(true)
}

fn unsigned(expr: Expr) -> Expr {
    match expr {
        Expr::Literal(value, metadata) if zero_of(&Expr::Literal(value.clone(), None)) == Some(true) => {
            let zero = ScalarValue::new_zero(&value.data_type()).unwrap_or(value);
            Expr::Literal(zero, metadata)
        }
        other => other,
    }
}
