//! One import on a blocking thread: from a file to a finished table in a temporary file.

use super::{
    cast::cast,
    delimited::Delimited,
    encoding,
    error::ImportError,
    header,
    json::JsonLines,
    lines::Lines,
    open, parquet_in,
    plan::{Format, ImportPlan, Progress, Stage},
    rejects::Rejects,
    row::{Next, Row},
    stage,
    write::{TableWriter, Written},
};
use crate::grading::Header;
use cogov_model::{DataType, TableProfile};
use datafusion::arrow::array::Array;
use std::{
    fs::File,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// A table that is ready to be stored.
pub(super) struct Prepared {
    pub(super) table: File,
    pub(super) rejects: Option<File>,
    pub(super) profile: TableProfile,
}

/// What an import works with.
pub(super) struct Run<P> {
    pub(super) plan: ImportPlan,
    pub(super) progress: P,
    /// Set when nobody waits for the result any more.
    pub(super) cancelled: Arc<AtomicBool>,
}

/// What is known of the text of a file.
#[derive(Default)]
struct Told {
    encoding: Option<String>,
    delimiter: Option<char>,
    rejected: u64,
}

impl<P: Fn(Progress)> Run<P> {
    /// Imports a file up to the point where only the storage is missing.
    pub(super) fn prepare(&self, file: &File) -> Result<Prepared, ImportError> {
        let kind = open::kind(file, self.plan.format, &self.plan.limits)?;
        match kind.format {
            Format::Parquet => self.parquet(file, kind),
            Format::JsonLines => {
                self.text(file, kind, |lines| Ok(Rows::Json(JsonLines::new(lines, self.plan.limits))))
            }
            Format::Delimited | Format::Auto => self.text(file, kind, |lines| {
                Ok(Rows::Delimited(Delimited::new(lines, self.plan.delimiter, self.plan.limits)?))
            }),
        }
    }

    fn report(&self, stage: Stage, bytes: u64, total: Option<u64>, rows: u64) -> Result<(), ImportError> {
        (self.progress)(Progress { stage, bytes, total, rows });
        if self.cancelled.load(Ordering::Relaxed) { Err(ImportError::Cancelled) } else { Ok(()) }
    }

    fn parquet(&self, file: &File, kind: open::Kind) -> Result<Prepared, ImportError> {
        let spool = || {
            tempfile::tempfile_in(&self.plan.spool_dir).map_err(ImportError::io("making a temporary file"))
        };
        let file = open::plain_copy(file, kind, &self.plan.limits, spool)?;
        let columns = parquet_in::columns(&file)?;
        let headers: Vec<String> = columns.iter().map(|c| c.header.clone()).collect();
        header::check_width(headers.len(), self.plan.limits.columns)?;
        let types = columns.iter().map(|c| c.data_type).collect();
        let mut writer = TableWriter::new(self.headers(&headers, types), &self.plan.spool_dir)?;
        parquet_in::each(&file, &columns, self.plan.limits.field_bytes, |batch| {
            writer.write(batch)?;
            self.report(Stage::Writing, 0, None, writer.rows())
        })?;
        if writer.rows() == 0 {
            return Err(ImportError::NoRows);
        }
        self.prepared(writer.finish(&self.plan.scheme)?, None, Told::default())
    }

    fn text(
        &self,
        file: &File,
        kind: open::Kind,
        rows: impl FnOnce(Lines) -> Result<Rows, ImportError>,
    ) -> Result<Prepared, ImportError> {
        let limits = &self.plan.limits;
        let mut sniffed = open::text(file, kind, limits, Arc::default())?;
        let found = encoding::find(&mut sniffed, self.plan.encoding.as_deref())?;
        let taken = Arc::new(AtomicU64::new(0));
        let text = open::text(file, kind, limits, Arc::clone(&taken))?;
        let mut rows = rows(Lines::new(text, found.encoding, found.mark, limits.line_bytes)?)?;
        let mut headers = rows.header(limits.columns)?;
        let total = file.metadata().map(|m| m.len()).ok();
        let mut rejects = Rejects::new(&self.plan.spool_dir, limits);
        let mut staged = stage::Stage::new(&self.plan.spool_dir, headers.len());
        let mut row = Row::default();
        loop {
            let report = match rows.next(&mut row)? {
                Next::Row => staged.push(&row)?,
                Next::Reject(reject) => {
                    rejects.add(&reject)?;
                    rejects.count().is_multiple_of(1_000)
                }
                Next::End => break,
            };
            if report {
                self.report(Stage::Reading, taken.load(Ordering::Relaxed), total, staged.rows())?;
            }
        }
        if staged.rows() == 0 {
            return Err(rejects.nothing_kept());
        }
        rows.late_header(&mut headers);
        let told = Told {
            encoding: Some(found.encoding.name().to_owned()),
            delimiter: rows.separator(),
            rejected: rejects.count(),
        };
        let written = self.typed(staged, &headers)?;
        self.prepared(written, rejects.finish()?, told)
    }

    /// Reads the staged rows again, now that the types are known.
    fn typed(&self, staged: stage::Stage, headers: &[String]) -> Result<Written, ImportError> {
        let rows = staged.rows();
        let staged = staged.finish()?;
        let types: Vec<DataType> = staged.columns.iter().map(|c| c.data_type()).collect();
        let promised: Vec<u64> = staged.columns.iter().map(|c| c.present()).collect();
        let mut writer = TableWriter::new(self.headers(headers, types.clone()), &self.plan.spool_dir)?;
        let mut kept = vec![0_u64; types.len()];
        staged.each(|batch| {
            let mut columns = Vec::with_capacity(types.len());
            for ((values, data_type), kept) in batch.into_iter().zip(&types).zip(&mut kept) {
                let typed = cast(values, *data_type);
                *kept += (typed.len() - typed.null_count()) as u64;
                columns.push(typed);
            }
            writer.write(columns)?;
            self.report(Stage::Writing, 0, None, writer.rows())
        })?;
        let lost = kept.iter().zip(&promised).zip(&types).find(|((k, p), t)| **t != DataType::Text && k != p);
        match lost {
            None if writer.rows() == rows => writer.finish(&self.plan.scheme),
            _ => Err(ImportError::Io {
                doing: "typing the rows",
                error: std::io::Error::other("the temporary file changed while it was read"),
            }),
        }
    }

    fn headers(&self, headers: &[String], types: Vec<DataType>) -> Vec<Header> {
        let names = header::names(headers, self.plan.naming);
        let named = names.into_iter().zip(headers).zip(types);
        named
            .map(|((name, header), data_type)| Header { name, header: header.trim().to_owned(), data_type })
            .collect()
    }

    fn prepared(&self, written: Written, rejects: Option<File>, told: Told) -> Result<Prepared, ImportError> {
        let profile = TableProfile {
            rows: written.rows,
            rejected: told.rejected,
            encoding: told.encoding,
            delimiter: told.delimiter,
            columns: written.columns,
        };
        Ok(Prepared { table: written.file, rejects, profile })
    }
}

/// Rows of either kind of text.
enum Rows {
    Delimited(Delimited),
    Json(JsonLines),
}

impl Rows {
    /// The names that stand before the rows: none in JSON lines.
    fn header(&mut self, limit: usize) -> Result<Vec<String>, ImportError> {
        match self {
            Rows::Delimited(rows) => {
                let headers = rows.header()?;
                header::check(&headers, limit)?;
                Ok(headers)
            }
            Rows::Json(_) => Ok(Vec::new()),
        }
    }

    fn next(&mut self, row: &mut Row) -> Result<Next, ImportError> {
        match self {
            Rows::Delimited(rows) => rows.next(row),
            Rows::Json(rows) => rows.next(row),
        }
    }

    /// The names that came with the rows.
    fn late_header(&self, headers: &mut Vec<String>) {
        if let Rows::Json(rows) = self {
            headers.extend(rows.names().iter().cloned());
        }
    }

    const fn separator(&self) -> Option<char> {
        match self {
            Rows::Delimited(rows) => Some(rows.separator()),
            Rows::Json(_) => None,
        }
    }
}
