//! Sign-in attempts: after a few failures from one address or for one name, later ones wait.

use crate::{AppError, error::Result, network::Network};
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    net::IpAddr,
    time::{Duration, Instant},
};

/// Failures that are free.
const FREE_FAILURES: u32 = 8;
/// The same for one name from the networks that may be one home's or one site's: the bits of an IPv6 address that say
/// which one, and how many failures. Others may share them: what waits there waits for seconds only.
const FREE_AROUND: [(u8, u32); 2] = [(56, 32), (48, 128)];
/// The longest wait by them.
const AROUND: Duration = Duration::from_secs(4);
/// The name of all tokens, which nobody guesses: only the address is counted with it.
pub(crate) const TOKEN: &str = "token";
/// The bits of an IPv6 address that say whose line it is: behind them everybody has as many addresses as they like.
const LINE: u8 = 64;
/// After which a name or address starts anew.
const WINDOW: Duration = Duration::from_secs(300);
/// Names and addresses remembered at most; beyond, the oldest go.
const REMEMBERED: usize = 100_000;

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

/// Counts failures by address and by name. A success clears the name's count, not the address's.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    failures: Mutex<HashMap<String, Failures>>,
}

/// One attempt under way.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    limiter: &'a Limiter,
    keys: Vec<Counted>,
}

/// What is counted.
#[derive(Debug)]
struct Counted {
    key: String,
    /// How many failures are free.
    free: u32,
    /// The longest wait after more.
    longest: Duration,
    /// Whether a success clears it: of an address it does not, or who has an account could try others in between.
    cleared: bool,
}

impl Limiter {
    /// Begins an attempt.
    pub(crate) fn begin(&self, from: IpAddr, name: &str) -> Result<Attempt<'_>> {
        let name: String = name.chars().take(64).collect();
        let line = Network::around(from, LINE);
        let counted = |key, cleared| Counted { key, free: FREE_FAILURES, longest: WINDOW, cleared };
        // A name is locked together with the network, so that a stranger cannot lock somebody out.
        let mut keys =
            vec![counted(format!("address {line}"), false), counted(format!("name {name} {line}"), true)];
        if from.to_canonical().is_ipv6() && name != TOKEN {
            keys.extend(FREE_AROUND.map(|(bits, free)| {
                let key = format!("name {name} {}", Network::around(from, bits));
                Counted { key, free, longest: AROUND, cleared: true }
            }));
        }
        let attempt = Attempt { limiter: self, keys };
        attempt.look().map(|()| attempt)
    }
}

fn wait(failures: &Failures, counted: &Counted) -> Duration {
    let Some(beyond) = failures.count.checked_sub(counted.free) else { return Duration::ZERO };
    // 1 s, 2 s, 4 s … up to the longest.
    let delay = Duration::from_secs(1 << beyond.min(8)).min(counted.longest);
    delay.saturating_sub(failures.last.elapsed())
}

impl Attempt<'_> {
    /// Whether it may go on: others may have failed while it waited in line.
    pub(crate) fn look(&self) -> Result<()> {
        let failures = self.limiter.failures.lock();
        let waits = self
            .keys
            .iter()
            .filter_map(|counted| failures.get(&counted.key).map(|found| wait(found, counted)));
        let wait = waits.max().unwrap_or_default();
        if wait.is_zero() {
            return Ok(());
        }
        // Rounded up: whoever waits as long as it says is let in.
        let seconds = wait.as_millis().div_ceil(1_000);
        Err(AppError::TooMany { retry_after_seconds: u64::try_from(seconds).unwrap_or(1) })
    }

    /// The secret was right.
    pub(crate) fn succeeded(self) {
        let mut failures = self.limiter.failures.lock();
        for counted in self.keys.iter().filter(|counted| counted.cleared) {
            failures.remove(&counted.key);
        }
    }

    /// The secret was wrong.
    pub(crate) fn failed(self) {
        let mut failures = self.limiter.failures.lock();
        if failures.len() >= REMEMBERED {
            failures.retain(|_, f| f.last.elapsed() < WINDOW);
        }
        for Counted { key, .. } in self.keys {
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

    #[test]
    fn the_addresses_of_one_line_are_one_and_those_of_a_home_guess_a_name_together() {
        let limiter = Limiter::default();
        let from = |text: &str| -> IpAddr { text.parse().unwrap() };
        for last in 0..FREE_FAILURES {
            limiter.begin(from(&format!("2001:db8::{last:x}")), "ana").unwrap().failed();
        }
        assert!(limiter.begin(from("2001:db8::ffff"), "bo").is_err(), "another address of the same line");
        limiter.begin(from("2001:db8:0:1::1"), "bo").unwrap().succeeded();
        for net in 1..4 {
            for _ in 0..FREE_FAILURES {
                limiter.begin(from(&format!("2001:db8:0:{net}::1")), "ana").unwrap().failed();
            }
        }
        assert!(limiter.begin(from("2001:db8:0:4::1"), "ana").is_err(), "another line of the same home");
        limiter.begin(from("2001:db8:0:4::1"), "bo").unwrap().succeeded();
        limiter.begin(from("2001:db8:0:100::1"), "ana").unwrap().succeeded();
    }
}
