//! How many rows each operator may give, for who chooses the sides of joins: guessed from public numbers of rows alone.
//!
//! DataFusion's own estimates rest on statistics of columns, which a barrier does not show, since they depend on withheld
//! rows. Without them it takes a join to give no more rows than its smaller side, and then collects millions of them.

use datafusion::common::stats::{Precision, Statistics};
use datafusion::common::{JoinType, Result};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::operator_statistics::{
    DefaultStatisticsProvider, ExtendedStatistics, StatisticsProvider, StatisticsRegistry, StatisticsResult,
};
use datafusion::physical_plan::union::UnionExec;
use std::sync::Arc;

/// What a planner asks for numbers of rows.
pub(super) fn estimates() -> StatisticsRegistry {
    StatisticsRegistry::with_providers(vec![Arc::new(Estimates), Arc::new(DefaultStatisticsProvider)])
}

/// One row in so many passes a filter, as DataFusion guesses of one that it knows nothing about.
const PASSING: usize = 5;

#[derive(Debug)]
struct Estimates;

impl StatisticsProvider for Estimates {
    fn compute_statistics(
        &self,
        plan: &dyn ExecutionPlan,
        below: &[ExtendedStatistics],
    ) -> Result<StatisticsResult> {
        let below: Option<Vec<usize>> =
            below.iter().map(|side| side.base().num_rows.get_value().copied()).collect();
        // Leaves say themselves what they give.
        let Some(rows) = below.as_deref().filter(|below| !below.is_empty()).map(|below| rows(plan, below))
        else {
            return Ok(StatisticsResult::Delegate);
        };
        let num_rows = Precision::Inexact(plan.fetch().map_or(rows, |fetch| fetch.min(rows)));
        let (total_byte_size, column_statistics) = (Precision::Absent, Vec::new());
        let statistics = Statistics { num_rows, total_byte_size, column_statistics };
        Ok(StatisticsResult::Computed(ExtendedStatistics::new(statistics)))
    }
}

/// The rows that an operator gives, where those below it give so many.
fn rows(plan: &dyn ExecutionPlan, below: &[usize]) -> usize {
    let first = below.first().copied().unwrap_or_default();
    let second = below.get(1).copied().unwrap_or_default();
    if let Some(join) = join_type(plan) {
        return joined(join, first, second);
    }
    if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
        return match join.join_type() {
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
                first.saturating_mul(second)
            }
            join => joined(*join, first, second),
        };
    }
    if plan.downcast_ref::<CrossJoinExec>().is_some() {
        return first.saturating_mul(second);
    }
    if plan.downcast_ref::<UnionExec>().is_some() {
        return below.iter().fold(0, |sum, rows| sum.saturating_add(*rows));
    }
    if plan.downcast_ref::<FilterExec>().is_some() {
        return first.div_ceil(PASSING);
    }
    match plan.downcast_ref::<AggregateExec>() {
        Some(aggregate) if aggregate.group_expr().is_empty() => 1,
        _ => first,
    }
}

fn join_type(plan: &dyn ExecutionPlan) -> Option<JoinType> {
    let hashed = plan.downcast_ref::<HashJoinExec>().map(|join| *join.join_type());
    hashed.or_else(|| plan.downcast_ref::<SortMergeJoinExec>().map(SortMergeJoinExec::join_type))
}

/// A key of one side most often names one row of the other: a join gives about what its larger side has.
fn joined(join: JoinType, left: usize, right: usize) -> usize {
    match join {
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => left.max(right),
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => left,
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => right,
    }
}
