//! The physical leaf of a protected statistic: its cells are collected, weighed against what the party was answered
//! before, and remembered, before anyone looks.
//!
//! As [`super::barrier`] it shows nothing of what lies below. It is settled before the first row of the statement
//! leaves ([`settle_all`]), the statistics of one statement in the order of its plan.

use super::cells;
use super::engine::Engine;
use super::leaf::{nothing_below, shown_by_name};
use super::recall::{self, Loaded, Reader, Slot};
use super::units::Below;
use super::world::GrantWorld;
use super::{faults, watch};
use crate::error::{ErrorKind, QueryError};
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use cogov_disclosure::{
    Addition, AnswerMemory, Answered, Cell, CellShown, Measure, MemoryKey, People, Rules, TableRows,
    TableTold, judge,
};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, Statistics, stats::Precision};
use datafusion::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::EquivalenceProperties;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, Partitioning, PlanProperties, StatisticsArgs};
use futures::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// A guess of the groups of a statistic, for the planner.
const GROUPS: usize = 1000;

/// How often a statement is weighed anew because another one of the party was first.
const TURNS: usize = 8;

/// What is needed to settle a statistic.
pub(super) struct Case {
    pub(super) engine: Engine,
    pub(super) world: Arc<GrantWorld>,
    /// In the order of their names, each table once.
    pub(super) tables: Vec<Below>,
    pub(super) rules: Rules,
    pub(super) measures: Vec<Measure>,
    /// Positions of groups by sensitive columns.
    pub(super) sensitive: Vec<usize>,
    /// How many leading columns of the answers are groups.
    pub(super) groups: usize,
    /// Whether a figure is right only where each unit has one row.
    pub(super) single: bool,
    /// Whether values of two tables of the same people are compared, which is known to be of each alone only where each has
    /// one row in both.
    pub(super) paired: bool,
    /// Whether protected values are compared with those of another table or statistic.
    pub(super) compares: bool,
    /// For each shown column: a group, or a value with the measure that it rests on.
    pub(super) shown: Vec<Shown>,
    /// Groups, then values, then the number of rows.
    pub(super) answers: Arc<dyn ExecutionPlan>,
    /// Groups, then a number for each measure, then the row of each table.
    pub(super) members: Arc<dyn ExecutionPlan>,
}

/// A column that is shown.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    /// The group at this position of the answers.
    Group(usize),
    /// The column at this position of the answers; of measures, each of which must allow it, or a count of all.
    Value(usize, Vec<usize>),
}

/// The leaf.
pub(super) struct Guarded {
    case: Case,
    schema: SchemaRef,
    settled: OnceCell<RecordBatch>,
    properties: Arc<PlanProperties>,
}

impl Guarded {
    pub(super) fn new(mut case: Case, schema: SchemaRef) -> Result<Self> {
        case.answers = watch::checkpoints(case.answers)?;
        case.members = watch::checkpoints(case.members)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Ok(Self { case, schema, settled: OnceCell::new(), properties: Arc::new(properties) })
    }

    async fn settle(&self, context: &Arc<TaskContext>) -> Result<RecordBatch> {
        let settle = || async { self.case.settle(context, &self.schema).await.map_err(faults::carry) };
        self.settled.get_or_try_init(settle).await.cloned()
    }
}

/// Settles every statistic that a plan rests on, one after the other.
///
/// # Errors
/// When one cannot be answered.
pub(super) fn settle_all<'a>(
    plan: &'a Arc<dyn ExecutionPlan>,
    context: &'a Arc<TaskContext>,
) -> BoxFuture<'a, std::result::Result<(), QueryError>> {
    let settle = async move {
        for node in guarded(plan)? {
            if let Some(guarded) = node.downcast_ref::<Guarded>() {
                guarded.settle(context).await.map_err(|e| faults::running(&e))?;
            }
        }
        Ok(())
    };
    Box::pin(settle)
}

