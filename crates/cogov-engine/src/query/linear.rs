//! What a statistic over protected values may be taken of: sums of columns times numbers, and a number.
//!
//! It is brought into one form, a number for each column, and the aggregates are taken of the columns: `avg(2 * x + 5)` is
//! `2 * avg(x) + 5`. So nothing is rounded or leaves the range of its type for some rows only, which would be a step whose sum
//! tells who lies above it. What is computed of several aggregates is real.

use super::raising;
use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, ExprSchemable, Operator, cast, lit, try_cast, when};

/// Numbers are between minus this and this, also those that come of several.
const MOST: f64 = 1e9;

/// Σ number × column + number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Linear {
    /// Each column once, in the order of the statement. One with nothing of it still decides where there is a value.
    parts: Vec<(Column, f64)>,
    constant: f64,
}

impl Linear {
    /// The form of an expression: a column, a number, sums and differences of these, and multiples by a number: nothing
    /// that picks out rows. None for anything else.
    ///
    /// Divisions are left out, since those of whole numbers are steps; so are casts that lose something.
    pub(super) fn of(expr: &Expr, schema: &DFSchema) -> Option<Self> {
        match expr {
            Expr::Column(column) => {
                let numeric = expr.get_type(schema).is_ok_and(|of| of.is_numeric());
                numeric.then(|| Self { parts: vec![(column.clone(), 1.0)], constant: 0.0 })
            }
            Expr::Alias(alias) => Self::of(&alias.expr, schema),
            Expr::Cast(of) => Self::of(&of.expr, schema).filter(|_| widens(expr, &of.expr, schema)),
            Expr::TryCast(of) => Self::of(&of.expr, schema).filter(|_| widens(expr, &of.expr, schema)),
            Expr::Negative(inner) => Self::of(inner, schema)?.times(-1.0),
            Expr::BinaryExpr(both) => {
                let (left, right) = (Self::of(&both.left, schema)?, Self::of(&both.right, schema)?);
                match both.op {
                    Operator::Plus => left.plus(right),
                    Operator::Minus => left.plus(right.times(-1.0)?),
                    Operator::Multiply if left.parts.is_empty() => right.times(left.constant),
                    Operator::Multiply if right.parts.is_empty() => left.times(right.constant),
                    _ => None,
                }
            }
            Expr::Literal(value, _) => match value.cast_to(&DataType::Float64) {
                Ok(ScalarValue::Float64(Some(constant))) => Self { parts: Vec::new(), constant }.within(),
                _ => None,
            },
            _ => None,
        }
    }

    fn times(mut self, number: f64) -> Option<Self> {
        self.constant *= number;
        self.parts.iter_mut().for_each(|(_, of)| *of *= number);
        self.within()
    }

    fn plus(mut self, other: Self) -> Option<Self> {
        self.constant += other.constant;
        for (column, number) in other.parts {
            match self.parts.iter_mut().find(|(known, _)| *known == column) {
                Some((_, of)) => *of += number,
                None => self.parts.push((column, number)),
            }
        }
        self.within()
    }

    fn within(self) -> Option<Self> {
        let numbers = self.parts.iter().map(|(_, number)| *number).chain([self.constant]);
        let fit = numbers.into_iter().all(|number| number.abs() <= MOST);
        fit.then_some(self)
    }

    /// The aggregates of single columns of which a figure is made, and what it is of them; none for the spread of several
    /// columns. No number meets a value before the aggregate does: beside a large one small values are rounded, which is a
    /// step too.
    pub(super) fn figure(
        &self,
        function: &AggregateFunction,
        shown: &DataType,
    ) -> Option<(Vec<Expr>, Combined)> {
        let aggregate = |argument: Expr| with_argument(function, argument);
        let columns = self.columns();
        let counted = columns.first().map(|column| count(column.clone()));
        let numbers = self.parts.iter().map(|(_, number)| *number);
        let mut aggregates: Vec<Expr> = columns.into_iter().map(aggregate).collect();
        let (mut weights, mut constant): (Vec<f64>, f64) = (numbers.collect(), 0.0);
        match function.func.name() {
            "sum" if self.constant == 0.0 => {}
            "sum" => {
                aggregates.extend(counted);
                weights.push(self.constant);
            }
            "avg" => constant = self.constant,
            "var" | "var_pop" if weights.len() == 1 => weights.iter_mut().for_each(|of| *of *= *of),
            "stddev" | "stddev_pop" if weights.len() == 1 => weights.iter_mut().for_each(|of| *of = of.abs()),
            _ => return None,
        }
        Some((aggregates, Combined::Sum { weights, constant, shown: shown.clone() }))
    }

    /// Each column as a real number, where all of them have values.
    fn columns(&self) -> Vec<Expr> {
        let has_value = |(column, _): &(Column, f64)| Expr::Column(column.clone()).is_not_null();
        let all = conjunction(self.parts.iter().map(has_value)).filter(|_| self.parts.len() > 1);
        let column = |(column, _): &(Column, f64)| {
            let real = cast(Expr::Column(column.clone()), DataType::Float64);
            match &all {
                Some(all) => when(all.clone(), real).end().ok(),
                None => Some(real),
            }
        };
        self.parts.iter().filter_map(column).collect()
    }

