//! Predicates of the asker's that may run beside the row filter: they can neither raise nor tell.
//!
//! Comparisons of unmasked columns with literals of exactly their type, or with each other, BETWEEN, IN
//! lists, null tests, constants, and AND, OR, NOT of these. Everything else stays above the barrier.

use super::planted::{Fault, planted};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, Operator};

/// Whether a predicate may be pushed below the barrier. `clear` says whether a column is shown as it is.
pub(super) fn is_leakproof(expr: &Expr, schema: &SchemaRef, clear: &dyn Fn(&str) -> bool) -> bool {
    let check = Check { schema, clear };
    check.predicate(expr) || planted(Fault::AnyPredicateBelow)
}

struct Check<'a> {
    schema: &'a SchemaRef,
    clear: &'a dyn Fn(&str) -> bool,
}

impl Check<'_> {
    fn predicate(&self, expr: &Expr) -> bool {
        match expr {
            Expr::BinaryExpr(both) if matches!(both.op, Operator::And | Operator::Or) => {
                self.predicate(&both.left) && self.predicate(&both.right)
            }
            Expr::BinaryExpr(both) => compares(both.op) && self.same_type(&both.left, &both.right),
            Expr::Not(inner) => self.predicate(inner),
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => self.column(inner).is_some(),
            Expr::Column(_) => self.column(expr) == Some(DataType::Boolean),
            // What a comparison with null becomes when it is folded after it was pushed.
            Expr::Literal(ScalarValue::Boolean(_), _) => true,
            Expr::Between(b) => self.same_type(&b.expr, &b.low) && self.same_type(&b.expr, &b.high),
            Expr::InList(list) => {
                self.column(&list.expr).is_some()
                    && list.list.iter().all(|item| self.same_type(&list.expr, item))
            }
            _ => false,
        }
    }

    /// At least one side a clear column, and both of one type.
    fn same_type(&self, left: &Expr, right: &Expr) -> bool {
        let either = self.column(left).or_else(|| self.column(right));
        either.is_some() && self.operand(left) == either && self.operand(right) == either
    }

    fn operand(&self, expr: &Expr) -> Option<DataType> {
        match expr {
            Expr::Literal(value, _) => Some(value.data_type()),
            _ => self.column(expr),
        }
    }

    fn column(&self, expr: &Expr) -> Option<DataType> {
        let Expr::Column(column) = expr else { return None };
        let name = column.name();
        let field = self.schema.field_with_name(name).ok()?;
        (self.clear)(name).then(|| field.data_type().clone())
    }
}

const fn compares(op: Operator) -> bool {
    matches!(
        op,
        Operator::Eq | Operator::NotEq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::datatypes::{Field, Schema};
    use datafusion::logical_expr::{cast, col, lit};
    use std::sync::Arc;

    #[test]
    fn only_what_cannot_raise_passes() {
        let field = |name| Field::new(name, DataType::Int64, true);
        let schema: SchemaRef = Arc::new(Schema::new(vec![field("a"), field("b"), field("masked")]));
        let passes = |expr: Expr| is_leakproof(&expr, &schema, &|name| name != "masked");
        assert!(passes(col("a").gt(lit(5_i64))));
        assert!(passes(lit(5_i64).lt(col("a")).and(col("b").is_null())));
        assert!(passes(col("a").between(lit(1_i64), lit(2_i64)).or(col("a").eq(col("b")))));
        assert!(passes(col("a").in_list(vec![lit(1_i64)], true)));
        assert!(!passes(col("a").gt(lit(5_i32))), "another type");
        assert!(!passes(col("masked").gt(lit(5_i64))), "a masked column");
        assert!(!passes((lit(1_i64) / col("a")).gt(lit(0_i64))), "may raise");
        assert!(!passes(cast(col("a"), DataType::Int32).gt(lit(0_i32))), "may raise");
        assert!(passes(col("a").gt(lit(5_i64)).and(lit(true))));
        assert!(!passes(lit(5_i64)), "no predicate");
        assert!(!passes(lit(1_i64).eq(lit(1_i64))));
    }
}
