//! How much noise: from the sensitivity of a vector of whole numbers and the ρ that it may cost.

use super::gaussian::{MOST_VARIANCE, Sampler};
use super::random::NoRandomness;
use cogov_model::Rho;

/// How far one unit's rows can move a vector of whole numbers, one a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sensitivity {
    /// The square of the Euclidean distance.
    pub squared: u128,
    /// In how many groups at most.
    pub groups: u32,
}

impl Sensitivity {
    /// Of sums to which a unit brings so many rows, each of a value of at most `most` in size: all may lie in one group.
    #[must_use]
    pub const fn of_rows(rows: u32, most: u64) -> Self {
        let all = rows as u128 * most as u128;
        Self { squared: all * all, groups: rows }
    }

    /// Of counts of units: one in each group that one of its rows lies in.
    #[must_use]
    pub const fn of_units(rows: u32) -> Self {
        Self { squared: rows as u128, groups: rows }
    }
}

/// Noise for one vector: discrete Gaussian, on a grid fine enough not to matter and coarse enough to be exact.
///
/// Canonne, Kamath and Steinke (2020), Theorem 14: discrete Gaussian noise of variance σ² on every coordinate of a
/// vector of whole numbers with Euclidean sensitivity Δ is Δ²/(2σ²)-zCDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    /// Width of the grid: sums are rounded to multiples of it before noise is added.
    step: i128,
    /// Variance on the grid, in 256ths.
    variance: u64,
}

/// Standard deviations on the grid lie below 2²³ before rounding.
const FINE: f64 = 8_388_608.0;

impl Scale {
    /// The least noise that costs at most `rho`; none when no noise within the limits is enough.
    #[must_use]
    pub fn new(sensitivity: Sensitivity, rho: Rho) -> Option<Self> {
        if rho.units() == 0 {
            return None;
        }
        let mut step = 1_i128;
        while wanted(sensitivity, rho) / real(step) > FINE {
            step = step.checked_mul(2)?;
        }
        let squared = if step == 1 { sensitivity.squared } else { on_grid(sensitivity, step)? };
        // s = ⌈256 Δ² / (2ρ)⌉, with ρ in units of 10⁻¹².
        let above = squared.checked_mul(128)?.checked_mul(u128::from(Rho::ONE))?;
        let variance = u64::try_from(above.div_ceil(u128::from(rho.units()))).ok()?.max(1);
        (variance <= MOST_VARIANCE).then_some(Self { step, variance })
    }

    /// The standard deviation of the noise.
    #[must_use]
    pub fn sigma(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a standard deviation for people")]
        let variance = self.variance as f64 / 256.0;
        variance.sqrt() * real(self.step)
    }

    /// A sum with noise.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn noisy(&self, sum: i128, sampler: &mut Sampler<'_>) -> Result<f64, NoRandomness> {
        let rounded = sum.saturating_add(self.step / 2).div_euclid(self.step);
        let noise = i128::from(sampler.gaussian(self.variance)?);
        Ok(real(rounded.saturating_add(noise).saturating_mul(self.step)))
    }
}

/// The standard deviation wanted, about.
fn wanted(sensitivity: Sensitivity, rho: Rho) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "chooses the width of the grid only")]
    let (squared, rho) = (sensitivity.squared as f64, rho.units() as f64 / Rho::ONE as f64);
    (squared / (2.0 * rho)).sqrt()
}

/// The sensitivity after rounding to the grid: each group that moves may move by one step more.
fn on_grid(sensitivity: Sensitivity, step: i128) -> Option<u128> {
    let step = u128::try_from(step).ok()?;
    let moved = (sensitivity.squared.isqrt() + 1).div_ceil(step);
    let rounding = u128::from(sensitivity.groups).isqrt() + 1;
    let all = moved.checked_add(rounding)?;
    all.checked_mul(all)
}

#[expect(clippy::cast_precision_loss, reason = "a released number is a floating one")]
const fn real(number: i128) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "tests")]
    use super::*;
    use crate::noise::gaussian::tests::Seeded;

    #[test]
    fn noise_costs_no_more_than_it_may_and_hardly_less() {
        for epsilon in ["0.001", "0.1", "1", "4"] {
            let rho = Rho::within(epsilon.parse().unwrap());
            for (rows, most) in [(1, 1), (3, 1), (1, 1 << 30), (10, 1 << 30), (1000, 1 << 30)] {
                let sensitivity = Sensitivity::of_rows(rows, most);
                let scale = Scale::new(sensitivity, rho).unwrap();
                let cost = sensitivity.squared as f64 / (2.0 * scale.sigma().powi(2));
                let budget = rho.units() as f64 / 1e12;
                assert!(cost <= budget * 1.000_000_1, "ε {epsilon}, {rows} × {most}: {cost} of {budget}");
                assert!(cost > budget * 0.93, "ε {epsilon}, {rows} × {most}: {cost} of {budget}");
            }
        }
        assert!(Scale::new(Sensitivity::of_rows(1, 1), Rho::default()).is_none());
    }

    #[test]
    fn neighbouring_sums_are_told_apart_no_better_than_epsilon_allows() {
        // Two worlds that differ in one unit: the odds of every event differ by at most e^ε, but for δ.
        let epsilon = 1.0_f64;
        let scale = Scale::new(Sensitivity::of_rows(1, 1), Rho::within("1".parse().unwrap())).unwrap();
        let source = Seeded::new(77);
        let mut sampler = Sampler::new(&source);
        let n = 200_000;
        let mut draw = |sum: i128| {
            let mut all: Vec<f64> = (0..n).map(|_| scale.noisy(sum, &mut sampler).unwrap()).collect();
            all.sort_by(f64::total_cmp);
            all
        };
        let (with, without) = (draw(1), draw(0));
        for cut in -15..=15 {
            let share = |all: &[f64]| all.partition_point(|x| *x < f64::from(cut)) as f64 / f64::from(n);
            let (a, b) = (1.0 - share(&with), 1.0 - share(&without));
            // Five standard errors of either side.
            let error = 5.0 * (a.max(b) / f64::from(n)).sqrt() * (1.0 + epsilon.exp());
            assert!(a <= epsilon.exp() * b + error && b <= epsilon.exp() * a + error, "≥ {cut}: {a} and {b}");
        }
    }
}
