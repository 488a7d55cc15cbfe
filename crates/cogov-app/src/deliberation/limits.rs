//! How often one account or one network may do something: a bucket that fills again with time.

use crate::{AppError, error::Result, network::Network};
use cogov_model::Timestamp;
use parking_lot::Mutex;
use std::{collections::HashMap, net::IpAddr};

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Limited {
    /// Votes of one account.
    Vote,
    /// Statements, comments and amendments of one account.
    Contribution,
    /// Statements, comments and amendments of all accounts in one network.
    Contributions(Reach),
    /// New accounts from one network.
    Registration(Reach),
}

/// How far a network reaches that may be one client: whoever has a line of IPv6 has at least 2^64 addresses, and often
/// 256 or 65,536 times as many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Reach {
    /// An address of IPv4, or the network of one line of IPv6 (/64).
    Line,
    /// What one home may have (/56).
    Home,
    /// What one site may have (/48).
    Site,
}

impl Reach {
    const ALL: [Reach; 3] = [Reach::Line, Reach::Home, Reach::Site];

    /// The bits of an IPv6 address that say which network it is.
    const fn bits(self) -> u8 {
        match self {
            Reach::Line => 64,
            Reach::Home => 56,
            Reach::Site => 48,
        }
    }
}

impl Limited {
    /// How many at once, and the milliseconds after which one more is free. A wider network may be many people's, so it
    /// has more room than the ones in it; and contributions come back sooner than as many accounts as may be made in it
    /// at once can write them, so that these never keep others out for long.
    const fn rate(self) -> (u32, i64) {
        match self {
            Limited::Vote => (120, 1_000),
            Limited::Contribution => (20, 30_000),
            Limited::Contributions(Reach::Line) => (600, 500),
            Limited::Contributions(Reach::Home) => (900, 300),
            Limited::Contributions(Reach::Site) => (1_200, 150),
            Limited::Registration(Reach::Line) => (30, 60_000),
            Limited::Registration(Reach::Home) => (60, 30_000),
            Limited::Registration(Reach::Site) => (120, 15_000),
        }
    }

    /// The buckets of a client's address: its network of each reach, of which every one must have room.
    pub(crate) fn of_client(what: fn(Reach) -> Limited, from: IpAddr) -> Vec<(Limited, String)> {
        let from = from.to_canonical();
        // An address of IPv4 is in no larger network that could be one client's.
        let reaches = Reach::ALL.into_iter().take(if from.is_ipv4() { 1 } else { Reach::ALL.len() });
        reaches.map(|reach| (what(reach), Network::around(from, reach.bits()).to_string())).collect()
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
        self.take_each(vec![(what, who.to_owned())], now)
    }

    /// Takes one from each bucket, or none from any when one of them is empty.
    pub(crate) fn take_each(&self, keys: Vec<(Limited, String)>, now: Timestamp) -> Result<()> {
        let mut buckets = self.0.lock();
        if buckets.len() >= REMEMBERED {
            buckets.retain(|(what, _), bucket| refilled(*bucket, what.rate(), now).left < what.rate().0);
        }
        let mut taken = Vec::with_capacity(keys.len());
        let mut wait: Option<i64> = None;
        for key in keys {
            let (most, every) = key.0.rate();
            let found = buckets.get(&key).copied().unwrap_or(Bucket { left: most, since: now });
            let bucket = refilled(found, (most, every), now);
            match bucket.left.checked_sub(1) {
                Some(left) => taken.push((key, Bucket { left, ..bucket })),
                None => wait = wait.max(Some(bucket.since.millis() + every - now.millis())),
            }
        }
        if let Some(wait) = wait {
            // Rounded up: whoever waits as long as it says is let in.
            let seconds = u64::try_from(wait).unwrap_or(0).div_ceil(1_000).max(1);
            return Err(AppError::TooMany { retry_after_seconds: seconds });
        }
        buckets.extend(taken);
        Ok(())
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
        assert!(matches!(refused, AppError::TooMany { retry_after_seconds: 30 }), "{refused:?}");
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

    fn registrations(limits: &Limits, from: &str, tries: u32) -> u32 {
        let from: IpAddr = from.parse().unwrap();
        let taken = |_: &u32| {
            let keys = Limited::of_client(Limited::Registration, from);
            limits.take_each(keys, Timestamp::from_millis(0)).is_ok()
        };
        u32::try_from((0..tries).filter(taken).count()).unwrap()
    }

    #[test]
    fn a_home_of_many_networks_is_one_client_in_the_end() {
        let limits = Limits::default();
        let most = |reach| Limited::Registration(reach).rate().0;
        let line = most(Reach::Line);
        assert_eq!(registrations(&limits, "2001:db8:0:100::1", 2 * line), line);
        assert_eq!(
            registrations(&limits, "2001:db8:0:100:ffff::2", 1),
            0,
            "another address of the same line"
        );
        let few = |net: String| registrations(&limits, &format!("2001:db8:0:{net}::1"), 10);
        let home: u32 = (0x101..0x110).map(|net| few(format!("{net:x}"))).sum();
        assert_eq!(home + line, most(Reach::Home), "a /56 has less room than its networks together");
        let site: u32 = (0x2..0x40).map(|net| few(format!("{net:x}00"))).sum();
        assert_eq!(site + home + line, most(Reach::Site), "so has a /48");
        assert_eq!(registrations(&limits, "2001:db8:1::1", 1), 1, "another site has its own");
    }

    #[test]
    fn an_empty_bucket_takes_nothing_from_the_others() {
        let limits = Limits::default();
        let line = Limited::Registration(Reach::Line).rate().0;
        // Refusals of one line leave the home's bucket as it was.
        assert_eq!(registrations(&limits, "2001:db8::1", 100 * line), line);
        assert_eq!(registrations(&limits, "2001:db8:0:1::1", 2 * line), line);
    }

    #[test]
    fn addresses_of_ipv4_have_one_bucket_however_they_are_written() {
        let limits = Limits::default();
        let line = Limited::Registration(Reach::Line).rate().0;
        assert_eq!(registrations(&limits, "192.0.2.7", line), line);
        assert_eq!(registrations(&limits, "::ffff:192.0.2.7", 1), 0);
        assert_eq!(registrations(&limits, "::ffff:192.0.2.8", 1), 1);
    }
}
