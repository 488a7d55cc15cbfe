//! What may end in an error for some row, and what gives a result for every one.

use super::total;
use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{Expr, ExprSchemable, Operator};

/// Whether an expression ends in an error for some row that there may be.
pub(super) fn may_raise(expr: &Expr, schema: &DFSchema) -> bool {
    let raises = |part: &Expr| {
        Ok(match part {
            Expr::Cast(cast) => match cast.expr.get_type(schema) {
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
            other => !total::gives_always(other, schema),
        })
    };
    expr.exists(raises).unwrap_or(true)
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
];

/// Whether each value of a type has one in another.
pub(super) fn widens(from: &DataType, to: &DataType) -> bool {
    use DataType::{Float64, Null, Utf8, Utf8View};
    if from == to || *from == Null {
        return true;
    }
    let wide = |of: &DataType| of.primitive_width();
    match (digits(from), to) {
        (Some(_), _) if from.is_integer() && to.is_integer() => {
            match (from.is_signed_integer(), to.is_signed_integer()) {
                (true, false) => false,
                (false, true) => wide(from) < wide(to),
                _ => wide(from) <= wide(to),
            }
        }
        (Some(_), Float64 | Utf8 | Utf8View) => true,
        (Some((before, after)), to) => {
            digits(to).is_some_and(|(b, a)| !to.is_integer() && before <= b && after <= a)
        }
        (None, _) => from.is_floating() && *to == Float64,
    }
}

/// Digits before and after the point, at most.
fn digits(of: &DataType) -> Option<(i16, i16)> {
    Some(match of {
        DataType::Int8 | DataType::UInt8 => (3, 0),
        DataType::Int16 | DataType::UInt16 => (5, 0),
        DataType::Int32 | DataType::UInt32 => (10, 0),
        DataType::Int64 => (19, 0),
        DataType::UInt64 => (20, 0),
        DataType::Decimal128(all, scale) | DataType::Decimal256(all, scale) => {
            let scale = i16::from(*scale);
            (i16::from(*all) - scale, scale)
        }
        _ => return None,
    })
}
