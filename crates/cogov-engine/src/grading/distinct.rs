//! Counts distinct values from their hashes: exactly up to a limit, by HyperLogLog above it.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

/// The values are hashes already.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A hasher for keys that are hashes.
pub(super) type Identical = BuildHasherDefault<Identity>;

/// Bits of a hash that choose a register: 4,096 registers, a standard error of 1.6 %.
const REGISTER_BITS: u32 = 12;

/// A set of hashes that turns into an estimate when it grows over its limit.
#[derive(Debug)]
pub(super) enum Distinct {
    /// All hashes so far.
    Exact {
        /// The hashes.
        seen: HashSet<u64, Identical>,
        /// Most hashes to keep.
        limit: usize,
    },
    /// HyperLogLog registers (Flajolet et al. 2007): the longest run of zeros seen by each.
    Estimate(Vec<u8>),
}

impl Distinct {
    pub(super) fn new(limit: usize) -> Self {
        Distinct::Exact { seen: HashSet::default(), limit }
    }

    pub(super) fn add(&mut self, hash: u64) {
        match self {
            Distinct::Exact { seen, limit } => {
                seen.insert(hash);
                if seen.len() > *limit {
                    let mut registers = vec![0; 1 << REGISTER_BITS];
                    seen.iter().for_each(|h| register(&mut registers, *h));
                    *self = Distinct::Estimate(registers);
                }
            }
            Distinct::Estimate(registers) => register(registers, hash),
        }
    }

    /// The count, and whether it is exact.
    pub(super) fn count(&self) -> (u64, bool) {
        match self {
            Distinct::Exact { seen, .. } => (seen.len() as u64, true),
            Distinct::Estimate(registers) => (estimate(registers), false),
        }
    }
}

fn register(registers: &mut [u8], hash: u64) {
    let index = usize::try_from(hash >> (64 - REGISTER_BITS)).unwrap_or(0);
    let rank = (hash << REGISTER_BITS).leading_zeros().min(64 - REGISTER_BITS) + 1;
    if let Some(slot) = registers.get_mut(index) {
        *slot = (*slot).max(u8::try_from(rank).unwrap_or(u8::MAX));
    }
}

/// The raw estimate, or linear counting while many registers are empty.
fn estimate(registers: &[u8]) -> u64 {
    let m = registers.len() as f64;
    let sum: f64 = registers.iter().map(|r| 2_f64.powi(-i32::from(*r))).sum();
    let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
    let empty = registers.iter().filter(|r| **r == 0).count();
    let count = if raw <= 2.5 * m && empty > 0 { m * (m / empty as f64).ln() } else { raw };
    count.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(i: u64) -> u64 {
        let mut z = i.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x1234_5678);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    #[test]
    fn counts_exactly_below_the_limit_and_closely_above() {
        for n in [10_u64, 1_000, 50_000, 400_000] {
            let mut distinct = Distinct::new(1_000);
            (0..n).chain(0..n / 2).for_each(|i| distinct.add(mix(i)));
            let (count, exact) = distinct.count();
            assert_eq!(exact, n <= 1_000);
            let error = count.abs_diff(n) as f64 / n as f64;
            assert!(error <= if exact { 0.0 } else { 0.05 }, "{n}: {count}");
        }
    }
}
