//! Treatments (处理): what the engine does to a column for a grant.

use crate::Aggregation;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// How a value is blurred. Ordered by strictness: a later variant tells less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mask {
    /// The year of a date, as an integer.
    Year,
    /// The lower bound of the band of this width that a number falls in.
    Band(u32),
    /// The first characters of a text, the rest as one `…`. (`keep` counts characters.)
    Prefix(u8),
    /// HMAC-SHA-256 under a key of the grant, first 16 bytes in hex: equal values stay joinable within
    /// the grant and nowhere else.
    KeyedHash,
}

impl Mask {
    fn strictness(self) -> (u8, u64) {
        match self {
            Mask::Year => (0, 0),
            Mask::Band(width) => (1, u64::from(width)),
            Mask::Prefix(keep) => (2, u64::from(u8::MAX - keep)),
            Mask::KeyedHash => (3, 0),
        }
    }

    /// The stricter of two masks.
    #[must_use]
    pub fn stricter(self, other: Mask) -> Mask {
        if self.strictness() >= other.strictness() { self } else { other }
    }
}

impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mask::Year => f.write_str("year"),
            Mask::Band(width) => write!(f, "band:{width}"),
            Mask::Prefix(keep) => write!(f, "prefix:{keep}"),
            Mask::KeyedHash => f.write_str("keyed-hash"),
        }
    }
}

