//! Where answers are remembered: a port, so that the engine stays without records of its own.

use async_trait::async_trait;
use cogov_model::{DatasetId, TableName};
use parking_lot::Mutex;
use std::collections::BTreeMap;

/// What answers are about: one table. A memory belongs to one party, whatever grant it asks with, so that two of
/// its grants cannot be subtracted from one another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemoryKey {
    /// The dataset.
    pub dataset: DatasetId,
    /// The table.
    pub table: TableName,
}

/// One statement's answers about one table, to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    /// The table.
    pub about: MemoryKey,
    /// Its place: one more than what is remembered about the table already.
    pub number: u64,
    /// The answers; texts of the engine's own.
    pub text: String,
}

/// Why the memory did not serve. Nothing may be released then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the memory of answers is not available")]
pub struct MemoryUnavailable;

/// The memory of one party's answers.
#[async_trait]
pub trait AnswerMemory: Send + Sync {
    /// Whose memory it is: equal for equal memories.
    fn owner(&self) -> String;

    /// What is remembered about a table after the first so many, in order.
    ///
    /// # Errors
    /// When it cannot be read.
    async fn recall(&self, about: &MemoryKey, after: u64) -> Result<Vec<String>, MemoryUnavailable>;

    /// Keeps additions durably, all or none. False, and nothing kept, when a place is taken: another statement was
    /// first, and this one must be weighed again.
    ///
    /// # Errors
    /// When they cannot be kept.
    async fn remember(&self, additions: Vec<Addition>) -> Result<bool, MemoryUnavailable>;
}

/// A memory that ends with the process: for tests and experiments.
#[derive(Debug, Default)]
pub struct VolatileMemory {
    owner: String,
    kept: Mutex<BTreeMap<MemoryKey, Vec<String>>>,
}

impl VolatileMemory {
    /// An empty memory of an owner, whose name no other memory of the process has.
    #[must_use]
    pub fn new(owner: impl Into<String>) -> Self {
        Self { owner: owner.into(), kept: Mutex::default() }
    }

    /// Bytes that are kept.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.kept.lock().values().flatten().map(String::len).sum()
    }
}

#[async_trait]
impl AnswerMemory for VolatileMemory {
    fn owner(&self) -> String {
        self.owner.clone()
    }

    async fn recall(&self, about: &MemoryKey, after: u64) -> Result<Vec<String>, MemoryUnavailable> {
        let after = usize::try_from(after).unwrap_or(usize::MAX);
        Ok(self.kept.lock().get(about).into_iter().flatten().skip(after).cloned().collect())
    }

    async fn remember(&self, additions: Vec<Addition>) -> Result<bool, MemoryUnavailable> {
        let mut kept = self.kept.lock();
        let free = |a: &Addition| kept.get(&a.about).map_or(0, Vec::len) as u64 + 1 == a.number;
        if !additions.iter().all(free) {
            return Ok(false);
        }
        for addition in additions {
            kept.entry(addition.about).or_default().push(addition.text);
        }
        Ok(true)
    }
}
