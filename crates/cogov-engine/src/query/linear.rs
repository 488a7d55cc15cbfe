//! What a statistic over protected values may be taken of: sums of columns times numbers, and a number.
//!
//! It is brought into one form, a number for each column, before it is computed: `(x + 5) - 5` is `x`, and nothing leaves the
//! range of its type for some rows only, which would be a step whose sum tells who lies above it. What is computed is real.

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::logical_expr::{Expr, ExprSchemable, Operator, cast, lit, when};

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

    /// What is computed for each row.
    pub(super) fn computed(&self) -> Expr {
        let constant = (self.constant != 0.0).then(|| lit(self.constant));
        self.sum().into_iter().chain(constant).reduce(|sum, part| sum + part).unwrap_or_else(|| lit(0.0))
    }

    fn sum(&self) -> Option<Expr> {
        let part = |(column, number): &(Column, f64)| {
            let real = cast(Expr::Column(column.clone()), DataType::Float64);
            if *number == 1.0 { real } else { real * lit(*number) }
        };
        self.parts.iter().map(part).reduce(|sum, part| sum + part)
    }

    /// What each person contributes, for the rules on shares and on equal values: of several columns their sum without the
    /// constant, which hid the shares, and each by itself where all have values, since the others may be known.
    pub(super) fn contributions(&self) -> Vec<Expr> {
        let columns: Vec<Expr> = self.parts.iter().map(|(column, _)| Expr::Column(column.clone())).collect();
        let (Some(sum), true) = (self.sum(), columns.len() > 1) else { return columns };
        let alone = columns.into_iter().filter_map(|column| {
            let real = cast(column, DataType::Float64);
            when(sum.clone().is_not_null(), real).end().ok()
        });
        std::iter::once(sum.clone()).chain(alone).collect()
    }
}

/// Whether a cast keeps every number: one that rounds or cuts is a step, whose sum tells who lies above it.
fn widens(cast: &Expr, of: &Expr, schema: &DFSchema) -> bool {
    use DataType::{Decimal128, Decimal256, Float64, Int64, UInt64};
    let (Ok(from), Ok(to)) = (of.get_type(schema), cast.get_type(schema)) else { return false };
    match (&from, &to) {
        (Decimal128(_, from) | Decimal256(_, from), Decimal128(_, to) | Decimal256(_, to)) => to >= from,
        (_, Float64) => from.is_numeric(),
        (_, UInt64) => from.is_unsigned_integer(),
        (_, Int64) => from.is_integer(),
        (_, Decimal128(_, scale) | Decimal256(_, scale)) => from.is_integer() && *scale >= 0,
        _ => false,
    }
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
    fn contributions_leave_the_constant_out() {
        assert_eq!(form(col("x") * lit(3) + lit(1_000_000)).unwrap().contributions(), [col("x")]);
        assert_eq!(form(col("x") + col("y") + lit(5)).unwrap().contributions().len(), 3);
    }
}
