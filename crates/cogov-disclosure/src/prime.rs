//! Exact arithmetic modulo the Mersenne prime 2⁶¹ − 1.
//!
//! Linear dependence over the rationals implies dependence modulo every prime; the converse fails only when the
//! prime divides a minor of a matrix of 0, 1 and small counts. A dependence that is found wrongly makes a cell
//! free that is not. By chance that does not happen; somebody who knows the numbers of rows can bring it about, since
//! the weights below are public (`docs/labels.md`, what is not promised).

const P: u64 = (1 << 61) - 1;

/// A number modulo the prime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Prime(u64);

impl Prime {
    pub(crate) const ZERO: Self = Self(0);

    pub(crate) const fn new(value: u64) -> Self {
        Self(value % P)
    }

    pub(crate) const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        let sum = self.0 + other.0;
        Self(if sum >= P { sum - P } else { sum })
    }

    pub(crate) const fn minus(self, other: Self) -> Self {
        Self(if self.0 >= other.0 { self.0 - other.0 } else { self.0 + P - other.0 })
    }

    pub(crate) const fn times(self, other: Self) -> Self {
        let wide = self.0 as u128 * other.0 as u128;
        let folded = (wide & P as u128) as u64 + (wide >> 61) as u64;
        Self(if folded >= P { folded - P } else { folded })
    }

    /// The inverse by Fermat's little theorem; zero for zero.
    pub(crate) const fn inverse(self) -> Self {
        let (mut base, mut exponent, mut result) = (self, P - 2, Self(1));
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = result.times(base);
            }
            base = base.times(base);
            exponent >>= 1;
        }
        result
    }
}

/// A fixed pseudo-random weight of an element: a set's mark is the sum of its elements' weights, so that two
/// different sets have the same mark with a chance of about 2⁻⁶¹, unless they were chosen for it: the weights are public.
/// (The mixing function of SplitMix64.)
pub(crate) const fn weight(element: u32) -> Prime {
    let mut z = (element as u64).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Prime::new(z ^ (z >> 31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_field() {
        let some: Vec<Prime> = (0..50).map(weight).chain([Prime::new(1), Prime::new(P - 1)]).collect();
        for a in &some {
            assert_eq!(a.times(a.inverse()), Prime::new(1));
            assert!(a.minus(*a).is_zero());
            for b in &some {
                assert_eq!(a.plus(*b).minus(*b), *a);
                assert_eq!(a.times(*b), b.times(*a));
                assert_eq!(
                    u128::from(a.times(*b).get()),
                    u128::from(a.get()) * u128::from(b.get()) % u128::from(P)
                );
            }
        }
    }
}
