//! Exact discrete Laplace and Gaussian noise, from integers and fair bits only.
//!
//! Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy" (2020, arXiv 2004.00010),
//! algorithms 1 to 3. Floating noise leaks through its last bits (Mironov 2012); here every probability is a
//! rational number and every comparison one of integers, so that the distribution drawn is the one proven about.

use super::random::{NoRandomness, Randomness};
use zeroize::Zeroizing;

/// Bytes that are asked of the system at once.
const BUFFER: usize = 4096;

/// The greatest variance, in 256ths: beyond it intermediate integers could grow too large.
pub(super) const MOST_VARIANCE: u64 = 1 << 56;

/// Draws from distributions.
pub struct Sampler<'a> {
    source: &'a dyn Randomness,
    buffer: Zeroizing<Vec<u8>>,
    at: usize,
}

impl<'a> Sampler<'a> {
    /// Draws with bytes of a source.
    #[must_use]
    pub fn new(source: &'a dyn Randomness) -> Self {
        Self { source, buffer: Zeroizing::new(vec![0; BUFFER]), at: BUFFER }
    }

    /// A draw from the discrete Gaussian with mean 0 and a variance of `variance / 256`; 0 when that is 0.
    ///
    /// # Errors
    /// When there are no random bytes, or the variance is beyond 2⁵⁶.
    pub fn gaussian(&mut self, variance: u64) -> Result<i64, NoRandomness> {
        if variance == 0 {
            return Ok(0);
        }
        if variance > MOST_VARIANCE {
            return Err(NoRandomness);
        }
        let scale = (variance / 256).isqrt() + 1;
        let (s, t) = (u128::from(variance), u128::from(scale));
        // γ = (|y| − σ²/t)² / (2σ²) = (256 t |y| − s)² / (512 s t²), with σ² = s/256.
        let below = 512 * s * t * t;
        loop {
            let drawn = self.laplace(scale, 1)?;
            let off = (256 * t * u128::from(drawn.unsigned_abs())).abs_diff(s);
            // A square beyond 128 bits belongs to an acceptance below e^-65000, which is none.
            if let Some(above) = off.checked_mul(off)
                && self.bernoulli_exp(above, below)?
            {
                return Ok(drawn);
            }
        }
    }

