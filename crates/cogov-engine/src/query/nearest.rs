//! Casts of fractions to whole numbers, as PostgreSQL has them: to the nearest, where Arrow's casts cut. Of two that are as
//! near, real numbers go to the even one (IEEE 754, roundTiesToEven), by `round` too, and decimals away from zero.
//!
//! What is cast is made whole first, before anything is labelled: the rest of the engine sees an ordinary function of one
//! row, or a cast between decimals, neither of which ever raises.

use super::rewriting::rewritten;
use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, cast,
};
use std::sync::{Arc, LazyLock};

/// The function's name. No statement can call it, since it is not among [`super::functions::Functions`].
pub(super) const NAME: &str = "nearest";

static NEAREST: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(ScalarUDF::from(Nearest { signature: Signature::any(1, Volatility::Immutable) }))
});

/// A planned and coerced statement whose casts to whole numbers round, and whose `round` of real numbers is PostgreSQL's.
///
/// # Errors
/// When the plan contradicts itself.
pub(super) fn casts_round(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewritten(plan, |expr, around| rounding(expr, &around.schema))
}

fn rounding(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    match expr {
        Expr::Cast(mut c) if c.field.data_type().is_integer() => {
            let (of, changed) = whole(*c.expr, schema);
            c.expr = Box::new(of);
            Transformed::new_transformed(Expr::Cast(c), changed)
        }
        Expr::TryCast(mut c) if c.field.data_type().is_integer() => {
            let (of, changed) = whole(*c.expr, schema);
            c.expr = Box::new(of);
            Transformed::new_transformed(Expr::TryCast(c), changed)
        }
        Expr::ScalarFunction(mut f) if f.name() == "round" && f.args.len() == 1 && real(&f.args, schema) => {
            f.func = Arc::clone(&NEAREST);
            Transformed::yes(Expr::ScalarFunction(f))
        }
        other => Transformed::no(other),
    }
}

fn real(args: &[Expr], schema: &DFSchema) -> bool {
    let real = |arg: &Expr| arg.get_type(schema).is_ok_and(|t| t.is_floating());
    args.iter().all(real)
}

/// The nearest whole numbers of an expression that may have fractions, in a type that holds all of them.
fn whole(of: Expr, schema: &DFSchema) -> (Expr, bool) {
    let digits = |precision: u8, scale: i8| precision.saturating_sub(scale.unsigned_abs()).saturating_add(1);
    match of.get_type(schema) {
        Ok(DataType::Float32 | DataType::Float64) => (NEAREST.call(vec![of]), true),
        // Arrow rounds where the scale of a decimal becomes smaller.
        Ok(DataType::Decimal128(p, s)) if s > 0 => (cast(of, DataType::Decimal128(digits(p, s), 0)), true),
        Ok(DataType::Decimal256(p, s)) if s > 0 => (cast(of, DataType::Decimal256(digits(p, s), 0)), true),
        _ => (of, false),
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Nearest {
    signature: Signature,
}

impl ScalarUDFImpl for Nearest {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().cloned().map_or_else(|| exec_err!("one argument"), Ok)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.into_iter().next() {
            Some(ColumnarValue::Array(array)) => nearest(&array).map(ColumnarValue::Array),
            Some(ColumnarValue::Scalar(value)) => {
                let done = nearest(&value.to_array()?)?;
                ScalarValue::try_from_array(&done, 0).map(ColumnarValue::Scalar)
            }
            None => exec_err!("one argument"),
        }
    }
}

fn nearest(array: &ArrayRef) -> Result<ArrayRef> {
    Ok(match array.data_type() {
        DataType::Float64 => {
            Arc::new(array.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::round_ties_even))
        }
        DataType::Float32 => {
            Arc::new(array.as_primitive::<Float32Type>().unary::<_, Float32Type>(f32::round_ties_even))
        }
        _ => return exec_err!("no real numbers"),
    })
}
