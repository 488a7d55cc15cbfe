//! Parquet objects: their footers, read once, and a plain scan over one of them.
//!
//! A [`RawTable`] knows no policy. It is only ever planned inside a barrier.

use super::faults;
use super::footer::{self, Readers};
use super::noise::Spread;
use super::numbered::File;
use super::prune;
use crate::error::QueryError;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use cogov_disclosure::TableRows;
use datafusion::common::{Statistics, stats::Precision};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result as PlanResult;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr_common::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, path::Path};
use parking_lot::Mutex;
use parquet::arrow::RowNumber;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use std::collections::{HashMap, HashSet};
use std::{fmt, sync::Arc};

/// The column of a row's number in the file. No column of a table is called so: a name has no quotes.
pub(super) const ROW_NUMBER: &str = "\"row";

/// Footers kept; beyond it the cache starts again, which only costs time.
const FOOTERS: usize = 4096;

/// The object store of the data, with what was learned from its objects.
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    url: ObjectStoreUrl,
    footers: Mutex<HashMap<String, Arc<RawTable>>>,
}

impl Objects {
    pub(super) fn new(store: Arc<dyn ObjectStore>, url: ObjectStoreUrl) -> Self {
        Self { store, url, footers: Mutex::default() }
    }

    /// The table in one object. Objects are immutable, so the answer never grows old.
    pub(super) async fn open(&self, path: &str, rows: u64) -> Result<Arc<RawTable>, QueryError> {
        if let Some(known) = self.footers.lock().get(path) {
            return Ok(Arc::clone(known));
        }
        let location = Path::parse(path).map_err(|_| faults::unreadable())?;
        let meta = self.store.head(&location).await.map_err(|_| faults::unreadable())?;
        let footer = footer::read(&self.store, &meta).await.map_err(|_| faults::unreadable())?;
        let file = footer.file_metadata();
        let schema = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata())
            .map_err(|_| faults::unreadable())?;
        if schema.field_with_name(ROW_NUMBER).is_ok() {
            return Err(faults::unreadable());
        }
        let stored = Arc::new(with_views(&schema));
        let readers = Readers { store: Arc::clone(&self.store), footer: Arc::clone(&footer) };
        let table = Arc::new(RawTable {
            numbering: TableSchema::builder(Arc::clone(&stored)).with_virtual_columns(vec![number()]).build(),
            schema: stored,
            meta,
            rows: usize::try_from(rows).unwrap_or(usize::MAX),
            footer,
            url: self.url.clone(),
            readers: Arc::new(readers),
            spreads: Mutex::default(),
            path: path.to_owned(),
            numbered: tokio::sync::Mutex::default(),
        });
        let mut footers = self.footers.lock();
        if footers.len() >= FOOTERS {
            footers.clear();
        }
        footers.insert(path.to_owned(), Arc::clone(&table));
        Ok(table)
    }
}

/// Texts as string views, the layout that DataFusion groups and compares fastest.
fn with_views(schema: &Schema) -> Schema {
    let view = |field: &Arc<Field>| {
        let data_type = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
            DataType::Dictionary(_, value) if matches!(**value, DataType::Utf8) => DataType::Utf8View,
            other => other.clone(),
        };
        Field::new(field.name(), data_type, true)
    };
    Schema::new(schema.fields().iter().map(view).collect::<Vec<_>>())
}

fn number() -> Arc<Field> {
    Arc::new(Field::new(ROW_NUMBER, DataType::Int64, false).with_extension_type(RowNumber))
}

/// One Parquet object as a table without any policy.
pub(super) struct RawTable {
    schema: SchemaRef,
    /// The same with the number of each row, counted from the first of the file, as a last column.
    numbering: TableSchema,
    meta: ObjectMeta,
    rows: usize,
    footer: Arc<ParquetMetaData>,
    url: ObjectStoreUrl,
    readers: Arc<Readers>,
    /// How values of columns repeat, where it was looked up.
    spreads: Mutex<HashMap<String, Spread>>,
    path: String,
    /// Its rows by number, for each unit that was declared.
    numbered: tokio::sync::Mutex<HashMap<Option<String>, Arc<TableRows>>>,
}

impl fmt::Debug for RawTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RawTable")
    }
}

impl RawTable {
    pub(super) const fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn spread(&self, column: &str) -> Option<Spread> {
        self.spreads.lock().get(column).copied()
    }

