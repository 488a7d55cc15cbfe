//! Rows of a table that a scope lets through, in one order and in full batches, whatever lies between them.
//!
//! Operators look at whole batches: AND skips its right side when the left one decides a batch, LIMIT computes the
//! batch that it cuts. So where batches are cut shows in errors. Rows that a scope lets through are cut anew here,
//! so that the cuts, and which row is first, depend on no row that it withholds.
//!
//! Row groups are read and filtered in parallel, a few ahead and in batches some times as large; one stage alone counts
//! the rows and cuts, which copies nothing but what lies across two batches; masks are computed in parallel again.

use super::faults;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::Result;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr_common::physical_expr::PhysicalExpr;
use datafusion::physical_plan::common::spawn_buffered;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::future::Either;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use std::sync::Arc;

/// About how many bytes one partition is read ahead.
const AHEAD: usize = 8 << 20;

/// Batches that one partition is read ahead at most.
const BATCHES: usize = 16;

/// How many batches of the session are read at once. More are cut with less copying, fewer stay in the processor's cache.
const AT_ONCE: usize = 2;

/// How a partition is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Rows of a batch.
    pub(super) rows: usize,
    /// Batches ahead.
    ahead: usize,
}

impl Reading {
    /// For rows of about so many bytes, where the session's batches have so many rows.
    pub(super) fn of(bytes: usize, session: usize) -> Self {
        let fit = AHEAD / bytes.max(1);
        let rows = fit.clamp(1, (session * AT_ONCE).max(1));
        Self { rows, ahead: (fit / rows).clamp(1, BATCHES) }
    }
}

/// Rows in one order and in full batches.
#[derive(Clone)]
pub(super) struct InOrder {
    /// One partition after the other.
    pub(super) rows: Arc<dyn ExecutionPlan>,
    pub(super) reading: Reading,
    /// What is shown, over the columns of `rows`; those themselves when none.
    pub(super) shown: Option<Arc<[Arc<dyn PhysicalExpr>]>>,
    /// The schema of what is shown.
    pub(super) schema: SchemaRef,
    /// The first so many.
    pub(super) fetch: Option<usize>,
}

