//! Values as bounded whole numbers, so that sums are exact whatever the order, and no value weighs more than it may.

use super::super::faults;
use crate::noise::BINS;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Levels to either side of the middle: a value is rounded to one of them.
pub(super) const LEVELS: u64 = 1 << 30;
const TOP: f64 = 1_073_741_824.0;

/// What a value becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// Its share of the greater bound's size: −2³⁰ to 2³⁰.
    Whole,
    /// Its distance from the middle of the bounds: −2³⁰ to 2³⁰.
    Centred,
    /// The square of that distance, less half the greatest square: −2²⁹ to 2²⁹.
    Square,
    /// The number of its bin between the bounds.
    Bin,
}

impl Form {
    /// How large the number can be, in size.
    pub(super) const fn most(self) -> u64 {
        match self {
            Form::Whole | Form::Centred => LEVELS,
            Form::Square => LEVELS / 2,
            Form::Bin => 1,
        }
    }
}

/// Between which values something lies. Infinite values and those beyond are moved to the bounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    pub(super) lower: f64,
    pub(super) upper: f64,
    /// Whether a missing value counts as the middle.
    pub(super) complete: bool,
}

impl Range {
    pub(super) fn middle(&self) -> f64 {
        f64::midpoint(self.lower, self.upper)
    }

    /// Half the distance of the bounds.
    pub(super) fn half(&self) -> f64 {
        (self.upper - self.lower) / 2.0
    }

    /// The size of the greater bound.
    pub(super) fn size(&self) -> f64 {
        self.lower.abs().max(self.upper.abs())
    }
}

/// The function, used in plans of our own only.
#[derive(Debug)]
pub(super) struct Quantise {
    form: Form,
    range: Range,
    signature: Signature,
}

impl Quantise {
    pub(super) fn new(form: Form, range: Range) -> Self {
        Self { form, range, signature: Signature::any(1, Volatility::Immutable) }
    }

    /// A value as its whole number; none is `None`.
    fn one(&self, value: f64) -> i64 {
        let range = &self.range;
        let inside = value.clamp(range.lower, range.upper);
        let share = (inside - range.middle()) / range.half();
        // Rounding of floating numbers may pass the level by a little: never more than it may weigh.
        let most = self.form.most().cast_signed();
        match self.form {
            Form::Whole => whole(inside / range.size() * TOP).clamp(-most, most),
            Form::Centred => whole(share * TOP).clamp(-most, most),
            Form::Square => whole((share * share - 0.5) * TOP).clamp(-most, most),
            Form::Bin => {
                let last = i64::try_from(BINS).unwrap_or(i64::MAX) - 1;
                #[expect(clippy::cast_precision_loss, reason = "a small number of bins")]
                let bin = ((share + 1.0) / 2.0 * BINS as f64).floor();
                whole(bin).clamp(0, last)
            }
        }
    }

    fn apply(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let missing = self.range.complete.then(|| self.one(self.range.middle()));
        let of = |value: f64| if value.is_nan() { missing } else { Some(self.one(value)) };
        if missing.is_some() && values.null_count() == 0 && *values.data_type() == DataType::Int64 {
            // The usual case, without a look at each value's presence.
            #[expect(clippy::cast_precision_loss, reason = "a value is rounded to one of 2^31 levels anyway")]
            let values = values.as_primitive::<Int64Type>().unary::<_, Int64Type>(|v| self.one(v as f64));
            return Ok(Arc::new(values));
        }
        let values = cast(values, &DataType::Float64)?;
        let values = values.as_primitive::<Float64Type>();
        let numbers = values.iter().map(|value| value.map_or(missing, of));
        Ok(Arc::new(numbers.collect::<Int64Array>()))
    }
}

/// Nearest whole number; the caller's bounds keep it small.
fn whole(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturates; bounded by the levels")]
    let whole = value.round() as i64;
    whole
}

impl PartialEq for Quantise {
    fn eq(&self, other: &Self) -> bool {
        self.form == other.form && self.range == other.range
    }
}

