//! Between which values an expression lies, from the declared bounds of its columns: interval arithmetic.

use super::super::nearest;
use super::below::Below;
use super::quantise::Range;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Case, Cast, Expr, Operator, TryCast};

/// The range of an expression; none where it cannot be told, which is refused where it matters.
pub(super) fn of(expr: &Expr, below: &Below) -> Option<Range> {
    match expr {
        Expr::Alias(alias) => of(&alias.expr, below),
        Expr::Column(column) => below.known(column)?.range,
        Expr::Literal(value, _) => literal(value),
        Expr::Cast(Cast { expr, field }) | Expr::TryCast(TryCast { expr, field })
            if matches!(field.data_type(), DataType::Decimal128(_, 0) | DataType::Decimal256(_, 0)) =>
        {
            let range = of(expr, below)?;
            checked(range.lower.round(), range.upper.round(), range.complete)
        }
        Expr::Cast(cast) => numeric(cast.field.data_type()).then(|| of(&cast.expr, below))?,
        // A cast that fails gives no value.
        Expr::TryCast(cast) => {
            let range = numeric(cast.field.data_type()).then(|| of(&cast.expr, below))??;
            let exact = matches!(cast.field.data_type(), DataType::Float64 | DataType::Int64);
            Some(Range { complete: range.complete && exact, ..range })
        }
        Expr::Negative(inner) => {
            let range = of(inner, below)?;
            checked(-range.upper, -range.lower, range.complete)
        }
        Expr::BinaryExpr(both) => {
            let (a, b) = (of(&both.left, below)?, of(&both.right, below)?);
            binary(both.op, a, b)
        }
        Expr::ScalarFunction(f) if f.name() == nearest::NAME => {
            let range = of(f.args.first()?, below)?;
            checked(range.lower.round_ties_even(), range.upper.round_ties_even(), range.complete)
        }
        Expr::Case(case) => choice(case, below),
        _ => None,
    }
}

fn numeric(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Float64 | DataType::Float32 | DataType::Int64 | DataType::Int32)
}

fn literal(value: &ScalarValue) -> Option<Range> {
    match value.cast_to(&DataType::Float64).ok()? {
        ScalarValue::Float64(Some(number)) => checked(number, number, true),
        _ => None,
    }
}

fn binary(op: Operator, a: Range, b: Range) -> Option<Range> {
    let complete = a.complete && b.complete;
    match op {
        Operator::Plus => checked(a.lower + b.lower, a.upper + b.upper, complete),
        Operator::Minus => checked(a.lower - b.upper, a.upper - b.lower, complete),
        Operator::Multiply => {
            let ends = [a.lower * b.lower, a.lower * b.upper, a.upper * b.lower, a.upper * b.upper];
            let (lower, upper) =
                ends.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, u), e| (l.min(*e), u.max(*e)));
            checked(lower, upper, complete)
        }
        // By a number only: a divisor near 0 has no bound.
        Operator::Divide if b.lower == b.upper && b.lower != 0.0 => {
            let ends = (a.lower / b.lower, a.upper / b.lower);
            checked(ends.0.min(ends.1), ends.0.max(ends.1), complete)
        }
        _ => None,
    }
}

/// Of CASE: whatever any branch may give.
fn choice(case: &Case, below: &Below) -> Option<Range> {
    let mut all: Option<Range> = None;
    let mut complete = case.else_expr.is_some();
    for then in case.when_then_expr.iter().map(|(_, then)| then).chain(&case.else_expr) {
        if matches!(then.as_ref(), Expr::Literal(value, _) if value.is_null()) {
            complete = false;
            continue;
        }
        let range = of(then, below)?;
        complete &= range.complete;
        all = Some(match all {
            None => range,
            Some(all) => {
                Range { lower: all.lower.min(range.lower), upper: all.upper.max(range.upper), ..range }
            }
        });
    }
    all.map(|range| Range { complete, ..range })
}

fn checked(lower: f64, upper: f64, complete: bool) -> Option<Range> {
    (lower.is_finite() && upper.is_finite() && lower <= upper).then_some(Range { lower, upper, complete })
}
