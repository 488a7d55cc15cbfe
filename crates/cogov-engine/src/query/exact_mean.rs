//! Means of whole numbers of 64 bits: their exact sum by their count. DataFusion adds them up as real numbers, so that a mean
//! depends on the order of rows, and has no digit left where great numbers cancel out.

use super::exact_sum::{wide, widen};
use super::rewriting::rewritten;
use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array};
use arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Int64Type};
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, Result, ScalarValue, exec_err};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, Expr, ExprSchemable, GroupsAccumulator, LogicalPlan,
    ReversedUDAF, Signature, Volatility, WindowFunctionDefinition,
};
use std::sync::{Arc, LazyLock};

static MEAN: LazyLock<Arc<AggregateUDF>> = LazyLock::new(|| {
    Arc::new(AggregateUDF::from(ExactMean { signature: Signature::any(1, Volatility::Immutable) }))
});

/// A plan with its types brought together, whose means of whole numbers are exact. Sessions of DataFusion alone need it too
/// when their answers are compared with ours.
///
/// # Errors
/// When the plan contradicts itself.
pub fn means_are_exact(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewritten(plan, |expr, around| match expr {
        Expr::AggregateFunction(mut f) if f.func.name() == "avg" => {
            let changed = of_whole_numbers(&mut f.params.args, &around.schema);
            if changed {
                f.func = Arc::clone(&MEAN);
            }
            Transformed::new_transformed(Expr::AggregateFunction(f), changed)
        }
        Expr::WindowFunction(mut f) if f.fun.name() == "avg" => {
            let changed = of_whole_numbers(&mut f.params.args, &around.schema);
            if changed {
                f.fun = WindowFunctionDefinition::AggregateUDF(Arc::clone(&MEAN));
            }
            Transformed::new_transformed(Expr::WindowFunction(f), changed)
        }
        other => Transformed::no(other),
    })
}

/// Takes from the argument of a mean the cast that makes a whole number real; false when it is no whole number.
fn of_whole_numbers(args: &mut [Expr], schema: &DFSchema) -> bool {
    let [arg] = args else { return false };
    let whole = match &*arg {
        Expr::Cast(cast) if cast.field.data_type() == &DataType::Float64 => cast.expr.as_ref().clone(),
        other => other.clone(),
    };
    let changed = whole.get_type(schema).is_ok_and(|of| of == DataType::Int64);
    if changed {
        *arg = whole;
    }
    changed
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ExactMean {
    signature: Signature,
}

fn counted(args: AccumulatorArgs<'_>) -> AccumulatorArgs<'_> {
    AccumulatorArgs { return_field: whole(&args.return_field), ..args }
}

fn whole(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(DataType::Int64))
}

impl AggregateUDFImpl for ExactMean {
    fn name(&self) -> &str {
        "avg"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let sum = sum_udaf().accumulator(wide(args.clone()))?;
        Ok(Box::new(Mean { sum, count: count_udaf().accumulator(counted(args))? }))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let sum = sum_udaf().create_sliding_accumulator(wide(args.clone()))?;
        Ok(Box::new(Mean { sum, count: count_udaf().create_sliding_accumulator(counted(args))? }))
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        sum_udaf().groups_accumulator_supported(wide(args.clone()))
            && count_udaf().groups_accumulator_supported(counted(args))
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn GroupsAccumulator>> {
        let sums = sum_udaf().create_groups_accumulator(wide(args.clone()))?;
        Ok(Box::new(Means { sums, counts: count_udaf().create_groups_accumulator(counted(args))? }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let of = |to: DataType, name: &str| -> FieldRef { Arc::new(Field::new(name, to, true)) };
        let (sum, count) = (format!("{}[sum]", args.name), format!("{}[count]", args.name));
        let sums = StateFieldsArgs {
            name: &sum,
            return_field: of(super::exact_sum::WIDEST, &sum),
            input_fields: args.input_fields,
            ordering_fields: args.ordering_fields,
            is_distinct: args.is_distinct,
        };
        let counts = StateFieldsArgs { name: &count, return_field: of(DataType::Int64, &count), ..args };
        let mut fields = sum_udaf().state_fields(sums)?;
        fields.extend(count_udaf().state_fields(counts)?);
        Ok(fields)
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }
}

/// Sums by counts; none of nothing.
fn means(sums: &ArrayRef, counts: &ArrayRef) -> Float64Array {
    let (sums, counts) = (sums.as_primitive::<Decimal128Type>(), counts.as_primitive::<Int64Type>());
    let each = sums.iter().zip(counts.iter());
    each.map(|(sum, count)| Some(sum? as f64 / count.filter(|count| *count > 0)? as f64)).collect()
}

#[derive(Debug)]
struct Mean {
    sum: Box<dyn Accumulator>,
    count: Box<dyn Accumulator>,
}

impl Accumulator for Mean {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.sum.update_batch(&widen(values)?)?;
        self.count.update_batch(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let (sum, count) = (self.sum.evaluate()?.to_array()?, self.count.evaluate()?.to_array()?);
        ScalarValue::try_from_array(&means(&sum, &count), 0)
    }

    fn size(&self) -> usize {
        self.sum.size() + self.count.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok([self.sum.state()?, self.count.state()?].concat())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (sum, count) = halves(states)?;
        self.sum.merge_batch(sum)?;
        self.count.merge_batch(count)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.sum.retract_batch(&widen(values)?)?;
        self.count.retract_batch(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.sum.supports_retract_batch() && self.count.supports_retract_batch()
    }
}

/// The state of a sum and that of a count.
fn halves(states: &[ArrayRef]) -> Result<(&[ArrayRef], &[ArrayRef])> {
    match states.split_at_checked(1) {
        Some((sum, count @ [_])) => Ok((sum, count)),
        _ => exec_err!("a mean has two states"),
    }
}

struct Means {
    sums: Box<dyn GroupsAccumulator>,
    counts: Box<dyn GroupsAccumulator>,
}

impl GroupsAccumulator for Means {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        self.sums.update_batch(&widen(values)?, groups, filter, total)?;
        self.counts.update_batch(values, groups, filter, total)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (sums, counts) = (self.sums.evaluate(emit_to)?, self.counts.evaluate(emit_to)?);
        Ok(Arc::new(means(&sums, &counts)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok([self.sums.state(emit_to)?, self.counts.state(emit_to)?].concat())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        let (sums, counts) = halves(values)?;
        self.sums.merge_batch(sums, groups, total)?;
        self.counts.merge_batch(counts, groups, total)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let sums = self.sums.convert_to_state(&widen(values)?, filter)?;
        Ok([sums, self.counts.convert_to_state(values, filter)?].concat())
    }

    fn size(&self) -> usize {
        self.sums.size() + self.counts.size()
    }
}
