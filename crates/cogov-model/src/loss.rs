//! Amounts of privacy loss as exact integers: ρ of zero-concentrated differential privacy, and δ.
//!
//! ρ of several answers add up exactly, which ε of the mechanisms that it is for do not; people speak of ε. Bun and Steinke,
//! "Concentrated Differential Privacy" (2016), Proposition 1.3: ρ-zCDP implies (ρ + 2 √(ρ ln(1/δ)), δ)-DP.

use crate::{Epsilon, Timestamp};
use chrono::Datelike;
use serde::{Deserialize, Serialize};
use std::fmt;

/// δ of every conversion between ρ and ε: one in two thousand million, far below one person of any population that
/// a grant holds. It is the probability with which the promise of ε may fail.
pub const CONVERSION_DELTA: f64 = 5e-10;

/// ρ in units of 10⁻¹².
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rho(u64);

impl Rho {
    /// Units of one.
    pub const ONE: u64 = 1_000_000_000_000;

    /// From units of 10⁻¹².
    #[must_use]
    pub const fn from_units(units: u64) -> Self {
        Self(units)
    }

    /// In units of 10⁻¹².
    #[must_use]
    pub const fn units(self) -> u64 {
        self.0
    }

    /// The greatest ρ that implies (ε, [`CONVERSION_DELTA`])-DP.
    #[must_use]
    pub fn within(epsilon: Epsilon) -> Self {
        let (target, log) = (real(epsilon.micros()) / 1e6, (1.0 / CONVERSION_DELTA).ln());
        let root = (log + target).sqrt() - log.sqrt();
        let mut rho = Self(units(root * root * real(Self::ONE)));
        // Rounding of floating numbers is made good on the safe side.
        while rho.0 > 0 && rho.epsilon() > epsilon {
            rho.0 -= 1;
        }
        rho
    }

    /// The ε, rounded up to a millionth, of the (ε, [`CONVERSION_DELTA`])-DP that it implies.
    #[must_use]
    pub fn epsilon(self) -> Epsilon {
        if self.0 == 0 {
            return Epsilon::default();
        }
        let (rho, log) = (real(self.0) / real(Self::ONE), (1.0 / CONVERSION_DELTA).ln());
        Epsilon::from_micros(units((rho + 2.0 * (rho * log).sqrt()) * 1e6 - 1e-7).saturating_add(1))
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of it after another; nothing when that is more.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// δ in units of 10⁻¹⁵: the probability that a key which only one unit has is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Delta(u64);

impl Delta {
    /// What one answer with keys that are not public takes: 10⁻¹².
    pub const PER_ANSWER: Self = Self(1_000);
    /// What keys may take of a grant or dataset in a month: 5·10⁻¹⁰, which with [`CONVERSION_DELTA`] makes 10⁻⁹.
    pub const PER_MONTH: Self = Self(500_000);

    /// From units of 10⁻¹⁵.
    #[must_use]
    pub const fn from_units(units: u64) -> Self {
        Self(units)
    }

    /// In units of 10⁻¹⁵.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.0
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// What an answer costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Loss {
    /// ε of mechanisms that keep it without any δ: they add up as they are.
    #[serde(default)]
    pub pure: Epsilon,
    /// ρ of the others.
    pub rho: Rho,
    /// δ of keys that are not public.
    pub delta: Delta,
}

impl Loss {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            pure: self.pure.plus(other.pure),
            rho: self.rho.plus(other.rho),
            delta: self.delta.plus(other.delta),
        }
    }

    /// The ε that it implies altogether, up to [`CONVERSION_DELTA`] and its own δ.
    #[must_use]
    pub fn epsilon(self) -> Epsilon {
        self.pure.plus(self.rho.epsilon())
    }

    /// Whether it lies within what may be spent in a month.
    #[must_use]
    pub fn is_within(self, limit: Epsilon) -> bool {
        self.epsilon() <= limit && self.delta <= Delta::PER_MONTH
    }
}

/// A calendar month in UTC, in which a budget holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(i32);

impl Month {
    /// The month of a moment.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let day = at.date();
        Self(day.year().saturating_mul(12).saturating_add(i32::try_from(day.month0()).unwrap_or(0)))
    }

    /// Its place in the row of months, for records.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0 as i64
    }

    /// From its place in the row of months.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        i32::try_from(number).ok().map(Self)
    }

    /// The month after it, when budgets are whole again.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

#[expect(clippy::cast_precision_loss, reason = "rounding is made good on the safe side by the callers")]
const fn real(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and a negative number is nothing"
)]
const fn units(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn rho_never_promises_more_than_its_epsilon() {
        for text in ["0.001", "0.01", "0.1", "0.5", "1", "4", "20"] {
            let epsilon: Epsilon = text.parse().unwrap();
            let rho = Rho::within(epsilon);
            assert!(rho.units() > 0 && rho.epsilon() <= epsilon, "{text}");
            let more = Rho::from_units(rho.units() + rho.units() / 1000 + 100);
            assert!(more.epsilon() > epsilon, "{text}: not the greatest");
        }
    }

    #[test]
    fn many_small_answers_compose_better_than_their_epsilons_add_up() {
        let (small, month): (Epsilon, Epsilon) = ("0.1".parse().unwrap(), "4".parse().unwrap());
        let count = Rho::within(month).units() / Rho::within(small).units();
        assert!(count > 1000, "{count} answers of ε 0.1 in a month of ε 4");
    }

    #[test]
    fn months_follow_the_calendar() {
        let at = |day: &str| Timestamp::from_date(day.parse().unwrap());
        assert_eq!(Month::of(at("2026-12-31")).to_string(), "2026-12");
        assert_eq!(Month::of(at("2026-12-31")).next(), Month::of(at("2027-01-01")));
        assert_eq!(Month::from_number(Month::of(at("2026-11-24")).number()).unwrap().to_string(), "2026-11");
    }
}
