//! Repeatable randomness: everything that looks random is a hash of what it is about, so that it does not depend on
//! order, threads or restarts.

/// Mixes 64 bits so that every input bit reaches every output bit (the finaliser of `SplitMix64`, Steele, Lea and Flood, 2014).
#[must_use]
pub const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Mixes several values into one; the order of the values matters.
#[must_use]
pub fn mix_all(values: &[u64]) -> u64 {
    values.iter().fold(0, |state, value| mix(state ^ mix(*value)))
}

/// A number in `[0, 1)` from 53 bits of a hash.
#[must_use]
pub fn unit(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_spread_evenly() {
        let below = (0..10_000_u64).filter(|i| unit(mix_all(&[7, *i])) < 0.3).count();
        assert!((2_850..3_150).contains(&below), "{below}");
        assert_ne!(mix_all(&[1, 2]), mix_all(&[2, 1]));
    }
}