    /// A draw from the discrete Laplace distribution: p(x) ∝ exp(−|x|·parts/scale), both above 0.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn laplace(&mut self, scale: u64, parts: u64) -> Result<i64, NoRandomness> {
        let (t, parts) = (u128::from(scale.max(1)), u128::from(parts.max(1)));
        loop {
            let low = self.below(t)?;
            if !self.bernoulli_exp(low, t)? {
                continue;
            }
            let mut high = 0_u128;
            while self.bernoulli_exp1(1, 1)? {
                high += 1;
            }
            let (magnitude, negative) = ((low + t * high) / parts, self.below(2)? == 1);
            if negative && magnitude == 0 {
                continue;
            }
            let magnitude = i64::try_from(magnitude).unwrap_or(i64::MAX);
            return Ok(if negative { -magnitude } else { magnitude });
        }
    }

    /// True with probability exp(−a/b).
    fn bernoulli_exp(&mut self, mut a: u128, b: u128) -> Result<bool, NoRandomness> {
        while a > b {
            if !self.bernoulli_exp1(1, 1)? {
                return Ok(false);
            }
            a -= b;
        }
        self.bernoulli_exp1(a, b)
    }

    /// True with probability exp(−a/b), for a ≤ b: von Neumann's series.
    fn bernoulli_exp1(&mut self, a: u128, b: u128) -> Result<bool, NoRandomness> {
        let mut k = 1_u128;
        while self.below(b.saturating_mul(k))? < a {
            k += 1;
        }
        Ok(k % 2 == 1)
    }

    /// A whole number below `upper`, each as likely as the other: bits beyond its length are dropped, and what is
    /// still too large is drawn again.
    fn below(&mut self, upper: u128) -> Result<u128, NoRandomness> {
        let bits = 128 - upper.saturating_sub(1).leading_zeros();
        let bytes = usize::try_from(bits.div_ceil(8)).unwrap_or(16);
        let mask = u128::MAX.checked_shr(128 - bits).unwrap_or(0);
        loop {
            let drawn = self.take(bytes)? & mask;
            if drawn < upper {
                return Ok(drawn);
            }
        }
    }

    /// A number of so many random bytes.
    fn take(&mut self, bytes: usize) -> Result<u128, NoRandomness> {
        if self.at + bytes > self.buffer.len() {
            self.source.fill(&mut self.buffer)?;
            self.at = 0;
        }
        let fresh = self.buffer.iter_mut().skip(self.at).take(bytes);
        // A used byte is wiped at once: noise that was added must not lie in memory.
        let number = fresh.fold(0_u128, |number, byte| (number << 8) | u128::from(std::mem::take(byte)));
        self.at += bytes;
        Ok(number)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_precision_loss, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::noise::SystemRandomness;
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// SplitMix64 from a seed: the same test sees the same draws.
    pub(crate) struct Seeded(pub AtomicU64);

    impl Seeded {
        pub(crate) fn new(seed: u64) -> Self {
            Self(AtomicU64::new(seed))
        }
    }

    impl Randomness for Seeded {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
            for chunk in buffer.chunks_mut(8) {
                let state = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
                let mut z = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
                z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
                z ^= z >> 31;
                chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
            }
            Ok(())
        }
    }

    /// The chi-square statistic of draws against exact weights, with its degrees of freedom. Cells that expect
    /// fewer than ten draws are taken together.
    fn chi_square(draws: &[i64], weight: impl Fn(i64) -> f64, reach: i64) -> (f64, f64) {
        let total: f64 = (-reach..=reach).map(&weight).sum();
        let mut seen: BTreeMap<i64, f64> = BTreeMap::new();
        for draw in draws {
            *seen.entry(*draw).or_default() += 1.0;
        }
        let n = draws.len() as f64;
        let (mut statistic, mut cells) = (0.0, 0.0);
        let (mut rest_seen, mut rest_expected) = (n, n);
        for value in -reach..=reach {
            let expected = n * weight(value) / total;
            if expected < 10.0 {
                continue;
            }
            let seen = seen.get(&value).copied().unwrap_or(0.0);
            statistic += (seen - expected).powi(2) / expected;
            cells += 1.0;
            rest_seen -= seen;
            rest_expected -= expected;
        }
        if rest_expected > 1.0 {
            statistic += (rest_seen - rest_expected).powi(2) / rest_expected;
            cells += 1.0;
        }
        (statistic, cells - 1.0)
    }

    /// The value that a chi-square of so many degrees of freedom exceeds once in a million (Wilson and Hilferty).
    fn once_in_a_million(degrees: f64) -> f64 {
        let z = 4.753_424;
        let a = 2.0 / (9.0 * degrees);
        degrees * (1.0 - a + z * a.sqrt()).powi(3)
    }

    fn fits(source: &dyn Randomness, variance: u64, count: usize) {
        let mut sampler = Sampler::new(source);
        let draws: Vec<i64> = (0..count).map(|_| sampler.gaussian(variance).unwrap()).collect();
        let sigma2 = variance as f64 / 256.0;
        let reach = (12.0 * sigma2.sqrt()).ceil() as i64 + 3;
        let (statistic, degrees) =
            chi_square(&draws, |x| (-(x as f64).powi(2) / (2.0 * sigma2)).exp(), reach);
        assert!(statistic < once_in_a_million(degrees), "σ² {sigma2}: {statistic} with {degrees} degrees");
    }

    #[test]
    fn the_discrete_gaussian_is_the_one_proven_about() {
        // Variances below one, fractions, whole numbers, squares and their neighbours.
        for variance in [20, 128, 255, 256, 257, 1024, 1111, 256 * 25, 256 * 26 - 3, 256 * 900] {
            fits(&Seeded::new(variance), variance, 60_000);
        }
    }

    #[test]
    fn the_discrete_laplace_is_the_one_proven_about() {
        for (scale, parts) in [(1, 1), (1, 2), (3, 2), (10, 3), (5120, 256), (700, 256)] {
            let source = Seeded::new(scale * 31 + parts);
            let mut sampler = Sampler::new(&source);
            let draws: Vec<i64> = (0..60_000).map(|_| sampler.laplace(scale, parts).unwrap()).collect();
            let width = scale as f64 / parts as f64;
            let reach = (30.0 * width).ceil() as i64 + 3;
            let (statistic, degrees) = chi_square(&draws, |x| (-(x as f64).abs() / width).exp(), reach);
            assert!(
                statistic < once_in_a_million(degrees),
                "{scale}/{parts}: {statistic}, {degrees} degrees"
            );
        }
    }

    #[test]
    fn the_systems_randomness_gives_the_same_distribution() {
        fits(&SystemRandomness, 256 * 9 + 100, 60_000);
    }

    #[test]
    fn a_wrong_variance_is_found() {
        let mut sampler = Sampler::new(&SystemRandomness);
        let draws: Vec<i64> = (0..60_000).map(|_| sampler.gaussian(256 * 25).unwrap()).collect();
        let (statistic, degrees) = chi_square(&draws, |x| (-(x as f64).powi(2) / (2.0 * 27.0)).exp(), 70);
        assert!(statistic > once_in_a_million(degrees), "the test has no power: {statistic}");
    }

    #[test]
    fn large_variances_follow_the_normal_distribution() {
        // Kolmogorov and Smirnov: of n draws, the greatest distance exceeds 2.7 / √n less than once in a million.
        let source = Seeded::new(5);
        let mut sampler = Sampler::new(&source);
        for sigma in [1_u64 << 12, 1 << 19] {
            let mut draws: Vec<f64> = (0..20_000)
                .map(|_| sampler.gaussian(256 * sigma * sigma).unwrap() as f64 / sigma as f64)
                .collect();
            draws.sort_by(f64::total_cmp);
            let n = draws.len() as f64;
            let distance = draws
                .iter()
                .enumerate()
                .map(|(i, x)| (normal(*x) - (i as f64 + 0.5) / n).abs())
                .fold(0.0, f64::max);
            assert!(distance < 2.7 / n.sqrt(), "σ {sigma}: {distance}");
        }
    }

    /// The normal distribution function, by Simpson's rule.
    fn normal(x: f64) -> f64 {
        let steps = 400;
        let h = x / f64::from(steps);
        let density = |t: f64| (-t * t / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let inner: f64 =
            (1..steps).map(|i| if i % 2 == 1 { 4.0 } else { 2.0 } * density(f64::from(i) * h)).sum();
        0.5 + h / 3.0 * (density(0.0) + inner + density(x))
    }

    #[test]
    fn numbers_below_a_bound_are_even() {
        let source = Seeded::new(11);
        let mut sampler = Sampler::new(&source);
        for upper in [1_u128, 2, 3, 7, 255, 256, 257] {
            let mut seen = vec![0.0; usize::try_from(upper).unwrap()];
            for _ in 0..50_000 {
                seen[usize::try_from(sampler.below(upper).unwrap()).unwrap()] += 1.0;
            }
            let expected = 50_000.0 / upper as f64;
            let statistic: f64 = seen.iter().map(|s| (s - expected) * (s - expected) / expected).sum();
            assert!(upper == 1 || statistic < once_in_a_million(upper as f64 - 1.0), "{upper}: {statistic}");
        }
    }
}
