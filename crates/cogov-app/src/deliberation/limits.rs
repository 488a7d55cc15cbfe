//! How often one account or address may do something: a bucket that fills again with time.

use crate::{AppError, error::Result};
use cogov_model::Timestamp;
use parking_lot::Mutex;
use std::collections::HashMap;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Limited {
    /// Votes of one account.
    Vote,
    /// Statements, comments and amendments of one account.
    Contribution,
    /// New accounts from one address.
    Registration,
}

impl Limited {
    /// How many at once, and the milliseconds after which one more is free.
    const fn rate(self) -> (u32, i64) {
        match self {
            Limited::Vote => (120, 1_000),
            Limited::Contribution => (20, 30_000),
            Limited::Registration => (30, 60_000),
        }
    }
}

/// Buckets remembered at most; beyond, full ones are forgotten.
const REMEMBERED: usize = 200_000;

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: u32,
    since: Timestamp,
}

/// The buckets of this process.
#[derive(Debug, Default)]
pub(crate) struct Limits(Mutex<HashMap<(Limited, String), Bucket>>);

impl Limits {
    /// Takes one from a bucket.
    pub(crate) fn take(&self, what: Limited, who: &str, now: Timestamp) -> Result<()> {
        let (most, every) = what.rate();
        let mut buckets = self.0.lock();
        if buckets.len() >= REMEMBERED {
            buckets.retain(|(what, _), bucket| refilled(*bucket, what.rate(), now).left < what.rate().0);
        }
        let bucket = buckets.entry((what, who.to_owned())).or_insert(Bucket { left: most, since: now });
        *bucket = refilled(*bucket, (most, every), now);
        match bucket.left.checked_sub(1) {
            Some(left) => {
                bucket.left = left;
                Ok(())
            }
            None => {
                let wait = (bucket.since.millis() + every - now.millis()).max(1_000);
                Err(AppError::TooMany { retry_after_seconds: u64::try_from(wait / 1_000).unwrap_or(1) })
            }
        }
    }
}

fn refilled(bucket: Bucket, (most, every): (u32, i64), now: Timestamp) -> Bucket {
    let passed = (now.millis() - bucket.since.millis()).max(0) / every;
    let left = bucket.left.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX)).min(most);
    let since = if left == most { now } else { bucket.since.plus_millis(passed * every) };
    Bucket { left, since }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_again() {
        let limits = Limits::default();
        let at = Timestamp::from_millis;
        let (most, every) = Limited::Contribution.rate();
        for _ in 0..most {
            limits.take(Limited::Contribution, "ann", at(0)).unwrap();
        }
        let refused = limits.take(Limited::Contribution, "ann", at(1)).unwrap_err();
        assert!(matches!(refused, AppError::TooMany { retry_after_seconds: 29 }), "{refused:?}");
        limits.take(Limited::Contribution, "bo", at(1)).unwrap();
        limits.take(Limited::Contribution, "ann", at(every)).unwrap();
        assert!(limits.take(Limited::Contribution, "ann", at(every)).is_err());
        for _ in 0..most {
            limits.take(Limited::Contribution, "ann", at(1_000 * every)).unwrap();
        }
        assert!(
            limits.take(Limited::Contribution, "ann", at(1_000 * every)).is_err(),
            "never more than full"
        );
    }
}
