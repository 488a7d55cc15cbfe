//! Running a governed plan: on the query threads, within time and memory, at the pace of who reads.

use super::engine::Engine;
use super::faults;
use crate::error::QueryError;
use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::execution::{SessionState, TaskContext};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{Stream, StreamExt};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

/// Batches that wait for who reads; beyond it the query waits.
const WAITING: usize = 2;

/// What runs.
pub(super) struct Job {
    pub(super) physical: Option<Arc<dyn ExecutionPlan>>,
    pub(super) logical: LogicalPlan,
    pub(super) state: SessionState,
    pub(super) schema: SchemaRef,
    pub(super) runtime: Arc<RuntimeEnv>,
}

enum Message {
    Rows(Result<RecordBatch, QueryError>),
    End,
}

/// The rows of a running query. Ends after the first error. Dropping it ends the query and its tasks.
pub struct RowStream {
    schema: SchemaRef,
    messages: mpsc::Receiver<Message>,
    task: AbortHandle,
    over: bool,
}

impl RowStream {
    /// The schema of every batch.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

impl Drop for RowStream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stream for RowStream {
    type Item = Result<RecordBatch, QueryError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        let message = std::task::ready!(self.messages.poll_recv(cx));
        let item = match message {
            Some(Message::Rows(rows)) => Some(rows),
            Some(Message::End) => None,
            // The task went without a word: it panicked. What came before may not be taken for the whole.
            None => Some(Err(QueryError::internal())),
        };
        self.over = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}

/// Starts a job on the engine's threads.
pub(super) fn start(engine: &Engine, job: Job) -> Result<RowStream, QueryError> {
    let handle = engine.handle().ok_or_else(QueryError::internal)?;
    let limit = engine.inner.config.query_time;
    let (sender, messages) = mpsc::channel(WAITING);
    let schema = Arc::clone(&job.schema);
    let keep = engine.clone();
    let task = handle.spawn(async move {
        let last = match rows(job, limit, &sender).await {
            Ok(()) => Message::End,
            Err(error) => Message::Rows(Err(error)),
        };
        // A closed channel means that nobody waits for the end.
        let _: Result<(), _> = sender.send(last).await;
        // The engine is let go elsewhere: its threads must not wait for themselves.
        drop(keep);
    });
    Ok(RowStream { schema, messages, task: task.abort_handle(), over: false })
}

async fn rows(job: Job, limit: Duration, sender: &mpsc::Sender<Message>) -> Result<(), QueryError> {
    let late = || faults::timeout(limit.as_secs());
    let mut left = limit;
    let started = Instant::now();
    let planned = async {
        match job.physical {
            Some(plan) => Ok(plan),
            None => job.state.create_physical_plan(&job.logical).await,
        }
    };
    let plan = timeout(left, planned).await.map_err(|_| late())?.map_err(|e| faults::running(&e))?;
    let context = TaskContext::default()
        .with_session_config(job.state.config().clone())
        .with_runtime(job.runtime);
    let mut stream = execute_stream(plan, Arc::new(context)).map_err(|e| faults::running(&e))?;
    left = left.saturating_sub(started.elapsed());
    loop {
        // Only the engine's own time counts, not the reader's.
        let started = Instant::now();
        let Some(batch) = timeout(left, stream.next()).await.map_err(|_| late())? else { return Ok(()) };
        left = left.saturating_sub(started.elapsed());
        let batch = plain_batch(&batch.map_err(|e| faults::running(&e))?, &job.schema)?;
        if batch.num_rows() > 0 && sender.send(Message::Rows(Ok(batch))).await.is_err() {
            return Ok(());
        }
    }
}

/// The type that clients get: plain texts in place of views and dictionaries.
pub(super) fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary => DataType::Binary,
        DataType::Dictionary(_, value) => plain_type(value),
        other => other.clone(),
    }
}

/// A schema in plain types, all nullable, without metadata.
pub(super) fn plain_schema(schema: &Schema) -> SchemaRef {
    let plain = |field: &Arc<Field>| Field::new(field.name(), plain_type(field.data_type()), true);
    Arc::new(Schema::new(schema.fields().iter().map(plain).collect::<Vec<_>>()))
}

fn plain_batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, QueryError> {
    let columns: Result<Vec<ArrayRef>, _> =
        batch.columns().iter().zip(schema.fields()).map(|(column, field)| cast(column, field.data_type())).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    columns
        .and_then(|columns| RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options))
        .map_err(|_| QueryError::internal())
}
