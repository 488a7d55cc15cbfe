//! Exact arithmetic modulo a secret prime.
//!
//! Linear dependence over the rationals implies dependence modulo every prime; the converse fails where the prime divides
//! a minor of the sets' matrix. For a known prime such sets can be built (a dozen that hold rows often enough), and a
//! dependence that is found wrongly makes a cell free that is not. So each process draws a prime of its own between 2⁶⁰ and
//! 2⁶¹: a minor of n sets is divisible by at most n of some 2⁵⁴ of them. The weights of rows are as secret. Nothing here
//! is kept or shown, and another process comes to the same answers.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

/// What the process computes with.
struct Field {
    prime: u64,
    /// −1 / prime modulo 2⁶⁴.
    negative_inverse: u64,
    /// 2¹²⁸ modulo the prime.
    square: u64,
    /// Gives the weights: SipHash under a key from the system's generator.
    secret: RandomState,
}

static FIELD: LazyLock<Field> = LazyLock::new(|| {
    let secret = RandomState::new();
    let drawn = (0_u64..).map(|turn| secret.hash_one(("prime", turn)) >> 4 | 1 << 60 | 1);
    // There is one among some twenty odd numbers of this length.
    let prime = drawn.into_iter().find(|number| is_prime(*number)).unwrap_or((1 << 61) - 1);
    // Newton: each step doubles the bits that are right, of which there are three at first.
    let inverse = (0..5).fold(prime, |x, _| x.wrapping_mul(2_u64.wrapping_sub(prime.wrapping_mul(x))));
    let one = (1_u128 << 64) % u128::from(prime);
    let square = u64::try_from(one * one % u128::from(prime)).unwrap_or(0);
    Field { prime, negative_inverse: inverse.wrapping_neg(), square, secret }
});

impl Field {
    /// A product of two numbers in Montgomery's form, in that form (Montgomery, Modular multiplication without trial
    /// division, 1985).
    const fn product(&self, a: u64, b: u64) -> u64 {
        let wide = a as u128 * b as u128;
        let multiple = (wide as u64).wrapping_mul(self.negative_inverse);
        let reduced = ((wide + multiple as u128 * self.prime as u128) >> 64) as u64;
        if reduced >= self.prime { reduced - self.prime } else { reduced }
    }
}

/// Whether an odd number is prime: Miller and Rabin, for all below 2⁶⁴ by the first twelve primes (Sorenson and Webster,
/// Strong pseudoprimes to twelve prime bases, 2015).
fn is_prime(number: u64) -> bool {
    let times = |a: u64, b: u64| (u128::from(a) * u128::from(b) % u128::from(number)) as u64;
    let power = |base: u64, mut exponent: u64| {
        let (mut base, mut result) = (base % number, 1);
        while exponent > 0 {
            if exponent & 1 == 1 {
                result = times(result, base);
            }
            base = times(base, base);
            exponent >>= 1;
        }
        result
    };
    let less = number - 1;
    let twos = less.trailing_zeros();
    [2_u64, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37].into_iter().all(|witness| {
        let mut x = power(witness, less >> twos);
        let mut passes = x == 1 || x == less || number == witness;
        for _ in 1..twos {
            x = times(x, x);
            passes |= x == less;
        }
        passes
    })
}

/// A number modulo the process' prime, in Montgomery's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Residue(u64);

impl Residue {
    pub(crate) const ZERO: Self = Self(0);

    pub(crate) fn new(value: u64) -> Self {
        Self(FIELD.product(value % FIELD.prime, FIELD.square))
    }

    pub(crate) const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        let (sum, prime) = (self.0 + other.0, FIELD.prime);
        Self(if sum >= prime { sum - prime } else { sum })
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        let (less, borrow) = self.0.overflowing_sub(other.0);
        Self(if borrow { less.wrapping_add(FIELD.prime) } else { less })
    }

    pub(crate) fn times(self, other: Self) -> Self {
        Self(FIELD.product(self.0, other.0))
    }

    /// The inverse by Fermat's little theorem; zero for zero.
    pub(crate) fn inverse(self) -> Self {
        let (mut base, mut exponent, mut result) = (self, FIELD.prime - 2, Self::new(1));
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

/// A secret pseudo-random weight of an element: a set's mark is the sum of its elements' weights, so that two different
/// sets have the same mark with a chance of about 2⁻⁶⁰, and nobody can choose them for it.
pub(crate) fn weight(element: u32) -> Residue {
    Residue(FIELD.secret.hash_one(element) % FIELD.prime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_field() {
        assert!(FIELD.prime > 1 << 60 && FIELD.prime < 1 << 61, "{}", FIELD.prime);
        let one = Residue::new(1);
        let some: Vec<Residue> = (0..50).map(weight).chain([one, Residue::ZERO.minus(one)]).collect();
        for a in &some {
            assert_eq!(a.times(a.inverse()), one);
            assert_eq!(a.times(one), *a);
            assert!(a.minus(*a).is_zero());
            for b in &some {
                assert_eq!(a.plus(*b).minus(*b), *a);
                assert_eq!(a.times(*b), b.times(*a));
                assert_eq!(a.plus(one).times(*b), a.times(*b).plus(*b));
            }
        }
        for (a, b) in [(3_u64, 5_u64), (1 << 59, 77), (u64::MAX, 1 << 60), (FIELD.prime - 1, FIELD.prime - 1)]
        {
            let product = u128::from(a) * u128::from(b) % u128::from(FIELD.prime);
            assert_eq!(Residue::new(a).times(Residue::new(b)), Residue::new(u64::try_from(product).unwrap()));
        }
    }

    #[test]
    fn primes_are_told_from_others() {
        let by_division = |n: u64| n > 1 && (2..).take_while(|d| d * d <= n).all(|d| !n.is_multiple_of(d));
        for number in (3..20_000).step_by(2) {
            assert_eq!(is_prime(number), by_division(number), "{number}");
        }
        assert!(is_prime((1 << 61) - 1) && !is_prime((1 << 59) - 1));
        // Strong pseudoprimes to the first nine primes, and to the first.
        assert!(!is_prime(3_825_123_056_546_413_051) && !is_prime(3_215_031_751));
    }
}
