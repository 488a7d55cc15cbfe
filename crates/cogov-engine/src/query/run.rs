//! Running a governed plan: on the query threads, within time and memory, at the pace of who reads.

use super::engine::Engine;
use super::watch::{self, Watch};
use super::{faults, guarded};
use crate::error::QueryError;
use arrow::array::ArrayRef;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::{Stream, StreamExt};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Sleep, sleep, timeout};

/// Batches that wait for who reads; beyond it the query waits.
const WAITING: usize = 2;

/// How long a query may hold its thread beyond its time before its reader is told so.
const GRACE: Duration = Duration::from_secs(3);

/// How far a plan is made.
pub(super) enum Stage {
    /// Governed.
    Governed(LogicalPlan),
    /// Optimised besides.
    Optimised(LogicalPlan),
    /// Ready to run, once.
    Physical(Arc<dyn ExecutionPlan>),
}

/// What runs.
pub(super) struct Job {
    pub(super) plan: Stage,
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
    watch: Arc<Watch>,
    /// Ends the wait for a query that holds its thread beyond its time.
    guard: Option<Pin<Box<Sleep>>>,
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
        self.watch.stop();
        self.task.abort();
    }
}

impl Stream for RowStream {
    type Item = Result<RecordBatch, QueryError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        let item = match self.messages.poll_recv(cx) {
            Poll::Pending => {
                ready!(self.poll_guard(cx));
                Some(Err(self.watch.late()))
            }
            Poll::Ready(message) => self.received(message),
        };
        self.over = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}

impl RowStream {
    fn poll_guard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let patience = self.watch.left() + GRACE;
        self.guard.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(cx)
    }

    fn received(&mut self, message: Option<Message>) -> Option<Result<RecordBatch, QueryError>> {
        self.guard = None;
        match message {
            Some(Message::Rows(rows)) => Some(rows),
            Some(Message::End) => None,
            // The task went without a word: it panicked. What came before may not be taken for the whole.
            None => Some(Err(QueryError::internal())),
        }
    }
}

/// Starts a job on the engine's threads.
pub(super) fn start(engine: &Engine, job: Job) -> Result<RowStream, QueryError> {
    let handle = engine.handle().ok_or_else(QueryError::internal)?;
    let watch = Watch::new(engine.inner.config.query_time);
    let (sender, messages) = mpsc::channel(WAITING);
    let schema = Arc::clone(&job.schema);
    let (keep, watching) = (engine.clone(), Arc::clone(&watch));
    let patience = engine.inner.config.unread_time;
    let task = handle.spawn(async move {
        let last = match rows(job, &watching, &sender, patience).await {
            Ok(()) => Message::End,
            Err(error) => Message::Rows(Err(error)),
        };
        // A closed channel means that nobody waits for the end.
        let _: Result<(), _> = sender.send(last).await;
        drop(keep);
    });
    Ok(RowStream { schema, messages, task: task.abort_handle(), watch, guard: None, over: false })
}

/// Sends the rows of a job, and ends it when nobody reads on: what it holds is free then, and the error waits.
async fn rows(
    job: Job,
    watch: &Arc<Watch>,
    sender: &mpsc::Sender<Message>,
    patience: Duration,
) -> Result<(), QueryError> {
    watch.resume();
    let mut stream = in_time(watch, open(job, watch)).await??;
    loop {
        watch.resume();
        let batch = in_time(watch, stream.rows.next()).await?;
        watch.pause();
        let Some(batch) = batch else { return Ok(()) };
        let batch = plain_batch(&batch.map_err(|e| faults::running(&e))?, &stream.schema)?;
        if batch.num_rows() == 0 {
            continue;
        }
        match timeout(patience, sender.send(Message::Rows(Ok(batch)))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Ok(()),
            Err(_) => return Err(faults::unread(patience.as_secs())),
        }
    }
}

async fn in_time<T>(watch: &Watch, work: impl Future<Output = T>) -> Result<T, QueryError> {
    timeout(watch.left(), work).await.map_err(|_| watch.late())
}

struct Opened {
    rows: SendableRecordBatchStream,
    schema: SchemaRef,
}

async fn open(job: Job, watch: &Arc<Watch>) -> Result<Opened, QueryError> {
    let planned = match job.plan {
        Stage::Physical(plan) => Ok(plan),
        Stage::Optimised(plan) => job.state.query_planner().create_physical_plan(&plan, &job.state).await,
        Stage::Governed(plan) => job.state.create_physical_plan(&plan).await,
    };
    let watched = planned
        .and_then(|plan| watch::join_conditions(plan, watch))
        .and_then(watch::checkpoints)
        .map_err(|e| faults::running(&e))?;
    let session = job.state.config().clone().with_extension(Arc::clone(watch));
    let context = TaskContext::default().with_session_config(session).with_runtime(job.runtime);
    let context = Arc::new(context);
    guarded::settle_all(&watched, &context).await?;
    let rows = execute_stream(watched, context).map_err(|e| faults::running(&e))?;
    Ok(Opened { rows, schema: job.schema })
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
    let columns: Result<Vec<ArrayRef>, _> = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| cast(column, field.data_type()))
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    columns
        .and_then(|columns| RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options))
        .map_err(|_| QueryError::internal())
}