    /// Their sum without the constant.
    fn sum(&self) -> Option<Expr> {
        let part = |(column, number): &(Column, f64)| {
            cast(Expr::Column(column.clone()), DataType::Float64) * lit(*number)
        };
        self.parts.iter().map(part).reduce(|sum, part| sum + part)
    }

    /// What each person contributes, for the rules on shares and on equal values: of several columns their sum without the
    /// constant, which hid the shares, and each by itself where all have values, since the others may be known.
    pub(super) fn contributions(&self) -> Vec<Expr> {
        match self.sum() {
            Some(sum) if self.parts.len() > 1 => std::iter::once(sum).chain(self.columns()).collect(),
            _ => self.parts.iter().map(|(column, _)| Expr::Column(column.clone())).collect(),
        }
    }
}

/// The same aggregate of another argument.
pub(super) fn with_argument(function: &AggregateFunction, argument: Expr) -> Expr {
    let mut function = function.clone();
    function.params.args = vec![argument];
    Expr::AggregateFunction(function)
}

/// What a figure is of the aggregates that it is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Combined {
    /// The only one.
    Itself,
    /// Σ weight × aggregate + constant, in the type that it is shown in.
    Sum { weights: Vec<f64>, constant: f64, shown: DataType },
}

impl Combined {
    /// The figure over columns that hold the aggregates.
    pub(super) fn of(&self, aggregates: &[Expr]) -> Option<Expr> {
        let Self::Sum { weights, constant, shown } = self else { return aggregates.first().cloned() };
        let part =
            |(aggregate, weight): (&Expr, &f64)| cast(aggregate.clone(), DataType::Float64) * lit(*weight);
        let sum = aggregates.iter().zip(weights).map(part).reduce(|sum, part| sum + part)?;
        let sum = if *constant == 0.0 { sum } else { sum + lit(*constant) };
        Some(if *shown == DataType::Float64 { sum } else { try_cast(sum, shown.clone()) })
    }
}

/// Whether a cast keeps every number: one that rounds, cuts or has no value for some is a step, whose sum tells who lies
/// above it.
fn widens(cast: &Expr, of: &Expr, schema: &DFSchema) -> bool {
    let (Ok(from), Ok(to)) = (of.get_type(schema), cast.get_type(schema)) else { return false };
    from.is_numeric() && to.is_numeric() && (to == DataType::Float64 || raising::widens(&from, &to))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::col;

    fn form(expr: Expr) -> Option<Linear> {
        let field = |name| Field::new(name, DataType::Int64, true);
        let schema = DFSchema::try_from(Schema::new(vec![field("x"), field("y")])).unwrap();
        Linear::of(&expr, &schema)
    }

    fn of(parts: &[(&str, f64)], constant: f64) -> Option<Linear> {
        let parts = parts.iter().map(|(name, number)| (Column::from_name(*name), *number)).collect();
        Some(Linear { parts, constant })
    }

    #[test]
    fn sums_have_one_form() {
        assert_eq!(form((col("x") + lit(5)) - lit(5)), of(&[("x", 1.0)], 0.0));
        assert_eq!(form(lit(2) * (col("x") - col("y")) + col("x")), of(&[("x", 3.0), ("y", -2.0)], 0.0));
        assert_eq!(form(-(col("x") - lit(7))), of(&[("x", -1.0)], 7.0));
        assert_eq!(form(col("x") - col("x")), of(&[("x", 0.0)], 0.0));
        assert_eq!(form(col("x") * col("y")), None);
        assert_eq!(form(col("x") / lit(2)), None);
    }

    #[test]
    fn numbers_stay_small_however_they_come_about() {
        assert_eq!(form(col("x") + lit(1e9)), of(&[("x", 1.0)], 1e9));
        assert_eq!(form(col("x") + lit(1e9) + lit(1)), None);
        assert_eq!(form(col("x") + lit(922_337_203) * lit(1_000_000_000)), None);
        assert_eq!(form(col("x") * lit(536_870_912) * lit(536_870_912)), None);
    }

    #[test]
    fn casts_that_have_no_value_for_some_are_steps() {
        let to = |of: DataType| form(cast(col("x"), of));
        assert_eq!(to(DataType::Decimal128(5, 0)), None);
        assert_eq!(to(DataType::Int32), None);
        assert_eq!(to(DataType::Decimal128(20, 1)), of(&[("x", 1.0)], 0.0));
        assert_eq!(to(DataType::Float64), of(&[("x", 1.0)], 0.0));
    }

    #[test]
    fn contributions_leave_the_constant_out() {
        assert_eq!(form(col("x") * lit(3) + lit(1_000_000)).unwrap().contributions(), [col("x")]);
        assert_eq!(form(col("x") + col("y") + lit(5)).unwrap().contributions().len(), 3);
    }
}
