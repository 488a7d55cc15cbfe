//! Rows that did not parse, kept aside with line number and reason.

use super::{error::ImportError, plan::Limits, row::Reject};
use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

/// Characters kept of a row.
const KEPT: usize = 4_096;

/// Collects rejected rows in a temporary file; there is none before the first.
pub(super) struct Rejects {
    folder: PathBuf,
    limit: u64,
    count: u64,
    first: Option<(u64, String)>,
    writer: Option<csv::Writer<BufWriter<File>>>,
}

impl Rejects {
    pub(super) fn new(folder: &Path, limits: &Limits) -> Self {
        Self { folder: folder.to_owned(), limit: limits.rejects, count: 0, first: None, writer: None }
    }

    /// Rows so far.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// Writes one row down: line number, reason, text.
    pub(super) fn add(&mut self, reject: &Reject) -> Result<(), ImportError> {
        let reason = reject.reason.to_string();
        self.count += 1;
        if self.count > self.limit {
            return Err(ImportError::TooManyRejected { limit: self.limit, line: reject.line, reason });
        }
        let failed =
            |error: csv::Error| ImportError::Io { doing: "writing the reject file", error: error.into() };
        if self.writer.is_none() {
            let file =
                tempfile::tempfile_in(&self.folder).map_err(ImportError::io("making a temporary file"))?;
            let mut writer = csv::Writer::from_writer(BufWriter::new(file));
            writer.write_record(["line", "reason", "text"]).map_err(failed)?;
            self.writer = Some(writer);
        }
        if let Some(writer) = &mut self.writer {
            let raw: String = reject.raw.chars().take(KEPT).collect();
            writer.write_record([&reject.line.to_string(), &reason, &raw]).map_err(failed)?;
        }
        self.first.get_or_insert((reject.line, reason));
        Ok(())
    }

    /// The error for a file of which nothing was kept.
    pub(super) fn nothing_kept(&self) -> ImportError {
        match &self.first {
            Some((line, reason)) => {
                ImportError::AllRejected { rejected: self.count, line: *line, reason: reason.clone() }
            }
            None => ImportError::NoRows,
        }
    }

    /// The file, if any row was rejected.
    pub(super) fn finish(self) -> Result<Option<File>, ImportError> {
        let Some(writer) = self.writer else { return Ok(None) };
        let doing = ImportError::io("writing the reject file");
        let failed = |error: std::io::Error| ImportError::Io { doing: "writing the reject file", error };
        let buffered = writer.into_inner().map_err(|e| doing(std::io::Error::other(e.to_string())))?;
        let mut file = buffered.into_inner().map_err(|e| failed(e.into_error()))?;
        file.flush().map_err(failed)?;
        Ok(Some(file))
    }
}
