//! How much noise: from the sensitivity of a vector of whole numbers and the privacy that it may cost.

use super::Z95;
use super::gaussian::{MOST_VARIANCE, Sampler};
use super::random::NoRandomness;
use cogov_model::{Epsilon, Rho};

/// How far one unit's rows can move a vector of whole numbers, one a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sensitivity {
    /// The sum of all moves.
    pub sum: u128,
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
        Self { sum: all, squared: all * all, groups: rows }
    }

    /// Of counts of units: one in each group that one of its rows lies in.
    #[must_use]
    pub const fn of_units(rows: u32) -> Self {
        Self { sum: rows as u128, squared: rows as u128, groups: rows }
    }
}

/// Noise for one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Discrete Laplace noise of scale `scale / 256`. Ghosh, Roughgarden and Sundararajan (2009): on every coordinate
    /// of a vector of whole numbers with sensitivity Δ in sum it is Δ/b-DP for b its scale.
    Laplace {
        /// In 256ths.
        scale: u64,
    },
    /// Discrete Gaussian noise, on a grid fine enough not to matter and coarse enough to be exact. Canonne, Kamath and
    /// Steinke (2020), Theorem 14: with Euclidean sensitivity Δ it is Δ²/(2σ²)-zCDP for σ² its variance.
    Gaussian {
        /// Width of the grid: sums are rounded to multiples of it before noise is added.
        step: i128,
        /// Variance on the grid, in 256ths.
        variance: u64,
    },
}

/// Standard deviations on the grid lie below 2²³ before rounding.
const FINE: f64 = 8_388_608.0;

impl Scale {
    /// The least Laplace noise that costs at most `epsilon`; none when no noise within the limits is enough.
    #[must_use]
    pub fn pure(sensitivity: Sensitivity, epsilon: Epsilon) -> Option<Self> {
        if epsilon.micros() == 0 {
            return None;
        }
        // b = ⌈256 Δ/ε⌉ / 256, with ε in millionths.
        let above = sensitivity.sum.checked_mul(256)?.checked_mul(1_000_000)?;
        let scale = u64::try_from(above.div_ceil(u128::from(epsilon.micros()))).ok()?.max(1);
        Some(Self::Laplace { scale })
    }

    /// The least Gaussian noise that costs at most `rho`; none when no noise within the limits is enough.
    #[must_use]
    pub fn concentrated(sensitivity: Sensitivity, rho: Rho) -> Option<Self> {
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
        (variance <= MOST_VARIANCE).then_some(Self::Gaussian { step, variance })
    }

    /// The standard deviation of the noise, or of the normal noise that exceeds its own margin at 95 % as seldom: the
    /// greater one.
    #[must_use]
    pub fn sigma(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a width for people")]
        match *self {
            // P(|noise| > b ln 20) is 5 %.
            Self::Laplace { scale } => scale as f64 / 256.0 * 20_f64.ln() / Z95,
            Self::Gaussian { step, variance } => (variance as f64 / 256.0).sqrt() * real(step),
        }
    }

    /// What the noise exceeds with a probability of at most `probability`.
    #[must_use]
    pub fn exceeded(&self, probability: f64) -> f64 {
        let seldom = (1.0 / probability).ln();
        #[expect(clippy::cast_precision_loss, reason = "rounded up by one")]
        let reach = match *self {
            Self::Laplace { scale } => scale as f64 / 256.0 * seldom,
            // Discrete Gaussian noise is sub-Gaussian with its variance.
            Self::Gaussian { .. } => self.sigma() * (2.0 * seldom).sqrt(),
        };
        reach + 1.0
    }

    /// A sum with noise.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn noisy(&self, sum: i128, sampler: &mut Sampler<'_>) -> Result<f64, NoRandomness> {
        match *self {
            Self::Laplace { scale } => Ok(real(sum.saturating_add(i128::from(sampler.laplace(scale, 256)?)))),
            Self::Gaussian { step, variance } => {
                let rounded = sum.saturating_add(step / 2).div_euclid(step);
                let noise = i128::from(sampler.gaussian(variance)?);
                Ok(real(rounded.saturating_add(noise).saturating_mul(step)))
            }
        }
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

    const SIZES: [(u32, u64); 5] = [(1, 1), (3, 1), (1, 1 << 30), (10, 1 << 30), (1000, 1 << 30)];

    #[test]
    fn noise_costs_no_more_than_it_may_and_hardly_less() {
        for text in ["0.001", "0.1", "1", "4"] {
            let epsilon: Epsilon = text.parse().unwrap();
            let rho = Rho::within(epsilon);
            for (rows, most) in SIZES {
                let sensitivity = Sensitivity::of_rows(rows, most);
                let scale = Scale::concentrated(sensitivity, rho).unwrap();
                let cost = sensitivity.squared as f64 / (2.0 * scale.sigma().powi(2));
                let budget = rho.units() as f64 / 1e12;
                assert!(cost <= budget * 1.000_000_1, "ε {text}, {rows} × {most}: {cost} of {budget}");
                assert!(cost > budget * 0.93, "ε {text}, {rows} × {most}: {cost} of {budget}");
                let Some(Scale::Laplace { scale }) = Scale::pure(sensitivity, epsilon) else { panic!() };
                let cost = sensitivity.sum as f64 * 256.0 / scale as f64 * 1e6;
                let budget = epsilon.micros() as f64;
                assert!(cost <= budget * 1.000_000_1 && cost > budget * 0.98, "ε {text}: {cost} of {budget}");
            }
        }
        assert!(Scale::concentrated(Sensitivity::of_rows(1, 1), Rho::default()).is_none());
        assert!(Scale::pure(Sensitivity::of_rows(1, 1), Epsilon::default()).is_none());
    }

    #[test]
    fn neighbouring_sums_are_told_apart_no_better_than_epsilon_allows() {
        // Two worlds that differ in one unit: the odds of every event differ by at most e^ε, but for δ.
        let (epsilon, one) = (1.0_f64, Sensitivity::of_rows(1, 1));
        let whole: Epsilon = "1".parse().unwrap();
        for scale in [Scale::concentrated(one, Rho::within(whole)).unwrap(), Scale::pure(one, whole).unwrap()]
        {
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
                let apart = a > epsilon.exp() * b + error || b > epsilon.exp() * a + error;
                assert!(!apart, "{scale:?} ≥ {cut}: {a} and {b}");
            }
        }
    }

    #[test]
    fn noise_exceeds_its_margin_as_seldom_as_it_says() {
        let (one, epsilon): (_, Epsilon) = (Sensitivity::of_rows(1, 1), "0.1".parse().unwrap());
        for scale in
            [Scale::pure(one, epsilon).unwrap(), Scale::concentrated(one, Rho::within(epsilon)).unwrap()]
        {
            let source = Seeded::new(9);
            let mut sampler = Sampler::new(&source);
            let draws: Vec<f64> = (0..50_000).map(|_| scale.noisy(0, &mut sampler).unwrap()).collect();
            let share = |beyond: &dyn Fn(f64) -> bool| {
                draws.iter().filter(|d| beyond(**d)).count() as f64 / draws.len() as f64
            };
            let margin = Z95 * scale.sigma();
            let outside = share(&|d| d.abs() > margin);
            assert!((0.045..0.055).contains(&outside), "{scale:?}: {outside}");
            assert!(share(&|d| d > scale.exceeded(0.01)) <= 0.012, "{scale:?}");
        }
    }
}
