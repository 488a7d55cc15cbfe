//! Rows on their way to columns: batches of text, kept in a temporary file until the types are known.

use super::{error::ImportError, infer::Inference, row::Row};
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray, StringBuilder, new_null_array};
use datafusion::arrow::datatypes::{DataType as ArrowType, Field, Schema};
use datafusion::arrow::ipc::{reader::StreamReader, writer::StreamWriter};
use std::{
    fs::File,
    io::{BufReader, BufWriter, Seek, SeekFrom},
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
    /// One file for each number of columns: JSON lines may bring new names late.
    segments: Vec<(usize, StreamWriter<BufWriter<File>>)>,
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
            segments: Vec::new(),
        }
    }

    /// Rows taken in.
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes a row in. True when a batch was written, which is a good moment to report.
    pub(super) fn push(&mut self, row: &Row) -> Result<bool, ImportError> {
        if row.cells.len() > self.builders.len() {
            self.flush()?;
            self.builders.resize_with(row.cells.len(), StringBuilder::new);
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
        let columns: Vec<ArrayRef> = self.builders.iter_mut().map(|b| Arc::new(b.finish()) as ArrayRef).collect();
        let fields: Vec<Field> =
            (0..columns.len()).map(|i| Field::new(i.to_string(), ArrowType::Utf8, true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
        if self.segments.last().is_none_or(|(width, _)| *width != batch.num_columns()) {
            let file = tempfile::tempfile_in(&self.folder).map_err(ImportError::io("making a temporary file"))?;
            let writer = StreamWriter::try_new(BufWriter::with_capacity(1 << 20, file), &schema)?;
            self.segments.push((batch.num_columns(), writer));
        }
        if let Some((_, writer)) = self.segments.last_mut() {
            writer.write(&batch)?;
        }
        self.pending = 0;
        self.bytes = 0;
        Ok(())
    }

    /// Ends the intake: the types, and the rows to be read again.
    pub(super) fn finish(mut self) -> Result<Staged, ImportError> {
        self.flush()?;
        let mut files = Vec::new();
        for (_, writer) in self.segments {
            let mut file = writer.into_inner()?.into_inner().map_err(|e| ImportError::io("writing a temporary file")(e.into_error()))?;
            file.seek(SeekFrom::Start(0)).map_err(ImportError::io("reading a temporary file"))?;
            files.push(file);
        }
        Ok(Staged { files, columns: self.inferences })
    }
}

/// All rows as text, and what their columns allow.
pub(super) struct Staged {
    files: Vec<File>,
    pub(super) columns: Vec<Inference>,
}

impl Staged {
    /// Calls `see` with every batch, as one text array a column.
    pub(super) fn each(
        self,
        mut see: impl FnMut(Vec<StringArray>) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let width = self.columns.len();
        for file in self.files {
            for batch in StreamReader::try_new(BufReader::with_capacity(1 << 20, file), None)? {
                let batch = batch?;
                let none = || new_null_array(&ArrowType::Utf8, batch.num_rows());
                let columns = (0..width).map(|i| batch.columns().get(i).cloned().unwrap_or_else(none));
                see(columns.map(|c| StringArray::from(c.to_data())).collect())?;
            }
        }
        Ok(())
    }
}
