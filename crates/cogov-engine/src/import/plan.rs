//! What an import is asked to do, and what it answers.

use cogov_model::{Column, ColumnProfile, Locale, Scheme, TableName, TableProfile, TableVersion, Text};
use object_store::ObjectStore;
use std::{fmt, path::PathBuf, pin::Pin, sync::Arc};
use tokio::io::AsyncRead;

/// How the file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Found from the first bytes.
    #[default]
    Auto,
    /// Lines of fields with a separator: CSV, TSV and their relatives.
    Delimited,
    /// One JSON object a line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
}

/// How headers become column names. The header itself is kept in the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// Names that need no quotes in SQL: lower case, words joined by `_`, Chinese kept.
    #[default]
    Sql,
    /// As they stand in the file, trimmed and made unique.
    Kept,
}

/// What an import may use. A file that needs more is refused, or its row rejected, with the limit's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file as received.
    pub source_bytes: u64,
    /// Bytes after decompression.
    pub expanded_bytes: u64,
    /// Bytes after decompression for each byte before, counted from 64 MiB on.
    pub expansion_ratio: u64,
    /// Bytes of one line; longer lines are rejected, a longer header ends the import.
    pub line_bytes: usize,
    /// Bytes of one value; rows with longer ones are rejected.
    pub field_bytes: usize,
    /// Physical lines that one row may span when a quoted value holds line breaks.
    pub row_lines: usize,
    /// Columns.
    pub columns: usize,
    /// Rows that may be rejected before the import gives up.
    pub rejects: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 64 << 30,
            expanded_bytes: 256 << 30,
            expansion_ratio: 200,
            line_bytes: 16 << 20,
            field_bytes: 1 << 20,
            row_lines: 1_000,
            columns: 4_096,
            rejects: 100_000,
        }
    }
}

/// How to import.
#[derive(Debug, Clone)]
pub struct ImportPlan {
    /// The file's format.
    pub format: Format,
    /// What it may use.
    pub limits: Limits,
    /// The field separator of a delimited file; found from the content when `None`.
    pub delimiter: Option<char>,
    /// The text encoding by its WHATWG label, such as `gb18030`; found from the content when `None`.
    pub encoding: Option<String>,
    /// How headers become column names.
    pub naming: Naming,
    /// Categories, floors, volume rules and thresholds.
    pub scheme: Arc<Scheme>,
    /// Where temporary files lie: about three times the expanded file at most. They have no name there.
    pub spool_dir: PathBuf,
}

impl ImportPlan {
    /// Finds everything out by itself, within the default limits, with temporary files in the system's folder.
    #[must_use]
    pub fn new(scheme: Arc<Scheme>) -> Self {
        Self {
            format: Format::Auto,
            limits: Limits::default(),
            delimiter: None,
            encoding: None,
            naming: Naming::default(),
            scheme,
            spool_dir: std::env::temp_dir(),
        }
    }
}

/// Where the bytes come from.
pub enum ImportSource {
    /// A file on this machine, read in place.
    Path(PathBuf),
    /// A stream, such as an upload; it is received into a temporary file first.
    Reader {
        /// Its size in bytes, if known, for progress only.
        size: Option<u64>,
        /// The bytes.
        reader: Pin<Box<dyn AsyncRead + Send>>,
    },
}

impl fmt::Debug for ImportSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImportSource::Path(path) => f.debug_tuple("Path").field(path).finish(),
            ImportSource::Reader { size, .. } => {
                f.debug_struct("Reader").field("size", size).finish_non_exhaustive()
            }
        }
    }
}

/// Where the table goes.
///
/// The object is called after the table and its own SHA-256, so nothing is ever overwritten by something
/// else, and imports at the same time cannot harm each other. It appears when it is complete, or not at all.
#[derive(Debug, Clone)]
pub struct Sink {
    /// The storage.
    pub store: Arc<dyn ObjectStore>,
    /// The folder in it, such as `data/revenue`.
    pub folder: String,
    /// The table.
    pub table: TableName,
}

/// What an import is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Taking the bytes in.
    Receiving,
    /// Parsing rows and finding types.
    Reading,
    /// Writing Parquet and looking at the values.
    Writing,
    /// Handing the object to the storage.
    Storing,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// Bytes of this stage so far: of the source while receiving and reading, of the object while storing.
    pub bytes: u64,
    /// Bytes of this stage in all, if known.
    pub total: Option<u64>,
    /// Rows of this stage so far.
    pub rows: u64,
}

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The stored table.
    pub version: TableVersion,
    /// What is in it, with proposed labels.
    pub profile: TableProfile,
}

impl Imported {
    /// Columns for the catalogue, with the proposed labels and their evidence as the reason.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        self.profile.columns.iter().map(column).collect()
    }
}

fn column(profile: &ColumnProfile) -> Column {
    let words = |locale, gap: &str| {
        let all: Vec<&str> = profile.proposal.findings.iter().map(|f| f.words.get(locale)).collect();
        all.join(gap)
    };
    Column {
        name: profile.name.clone(),
        title: Text::same(profile.header.clone()),
        description: Text::default(),
        data_type: profile.data_type,
        label: profile.proposal.label.clone(),
        reason: Text::new(words(Locale::En, " "), words(Locale::ZhHans, "")),
    }
}
