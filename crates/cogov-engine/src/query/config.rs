//! What a query may cost.

use std::{path::PathBuf, time::Duration};

/// Limits of the engine. Sizes are bytes.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Memory of all queries together.
    pub total_memory: usize,
    /// Memory of one query; beyond it the query spills, or ends.
    pub query_memory: usize,
    /// Wall time of one query, from its execution to its last row.
    pub query_time: Duration,
    /// How long rows wait to be read: a query that nobody reads on holds memory that others need.
    pub unread_time: Duration,
    /// Where queries spill to.
    pub spill_dir: PathBuf,
    /// Disk that all spills together may take.
    pub max_spill: u64,
    /// The longest statement.
    pub max_sql_bytes: usize,
    /// The deepest nesting of a statement.
    pub max_depth: usize,
    /// Parallel streams of one query.
    pub target_partitions: usize,
    /// Threads that run queries, apart from those that serve doors.
    pub threads: usize,
    /// Rows of one batch.
    pub batch_rows: usize,
}

impl EngineConfig {
    /// Defaults for one machine: 1 GiB for all queries, a quarter of it each, 60 seconds, a quarter of an hour
    /// for whoever reads on, 4 GiB of spill.
    #[must_use]
    pub fn new(spill_dir: impl Into<PathBuf>) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            total_memory: 1 << 30,
            query_memory: 256 << 20,
            query_time: Duration::from_secs(60),
            unread_time: Duration::from_secs(15 * 60),
            spill_dir: spill_dir.into(),
            max_spill: 4 << 30,
            max_sql_bytes: 256 << 10,
            max_depth: 50,
            target_partitions: cores,
            threads: cores,
            batch_rows: 8192,
        }
    }
}
