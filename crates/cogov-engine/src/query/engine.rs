//! The engine: shared by every door, cheap to clone.

use super::catalogue::{self, GrantedTable};
use super::config::EngineConfig;
use super::estimates::estimates;
use super::functions::Functions;
use super::governed::GovernedTable;
use super::memory::{QueryMemory, TotalMemory};
use super::objects::Objects;
use super::plans::Plans;
use super::prepared::{self, Prepared};
use super::recall::Recollections;
use super::scope::Opened;
use super::world::GrantWorld;
use super::{faults, forgetting, optimiser};
use crate::error::QueryError;
use cogov_model::GrantId;
use datafusion::execution::SessionState;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionConfig;
use object_store::ObjectStore;
use std::future::Future;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// Stack of a query thread: plans are walked recursively, to a bounded depth.
const STACK: usize = 16 << 20;

/// Where the store is known to DataFusion; never leaves the engine.
const STORE: &str = "cogov://data/";

/// Runs governed queries. Clones share memory, spill space, caches and threads.
#[derive(Clone)]
pub struct Engine {
    pub(super) inner: Arc<Inner>,
}

/// What all queries share.
pub(super) struct Inner {
    pub(super) config: EngineConfig,
    pub(super) functions: Functions,
    pub(super) objects: Objects,
    /// What parties were answered before.
    pub(super) recollections: Recollections,
    /// Statements that were planned before.
    pub(super) plans: Plans,
    /// Plans the asker's part.
    pub(super) outer: SessionState,
    /// Plans what lies below barriers.
    pub(super) planner: Arc<SessionState>,
    base: Arc<RuntimeEnv>,
    total: Arc<TotalMemory>,
    threads: Option<Runtime>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A runtime may not be dropped where async code runs; queries end on their own when their streams go.
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

impl Engine {
    /// Starts an engine over a store of Parquet objects.
    ///
    /// # Errors
    /// When the spill directory cannot be used or threads cannot be started.
    pub fn new(config: EngineConfig, store: Arc<dyn ObjectStore>) -> Result<Self, QueryError> {
        let url = ObjectStoreUrl::parse(STORE).map_err(|_| QueryError::internal())?;
        let base = runtime(&config).map_err(|_| faults::unreadable())?;
        base.register_object_store(url.as_ref(), Arc::clone(&store));
        let threads = Builder::new_multi_thread()
            .worker_threads(config.threads.max(1))
            .thread_name("cogov-query")
            .thread_stack_size(STACK)
            .enable_all()
            .build()
            .map_err(|_| QueryError::internal())?;
        let functions = Functions::new();
        let inner = Inner {
            outer: session(&config, &base, false).build(),
            planner: Arc::new(session(&config, &base, true).build()),
            objects: Objects::new(store, url),
            recollections: Recollections::default(),
            plans: Plans::default(),
            total: TotalMemory::new(config.total_memory),
            functions,
            base,
            threads: Some(threads),
            config,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Plans, labels and governs one statement. Nothing of the data is read but footers, and public tables beneath
    /// statistics with noise.
    ///
    /// # Errors
    /// When the statement is refused, wrong, or cannot be governed.
    pub async fn prepare(&self, world: &Arc<GrantWorld>, sql: &str) -> Result<Prepared, QueryError> {
        if let Some(prepared) = Prepared::again(self, world, sql) {
            return Ok(prepared);
        }
        let (engine, world, sql) = (self.clone(), Arc::clone(world), sql.to_owned());
        self.on_threads(async move { prepared::prepare(engine, world, &sql).await }).await
    }

    /// Forgets what is kept of a grant that ended: plans, and the key of its masks in them.
    pub fn forget(&self, grant: &GrantId) {
        self.inner.plans.forget(grant);
    }

    /// What the grant's database shows.
    ///
    /// # Errors
    /// When the data cannot be read or the row scope cannot be enforced.
    pub async fn catalogue(&self, world: &GrantWorld) -> Result<Vec<GrantedTable>, QueryError> {
        let tables = self.tables(world).await?;
        Ok(tables.iter().map(|table| catalogue::show(table, world)).collect())
    }

    /// The raw tables of a world, for what lies below barriers.
    pub(super) async fn opened(&self, world: &GrantWorld) -> Result<Opened, QueryError> {
        let mut opened = Opened::new();
        for source in world.sources() {
            let raw = self.inner.objects.open(&source.path, source.rows).await?;
            opened.insert((source.dataset.clone(), source.table.name.clone()), raw);
        }
        Ok(opened)
    }

    /// The governed tables of a world, made once for an equal decision over the same objects.
    pub(super) async fn known_tables(
        &self,
        world: &Arc<GrantWorld>,
    ) -> Result<Arc<[Arc<GovernedTable>]>, QueryError> {
        if let Some(known) = self.inner.plans.tables(world) {
            return Ok(known);
        }
        let tables: Arc<[Arc<GovernedTable>]> = self.tables(world).await?.into();
        self.inner.plans.keep_tables(world, &tables);
        Ok(tables)
    }

    /// The governed tables of a world that show any column.
    pub(super) async fn tables(&self, world: &GrantWorld) -> Result<Vec<Arc<GovernedTable>>, QueryError> {
        let opened = self.opened(world).await?;
        let mut tables = Vec::new();
        for source in world.sources() {
            let ruled = source.table.columns.iter().any(|c| world.ruling(source, &c.name).is_some());
            if ruled {
                let table = GovernedTable::new(world, source, &opened, &self.inner.planner)?;
                tables.push(Arc::new(table));
            }
        }
        Ok(tables)
    }

    /// Runs work on the query threads; a panic there is an error here.
    pub(super) async fn on_threads<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, QueryError>> + Send + 'static,
    ) -> Result<T, QueryError> {
        let Some(threads) = &self.inner.threads else { return Err(QueryError::internal()) };
        let task = AbortOnDrop(threads.spawn(work));
        task.await.unwrap_or_else(|_| Err(QueryError::internal()))
    }

    /// Where queries run.
    pub(super) fn handle(&self) -> Option<tokio::runtime::Handle> {
        self.inner.threads.as_ref().map(|threads| threads.handle().clone())
    }

    /// The environment of one query: shared store, caches and spill space, memory of its own.
    pub(super) fn query_runtime(&self) -> Result<Arc<RuntimeEnv>, QueryError> {
        let memory = QueryMemory::new(self.inner.config.query_memory, Arc::clone(&self.inner.total));
        RuntimeEnvBuilder::from_runtime_env(&self.inner.base)
            .with_memory_pool(Arc::new(memory))
            .build_arc()
            .map_err(|_| QueryError::internal())
    }
}

/// A task that ends when nobody waits for it any more.
struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, tokio::task::JoinError>;
    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(cx)
    }
}