    pub(super) fn keep_spread(&self, column: &str, spread: Spread) {
        self.spreads.lock().insert(column.to_owned(), spread);
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn schema_ref(&self) -> &Schema {
        &self.schema
    }

    /// Its columns, then [`ROW_NUMBER`].
    pub(super) fn numbered_schema(&self) -> &SchemaRef {
        self.numbering.table_schema()
    }

    /// The schema that columns at these positions are read of: the number is made only for who wants it.
    fn read_schema(&self, columns: &[usize]) -> &SchemaRef {
        let number = self.schema.fields().len();
        if columns.contains(&number) { self.numbered_schema() } else { &self.schema }
    }

    /// Rows in the file, as its row groups have it.
    pub(super) fn stored_rows(&self) -> usize {
        let groups = self.footer.row_groups().iter();
        let rows = groups.map(|group| usize::try_from(group.num_rows()).unwrap_or(usize::MAX));
        rows.fold(0, usize::saturating_add)
    }

    /// Whether the reader numbers rows as they stand: it goes by what each row group says of its own place.
    fn is_numbered_in_order(&self) -> bool {
        let mut groups = (0_i16..).zip(self.footer.row_groups());
        let all = self.footer.row_groups().len() <= usize::from(i16::MAX.unsigned_abs());
        all && groups.all(|(place, group)| group.ordinal() == Some(place))
    }

    /// A reader of the object.
    pub(super) fn open(&self) -> Box<dyn AsyncFileReader> {
        self.readers.reader(self.meta.location.clone())
    }

    /// Its rows by number, and who stands behind them. Read once for each unit.
    pub(super) async fn numbered(&self, unit: Option<&str>) -> Result<Arc<TableRows>, QueryError> {
        let mut numbered = self.numbered.lock().await;
        if let Some(known) = numbered.get(&unit.map(str::to_owned)) {
            return Ok(Arc::clone(known));
        }
        if !self.is_numbered_in_order() {
            return Err(faults::unreadable());
        }
        let open = || self.open();
        let file = File { open: &open, schema: &self.schema, rows: self.stored_rows() };
        let rows = file.rows(unit).await;
        let rows = Arc::new(rows.map_err(|_| faults::unreadable())?);
        numbered.insert(unit.map(str::to_owned), Arc::clone(&rows));
        Ok(rows)
    }

    /// The places of columns by their names, in the order of the table; the number of rows is the last.
    pub(super) fn positions<'a>(&'a self, names: &'a HashSet<&str>) -> impl Iterator<Item = usize> + 'a {
        let fields = self.numbered_schema().fields().iter().enumerate();
        fields.filter(|(_, field)| names.contains(field.name().as_str())).map(|(position, _)| position)
    }

    /// About how many bytes a row takes in some columns, as the footer has it.
    pub(super) fn row_bytes(&self, columns: &[usize]) -> usize {
        let of = |group: &RowGroupMetaData| -> i64 {
            columns
                .iter()
                .filter_map(|c| group.columns().get(*c))
                .map(ColumnChunkMetaData::uncompressed_size)
                .sum()
        };
        let all: i64 = self.footer.row_groups().iter().map(of).sum();
        usize::try_from(all).unwrap_or(usize::MAX) / self.rows.max(1)
    }

    /// The row groups and pages in which a row may meet a condition over its columns.
    pub(super) fn access(&self, condition: Option<&Arc<dyn PhysicalExpr>>) -> ParquetAccessPlan {
        prune::access(&self.footer, &self.schema, condition)
    }

    /// About how many rows that is.
    pub(super) fn rows_of(&self, access: &ParquetAccessPlan) -> usize {
        let groups = access.inner().iter().zip(self.footer.row_groups());
        let rows = groups.map(|(access, group)| match access {
            RowGroupAccess::Skip => 0,
            RowGroupAccess::Scan => usize::try_from(group.num_rows()).unwrap_or(usize::MAX),
            RowGroupAccess::Selection(selection) => selection.row_count(),
        });
        rows.fold(0, usize::saturating_add)
    }

    /// Row groups in so many partitions at most, each of neighbours. Cut by their number and not, as DataFusion
    /// would, by their bytes, which tell of withheld columns. At least one.
    pub(super) fn partitions(access: &ParquetAccessPlan, wanted: usize) -> Vec<Vec<usize>> {
        let groups = access.row_group_indexes();
        if groups.is_empty() {
            return vec![Vec::new()];
        }
        groups.chunks(groups.len().div_ceil(wanted.max(1)).max(1)).map(<[usize]>::to_vec).collect()
    }

    /// Reads some columns of what may be read of it, a partition for each list of row groups. By what a condition rules
    /// out, row groups and pages are left out.
    pub(super) fn read(
        &self,
        condition: Option<&Arc<dyn PhysicalExpr>>,
        columns: &[usize],
        access: &ParquetAccessPlan,
        partitions: &[Vec<usize>],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let part = |groups: &Vec<usize>| {
            let mut part = ParquetAccessPlan::new_none(access.len());
            for group in groups {
                part.set(*group, access.inner().get(*group).cloned().unwrap_or(RowGroupAccess::Skip));
            }
            FileGroup::new(vec![PartitionedFile::from(self.meta.clone()).with_extension(part)])
        };
        let schema = self.read_schema(columns);
        let mut statistics = Statistics::new_unknown(schema);
        statistics.num_rows = Precision::Inexact(self.rows);
        let source = match Arc::ptr_eq(schema, &self.schema) {
            true => ParquetSource::new(Arc::clone(schema)),
            false => ParquetSource::new(self.numbering.clone()),
        };
        let readers = Arc::clone(&self.readers);
        let source = source.with_parquet_file_reader_factory(readers);
        let source = match condition {
            Some(condition) => source.with_predicate(Arc::clone(condition)),
            None => source,
        };
        let config = FileScanConfigBuilder::new(self.url.clone(), Arc::new(source))
            .with_file_groups(partitions.iter().map(part).collect())
            .with_statistics(statistics)
            .with_projection_indices(Some(columns.to_vec()))?
            .with_limit(limit)
            .with_preserve_order(true)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    pub(super) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