impl InOrder {
    /// The rows of all partitions, one partition after the other, in batches of the session's size. Partitions are read
    /// in parallel, a few ahead.
    pub(super) fn stream(&self, context: &Arc<TaskContext>) -> SendableRecordBatchStream {
        let config = context.session_config();
        let (size, parallel) = (config.batch_size().max(1), config.target_partitions().max(1));
        let counted = Counted { rows: self.read(context), size, left: self.fetch, rest: None };
        let cuts = futures::stream::unfold(Some(counted), |counted| async move {
            let mut counted = counted?;
            match counted.next().await {
                Ok(Some(cut)) => Some((Ok(cut), Some(counted))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        let me = self.clone();
        let batches = cuts.map(move |cut| match cut {
            Ok(cut) => Either::Left(me.made(cut)),
            Err(error) => Either::Right(futures::future::err(error)),
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches.buffered(parallel)))
    }

    /// The rows as they come.
    fn read(&self, context: &Arc<TaskContext>) -> BoxStream<'static, Result<RecordBatch>> {
        let config = context.session_config();
        let (parallel, reading) = (config.target_partitions().max(1), self.reading);
        let partitions = self.rows.output_partitioning().partition_count();
        let rows = Arc::clone(&self.rows);
        let context = Arc::new(
            TaskContext::default()
                .with_session_config(config.clone().with_batch_size(reading.rows))
                .with_runtime(context.runtime_env()),
        );
        let streams = futures::stream::iter(0..partitions).map(move |partition| {
            let stream = rows.execute(partition, Arc::clone(&context));
            futures::future::ready(stream.map(|stream| spawn_buffered(stream, reading.ahead)))
        });
        // What is ready waits in the queue of `buffered`: so many partitions are at work at once.
        streams.buffered(parallel).try_flatten().boxed()
    }

    /// What is shown of a cut.
    fn made(&self, cut: Cut) -> impl Future<Output = Result<RecordBatch>> + use<> {
        let Some(shown) = self.shown.clone() else {
            return Either::Left(futures::future::ready(cut.joined()));
        };
        let schema = Arc::clone(&self.schema);
        let task = SpawnedTask::spawn(async move {
            let rows = cut.count;
            let batch = cut.joined()?;
            let value = |shown: &Arc<dyn PhysicalExpr>| shown.evaluate(&batch)?.into_array(rows);
            let columns = shown.iter().map(value).collect::<Result<_>>()?;
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            RecordBatch::try_new_with_options(schema, columns, &options).map_err(|_| faults::broken())
        });
        Either::Right(async move { task.await.map_err(|_| faults::broken())? })
    }
}

/// Rows that make a batch.
struct Cut {
    pieces: Vec<RecordBatch>,
    count: usize,
}

impl Cut {
    fn joined(mut self) -> Result<RecordBatch> {
        if self.pieces.len() == 1 {
            return self.pieces.pop().ok_or_else(faults::broken);
        }
        let Some(schema) = self.pieces.first().map(RecordBatch::schema) else { return Err(faults::broken()) };
        if schema.fields().is_empty() {
            let options = RecordBatchOptions::new().with_row_count(Some(self.count));
            return RecordBatch::try_new_with_options(schema, Vec::new(), &options)
                .map_err(|_| faults::broken());
        }
        concat_batches(&schema, &self.pieces).map_err(|_| faults::broken())
    }
}

/// The stage that says which rows make a batch.
struct Counted {
    rows: BoxStream<'static, Result<RecordBatch>>,
    size: usize,
    /// Rows that are wanted still; all when none.
    left: Option<usize>,
    /// What did not fit into the last batch.
    rest: Option<RecordBatch>,
}

impl Counted {
    /// The next batch; none after the last.
    async fn next(&mut self) -> Result<Option<Cut>> {
        let wanted = self.left.map_or(self.size, |left| left.min(self.size));
        let mut cut = Cut { pieces: Vec::new(), count: 0 };
        while cut.count < wanted {
            let Some(mut piece) = self.piece().await? else { break };
            let (rows, room) = (piece.num_rows(), wanted - cut.count);
            if rows > room {
                self.rest = Some(piece.slice(room, rows - room));
                piece = piece.slice(0, room);
            }
            cut.count += piece.num_rows();
            if piece.num_rows() > 0 {
                cut.pieces.push(piece);
            }
        }
        self.left = self.left.map(|left| left - cut.count);
        Ok((cut.count > 0).then_some(cut))
    }

    async fn piece(&mut self) -> Result<Option<RecordBatch>> {
        match self.rest.take() {
            Some(rest) => Ok(Some(rest)),
            None => self.rows.try_next().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;
    use proptest::prelude::*;

    /// The cuts of batches of so many rows, in which a number stands for each.
    fn cut(batches: &[usize], size: usize, fetch: Option<usize>) -> Vec<Vec<i64>> {
        let mut number = 0..;
        let batch = |rows: &usize| {
            let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(number.by_ref().take(*rows)));
            Ok(RecordBatch::try_from_iter([("n", numbers)]).unwrap())
        };
        let rows: Vec<_> = batches.iter().map(batch).collect();
        let rows = futures::stream::iter(rows).boxed();
        let mut counted = Counted { rows, size, left: fetch, rest: None };
        let mut out = Vec::new();
        while let Some(cut) = futures::executor::block_on(counted.next()).unwrap() {
            let batch = cut.joined().unwrap();
            out.push(batch.column(0).as_primitive::<Int64Type>().values().to_vec());
        }
        out
    }

    proptest! {
        /// However they come, rows are cut alike: full batches, then what is left.
        #[test]
        fn cuts_depend_on_the_rows_alone(
            batches in proptest::collection::vec(0_usize..30, 0..12),
            size in 1_usize..9,
            fetch in proptest::option::of(0_usize..60),
        ) {
            let rows: usize = batches.iter().sum();
            let wanted: Vec<i64> = (0..).take(rows.min(fetch.unwrap_or(rows))).collect();
            let expected: Vec<Vec<i64>> = wanted.chunks(size).map(<[i64]>::to_vec).collect();
            prop_assert_eq!(cut(&batches, size, fetch), expected);
        }
    }
}
