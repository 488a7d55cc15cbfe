//! Sign-in attempts: after a few failures from one address or for one name, later ones wait.

use crate::{AppError, error::Result};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Failures that are free.
const FREE_FAILURES: u32 = 8;
/// After which a name or address starts anew.
const WINDOW: Duration = Duration::from_secs(300);
/// Names and addresses remembered at most; beyond, the oldest go.
const REMEMBERED: usize = 100_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

/// Counts failures by address and by name. A success of the name clears the name's count.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    failures: Mutex<HashMap<String, Failures>>,
}

/// One attempt under way.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    limiter: &'a Limiter,
    keys: [String; 2],
}

impl Limiter {
    /// Begins an attempt.
    pub(crate) fn begin(&self, from: IpAddr, name: &str) -> Result<Attempt<'_>> {
        let name: String = name.chars().take(64).collect();
        // A name is locked together with the address, so that a stranger cannot lock somebody out.
        let keys = [format!("address {from}"), format!("name {name} {from}")];
        let failures = self.failures.lock();
        let wait = keys.iter().filter_map(|key| failures.get(key)).map(wait).max().unwrap_or_default();
        if wait.is_zero() {
            Ok(Attempt { limiter: self, keys })
        } else {
            Err(AppError::TooMany { retry_after_seconds: wait.as_secs().max(1) })
        }
    }
}

fn wait(failures: &Failures) -> Duration {
    if failures.count < FREE_FAILURES {
        return Duration::ZERO;
    }
    // 1 s, 2 s, 4 s … up to the window.
    let delay = Duration::from_secs(1 << (failures.count - FREE_FAILURES).min(8)).min(WINDOW);
    delay.saturating_sub(failures.last.elapsed())
}

impl Attempt<'_> {
    /// The secret was right.
    pub(crate) fn succeeded(self) {
        let mut failures = self.limiter.failures.lock();
        for key in &self.keys {
            failures.remove(key);
        }
    }

    /// The secret was wrong.
    pub(crate) fn failed(self) {
        let mut failures = self.limiter.failures.lock();
        if failures.len() >= REMEMBERED {
            failures.retain(|_, f| f.last.elapsed() < WINDOW);
        }
        for key in self.keys {
            let now = Instant::now();
            let entry = failures.entry(key).or_insert(Failures { count: 0, last: now });
            let expired = entry.last.elapsed() >= WINDOW;
            *entry = Failures { count: if expired { 1 } else { entry.count.saturating_add(1) }, last: now };
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn repeated_failures_wait_and_a_success_clears() {
        let limiter = Limiter::default();
        let home: IpAddr = [127, 0, 0, 1].into();
        for _ in 0..FREE_FAILURES {
            limiter.begin(home, "ana").unwrap().failed();
        }
        assert!(matches!(limiter.begin(home, "ana"), Err(AppError::TooMany { .. })));
        assert!(limiter.begin(home, "bo").is_err(), "the address is counted too");
        let other: IpAddr = [127, 0, 0, 2].into();
        limiter.begin(other, "ana").unwrap().succeeded();
    }
}
