//! Whole numbers that raise when they leave the range of their type, as PostgreSQL's do: sums, differences, products,
//! negation, and the aggregate `sum`, which PostgreSQL widens instead. DataFusion's wrap around.
//!
//! Only in the asker's part of a plan: beneath statistics over protected values arithmetic still wraps, since an error
//! there could tell a value (L14 of `docs/labels.md`).

use super::exact_sum::exact_sum;
use super::rewriting::rewritten;
use arrow::array::{ArrayRef, Datum};
use arrow::compute::kernels::numeric::{add, mul, sub};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue, exec_err};
use datafusion::logical_expr::{
    AggregateUDF, BinaryExpr, ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, Volatility, WindowFunctionDefinition,
};
use datafusion::physical_expr_common::datum::apply;
use std::sync::{Arc, LazyLock};

static PLUS: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(Operation::Plus));
static MINUS: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(Operation::Minus));
static TIMES: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| function(Operation::Times));

fn function(operation: Operation) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Exact { operation, signature: Signature::any(2, Volatility::Immutable) }))
}

/// A governed plan whose whole numbers do not wrap around.
///
/// # Errors
/// When the plan contradicts itself.
pub(super) fn overflow_raises(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewritten(plan, |expr, around| match expr {
        Expr::BinaryExpr(both) => match operation(&both, &around.schema) {
            Some(function) => Transformed::yes(function.call(vec![*both.left, *both.right])),
            None => Transformed::no(Expr::BinaryExpr(both)),
        },
        Expr::Negative(inner) => match zero(&inner, &around.schema) {
            Some(zero) => Transformed::yes(MINUS.call(vec![zero, *inner])),
            None => Transformed::no(Expr::Negative(inner)),
        },
        // Sums beside distinct ones may be taken in two steps, the first of which need not fit.
        Expr::AggregateFunction(mut f)
            if !around.distinct && sums(&f.func, f.params.distinct, &f.params.args, &around.schema) =>
        {
            f.func = exact_sum();
            Transformed::yes(Expr::AggregateFunction(f))
        }
        Expr::WindowFunction(mut f) => {
            let changed = matches!(&f.fun, WindowFunctionDefinition::AggregateUDF(function)
                if sums(function, f.params.distinct, &f.params.args, &around.schema));
            if changed {
                f.fun = WindowFunctionDefinition::AggregateUDF(exact_sum());
            }
            Transformed::new_transformed(Expr::WindowFunction(f), changed)
        }
        other => Transformed::no(other),
    })
}

/// The zero of a whole number's type.
fn zero(expr: &Expr, schema: &DFSchema) -> Option<Expr> {
    let of = expr.get_type(schema).ok().filter(DataType::is_signed_integer)?;
    ScalarValue::new_zero(&of).ok().map(|zero| Expr::Literal(zero, None))
}

/// Whether it is a sum of whole numbers. Sums of distinct ones stay as they are, and wrap around.
fn sums(function: &AggregateUDF, distinct: bool, args: &[Expr], schema: &DFSchema) -> bool {
    let whole = |arg: &Expr| arg.get_type(schema).is_ok_and(|t| t == DataType::Int64);
    function.name() == "sum" && !distinct && args.len() == 1 && args.iter().all(whole)
}

/// The function that takes the place of an operator.
fn operation(both: &BinaryExpr, schema: &DFSchema) -> Option<&'static ScalarUDF> {
    let function = match both.op {
        Operator::Plus => &PLUS,
        Operator::Minus => &MINUS,
        Operator::Multiply => &TIMES,
        _ => return None,
    };
    let (left, right) = (both.left.get_type(schema).ok()?, both.right.get_type(schema).ok()?);
    (left.is_integer() && left == right).then_some(function)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Operation {
    Plus,
    Minus,
    Times,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Exact {
    operation: Operation,
    signature: Signature,
}

impl ScalarUDFImpl for Exact {
    fn name(&self) -> &str {
        match self.operation {
            Operation::Plus => "exact_plus",
            Operation::Minus => "exact_minus",
            Operation::Times => "exact_times",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        types.first().cloned().map_or_else(|| exec_err!("two arguments"), Ok)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [left, right] = args.args.as_slice() else { return exec_err!("two arguments") };
        let kernel: fn(&dyn Datum, &dyn Datum) -> std::result::Result<ArrayRef, ArrowError> =
            match self.operation {
                Operation::Plus => add,
                Operation::Minus => sub,
                Operation::Times => mul,
            };
        apply(left, right, kernel)
    }
}
