//! Rows told apart: a hash of a row's unit, or of its whole content where units repeat.

use arrow::array::ArrayRef;
use arrow::compute::kernels::numeric::add;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use datafusion::common::ScalarValue;
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

/// A hash of each row of these columns. The same values of the same types give the same hash in one process;
/// nothing that is kept depends on it.
pub(super) fn row_keys(columns: &[ArrayRef]) -> Result<Vec<u64>, ArrowError> {
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let columns = columns.iter().map(plain).collect::<Result<Vec<_>, _>>()?;
    let rows = RowConverter::new(fields)?.convert_columns(&columns)?;
    let hash = |row: arrow::row::Row<'_>| {
        let mut hasher = DefaultHasher::new();
        hasher.write(row.as_ref());
        hasher.finish()
    };
    Ok(rows.iter().map(hash).collect())
}

/// Values of which those that are equal have the same bits: 0.0 and -0.0 are one person's.
fn plain(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    if !column.data_type().is_floating() {
        return Ok(Arc::clone(column));
    }
    let zero = ScalarValue::new_zero(column.data_type()).and_then(|zero| zero.to_scalar());
    add(column, &zero.map_err(|error| ArrowError::from_external_error(Box::new(error)))?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use arrow::array::{Float64Array, Int64Array};

    #[test]
    fn zero_is_one_value() {
        let reals: ArrayRef =
            Arc::new(Float64Array::from(vec![Some(0.0), Some(-0.0), None, Some(1.0), Some(-1.0)]));
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![7; 5]));
        let keys = row_keys(&[reals, whole]).unwrap();
        let same: Vec<bool> = keys.iter().map(|key| keys.first() == Some(key)).collect();
        assert_eq!(same, [true, true, false, false, false]);
    }
}
