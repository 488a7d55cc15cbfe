//! Import: a raw file becomes an immutable Parquet object, a profile, and proposed labels.
//!
//! CSV and its relatives in any usual encoding, JSON lines, and Parquet, each also as gzip or Zstandard;
//! what a file is, its bytes say, not its name. Memory is bounded whatever the file holds. Types are found
//! from all rows, so none is wrong later, and nothing that is written is lost by them: `007` stays text.
//! Rows that do not parse go to a reject file beside the table. The table appears whole or not at all.

mod cast;
mod cell;
mod delimited;
mod encoding;
mod error;
mod fields;
mod header;
mod infer;
mod json;
mod lines;
mod open;
mod parquet_in;
mod plan;
mod rejects;
mod row;
mod run;
mod stage;
mod store;
mod time;
mod write;

pub use cast::arrow_type;
pub use error::ImportError;
pub use plan::{Format, ImportPlan, ImportSource, Imported, Limits, Naming, Progress, Sink, Stage};
pub use write::layout;

use cogov_model::TableVersion;
use object_store::{ObjectStoreExt, path::Path};
use run::{Prepared, Run};
use std::{
    fs::File,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use store::Parcel;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

/// Imports a file into the storage. Dropping the future stops it and leaves nothing behind.
///
/// # Errors
/// When the file cannot be read, a limit is passed, or a disk or the storage fails. Then no object is visible.
pub async fn import(
    source: ImportSource,
    plan: ImportPlan,
    sink: Sink,
    progress: impl Fn(Progress) + Send + Sync + 'static,
) -> Result<Imported, ImportError> {
    let progress = Arc::new(progress);
    let file = match source {
        ImportSource::Path(path) => {
            let opened = tokio::fs::File::open(path).await.map_err(ImportError::io("opening the file"))?;
            opened.into_std().await
        }
        ImportSource::Reader { size, reader } => receive(reader, size, &plan, progress.as_ref()).await?,
    };
    let cancelled = Arc::new(AtomicBool::new(false));
    let _cancel = CancelOnDrop(Arc::clone(&cancelled));
    let run = Run {
        plan,
        progress: {
            let progress = Arc::clone(&progress);
            move |p| progress(p)
        },
        cancelled,
    };
    let prepared = tokio::task::spawn_blocking(move || run.prepare(&file));
    let prepared = prepared.await.map_err(|error| ImportError::Io {
        doing: "importing",
        error: std::io::Error::other(if error.is_panic() {
            "an internal error"
        } else {
            "the server is stopping"
        }),
    })??;
    deliver(prepared, sink, progress.as_ref()).await
}

struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Takes a stream into a temporary file.
async fn receive(
    mut reader: Pin<Box<dyn AsyncRead + Send>>,
    size: Option<u64>,
    plan: &ImportPlan,
    progress: &impl Fn(Progress),
) -> Result<File, ImportError> {
    let writing = || ImportError::io("writing a temporary file");
    let file = tempfile::tempfile_in(&plan.spool_dir).map_err(ImportError::io("making a temporary file"))?;
    let mut file = tokio::fs::File::from_std(file);
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let n = reader.read(&mut buffer).await.map_err(ImportError::io("receiving the file"))?;
        if n == 0 {
            break;
        }
        bytes += n as u64;
        if bytes > plan.limits.source_bytes {
            let hint = "send it in parts";
            return Err(ImportError::Limit {
                what: "the file",
                limit: plan.limits.source_bytes,
                unit: "bytes",
                hint,
            });
        }
        file.write_all(buffer.get(..n).unwrap_or_default()).await.map_err(writing())?;
        progress(Progress { stage: Stage::Receiving, bytes, total: size, rows: 0 });
    }
    file.flush().await.map_err(writing())?;
    Ok(file.into_std().await)
}

/// Stores the rejects, then the table: a table that is visible is complete with its rejects.
async fn deliver(
    prepared: Prepared,
    sink: Sink,
    progress: &impl Fn(Progress),
) -> Result<Imported, ImportError> {
    let Prepared { table, rejects, profile } = prepared;
    let store = sink.store.as_ref();
    let named = |parcel: &Parcel, ending: &str| {
        let hash: String = parcel.sha256.chars().take(24).collect();
        Path::from(format!("{}/{}-{hash}.{ending}", sink.folder.trim_matches('/'), sink.table))
    };
    let mut rejects_path = None;
    if let Some(file) = rejects {
        let parcel = Parcel::new(file).await?;
        let path = named(&parcel, "rejects.csv");
        parcel.store(store, &path, |_| {}).await?;
        rejects_path = Some(path);
    }
    let parcel = Parcel::new(table).await?;
    let (bytes, sha256, path) = (parcel.bytes, parcel.sha256.clone(), named(&parcel, "parquet"));
    let rows = profile.rows;
    let stored = |sent| progress(Progress { stage: Stage::Storing, bytes: sent, total: Some(bytes), rows });
    if let Err(error) = parcel.store(store, &path, stored).await {
        if let Some(rejects) = &rejects_path
            && let Err(left) = store.delete(rejects).await
        {
            tracing::warn!(%left, "a reject file without its table could not be removed");
        }
        return Err(error);
    }
    let version = TableVersion {
        name: sink.table,
        path: path.to_string(),
        rows,
        bytes,
        sha256,
        rejected: profile.rejected,
        rejects_path: rejects_path.map(|path| path.to_string()),
    };
    Ok(Imported { version, profile })
}
