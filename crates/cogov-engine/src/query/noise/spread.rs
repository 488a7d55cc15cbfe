//! How often values of a column stand in an object at most: known once for all, since objects never change.
//!
//! Of a unit's column it says whether leaving rows out would leave any out: if not, the plan without the step gives
//! the same rows, faster. It never changes what an answer is, only how it is computed.

use super::super::engine::Engine;
use super::super::governed::RAW;
use super::super::objects::RawTable;
use super::super::raw_provider::RawProvider;
use super::super::{faults, run, zeros};
use super::quantise;
use crate::error::QueryError;
use arrow::array::Array;
use datafusion::common::Column;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use futures::StreamExt;
use std::sync::Arc;

/// Rows of an object beyond which nothing is looked up, since it would take too much memory.
const MOST_ROWS: usize = 100_000_000;

/// How a column's values repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::query) struct Spread {
    /// Rows of the most frequent value. Two values of one hash count together, which is on the safe side.
    pub(in crate::query) most: u64,
    /// Rows without a value.
    pub(in crate::query) nulls: u64,
    /// All rows.
    pub(in crate::query) rows: u64,
}

/// The spread of a column, on the rows of a scope where there is one; none when the object is too large to look.
pub(super) async fn of(
    engine: &Engine,
    planner: &SessionState,
    table: &Arc<RawTable>,
    column: &str,
    scope: Option<&Expr>,
) -> Result<Option<Spread>, QueryError> {
    if let Some(known) = table.spread(column).filter(|_| scope.is_none()) {
        return Ok(Some(known));
    }
    if table.rows() > MOST_ROWS {
        return Ok(None);
    }
    let mut hashes: Vec<i64> = Vec::new();
    let mut nulls = 0_u64;
    let mut rows = rows_of(engine, planner, table, column, scope).await?;
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        let array = batch.columns().first().ok_or_else(QueryError::internal)?;
        nulls += array.null_count() as u64;
        let hashed = quantise::hashes(std::slice::from_ref(array)).map_err(|e| faults::running(&e))?;
        let present = hashed.values().iter().enumerate().filter(|(row, _)| array.is_valid(*row));
        hashes.extend(present.map(|(_, hash)| *hash));
    }
    hashes.sort_unstable();
    let most = hashes.chunk_by(|a, b| a == b).map(<[i64]>::len).max().unwrap_or(0);
    let spread = Spread { most: most as u64, nulls, rows: hashes.len() as u64 + nulls };
    if scope.is_none() {
        table.keep_spread(column, spread);
    }
    Ok(Some(spread))
}

/// Every value of a column of an object, on the rows of a scope where there is one.
pub(super) async fn rows_of(
    engine: &Engine,
    planner: &SessionState,
    table: &Arc<RawTable>,
    column: &str,
    scope: Option<&Expr>,
) -> Result<run::RowStream, QueryError> {
    let source = provider_as_source(Arc::new(RawProvider::all(table)));
    let scoped = |plan: LogicalPlanBuilder| match scope {
        Some(scope) => plan.filter(scope.clone()),
        None => Ok(plan),
    };
    let plan = LogicalPlanBuilder::scan(RAW, source, None)
        .and_then(scoped)
        .and_then(|plan| plan.project(vec![Expr::Column(Column::new(Some(RAW), column))]))
        .and_then(LogicalPlanBuilder::build)
        .map_err(|e| faults::planning(&e))?;
    start(engine, planner, plan).await
}

/// Runs a plan of our own within the time and memory of a query. What it gives is not for the asker.
pub(super) async fn start(
    engine: &Engine,
    planner: &SessionState,
    plan: LogicalPlan,
) -> Result<run::RowStream, QueryError> {
    let plan = zeros::zero_without_sign(plan).map_err(|e| faults::planning(&e))?;
    let physical = planner.create_physical_plan(&plan).await.map_err(|e| faults::running(&e))?;
    let schema = run::plain_schema(plan.schema().as_arrow());
    let runtime = engine.query_runtime()?;
    let job = run::Job { plan: run::Stage::Physical(physical), state: planner.clone(), schema, runtime };
    run::start(engine, job)
}
