//! The watch over a running query: it ends a query that is over time or that nobody reads, from the inside.
//!
//! An operator may compute for minutes without waiting for anything, and a task that never waits can neither be
//! timed out nor aborted. So every operator is followed by a [`Checkpoint`], and join conditions look at the
//! watch themselves.

use super::barrier::Barrier;
use super::{bounded, faults};
use crate::error::QueryError;
use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr_common::physical_expr::PhysicalExpr;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::Stream;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

/// How long an operator may hold its thread before it lets others in.
const SLICE: Duration = Duration::from_millis(20);

/// The clock of one query. Runs only while the query is asked for rows.
#[derive(Debug)]
pub(super) struct Watch {
    start: Instant,
    limit: Duration,
    /// Microseconds that the query was at work before.
    spent: AtomicU64,
    /// When it was last asked, in microseconds after the start, plus one; 0 while it is not asked.
    asked: AtomicU64,
    over: AtomicBool,
}

impl Watch {
    pub(super) fn new(limit: Duration) -> Arc<Self> {
        let (spent, asked) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { start: Instant::now(), limit, spent, asked, over: AtomicBool::new(false) })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// The query is asked for rows.
    pub(super) fn resume(&self) {
        self.asked.store(self.now() + 1, Ordering::Release);
    }

    /// The query has answered.
    pub(super) fn pause(&self) {
        let asked = self.asked.swap(0, Ordering::AcqRel);
        if asked > 0 {
            self.spent.fetch_add(self.now().saturating_sub(asked - 1), Ordering::AcqRel);
        }
    }

    /// Nobody waits for the query any more.
    pub(super) fn stop(&self) {
        self.over.store(true, Ordering::Release);
    }

    /// The time that is left.
    pub(super) fn left(&self) -> Duration {
        let asked = self.asked.load(Ordering::Acquire);
        let running = if asked > 0 { self.now().saturating_sub(asked - 1) } else { 0 };
        let spent = Duration::from_micros(self.spent.load(Ordering::Acquire).saturating_add(running));
        self.limit.saturating_sub(spent)
    }

    /// The error of a query that is over its time.
    pub(super) fn late(&self) -> QueryError {
        faults::timeout(self.limit.as_secs())
    }

    fn check(&self) -> Result<()> {
        if self.over.load(Ordering::Acquire) || self.left().is_zero() {
            return Err(faults::carry(self.late()));
        }
        Ok(())
    }
}

/// The plan with a checkpoint after every operator, which weighs its texts too.
pub(super) fn checkpoints(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    followed(plan, true)
}

/// What lies below a barrier with a checkpoint after every operator. Texts are weighed above: here withheld ones are among
/// them.
pub(super) fn watched(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    followed(plan, false)
}

fn followed(plan: Arc<dyn ExecutionPlan>, weighed: bool) -> Result<Arc<dyn ExecutionPlan>> {
    let plan = plan.transform_up(|node| {
        let weighed = weighed && can_lengthen(&node);
        Ok(Transformed::yes(Arc::new(Checkpoint { input: node, weighed }) as Arc<dyn ExecutionPlan>))
    })?;
    match plan.data.downcast_ref::<Checkpoint>() {
        // Whoever reads gets texts at their full length, however often one is shared.
        Some(root) if weighed => Ok(Arc::new(Checkpoint { input: Arc::clone(&root.input), weighed })),
        _ => Ok(plan.data),
    }
}

/// Whether an operator can make texts longer, or more of them in one batch. What only passes rows on is not followed by
/// scales: its batches were weighed before, and are again after whatever computes with them.
fn can_lengthen(node: &Arc<dyn ExecutionPlan>) -> bool {
    if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        let schema = node.schema();
        let computed = |(shown, field): (&ProjectionExpr, &FieldRef)| {
            !shown.expr.is::<Column>() && field.data_type().is_string()
        };
        return projection.expr().iter().zip(schema.fields()).any(computed);
    }
    !(node.is::<Barrier>()
        || node.is::<CoalescePartitionsExec>()
        || node.is::<RepartitionExec>()
        || node.is::<FilterExec>())
}

