//! Shares of small numbers, and how sure they are.

/// The distribution function of the standard normal (Abramowitz and Stegun 7.1.26; absolute error below 1.5e-7).
#[must_use]
pub fn normal(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly = t
        * (0.254_829_592
            + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    let half = 0.5 * poly * (-x * x).exp();
    if z >= 0.0 { 1.0 - half } else { half }
}

/// A share with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// Expected share, between 0 and 1.
    pub mean: f64,
    /// Its variance.
    pub variance: f64,
}

impl Share {
    /// The share behind `some` of `all` when nothing was known before: `(some + 1) / (all + 2)` (Laplace).
    #[must_use]
    pub fn of(some: u32, all: u32) -> Self {
        let (a, n) = (f64::from(some) + 1.0, f64::from(all) + 2.0);
        Self { mean: a / n, variance: a * (n - a) / (n * n * (n + 1.0)) }
    }

    /// The mean of several shares, each counting the same.
    #[must_use]
    pub fn balanced(shares: &[Self]) -> Option<Self> {
        if shares.is_empty() {
            return None;
        }
        let n = shares.len() as f64;
        let mean = shares.iter().map(|s| s.mean).sum::<f64>() / n;
        Some(Self { mean, variance: shares.iter().map(|s| s.variance).sum::<f64>() / (n * n) })
    }

    /// How probable it is that the share is above one half.
    #[must_use]
    pub fn majority(&self) -> f64 {
        normal((self.mean - 0.5) / self.variance.max(1e-300).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_is_what_tables_say() {
        for (z, p) in [(0.0, 0.5), (1.2816, 0.9), (-1.6449, 0.05), (3.0, 0.998_650)] {
            assert!((normal(z) - p).abs() < 1e-5, "{z}");
        }
    }

    #[test]
    fn more_votes_make_a_share_surer() {
        let (few, many) = (Share::of(3, 4), Share::of(300, 400));
        assert!(few.majority() < 0.9 && many.majority() > 0.999);
        assert!(Share::balanced(&[]).is_none());
    }
}
