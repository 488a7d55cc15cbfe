//! Memory of one query, within the memory of all.

use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use std::fmt;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// What all queries together hold.
#[derive(Debug)]
pub(super) struct TotalMemory {
    limit: usize,
    used: AtomicUsize,
}

impl TotalMemory {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    fn try_take(&self, bytes: usize) -> Result<()> {
        let fits = |used: usize| used.checked_add(bytes).filter(|after| *after <= self.limit);
        match self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits) {
            Ok(_) => Ok(()),
            Err(_) => Err(DataFusionError::ResourcesExhausted("memory of all queries".into())),
        }
    }
}

/// A fair pool of one query whose every growth is also counted against the total.
#[derive(Debug)]
pub(super) struct QueryMemory {
    own: FairSpillPool,
    own_limit: usize,
    total: Arc<TotalMemory>,
}

impl QueryMemory {
    pub(super) fn new(limit: usize, total: Arc<TotalMemory>) -> Self {
        Self { own: FairSpillPool::new(limit), own_limit: limit, total }
    }
}

impl fmt::Display for QueryMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("query memory")
    }
}

impl MemoryPool for QueryMemory {
    fn name(&self) -> &str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.own.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.own.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.own.grow(reservation, additional);
        self.total.used.fetch_add(additional, Ordering::AcqRel);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.own.shrink(reservation, shrink);
        self.total.used.fetch_sub(shrink, Ordering::AcqRel);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.total.try_take(additional)?;
        self.own.try_grow(reservation, additional).inspect_err(|_| {
            self.total.used.fetch_sub(additional, Ordering::AcqRel);
        })
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.own_limit)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn one_query_cannot_take_what_another_holds() {
        let total = TotalMemory::new(100);
        let pool = |limit| Arc::new(QueryMemory::new(limit, Arc::clone(&total))) as Arc<dyn MemoryPool>;
        let (first, second) = (pool(80), pool(80));
        let a = MemoryConsumer::new("a").register(&first);
        let b = MemoryConsumer::new("b").register(&second);
        a.try_grow(70).unwrap();
        assert!(a.try_grow(20).is_err(), "beyond its own limit");
        assert!(b.try_grow(40).is_err(), "beyond the total");
        drop(a);
        b.try_grow(40).unwrap();
        drop(b);
        assert_eq!(total.used.load(Ordering::Acquire), 0);
    }
}
