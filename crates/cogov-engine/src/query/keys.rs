//! Rows told apart: a hash of a row's unit, or of its whole content where units repeat.

use arrow::array::ArrayRef;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use std::hash::{DefaultHasher, Hasher};

/// A hash of each row of these columns. The same values of the same types give the same hash in one process;
/// nothing that is kept depends on it.
pub(super) fn row_keys(columns: &[ArrayRef]) -> Result<Vec<u64>, ArrowError> {
    let fields = columns.iter().map(|column| SortField::new(column.data_type().clone())).collect();
    let rows = RowConverter::new(fields)?.convert_columns(columns)?;
    let hash = |row: arrow::row::Row<'_>| {
        let mut hasher = DefaultHasher::new();
        hasher.write(row.as_ref());
        hasher.finish()
    };
    Ok(rows.iter().map(hash).collect())
}
