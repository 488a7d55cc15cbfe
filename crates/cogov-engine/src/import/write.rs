//! Writes the table as Parquet into a temporary file and looks at every batch on the way.

use super::{cast::arrow_type, error::ImportError};
use crate::grading::{Header, Profiler};
use cogov_model::{ColumnProfile, Scheme};
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef};
use datafusion::parquet::{
    arrow::{ArrowWriter, ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder},
    basic::{Compression, ZstdLevel},
    file::properties::{WriterProperties, WriterPropertiesBuilder},
    schema::types::ColumnPath,
};
use std::{
    collections::HashSet,
    fs::File,
    io::{BufWriter, Seek, SeekFrom},
    path::Path,
    sync::Arc,
};

/// Rows of a row group.
const GROUP_ROWS: usize = 131_072;
/// Bytes of a row group in memory, above which it is closed early.
const GROUP_BYTES: usize = 128 << 20;

/// Rows of a page at most, and rows between two looks at it: a lookup by key reads one page a column.
const PAGE_ROWS: usize = 4096;
const LOOK: usize = 1024;
/// Bytes of a row, on the average of a batch, above which rows do not wait for others.
const WIDE: usize = 16 << 10;
/// Bytes of a dictionary, above which a column is written without: it is read whole for one value.
const DICTIONARY: usize = 64 << 10;

/// How tables are laid out: Zstandard, statistics by small pages, small dictionaries; columns whose values name a row in the
/// first batch have no dictionary, and a Bloom filter where they are numbers or texts.
#[must_use]
pub fn layout(first: &RecordBatch) -> WriterProperties {
    let base = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).unwrap_or_default()))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(LOOK)
        .set_dictionary_page_size_limit(DICTIONARY)
        .set_created_by("cogov".to_owned());
    let naming = |builder: WriterPropertiesBuilder, field: &Field| {
        let path = ColumnPath::new(vec![field.name().clone()]);
        // Its dictionary would be given up after the first rows, and read for every lookup all the same.
        let builder = builder.set_column_dictionary_enabled(path.clone(), false);
        if !matches!(field.data_type(), ArrowType::Int64 | ArrowType::Utf8) {
            return builder;
        }
        builder
            .set_column_bloom_filter_enabled(path.clone(), true)
            .set_column_bloom_filter_max_ndv(path.clone(), GROUP_ROWS as u64)
            .set_column_bloom_filter_fpp(path, 0.01)
    };
    let schema = first.schema();
    let fields = schema.fields().iter().enumerate().filter(|(index, _)| names_rows(first, *index));
    fields.fold(base, |builder, (_, field)| naming(builder, field)).build()
}

/// Bytes of the values of a batch.
fn bytes(batch: &RecordBatch) -> Result<usize, ImportError> {
    let mut all = 0;
    for column in batch.columns() {
        all += column.to_data().get_slice_memory_size()?;
    }
    Ok(all)
}

/// A table on its way into a temporary file.
pub(super) struct TableWriter {
    schema: SchemaRef,
    file: File,
    /// Made with the first batch, which tells which columns get Bloom filters.
    writer: Option<ArrowWriter<BufWriter<File>>>,
    profiler: Profiler,
    /// Rows in steps of [`LOOK`]; fewer wait for a whole one.
    steps: BatchCoalescer,
    rows: u64,
}

/// A table in a temporary file.
pub(super) struct Written {
    pub(super) file: File,
    pub(super) rows: u64,
    pub(super) columns: Vec<ColumnProfile>,
}

impl TableWriter {
    pub(super) fn new(headers: Vec<Header>, folder: &Path) -> Result<Self, ImportError> {
        let fields: Vec<Field> =
            headers.iter().map(|h| Field::new(h.name.as_str(), arrow_type(h.data_type), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        Ok(Self {
            steps: BatchCoalescer::new(Arc::clone(&schema), LOOK),
            schema,
            file: tempfile::tempfile_in(folder).map_err(ImportError::io("making a temporary file"))?,
            writer: None,
            profiler: Profiler::new(headers),
            rows: 0,
        })
    }

    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Looks at a batch and writes it.
    pub(super) fn write(&mut self, columns: Vec<ArrayRef>) -> Result<(), ImportError> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        self.profiler.see(&batch)?;
        self.rows += batch.num_rows() as u64;
        if self.writer.is_none() {
            let out = self.file.try_clone().map_err(ImportError::io("writing a temporary file"))?;
            let properties = layout(&batch);
            let out = BufWriter::with_capacity(1 << 20, out);
            self.writer = Some(ArrowWriter::try_new(out, Arc::clone(&self.schema), Some(properties))?);
        }
        // Rows are laid out in whole steps, whatever batches they came in: where pages end and dictionaries are given up is
        // looked at after each, and the same rows are to make the same file. Rows so wide that a step of them would not be
        // bounded do not wait for others.
        let wide = bytes(&batch)? > batch.num_rows() * WIDE;
        self.steps.push_batch(batch)?;
        if wide {
            self.steps.finish_buffered_batch()?;
        }
        self.put_steps()
    }

    fn put_steps(&mut self) -> Result<(), ImportError> {
        while let Some(step) = self.steps.next_completed_batch() {
            self.put(&step)?;
        }
        Ok(())
    }

    fn put(&mut self, batch: &RecordBatch) -> Result<(), ImportError> {
        if let Some(writer) = &mut self.writer {
            writer.write(batch)?;
            if writer.in_progress_size() > GROUP_BYTES {
                writer.flush()?;
            }
        }
        Ok(())
    }

    /// Ends the file, reads the columns again that may single persons out, and proposes labels.
    pub(super) fn finish(mut self, scheme: &Scheme) -> Result<Written, ImportError> {
        self.steps.finish_buffered_batch()?;
        self.put_steps()?;
        let Self { mut file, writer, profiler, rows, .. } = self;
        if let Some(writer) = writer {
            let mut out = writer.into_inner()?;
            std::io::Write::flush(&mut out).map_err(ImportError::io("writing a temporary file"))?;
        }
        let source = file.try_clone().map_err(ImportError::io("reading a temporary file"))?;
        let columns = profiler.finish(scheme, |places, see| {
            let builder = ParquetRecordBatchReaderBuilder::try_new(source)?;
            let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().copied());
            for batch in builder.with_projection(mask).with_batch_size(8_192).build()? {
                see(&batch?)?;
            }
            Ok::<(), ImportError>(())
        })?;
        file.seek(SeekFrom::Start(0)).map_err(ImportError::io("reading a temporary file"))?;
        Ok(Written { file, rows, columns })
    }
}

/// Whether nearly every value of the first batch differs from the others.
fn names_rows(batch: &RecordBatch, column: usize) -> bool {
    let Some(values) = batch.columns().get(column) else { return false };
    let present = values.len() - values.null_count();
    let distinct: HashSet<u64> =
        crate::grading::row_hashes(batch, &[column]).map(|h| h.into_iter().collect()).unwrap_or_default();
    present >= 100 && distinct.len() * 100 >= present * 95
}
