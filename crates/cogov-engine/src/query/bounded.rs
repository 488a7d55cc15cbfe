//! Text functions whose result can be far longer than their arguments, with a bound on what one batch may become.
//!
//! `replace(replace(x, 'a', '…'), …)` multiplies a text at each step. Memory pools see arrays only after they are
//! made, so the bound is computed from the lengths of the arguments before the function runs.

use super::faults;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use std::sync::Arc;

/// Bytes that one function may make of one batch.
const MOST: u64 = 64 << 20;

/// Bytes of text that one batch may hold between two operators: `x || x` at each of many steps doubles them.
pub(super) const MOST_OF_BATCH: usize = 256 << 20;

/// Bytes of text in a batch.
pub(super) fn text_bytes(batch: &RecordBatch) -> usize {
    let bytes = |column: &ArrayRef| match column.data_type() {
        // The length of a text is the low half of its view's first word. Counting those that lie in the view itself too is
        // quicker than leaving them out.
        DataType::Utf8View => column.as_string_view().views().iter().map(|view| *view as u32 as usize).sum(),
        DataType::Utf8 => column.as_string::<i32>().value_data().len(),
        _ => 0,
    };
    batch.columns().iter().map(bytes).sum()
}

/// The functions that are bounded.
pub(super) const NAMES: &[&str] =
    &["concat", "concat_ws", "overlay", "regexp_replace", "replace", "translate"];

/// The function with its bound.
pub(super) fn bounded(function: &Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::from(Bounded { inner: Arc::clone(function) }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    inner: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.inner.coerce_types(types)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        if most(self.name(), &args) > MOST {
            return Err(faults::carry(faults::too_long()));
        }
        self.inner.invoke_with_args(args)
    }
}

/// The bytes that a call makes at most. Saturating: what cannot be counted is too long.
fn most(name: &str, args: &ScalarFunctionArgs) -> u64 {
    let rows = args.number_rows as u64;
    let sizes: Vec<Size> = args.args.iter().map(|value| Size::of(value, rows)).collect();
    let all = sizes.iter().fold(0_u64, |sum, size| sum.saturating_add(size.total));
    match (name, sizes.as_slice()) {
        // A text of n characters has n + 1 places for a replacement. A pattern's replacement may hold what was
        // found several times over, with two characters for each time (`\1`).
        ("replace", [text, _, with]) => {
            text.total.saturating_add(rows).saturating_mul(with.longest).saturating_add(text.total)
        }
        ("regexp_replace", [text, _, with, ..]) => {
            let places = text.total.saturating_add(rows);
            places.saturating_mul(with.longest.saturating_mul(2)).saturating_add(text.total)
        }
        // One character becomes one other, of four bytes at most.
        ("translate", [text, ..]) => text.total.saturating_mul(4),
        // The separator stands between all others.
        ("concat_ws", [with, rest @ ..]) => {
            let between = rows.saturating_mul(rest.len() as u64).saturating_mul(with.longest);
            all.saturating_add(between)
        }
        _ => all,
    }
}

/// How long the texts of one argument are, in bytes.
struct Size {
    /// Of all rows together.
    total: u64,
    longest: u64,
}

impl Size {
    fn of(value: &ColumnarValue, rows: u64) -> Self {
        match value {
            ColumnarValue::Scalar(scalar) => {
                let length = scalar.try_as_str().flatten().map_or(32, str::len) as u64;
                Self { total: length.saturating_mul(rows), longest: length }
            }
            ColumnarValue::Array(array) => Self::of_array(array),
        }
    }

    fn of_array(array: &ArrayRef) -> Self {
        fn over<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Size {
            let lengths = texts.flatten().map(|text| text.len() as u64);
            lengths.fold(Size { total: 0, longest: 0 }, |size, length| Size {
                total: size.total.saturating_add(length),
                longest: size.longest.max(length),
            })
        }
        match array.data_type() {
            DataType::Utf8View => over(array.as_string_view().iter()),
            DataType::Utf8 => over(array.as_string::<i32>().iter()),
            DataType::LargeUtf8 => over(array.as_string::<i64>().iter()),
            // Numbers and times as texts.
            _ => Self { total: (array.len() as u64).saturating_mul(32), longest: 32 },
        }
    }
}
