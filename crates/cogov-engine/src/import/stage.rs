//! Rows on their way to columns: batches of text, kept in a temporary file until the types are known.

use super::{error::ImportError, infer::Inference, row::Row};
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray, StringBuilder, new_null_array};
use datafusion::arrow::datatypes::{DataType as ArrowType, Field, Schema};
use datafusion::arrow::ipc::{reader::StreamReader, writer::StreamWriter};
use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Text of one batch, above which it is written.
const BATCH_BYTES: usize = 16 << 20;
/// Values of one batch.
const BATCH_CELLS: usize = 1 << 20;

/// Takes rows in and finds the types of their columns.
pub(super) struct Stage {
    folder: PathBuf,
    builders: Vec<StringBuilder>,
    inferences: Vec<Inference>,
    pending: usize,
    bytes: usize,
    rows: u64,
    /// The number of columns and the stream of them that is being written. JSON lines may bring new names
    /// late: then a wider stream follows in the same file.
    stream: Option<(usize, StreamWriter<BufWriter<File>>)>,
}

impl Stage {
    /// Starts with `width` columns; rows may bring more.
    pub(super) fn new(folder: &Path, width: usize) -> Self {
        Self {
            folder: folder.to_owned(),
            builders: std::iter::repeat_with(StringBuilder::new).take(width).collect(),
            inferences: vec![Inference::default(); width],
            pending: 0,
            bytes: 0,
            rows: 0,
            stream: None,
        }
    }

    /// Rows taken in.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes a row in. True when a batch was written, which is a good moment to report.
    pub(super) fn push(&mut self, row: &Row) -> Result<bool, ImportError> {
        if row.cells.len() > self.builders.len() {
            let pending = self.pending;
            self.builders.resize_with(row.cells.len(), || {
                let mut builder = StringBuilder::new();
                builder.append_nulls(pending);
                builder
            });
            self.inferences.resize_with(row.cells.len(), Inference::default);
        }
        let cells = row.cells.iter().copied().chain(std::iter::repeat(None));
        for ((builder, inference), cell) in self.builders.iter_mut().zip(&mut self.inferences).zip(cells) {
            match cell {
                Some(cell) => {
                    let value = row.value(cell);
                    inference.see(value, cell.textual);
                    builder.append_value(value);
                }
                None => builder.append_null(),
            }
        }
        self.rows += 1;
        self.pending += 1;
        self.bytes += row.text.len();
        let full = self.bytes >= BATCH_BYTES || self.pending * self.builders.len() >= BATCH_CELLS;
        if full {
            self.flush()?;
        }
        Ok(full)
    }

    fn flush(&mut self) -> Result<(), ImportError> {
        if self.pending == 0 {
            return Ok(());
        }
        let columns: Vec<ArrayRef> =
            self.builders.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef).collect();
        let fields: Vec<Field> =
            (0..columns.len()).map(|i| Field::new(i.to_string(), ArrowType::Utf8, true)).collect();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        self.writer(&batch)?.write(&batch)?;
        self.pending = 0;
        self.bytes = 0;
        Ok(())
    }

    /// The stream for batches as wide as this one.
    fn writer(&mut self, batch: &RecordBatch) -> Result<&mut StreamWriter<BufWriter<File>>, ImportError> {
        let out = match self.stream.take() {
            Some((width, writer)) if width == batch.num_columns() => {
                return Ok(&mut self.stream.insert((width, writer)).1);
            }
            Some((_, narrower)) => narrower.into_inner()?,
            None => {
                let file = tempfile::tempfile_in(&self.folder)
                    .map_err(ImportError::io("making a temporary file"))?;
                BufWriter::with_capacity(1 << 20, file)
            }
        };
        let writer = StreamWriter::try_new(out, &batch.schema())?;
        Ok(&mut self.stream.insert((batch.num_columns(), writer)).1)
    }

    /// Ends the intake: the types, and the rows to be read again.
    pub(super) fn finish(mut self) -> Result<Staged, ImportError> {
        self.flush()?;
        let mut file = None;
        if let Some((_, writer)) = self.stream {
            let out = writer.into_inner()?.into_inner();
            let mut written = out.map_err(|e| ImportError::io("writing a temporary file")(e.into_error()))?;
            written.seek(SeekFrom::Start(0)).map_err(ImportError::io("reading a temporary file"))?;
            file = Some(written);
        }
        Ok(Staged { file, columns: self.inferences })
    }
}

/// All rows as text, and what their columns allow.
pub(super) struct Staged {
    file: Option<File>,
    pub(super) columns: Vec<Inference>,
}

impl Staged {
    /// Calls `see` with every batch, as one text array a column.
    pub(super) fn each(
        self,
        mut see: impl FnMut(Vec<StringArray>) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let width = self.columns.len();
        let Some(file) = self.file else { return Ok(()) };
        let mut file = BufReader::with_capacity(1 << 20, file);
        while !file.fill_buf().map_err(ImportError::io("reading a temporary file"))?.is_empty() {
            for batch in StreamReader::try_new(&mut file, None)? {
                let batch = batch?;
                let none = || new_null_array(&ArrowType::Utf8, batch.num_rows());
                let columns = (0..width).map(|i| batch.columns().get(i).cloned().unwrap_or_else(none));
                see(columns.map(|c| StringArray::from(c.to_data())).collect())?;
            }
        }
        Ok(())
    }
}