/// The statistics that a plan rests on.
fn guarded(plan: &Arc<dyn ExecutionPlan>) -> Settled<Vec<Arc<dyn ExecutionPlan>>> {
    let mut nodes: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
    let walked = plan.apply(|node| {
        if node.downcast_ref::<Guarded>().is_some() {
            nodes.push(Arc::clone(node));
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(|e| faults::running(&e))?;
    Ok(nodes)
}

type Settled<T> = std::result::Result<T, QueryError>;

impl Case {
    async fn settle(&self, context: &Arc<TaskContext>, schema: &SchemaRef) -> Settled<RecordBatch> {
        settle_all(&self.answers, context).await?;
        settle_all(&self.members, context).await?;
        let answers = cells::answers(&self.answers, context, self.groups).await?;
        let collected =
            cells::collect(&self.members, context, self.groups, self.measures.len(), self.tables.len())
                .await?;
        // What may be shown of single persons needs no care for groups that are alike.
        let protects = self.rules.obliged.get() > 1;
        let sensitive = if protects { self.sensitive.as_slice() } else { &[] };
        let order = collected.order(&answers, sensitive)?;
        let shown = self.weigh(&order.cells(), &self.rules()?).await?;
        answers.shown(&order, &shown, &self.shown, schema, protects)
    }

    /// The rules, with what the released statistics beneath hold, where protected values are compared with it: the same
    /// question may be answered otherwise later, when more of it may be shown.
    fn rules(&self) -> Settled<Rules> {
        let mut rules = self.rules.clone();
        if self.compares {
            for node in guarded(&self.members)? {
                let settled = node.downcast_ref::<Guarded>().and_then(|guarded| guarded.settled.get());
                rules.story.conditions.insert(cells::digest(settled.ok_or_else(QueryError::internal)?)?);
            }
        }
        Ok(rules)
    }

    /// What is shown of each answered group; the memory has it when this returns.
    async fn weigh(&self, cells: &[(&Cell, bool)], rules: &Rules) -> Settled<Vec<CellShown>> {
        let mut rows = Vec::new();
        for below in &self.tables {
            let unit = below.table.unit.as_ref().map(cogov_model::ColumnName::as_str);
            rows.push(below.table.raw().numbered(unit).await?);
        }
        let several = rows.iter().any(|rows: &Arc<TableRows>| rows.several);
        if self.single && several {
            return Err(several_rows());
        }
        if self.paired && several && rules.obliged.get() > 1 {
            return Err(several_pairs());
        }
        if rules.obliged.get() <= 1 {
            let bare = |rows: &Arc<TableRows>| TableTold {
                rows: Arc::clone(rows),
                answered: Answered::new(People::default()),
                closed: false,
            };
            let mut tables: Vec<TableTold> = rows.iter().map(bare).collect();
            return Ok(judge(cells, &self.measures, rules, &mut tables).shown);
        }
        let memory = self.world.memory().ok_or_else(recall::unavailable)?;
        for _ in 0..TURNS {
            if let Some(shown) = self.turn(memory.as_ref(), &rows, cells, rules).await? {
                return Ok(shown);
            }
        }
        Err(recall::unavailable())
    }

    /// Weighs and remembers once. None when another statement was first.
    async fn turn(
        &self,
        memory: &dyn AnswerMemory,
        rows: &[Arc<TableRows>],
        cells: &[(&Cell, bool)],
        rules: &Rules,
    ) -> Settled<Option<Vec<CellShown>>> {
        let mut held = Vec::new();
        for below in &self.tables {
            let slot: Slot = self.engine.inner.recollections.slot(memory.owner(), &about(below));
            held.push(slot.lock_owned().await);
        }
        let (mut tables, mut loaded, mut raised) = (Vec::new(), Vec::new(), Vec::new());
        for ((below, rows), slot) in self.tables.iter().zip(rows).zip(&mut held) {
            let mut read = self.read(memory, below, rows, slot.take()).await?;
            raised.push(read.answered.groups() < rules.obliged.get());
            if !read.answered.raise(rules.obliged.get()) {
                return Err(full());
            }
            let answered = std::mem::replace(&mut read.answered, Answered::new(People::default()));
            tables.push(TableTold { rows: Arc::clone(rows), answered, closed: read.is_full() });
            loaded.push(read);
        }
        // Nothing else decides whether it is refused: that a figure is new would tell that its group is not small.
        let no_room = tables.iter().any(|table| table.closed || table.answered.is_full());
        let judged = judge(cells, &self.measures, rules, &mut tables);
        if no_room && judged.shown.iter().all(|shown| *shown == CellShown::Gone) {
            return Err(full());
        }
        let mut additions: Vec<(usize, Addition)> = Vec::new();
        for (at, (below, mut news)) in self.tables.iter().zip(judged.news).enumerate() {
            news.reordered |= raised.get(at).copied().unwrap_or_default();
            let Some((loaded, table)) = loaded.get_mut(at).zip(tables.get_mut(at)) else { continue };
            std::mem::swap(&mut loaded.answered, &mut table.answered);
            let addition = recall::addition(&about(below), loaded, &rules.story, news)?;
            additions.extend(addition.map(|addition| (at, addition)));
        }
        if additions.iter().any(|(at, _)| loaded.get(*at).is_some_and(Loaded::is_full)) {
            return Err(full());
        }
        let kept: Vec<Addition> = additions.iter().map(|(_, addition)| addition.clone()).collect();
        if !kept.is_empty() && !memory.remember(kept).await.map_err(|_| recall::unavailable())? {
            return Ok(None);
        }
        for (at, addition) in &additions {
            if let Some(loaded) = loaded.get_mut(*at) {
                loaded.kept(addition);
            }
        }
        for (slot, loaded) in held.iter_mut().zip(loaded) {
            **slot = Some(loaded);
        }
        Ok(Some(judged.shown))
    }

    async fn read(
        &self,
        memory: &dyn AnswerMemory,
        below: &Below,
        rows: &TableRows,
        held: Option<Loaded>,
    ) -> Settled<Loaded> {
        let reader = Reader {
            objects: &self.engine.inner.objects,
            memory,
            about: &about(below),
            raw: below.table.raw(),
            unit: below.table.unit.as_ref().map(cogov_model::ColumnName::as_str),
            rows,
        };
        reader.read(held).await
    }
}

fn about(below: &Below) -> MemoryKey {
    MemoryKey { dataset: below.table.dataset.clone(), table: below.table.name.clone() }
}

/// How many different persons stand behind rows is no sum: with counts of several groups it tells who is in two.
fn several_rows() -> QueryError {
    QueryError::new(
        ErrorKind::Refused,
        "persons have several rows in this table, so that count(DISTINCT …) of its unit could tell who is in two groups; ask for count(*), or count the persons of a table in which each has one row",
        "该表中一个主体有多行，对主体列使用 count(DISTINCT …) 可能显露谁同时属于两组；请查询 count(*)，或在每个主体仅有一行的表中统计人数",
    )
}

fn several_pairs() -> QueryError {
    QueryError::new(
        ErrorKind::Refused,
        "persons have several rows in one of the tables whose protected values are compared, so that one of them could choose what the other is compared with; compare with a table in which each has one row",
        "相互比较的受保护表中有一个主体多行的情况，其中一行可能选定与另一表比较的数值；请与每个主体仅有一行的表比较",
    )
}

fn full() -> QueryError {
    QueryError::new(
        ErrorKind::Refused,
        "this party has been answered so much about this table that new figures could be combined with earlier ones; ask for coarser groups, or ask again what was answered already",
        "该主体就此表已获得大量统计，新的数字可能与此前的结果相互推算；请使用更粗的分组，或重复此前已答复的问题",
    )
}

shown_by_name!(Guarded, "Guarded");

impl ExecutionPlan for Guarded {
    nothing_below!("Guarded");

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        // Every way to run a plan settles it first; one that was not shows nothing.
        let batch = self.settled.get().cloned().ok_or_else(faults::broken)?;
        let one = futures::stream::once(async move { Ok(batch) });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), one)))
    }

    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = Precision::Inexact(GROUPS);
        Ok(Arc::new(statistics))
    }

    fn handle_child_pushdown_result(
        &self,
        _: FilterPushdownPhase,
        result: ChildPushdownResult,
        _: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        Ok(FilterPushdownPropagation::all_unsupported(result))
    }
}
