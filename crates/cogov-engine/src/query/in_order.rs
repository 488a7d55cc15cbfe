//! The rows of a plan in one order and in full batches, whatever lies between them.
//!
//! Operators look at whole batches: AND skips its right side when the left one decides a batch, LIMIT computes the
//! batch that it cuts. So where batches are cut shows in errors. Rows that a scope lets through are cut anew here,
//! so that the cuts, and which row is first, depend on no row that it withholds.

use super::faults;
use arrow::compute::BatchCoalescer;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::common::spawn_buffered;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use std::sync::Arc;

/// About how many bytes one partition is read ahead.
const AHEAD: usize = 8 << 20;

/// Batches that one partition is read ahead at most: a row group of an imported file.
const BATCHES: usize = 16;

/// The rows of all partitions, one partition after the other, the first `fetch` of them, in batches of the session's
/// size. Partitions are read in parallel, a few ahead.
pub(super) fn in_order(
    plan: &Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
    fetch: Option<usize>,
) -> Result<SendableRecordBatchStream> {
    let config = context.session_config();
    let (size, parallel) = (config.batch_size().max(1), config.target_partitions().max(1));
    let schema = plan.schema();
    let width: usize = schema.fields().iter().map(|field| width(field.data_type())).sum();
    let buffer = (AHEAD / (size * width.max(1))).clamp(1, BATCHES);
    let partitions = plan.output_partitioning().partition_count();
    let (plan, context) = (Arc::clone(plan), Arc::clone(context));
    let streams = futures::stream::iter(0..partitions).map(move |partition| {
        let stream = plan.execute(partition, Arc::clone(&context));
        futures::future::ready(stream.map(|stream| spawn_buffered(stream, buffer)))
    });
    // What is ready waits in the queue of `buffered`: so many partitions are at work at once.
    let rows = streams.buffered(parallel).try_flatten().boxed();
    let cut = Cut { rows, cutter: Cutter::new(&schema, size), left: fetch, ended: false };
    let batches =
        futures::stream::try_unfold(
            cut,
            |mut cut| async move { Ok(cut.next().await?.map(|batch| (batch, cut))) },
        );
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
}

/// About how many bytes a value takes.
fn width(data_type: &DataType) -> usize {
    if data_type.is_primitive() { 8 } else { 64 }
}

struct Cut {
    rows: BoxStream<'static, Result<RecordBatch>>,
    cutter: Cutter,
    /// Rows that are wanted still; all when none.
    left: Option<usize>,
    ended: bool,
}

impl Cut {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.cutter.take() {
                return Ok(Some(batch));
            }
            if self.ended {
                return Ok(None);
            }
            match self.rows.try_next().await? {
                Some(batch) => self.push(batch)?,
                None => self.end()?,
            }
        }
    }

    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let Some(left) = self.left else { return self.cutter.push(batch) };
        let wanted = batch.num_rows().min(left);
        self.left = Some(left - wanted);
        self.cutter.push(batch.slice(0, wanted))?;
        if left == wanted { self.end() } else { Ok(()) }
    }

    fn end(&mut self) -> Result<()> {
        self.ended = true;
        self.rows = futures::stream::empty().boxed();
        self.cutter.finish()
    }
}

/// Batches into batches of a size.
enum Cutter {
    Columns(BatchCoalescer),
    /// Rows without columns are only counted: how many there are, the size, and whether no more come.
    Rows {
        schema: SchemaRef,
        count: usize,
        size: usize,
        ended: bool,
    },
}

impl Cutter {
    fn new(schema: &SchemaRef, size: usize) -> Self {
        match schema.fields().is_empty() {
            false => Self::Columns(BatchCoalescer::new(Arc::clone(schema), size)),
            true => Self::Rows { schema: Arc::clone(schema), count: 0, size, ended: false },
        }
    }

    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        match self {
            Self::Columns(coalescer) => coalescer.push_batch(batch).map_err(|_| faults::broken()),
            Self::Rows { count, .. } => {
                *count += batch.num_rows();
                Ok(())
            }
        }
    }

    fn finish(&mut self) -> Result<()> {
        match self {
            Self::Columns(coalescer) => coalescer.finish_buffered_batch().map_err(|_| faults::broken()),
            Self::Rows { ended, .. } => {
                *ended = true;
                Ok(())
            }
        }
    }

    fn take(&mut self) -> Option<RecordBatch> {
        match self {
            Self::Columns(coalescer) => coalescer.next_completed_batch(),
            Self::Rows { schema, count, size, ended } => {
                let full = *count >= *size || (*ended && *count > 0);
                let rows = if full { (*count).min(*size) } else { return None };
                *count -= rows;
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                RecordBatch::try_new_with_options(Arc::clone(schema), Vec::new(), &options).ok()
            }
        }
    }
}