/// The plan with join conditions that look at the watch: a join may try pairs for long without finding one.
pub(super) fn join_conditions(
    plan: Arc<dyn ExecutionPlan>,
    watch: &Arc<Watch>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let rewrite = |node: Arc<dyn ExecutionPlan>| {
        if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>()
            && let Some(filter) = join.filter()
        {
            let filter = Some(looking(filter, watch));
            let (left, right) = (Arc::clone(join.left()), Arc::clone(join.right()));
            let projection = join.projection().as_ref().map(|p| p.to_vec());
            let join = NestedLoopJoinExec::try_new(left, right, filter, join.join_type(), projection)?;
            return Ok(Transformed::yes(Arc::new(join) as Arc<dyn ExecutionPlan>));
        }
        if let Some(join) = node.downcast_ref::<HashJoinExec>()
            && let Some(filter) = join.filter()
        {
            let join = join.builder().with_filter(Some(looking(filter, watch))).build_exec()?;
            return Ok(Transformed::yes(join));
        }
        Ok(Transformed::no(node))
    };
    plan.transform_up(rewrite).map(|done| done.data)
}

fn looking(filter: &JoinFilter, watch: &Arc<Watch>) -> JoinFilter {
    let condition = Watched { inner: Arc::clone(filter.expression()), watch: Arc::clone(watch) };
    JoinFilter::new(Arc::new(condition), filter.column_indices().to_vec(), Arc::clone(filter.schema()))
}

/// Passes batches on while the watch of the running query allows it.
#[derive(Debug)]
struct Checkpoint {
    input: Arc<dyn ExecutionPlan>,
    /// Whether the texts of its batches are weighed.
    weighed: bool,
}

impl DisplayAs for Checkpoint {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Checkpoint")
    }
}

impl ExecutionPlan for Checkpoint {
    fn name(&self) -> &str {
        "Checkpoint"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next().ok_or_else(faults::broken)?;
        Ok(Arc::new(Self { input, weighed: self.weighed }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let watch = context.session_config().get_extension::<Watch>();
        let input = self.input.execute(partition, context)?;
        match watch {
            None => Ok(input),
            Some(watch) => Ok(Box::pin(Checked { input, watch, weighed: self.weighed, held: None })),
        }
    }
}

struct Checked {
    input: SendableRecordBatchStream,
    watch: Arc<Watch>,
    weighed: bool,
    /// Since when the thread was held without letting others in.
    held: Option<Instant>,
}

impl RecordBatchStream for Checked {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}

impl Stream for Checked {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Err(error) = self.watch.check() {
            return Poll::Ready(Some(Err(error)));
        }
        let now = Instant::now();
        if now.duration_since(*self.held.get_or_insert(now)) > SLICE {
            self.held = None;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = self.input.as_mut().poll_next(cx);
        if polled.is_pending() {
            self.held = None;
        }
        let batch = ready!(polled);
        if self.weighed
            && let Some(Ok(batch)) = &batch
            && bounded::text_bytes(batch) > bounded::MOST_OF_BATCH
        {
            return Poll::Ready(Some(Err(faults::carry(faults::too_long()))));
        }
        Poll::Ready(batch)
    }
}

/// A join condition that fails once the watch is over.
#[derive(Debug)]
struct Watched {
    inner: Arc<dyn PhysicalExpr>,
    watch: Arc<Watch>,
}

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for Watched {}

impl Hash for Watched {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PhysicalExpr for Watched {
    fn data_type(&self, schema: &Schema) -> Result<DataType> {
        self.inner.data_type(schema)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.inner.nullable(schema)
    }

    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.watch.check()?;
        self.inner.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let inner = children.into_iter().next().ok_or_else(faults::broken)?;
        Ok(Arc::new(Self { inner, watch: Arc::clone(&self.watch) }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_asked_for_counts() {
        let watch = Watch::new(Duration::from_millis(200));
        watch.resume();
        watch.pause();
        std::thread::sleep(Duration::from_millis(250));
        assert!(watch.check().is_ok(), "nobody asked meanwhile");
        watch.resume();
        std::thread::sleep(Duration::from_millis(250));
        assert!(watch.check().is_err());
        let watch = Watch::new(Duration::from_secs(100));
        watch.stop();
        assert!(watch.check().is_err());
    }
}