fn runtime(config: &EngineConfig) -> datafusion::error::Result<Arc<RuntimeEnv>> {
    std::fs::create_dir_all(&config.spill_dir)?;
    let disk = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![config.spill_dir.clone()]))
        .with_max_temp_directory_size(config.max_spill);
    RuntimeEnvBuilder::new().with_disk_manager_builder(disk).build_arc()
}

/// A session without tables. No filter is pushed down while running: above barriers it would meet hidden rows, and below
/// them a join would wait for all of its partitions, which are read one after the other.
fn session(config: &EngineConfig, base: &Arc<RuntimeEnv>, below: bool) -> SessionStateBuilder {
    let mut session = SessionConfig::new()
        .with_target_partitions(config.target_partitions.max(1))
        .with_batch_size(config.batch_rows.max(1))
        .with_information_schema(false)
        .with_create_default_catalog_and_schema(false);
    let options = session.options_mut();
    // The flag over all of them takes effect only where it is set by its name.
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.optimizer.enable_join_dynamic_filter_pushdown = false;
    options.optimizer.enable_topk_dynamic_filter_pushdown = false;
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    // Below barriers rows must keep their order, whichever side has more.
    options.optimizer.use_statistics_registry = !below;
    // A subquery that becomes a join is nullable where the statement it came from was not; results say nullable always.
    options.execution.skip_physical_aggregate_schema_check = true;
    if below {
        // Rows keep their places: a partition holds the row groups that it was given, in their order.
        options.optimizer.repartition_file_scans = false;
        options.optimizer.enable_round_robin_repartition = false;
        options.optimizer.hash_join_single_partition_threshold = usize::MAX;
        options.optimizer.hash_join_single_partition_threshold_rows = usize::MAX;
    }
    // Looked at while running, and so in the session above too: row groups stay in the partition that they were given.
    options.execution.enable_file_stream_work_stealing = false;
    // What a sort keeps back to merge its spills must leave room to sort in.
    let sorts = 8 * config.target_partitions.max(1);
    let execution = &mut session.options_mut().execution;
    execution.sort_spill_reservation_bytes = (config.query_memory / sorts).min(10 << 20);
    // Each batch in a file of its own: two that are written at once make readers of a repartition wait for ever
    // (https://github.com/apache/datafusion/issues/24883, in 55.2).
    if let Ok(least) = "1".parse() {
        execution.max_spill_file_size_bytes = least;
    }
    SessionStateBuilder::new()
        .with_config(session)
        .with_runtime_env(Arc::clone(base))
        .with_optimizer_rules(optimiser::sound_rules())
        .with_statistics_registry(estimates())
        .with_physical_optimizer_rules(match below {
            true => forgetting::optimiser_below(),
            false => forgetting::sound_optimiser(),
        })
        .with_expr_planners(datafusion::execution::SessionStateDefaults::default_expr_planners())
}
