//! Quantiles from noisy counts on two levels: coarse bins, and fine ones within each.
//!
//! A flat histogram of a thousand bins would add the noise of hundreds of them up; two levels of 32 add at most
//! 31 + 31. Each level gets half of the budget.

/// Bins between the bounds.
pub const BINS: usize = WIDE * WIDE;

/// Fine bins in a coarse one, and coarse ones between the bounds.
const WIDE: usize = 32;

/// Noisy counts of one group: how many values lie in each coarse and each fine bin.
#[derive(Debug, Clone)]
pub struct Ladder {
    coarse: Vec<f64>,
    fine: Vec<f64>,
}

/// Where a quantile lies, as shares of the way from the lower to the upper bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Located {
    /// The estimate.
    pub at: f64,
    /// The ends of the interval that holds the true quantile with 95 %.
    pub ends: (f64, f64),
}

impl Ladder {
    /// From exact counts of fine bins, each made noisy by the function.
    ///
    /// # Errors
    /// Those of the function.
    pub fn new<E>(exact: &[i64], mut noisy: impl FnMut(i64) -> Result<f64, E>) -> Result<Self, E> {
        let mut exact = exact.to_vec();
        exact.resize(BINS, 0);
        let coarse = exact.chunks(WIDE).map(|bins| noisy(bins.iter().sum())).collect::<Result<_, E>>()?;
        let fine = exact.iter().map(|bin| noisy(*bin)).collect::<Result<_, E>>()?;
        Ok(Self { coarse, fine })
    }

    /// The quantile of a share between 0 and 1, where `sigma` is the standard deviation of each noisy count; none
    /// when the counts do not add up to anybody.
    #[must_use]
    pub fn locate(&self, share: f64, sigma: f64) -> Option<Located> {
        let total: f64 = self.coarse.iter().sum();
        if total < 1.0 {
            return None;
        }
        let rank = share.clamp(0.0, 1.0) * total;
        // The rank is read off as many noisy counts as lie before it; the total adds its own noise.
        let before = self.walk(rank).1.max(1.0);
        let noise = self.noise(before, share) * sigma;
        let (at, _) = self.walk(rank);
        let reach = super::Z95 * noise;
        let low = self.walk((rank - reach).max(0.0)).0;
        let high = self.walk((rank + reach).min(total)).0;
        // A bin has a width, within which nothing is known.
        let bin = 1.0 / count(BINS);
        Some(Located { at, ends: ((low - bin).max(0.0), (high + bin).min(1.0)) })
    }

    fn noise(&self, before: f64, share: f64) -> f64 {
        (before + share * share * count(self.coarse.len())).sqrt()
    }

    /// Where a rank lies, and how many noisy counts were added up to find it.
    fn walk(&self, rank: f64) -> (f64, f64) {
        let (block, left, read) = step(&self.coarse, rank);
        let fine = self.fine.chunks(WIDE).nth(block).unwrap_or_default();
        // Both levels count the same persons: the coarse count is the better one, so the fine ones are scaled to it.
        let wanted = self.coarse.get(block).copied().unwrap_or(0.0).max(0.0);
        let have: f64 = fine.iter().map(|bin| bin.max(0.0)).sum();
        let scaled: Vec<f64> =
            fine.iter().map(|bin| if have > 0.0 { bin.max(0.0) * wanted / have } else { 0.0 }).collect();
        let (bin, rest, more) = step(&scaled, left);
        let inside = scaled.get(bin).copied().unwrap_or(0.0);
        let part = if inside > 0.0 { (rest / inside).clamp(0.0, 1.0) } else { 0.5 };
        ((count(block * WIDE + bin) + part) / count(BINS), read + more)
    }
}

/// The first place at which the counts so far reach the rank, what is left of it there, and the counts read.
fn step(counts: &[f64], rank: f64) -> (usize, f64, f64) {
    let mut left = rank;
    for (place, bin) in counts.iter().enumerate() {
        if left <= bin.max(0.0) || place + 1 == counts.len() {
            return (place, left.max(0.0), count(place + 1));
        }
        left -= bin;
    }
    (0, left.max(0.0), 1.0)
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
const fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_precision_loss, reason = "tests")]
    use super::*;
    use crate::noise::gaussian::tests::Seeded;
    use crate::noise::{Sampler, Scale, Sensitivity};
    use cogov_model::Rho;

    fn exact() -> Vec<i64> {
        // A triangle: the density falls evenly, so that the quantile of p is 1 − √(1 − p).
        (0..BINS).map(|bin| (BINS - bin) as i64).collect()
    }

    #[test]
    fn without_noise_quantiles_are_right_to_a_bin() {
        let ladder = Ladder::new(&exact(), |bin| Ok::<_, ()>(bin as f64)).unwrap();
        for share in [0.01, 0.25, 0.5, 0.75, 0.99] {
            let at = ladder.locate(share, 0.0).unwrap().at;
            assert!((at - (1.0 - (1.0 - share).sqrt())).abs() < 2.0 / BINS as f64, "{share}: {at}");
        }
        assert!(Ladder::new(&[], |bin| Ok::<_, ()>(bin as f64)).unwrap().locate(0.5, 0.0).is_none());
    }

    #[test]
    fn the_interval_holds_the_quantile_as_often_as_it_says() {
        let scale =
            Scale::concentrated(Sensitivity::of_rows(1, 1), Rho::within("0.05".parse().unwrap())).unwrap();
        let source = Seeded::new(3);
        let mut sampler = Sampler::new(&source);
        let (mut held, rounds) = (0, 400);
        for _ in 0..rounds {
            let noisy = |bin: i64| scale.noisy(i128::from(bin), &mut sampler);
            let found = Ladder::new(&exact(), noisy).unwrap().locate(0.5, scale.sigma()).unwrap();
            let truth = 1.0 - 0.5_f64.sqrt();
            held += i32::from(found.ends.0 <= truth && truth <= found.ends.1);
        }
        assert!(f64::from(held) >= 0.93 * f64::from(rounds), "{held} of {rounds}");
    }
}