impl Eq for Quantise {}

impl Hash for Quantise {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.form.hash(state);
        self.range.lower.to_bits().hash(state);
        self.range.upper.to_bits().hash(state);
        self.range.complete.hash(state);
    }
}

impl ScalarUDFImpl for Quantise {
    fn name(&self) -> &str {
        match self.form {
            Form::Whole => "cogov_whole",
            Form::Centred => "cogov_centred",
            Form::Square => "cogov_square",
            Form::Bin => "cogov_bin",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [number] if number.is_numeric() || number.is_null() => Ok(DataType::Int64),
            _ => Err(faults::broken()),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let array = arrays.first().ok_or_else(faults::broken)?;
        Ok(ColumnarValue::Array(self.apply(array)?))
    }
}

/// A mixing hash of a row, by which rows beyond a unit's share are left out: no column decides which.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Mix {
    signature: Signature,
}

impl Mix {
    pub(super) fn new() -> Self {
        Self { signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for Mix {
    fn name(&self) -> &str {
        "cogov_mix"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        Ok(ColumnarValue::Array(Arc::new(hashes(&arrays)?)))
    }
}

/// The same hash for the same values on every machine and run.
pub(super) fn hashes(arrays: &[ArrayRef]) -> Result<Int64Array> {
    use datafusion::common::hash_utils::{RandomState, create_hashes};
    let rows = arrays.first().map_or(0, |array| array.len());
    let mut hashes = vec![0_u64; rows];
    create_hashes(arrays, &RandomState::with_seed(0x636f_676f_7621), &mut hashes)?;
    Ok(hashes.into_iter().map(u64::cast_signed).map(Some).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use arrow::array::Float64Array;
    use proptest::prelude::*;

    fn numbers(form: Form, complete: bool, values: ArrayRef) -> Vec<Option<i64>> {
        let range = Range { lower: 0.0, upper: 100.0, complete };
        Quantise::new(form, range).apply(&values).unwrap().as_primitive::<Int64Type>().iter().collect()
    }

    #[test]
    fn values_are_moved_to_the_bounds() {
        let top = i64::try_from(LEVELS).unwrap();
        let values = || -> ArrayRef { Arc::new(Int64Array::from(vec![-5, 0, 50, 100, i64::MAX])) };
        let some = |all: [i64; 5]| all.map(Some).to_vec();
        assert_eq!(numbers(Form::Centred, true, values()), some([-top, -top, 0, top, top]));
        assert_eq!(numbers(Form::Whole, true, values()), some([0, 0, top / 2, top, top]));
        assert_eq!(
            numbers(Form::Square, true, values()),
            some([top / 2, top / 2, -top / 2, top / 2, top / 2])
        );
        assert_eq!(numbers(Form::Bin, true, values()), some([0, 0, 512, 1023, 1023]));
    }

    #[test]
    fn a_missing_value_is_the_middle_where_none_should_be_missing() {
        let values =
            || -> ArrayRef { Arc::new(Float64Array::from(vec![None, Some(f64::NAN), Some(f64::INFINITY)])) };
        let top = i64::try_from(LEVELS).unwrap();
        assert_eq!(numbers(Form::Centred, true, values()), [Some(0), Some(0), Some(top)]);
        assert_eq!(numbers(Form::Centred, false, values()), [None, None, Some(top)]);
    }

    proptest! {
        #[test]
        fn no_value_weighs_more_than_it_may(value in any::<f64>(), lower in -1e9..1e9_f64, width in 1e-3..1e9_f64) {
            let range = Range { lower, upper: lower + width, complete: true };
            for form in [Form::Whole, Form::Centred, Form::Square] {
                let array: ArrayRef = Arc::new(Float64Array::from(vec![value]));
                let out = Quantise::new(form, range).apply(&array).unwrap();
                let number = out.as_primitive::<Int64Type>().value(0);
                prop_assert!(number.unsigned_abs() <= form.most(), "{form:?} {value}: {number}");
            }
        }
    }
}
