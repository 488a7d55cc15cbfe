//! The rows of a table's file by number: who stands behind each, and what tells it from others.

use super::keys::row_keys;
use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;
use cogov_disclosure::TableRows;
use futures::TryStreamExt;
use parquet::arrow::ProjectionMask;
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};

/// A file that cannot be read as it should.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unreadable;

/// A file of a table: how to open it, and the types in which queries see its columns.
pub(super) struct File<'a> {
    pub(super) open: &'a (dyn Fn() -> Box<dyn AsyncFileReader> + Send + Sync),
    pub(super) schema: &'a Schema,
    /// How many rows it has.
    pub(super) rows: usize,
}

impl File<'_> {
    /// Its rows and who stands behind them.
    pub(super) async fn rows(&self, unit: Option<&str>) -> Result<TableRows, Unreadable> {
        let rows = match unit {
            Some(unit) => TableRows::of_units(&self.keys(&[unit]).await?),
            None => TableRows::without_unit(self.rows),
        };
        rows.ok_or(Unreadable)
    }

    /// A hash of each row over the named columns, in file order.
    pub(super) async fn keys(&self, names: &[&str]) -> Result<Vec<u64>, Unreadable> {
        let builder = ParquetRecordBatchStreamBuilder::new((self.open)()).await.map_err(|_| Unreadable)?;
        let wanted: Result<Vec<usize>, _> =
            names.iter().map(|name| builder.schema().index_of(name)).collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.map_err(|_| Unreadable)?);
        let mut stream = builder.with_projection(mask).build().map_err(|_| Unreadable)?;
        let mut keys = Vec::new();
        while let Some(batch) = stream.try_next().await.map_err(|_| Unreadable)? {
            keys.extend(row_keys(&columns(&batch, self.schema, names)?).map_err(|_| Unreadable)?);
        }
        Ok(keys)
    }
}

/// The named columns of a batch, in the types of a schema.
fn columns(batch: &RecordBatch, schema: &Schema, names: &[&str]) -> Result<Vec<ArrayRef>, Unreadable> {
    let column = |name: &&str| {
        let to: &DataType = schema.field_with_name(name).map_err(|_| Unreadable)?.data_type();
        cast(batch.column_by_name(name).ok_or(Unreadable)?, to).map_err(|_| Unreadable)
    };
    names.iter().map(column).collect()
}
