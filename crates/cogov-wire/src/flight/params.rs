//! Parameters of a prepared statement, as one row of Arrow.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use cogov_engine::Param;
use tonic::Status;

/// The schema of the parameters: `$1`, `$2`, …; a text where the statement does not tell.
pub(super) fn schema(types: &[Option<DataType>]) -> Schema {
    let field = |(i, data_type): (usize, &Option<DataType>)| {
        Field::new(format!("${}", i + 1), data_type.clone().unwrap_or(DataType::Utf8), true)
    };
    Schema::new(types.iter().enumerate().map(field).collect::<Vec<_>>())
}

/// The values of one row.
pub(super) fn read(batches: &[RecordBatch]) -> Result<Vec<Param>, Status> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let batch = batches.iter().find(|batch| batch.num_rows() > 0);
    match batch {
        Some(batch) if rows == 1 => batch.columns().iter().map(param).collect(),
        _ => Err(Status::invalid_argument(format!(
            "a statement is run with one row of parameters at a time; {rows} were sent"
        ))),
    }
}

fn param(column: &ArrayRef) -> Result<Param, Status> {
    let unreadable =
        |_| Status::invalid_argument(format!("a parameter of type {} cannot be read", column.data_type()));
    if column.is_null(0) || *column.data_type() == DataType::Null {
        return Ok(Param::Null);
    }
    match column.data_type() {
        DataType::Boolean => Ok(Param::Bool(column.as_boolean().value(0))),
        kind if kind.is_integer() => {
            let whole = cast(column, &DataType::Int64).map_err(unreadable)?;
            if whole.is_null(0) {
                return Err(Status::invalid_argument("a parameter is a whole number beyond 64 bits"));
            }
            Ok(Param::Int(whole.as_primitive::<Int64Type>().value(0)))
        }
        kind if kind.is_floating() => {
            let real = cast(column, &DataType::Float64).map_err(unreadable)?;
            Ok(Param::Real(real.as_primitive::<Float64Type>().value(0)))
        }
        _ => {
            let texts =
                ArrayFormatter::try_new(column.as_ref(), &FormatOptions::default()).map_err(unreadable)?;
            Ok(Param::Text(texts.value(0).to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Date32Array, Float32Array, StringArray, UInt8Array};
    use std::sync::Arc;

    #[test]
    fn one_row_is_read_and_more_are_refused() {
        let columns: [(&str, ArrayRef); 5] = [
            ("a", Arc::new(UInt8Array::from(vec![7]))),
            ("b", Arc::new(Float32Array::from(vec![0.5]))),
            ("c", Arc::new(StringArray::from(vec!["x"]))),
            ("d", Arc::new(Date32Array::from(vec![1]))),
            ("e", Arc::new(StringArray::from(vec![None::<&str>]))),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(n, c)| (n, c, true))).unwrap();
        let read_it = read(std::slice::from_ref(&batch)).unwrap();
        let texts: Vec<String> = read_it.iter().map(|param| format!("{param:?}")).collect();
        assert_eq!(texts, ["Int(7)", "Real(0.5)", "Text(\"x\")", "Text(\"1970-01-02\")", "Null"]);
        assert!(read(&[batch.clone(), batch]).is_err());
        assert!(read(&[]).is_err());
    }
}
