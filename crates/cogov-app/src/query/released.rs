//! Rows on their way out, and the entry about what left.

use super::PreparedQuery;
use crate::{App, AppError, Result, record::Act};
use cogov_engine::{QueryError, RowStream};
use cogov_model::{EntryKind, Outcome};
use futures::{Stream, StreamExt};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Rows on their way out. Counts what leaves; when the stream ends, fails or is dropped, the release is
/// written to the ledger. At a regular end it is written before the end is reported.
pub struct ReleasedRows {
    /// What was read of the stream to know that it may leave.
    first: Option<FirstRows>,
    stream: RowStream,
    release: Option<Release>,
    /// Whether somebody else writes the release: who makes a file of the rows.
    handed_over: bool,
    ending: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// The first item of a stream, or its end.
pub(super) type FirstRows = Option<std::result::Result<arrow::record_batch::RecordBatch, QueryError>>;

/// The entry about what left, on its way.
pub(crate) struct Release {
    app: App,
    pub(crate) act: Act,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

impl ReleasedRows {
    pub(super) fn new(
        first: Option<FirstRows>,
        stream: RowStream,
        app: App,
        query: &PreparedQuery,
        decision: u64,
    ) -> Self {
        let act = Act::new(EntryKind::Release, Outcome::Done)
            .party(&query.session.actor.party.id)
            .grant(&query.grant.id)
            .datasets(query.grant.datasets())
            .follows(decision)
            .fact("door", query.door.code());
        let act = query.grant.providers.iter().fold(act, Act::party);
        let release = Some(Release { app, act, rows: 0, bytes: 0 });
        Self { first, stream, release, handed_over: false, ending: None }
    }

    /// The schema of every batch.
    #[must_use]
    pub fn schema(&self) -> arrow::datatypes::SchemaRef {
        self.stream.schema()
    }

    /// Hands the duty to write the release over, with what is known of it so far.
    pub(crate) fn hand_over(&mut self) -> Option<Release> {
        self.handed_over = true;
        self.release.take()
    }
}

impl Release {
    /// Writes the release; what cannot be written is logged.
    pub(crate) async fn write(self, ended: &'static str) {
        let _written = self.written(ended).await;
    }

    /// Whether the release could be written: where something is still held back, it must not leave otherwise.
    pub(crate) async fn written(self, ended: &'static str) -> bool {
        let act = self.act.fact("rows", self.rows).fact("bytes", self.bytes).fact("ended", ended);
        let written = self.app.record(act).await;
        if let Err(error) = &written {
            tracing::error!(%error, "a release could not be written to the ledger");
        }
        written.is_ok()
    }
}

impl Stream for ReleasedRows {
    type Item = Result<arrow::record_batch::RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(ending) = self.ending.as_mut() {
            return match ending.as_mut().poll(context) {
                Poll::Ready(()) => {
                    self.ending = None;
                    Poll::Ready(None)
                }
                Poll::Pending => Poll::Pending,
            };
        }
        if self.release.is_none() && !self.handed_over {
            return Poll::Ready(None);
        }
        let item = match self.first.take() {
            Some(first) => first,
            None => std::task::ready!(self.stream.poll_next_unpin(context)),
        };
        match item {
            Some(Ok(batch)) => {
                if let Some(release) = self.release.as_mut() {
                    release.rows += batch.num_rows() as u64;
                    release.bytes += bytes_of(&batch);
                }
                Poll::Ready(Some(Ok(batch)))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(AppError::Query { error, decision: None }))),
            None if self.handed_over => Poll::Ready(None),
            None => {
                self.ending = self.release.take().map(|release| {
                    Box::pin(release.write("complete")) as Pin<Box<dyn Future<Output = ()> + Send>>
                });
                self.poll_next(context)
            }
        }
    }
}

impl Drop for ReleasedRows {
    fn drop(&mut self) {
        if let Some(release) = self.release.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(release.write("cut"));
        }
    }
}

/// Bytes of the values in a batch, as Arrow lays them out.
fn bytes_of(batch: &arrow::record_batch::RecordBatch) -> u64 {
    let size = |column: &arrow::array::ArrayRef| column.to_data().get_slice_memory_size().unwrap_or(0) as u64;
    batch.columns().iter().map(size).sum()
}
