//! Writing a file batch by batch, in bounded memory.

use super::csv::{csv_head, csv_rows};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use parking_lot::Mutex;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::io::{self, Write};
use std::sync::Arc;

/// Rows of a row group: what the writer holds at most.
const ROW_GROUP: usize = 64 << 10;

/// The format of an extract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// Parquet with zstd; what it is and under which decision it left stands in its key-value metadata.
    Parquet,
    /// RFC 4180 with a header line and nothing else, so that every reader reads it.
    Csv,
}

impl FileFormat {
    /// Every format.
    pub const ALL: [FileFormat; 2] = [FileFormat::Parquet, FileFormat::Csv];

    /// The code used in requests and entries; also the file's ending.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            FileFormat::Parquet => "parquet",
            FileFormat::Csv => "csv",
        }
    }

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            FileFormat::Parquet => "application/vnd.apache.parquet",
            FileFormat::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// Bytes that were written and not yet taken.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock())
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes one file. Every call returns the bytes that are ready.
pub struct ExtractWriter {
    written: Written,
    parquet: Option<ArrowWriter<Written>>,
}

impl ExtractWriter {
    /// Begins a file. `metadata` goes into a Parquet file's key-value metadata.
    ///
    /// # Errors
    /// When the schema cannot be written in this format.
    pub fn begin(
        format: FileFormat,
        schema: &SchemaRef,
        metadata: &[(String, String)],
    ) -> Result<(Self, Vec<u8>), ArrowError> {
        let written = Written::default();
        if format == FileFormat::Csv {
            return Ok((Self { written, parquet: None }, csv_head(schema)));
        }
        let pairs = metadata.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .set_key_value_metadata(Some(pairs.collect()))
            .build();
        let writer = ArrowWriter::try_new(written.clone(), Arc::clone(schema), Some(properties));
        let writer = Self { parquet: Some(writer.map_err(failed)?), written };
        let head = writer.written.take();
        Ok((writer, head))
    }

    /// The bytes of one batch; none while they wait for their row group.
    ///
    /// # Errors
    /// When a value cannot be written in this format.
    pub fn batch(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        match self.parquet.as_mut() {
            Some(writer) => {
                writer.write(batch).map_err(failed)?;
                Ok(self.written.take())
            }
            None => csv_rows(batch),
        }
    }

    /// The last bytes.
    ///
    /// # Errors
    /// When the file cannot be ended.
    pub fn end(mut self) -> Result<Vec<u8>, ArrowError> {
        if let Some(writer) = self.parquet.take() {
            writer.close().map_err(failed)?;
        }
        Ok(self.written.take())
    }
}

fn failed(error: parquet::errors::ParquetError) -> ArrowError {
    ArrowError::ExternalError(Box::new(error))
}