impl FromStr for Mask {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("no mask is called {text:?}: use year, band:<width>, prefix:<characters> or keyed-hash")
        };
        match text.split_once(':') {
            None if text == "year" => Ok(Mask::Year),
            None if text == "keyed-hash" => Ok(Mask::KeyedHash),
            Some(("band", width)) => match width.parse() {
                Ok(width) if width > 0 => Ok(Mask::Band(width)),
                _ => Err(wrong()),
            },
            Some(("prefix", keep)) => keep.parse().map(Mask::Prefix).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

impl TryFrom<String> for Mask {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Mask> for String {
    fn from(mask: Mask) -> String {
        mask.to_string()
    }
}

/// The least number of rows (persons) that a released group may have. At least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct MinGroup(u64);

impl MinGroup {
    /// A threshold of `k`.
    ///
    /// # Errors
    /// When `k` is 0, which would protect nothing.
    pub fn new(k: u64) -> Result<Self, String> {
        if k == 0 { Err("a minimum group must be at least 1".into()) } else { Ok(Self(k)) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for MinGroup {
    type Error = String;
    fn try_from(k: u64) -> Result<Self, String> {
        Self::new(k)
    }
}

impl From<MinGroup> for u64 {
    fn from(k: MinGroup) -> u64 {
        k.0
    }
}

/// An amount of privacy loss, ε of differential privacy, in millionths so that sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epsilon(u64);

impl Epsilon {
    /// ε from millionths.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// ε in millionths.
    #[must_use]
    pub const fn micros(self) -> u64 {
        self.0
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

impl FromStr for Epsilon {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no epsilon: use a number above 0 with at most six decimals");
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        if part.len() > 6 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong());
        }
        let whole: u64 = whole.parse().map_err(|_| wrong())?;
        let part: u64 = format!("{part:0<6}").parse().map_err(|_| wrong())?;
        match whole.checked_mul(1_000_000).and_then(|w| w.checked_add(part)) {
            Some(micros) if micros > 0 => Ok(Self(micros)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Epsilon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// What the engine does to a column. Ordered by strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// Shown as it is.
    Clear,
    /// Blurred.
    Mask(Mask),
    /// Only inside protected statistics, with what they oblige.
    Aggregate(Aggregation),
    /// Only under differential privacy; the budget per month.
    Noise {
        /// The threshold that also holds.
        min_group: MinGroup,
        /// ε that the grant may spend in a month.
        epsilon_per_month: Epsilon,
    },
    /// Not there.
    Withhold,
}

impl Treatment {
    fn rank(&self) -> u8 {
        match self {
            Treatment::Clear => 0,
            Treatment::Mask(_) => 1,
            Treatment::Aggregate(_) => 2,
            Treatment::Noise { .. } => 3,
            Treatment::Withhold => 4,
        }
    }

    /// The stricter of two treatments; of one kind, the stricter parameters of both.
    #[must_use]
    pub fn stricter(self, other: Treatment) -> Treatment {
        match (self, other) {
            (Treatment::Mask(a), Treatment::Mask(b)) => Treatment::Mask(a.stricter(b)),
            (Treatment::Aggregate(a), Treatment::Aggregate(b)) => Treatment::Aggregate(a.stricter(b)),
            (
                Treatment::Noise { min_group: a, epsilon_per_month: x },
                Treatment::Noise { min_group: b, epsilon_per_month: y },
            ) => Treatment::Noise { min_group: a.max(b), epsilon_per_month: x.min(y) },
            (Treatment::Noise { min_group, epsilon_per_month }, Treatment::Aggregate(k))
            | (Treatment::Aggregate(k), Treatment::Noise { min_group, epsilon_per_month }) => {
                Treatment::Noise { min_group: min_group.max(k.min_group), epsilon_per_month }
            }
            (a, b) => {
                if a.rank() >= b.rank() {
                    a
                } else {
                    b
                }
            }
        }
    }

    /// The word for the kind: `clear`, `mask`, `aggregate`, `noise` or `withhold`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Treatment::Clear => "clear",
            Treatment::Mask(_) => "mask",
            Treatment::Aggregate(_) => "aggregate",
            Treatment::Noise { .. } => "noise",
            Treatment::Withhold => "withhold",
        }
    }
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Treatment::Mask(mask) => write!(f, "mask {mask}"),
            Treatment::Aggregate(obliged) => obliged.fmt(f),
            Treatment::Noise { min_group, epsilon_per_month } => {
                write!(f, "noise, ε {epsilon_per_month} a month, groups of at least {}", min_group.get())
            }
            other => f.write_str(other.kind()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn masks_and_epsilons_parse_and_print() {
        for text in ["year", "band:5", "prefix:1", "keyed-hash"] {
            assert_eq!(text.parse::<Mask>().unwrap().to_string(), text);
        }
        for bad in ["band:0", "band", "prefix:999", "hash", "year:1"] {
            assert!(bad.parse::<Mask>().is_err(), "{bad}");
        }
        assert_eq!("0.5".parse::<Epsilon>().unwrap().micros(), 500_000);
        assert_eq!("4".parse::<Epsilon>().unwrap().to_string(), "4");
        assert!("0".parse::<Epsilon>().is_err() && "-1".parse::<Epsilon>().is_err());
    }

    #[test]
    fn the_stricter_treatment_is_commutative_associative_idempotent() {
        let k = |n| MinGroup::new(n).unwrap();
        let noise = |n, e: &str| Treatment::Noise { min_group: k(n), epsilon_per_month: e.parse().unwrap() };
        let obliged = |text| Treatment::Aggregate(serde_json::from_str(text).unwrap());
        let all = [
            Treatment::Clear,
            Treatment::Mask(Mask::Year),
            Treatment::Mask(Mask::Prefix(1)),
            Treatment::Mask(Mask::Prefix(3)),
            Treatment::Aggregate(k(5).into()),
            Treatment::Aggregate(k(10).into()),
            obliged(r#"{"min_group":5,"dominance":{"largest":1,"percent":70},"round":5}"#),
            obliged(r#"{"min_group":3,"dominance":{"largest":2,"percent":85},"p_percent":10}"#),
            obliged(r#"{"min_group":3,"p_percent":20,"round":3}"#),
            noise(10, "4"),
            noise(20, "1"),
            Treatment::Withhold,
        ];
        for a in all {
            assert_eq!(a.stricter(a), a);
            for b in all {
                assert_eq!(a.stricter(b), b.stricter(a));
                for c in all {
                    assert_eq!(a.stricter(b).stricter(c), a.stricter(b.stricter(c)));
                }
            }
        }
    }
}
