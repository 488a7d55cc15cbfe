//! From text to types, once the type of a column is known to fit every value.

use super::{cell, time};
use chrono::NaiveDate;
use cogov_model::DataType;
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{DataType as ArrowType, Date32Type, TimeUnit};
use std::sync::Arc;

/// How a type lies in the stored table.
///
/// Timestamps are in UTC, or local as written when the file names no offset.
#[must_use]
pub const fn arrow_type(data_type: DataType) -> ArrowType {
    match data_type {
        DataType::Boolean => ArrowType::Boolean,
        DataType::Integer => ArrowType::Int64,
        DataType::Real => ArrowType::Float64,
        DataType::Text => ArrowType::Utf8,
        DataType::Date => ArrowType::Date32,
        DataType::Timestamp => ArrowType::Timestamp(TimeUnit::Microsecond, None),
    }
}

/// The values in their type. Words for nothing become null unless the column is text.
pub(super) fn cast(values: StringArray, data_type: DataType) -> ArrayRef {
    let values = &values;
    match data_type {
        DataType::Text => Arc::new(values.clone()),
        DataType::Boolean => Arc::new(parsed(values, cell::boolean).collect::<BooleanArray>()),
        DataType::Integer => Arc::new(parsed(values, |t| t.parse().ok()).collect::<Int64Array>()),
        DataType::Real => Arc::new(parsed(values, real).collect::<Float64Array>()),
        DataType::Date => Arc::new(parsed(values, |t| time::date(t).map(days)).collect::<Date32Array>()),
        DataType::Timestamp => {
            let micros = |t: &str| time::timestamp(t).map(|moment| moment.and_utc().timestamp_micros());
            Arc::new(parsed(values, micros).collect::<TimestampMicrosecondArray>())
        }
    }
}

fn parsed<'a, T>(
    values: &'a StringArray,
    parse: impl Fn(&str) -> Option<T> + 'a,
) -> impl Iterator<Item = Option<T>> + 'a {
    values.iter().map(move |value| value.and_then(|text| parse(text.trim_matches(' '))))
}

/// Words such as `NaN` are for nothing here, not numbers.
fn real(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn days(day: NaiveDate) -> i32 {
    Date32Type::from_naive_date(day)
}
