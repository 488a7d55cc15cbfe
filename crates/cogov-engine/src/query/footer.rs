//! The footer of an object, read once, and readers that know it already.
//!
//! The extremes that a file keeps of floating point numbers leave NaN out, which is greater than any number. Nothing may
//! be left out by them: a NaN that meets a condition would be found or not by the numbers beside it, withheld ones
//! among them. So they are forgotten here, once for whoever reads.

use super::numbered::Unreadable;
use bytes::Bytes;
use datafusion::common::Result as PlanResult;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{ParquetFileReaderFactory, metadata::DFParquetMetadata};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, path::Path};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::basic::{LogicalType, Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, RowGroupMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::schema::types::ColumnDescPtr;
use std::{fmt, ops::Range, sync::Arc};

/// The footer of an object with its page index, without what cannot be relied on.
pub(super) async fn read(
    store: &dyn ObjectStore,
    meta: &ObjectMeta,
) -> std::result::Result<Arc<ParquetMetaData>, Unreadable> {
    let footer = DFParquetMetadata::new(store, meta).with_page_index_policy(Some(PageIndexPolicy::Optional));
    let footer = footer.fetch_metadata().await.map_err(|_| Unreadable)?;
    reliable(footer).map_err(|_| Unreadable)
}

/// A footer that tells nothing of floating point numbers.
fn reliable(footer: Arc<ParquetMetaData>) -> Result<Arc<ParquetMetaData>> {
    let descriptor = footer.file_metadata().schema_descr();
    let is_floating = |column: &ColumnDescPtr| {
        let half = matches!(column.logical_type_ref(), Some(LogicalType::Float16));
        half || matches!(column.physical_type(), Type::FLOAT | Type::DOUBLE)
    };
    let floating: Vec<bool> = descriptor.columns().iter().map(is_floating).collect();
    if !floating.contains(&true) {
        return Ok(footer);
    }
    let mut footer = Arc::unwrap_or_clone(footer).into_builder();
    let groups = footer.take_row_groups().into_iter().map(|group| without(group, &floating));
    let groups = groups.collect::<Result<Vec<_>>>()?;
    let mut pages = footer.take_column_index();
    for columns in pages.iter_mut().flatten() {
        for (index, _) in columns.iter_mut().zip(&floating).filter(|(_, floating)| **floating) {
            *index = ColumnIndexMetaData::NONE;
        }
    }
    Ok(Arc::new(footer.set_row_groups(groups).set_column_index(pages).build()))
}

/// A row group without the extremes and the Bloom filters of some columns.
fn without(group: RowGroupMetaData, forgotten: &[bool]) -> Result<RowGroupMetaData> {
    let mut group = group.into_builder();
    let mut columns = group.take_columns();
    for (column, _) in columns.iter_mut().zip(forgotten).filter(|(_, forgotten)| **forgotten) {
        let builder = column.clone().into_builder().clear_statistics();
        *column = builder.set_bloom_filter_offset(None).set_bloom_filter_length(None).build()?;
    }
    group.set_column_metadata(columns).build()
}

/// Makes readers of one object that know its footer.
pub(super) struct Readers {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) footer: Arc<ParquetMetaData>,
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Readers")
    }
}

impl Readers {
    pub(super) fn reader(&self, path: Path) -> Box<dyn AsyncFileReader + Send> {
        Box::new(Reader { store: Arc::clone(&self.store), footer: Arc::clone(&self.footer), path })
    }
}

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        _: usize,
        file: PartitionedFile,
        _: Option<usize>,
        _: &ExecutionPlanMetricsSet,
    ) -> PlanResult<Box<dyn AsyncFileReader + Send>> {
        Ok(self.reader(file.object_meta.location))
    }
}

/// Reads one object.
struct Reader {
    store: Arc<dyn ObjectStore>,
    footer: Arc<ParquetMetaData>,
    path: Path,
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        let bytes = self.store.get_range(&self.path, range);
        bytes.map(|bytes| bytes.map_err(|e| ParquetError::External(Box::new(e)))).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move {
            let bytes = self.store.get_ranges(&self.path, &ranges).await;
            bytes.map_err(|e| ParquetError::External(Box::new(e)))
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        futures::future::ready(Ok(Arc::clone(&self.footer))).boxed()
    }
}
