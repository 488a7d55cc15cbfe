//! Obligations of protected statistics (统计保护): how large groups must be, how little one contributor may dominate,
//! and to what counts are rounded.

use crate::MinGroup;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A share in whole per cent, 1 to 99.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Percent(u8);

impl Percent {
    /// A share.
    ///
    /// # Errors
    /// When it is 0 or above 99, which would protect nothing or forbid everything.
    pub fn new(percent: u8) -> Result<Self, String> {
        if (1..100).contains(&percent) {
            Ok(Self(percent))
        } else {
            Err(format!("{percent} is no share: use 1 to 99 per cent"))
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Percent {
    type Error = String;
    fn try_from(percent: u8) -> Result<Self, String> {
        Self::new(percent)
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> u8 {
        percent.0
    }
}

/// The (n, k) rule of disclosure control: a sum is not shown when its `largest` greatest contributors make up
/// `percent` of it or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dominance {
    /// How many contributors are looked at together; at least 1.
    pub largest: u8,
    /// Their share that is too much.
    pub percent: Percent,
}

impl Dominance {
    /// A rule that is at least as strict as both.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        Self { largest: self.largest.max(other.largest), percent: self.percent.min(other.percent) }
    }
}

/// What a column that leaves only inside statistics obliges. As data a plain number when only the group counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Aggregation {
    /// The least group.
    pub min_group: MinGroup,
    /// The (n, k) rule for sums.
    pub dominance: Option<Dominance>,
    /// The p % rule for sums: what is left beside the two greatest contributors must be at least this share of
    /// the greatest, or the second could estimate the first too closely.
    pub p_percent: Option<Percent>,
    /// Counts are rounded to the nearest multiple of this base.
    pub round: Option<u32>,
}

impl Aggregation {
    /// A minimum group and nothing else.
    #[must_use]
    pub const fn over(min_group: MinGroup) -> Self {
        Self { min_group, dominance: None, p_percent: None, round: None }
    }

    /// The number of the least group.
    #[must_use]
    pub const fn get(&self) -> u64 {
        self.min_group.get()
    }

    /// Obligations that are at least as strict as both: a join.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let dominance = match (self.dominance, other.dominance) {
            (Some(a), Some(b)) => Some(a.stricter(b)),
            (a, b) => a.or(b),
        };
        Self {
            min_group: self.min_group.max(other.min_group),
            dominance,
            p_percent: self.p_percent.max(other.p_percent),
            round: self.round.max(other.round),
        }
    }
}

impl From<MinGroup> for Aggregation {
    fn from(min_group: MinGroup) -> Self {
        Self::over(min_group)
    }
}

impl fmt::Display for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "aggregate over at least {}", self.get())?;
        if let Some(Dominance { largest, percent }) = self.dominance {
            write!(f, ", the {largest} greatest below {} %", percent.get())?;
        }
        if let Some(percent) = self.p_percent {
            write!(f, ", the rest at least {} % of the greatest", percent.get())?;
        }
        if let Some(base) = self.round {
            write!(f, ", counts rounded to {base}")?;
        }
        Ok(())
    }
}

/// The two ways in which obligations are written as data.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(MinGroup),
    Whole {
        min_group: MinGroup,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dominance: Option<Dominance>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        p_percent: Option<Percent>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        round: Option<u32>,
    },
}

impl TryFrom<Written> for Aggregation {
    type Error = String;
    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Number(min_group) => Ok(Self::over(min_group)),
            Written::Whole { round: Some(0), .. } => Err("counts cannot be rounded to 0".into()),
            Written::Whole { dominance: Some(Dominance { largest: 0, .. }), .. } => {
                Err("the dominance rule must look at one contributor or more".into())
            }
            Written::Whole { min_group, dominance, p_percent, round } => {
                Ok(Self { min_group, dominance, p_percent, round })
            }
        }
    }
}

impl From<Aggregation> for Written {
    fn from(all: Aggregation) -> Self {
        let Aggregation { min_group, dominance, p_percent, round } = all;
        if all == Aggregation::over(min_group) {
            Written::Number(min_group)
        } else {
            Written::Whole { min_group, dominance, p_percent, round }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn records_of_before_read_on() {
        let ten: Aggregation = serde_json::from_str("10").unwrap();
        assert_eq!(ten, MinGroup::new(10).unwrap().into());
        assert_eq!(serde_json::to_string(&ten).unwrap(), "10");
        let text = r#"{"min_group":10,"dominance":{"largest":2,"percent":85},"round":5}"#;
        let all: Aggregation = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&all).unwrap(), text);
        assert_eq!(
            all.to_string(),
            "aggregate over at least 10, the 2 greatest below 85 %, counts rounded to 5"
        );
        for bad in
            [r#"{"min_group":0}"#, r#"{"min_group":1,"round":0}"#, r#"{"min_group":1,"p_percent":100}"#]
        {
            assert!(serde_json::from_str::<Aggregation>(bad).is_err(), "{bad}");
        }
    }
}
