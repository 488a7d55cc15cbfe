//! Declarations for differential privacy (差分隐私): what a provider must say of a dataset before its protected
//! columns may be answered from under noise. Declared by its steward from knowledge of the matter, never guessed
//! from the data: a bound that was read off the data would itself tell of a person.

use crate::{ColumnName, ColumnRef, Epsilon, TableName};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// The most rows that a declaration may let one unit bring: beyond it noise would drown every answer.
pub const MOST_ROWS_PER_UNIT: u32 = 1000;

/// The most values of a declared list of keys.
pub const MOST_KEYS: usize = 10_000;

/// A bound of a column's values, in millionths so that it is exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "String")]
pub struct Bound(i64);

/// How a bound stands in files: a whole number or a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Whole(i64),
    Text(String),
}

impl Bound {
    /// From millionths.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// In millionths.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }
}

impl TryFrom<Written> for Bound {
    type Error = String;
    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Whole(whole) => whole.to_string().parse(),
            Written::Text(text) => text.parse(),
        }
    }
}

impl From<Bound> for String {
    fn from(bound: Bound) -> String {
        bound.to_string()
    }
}

impl FromStr for Bound {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no bound: use a number with at most six decimals");
        let (negative, digits) = match text.trim().strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.trim()),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || part.len() > 6 || !plain(whole) || !plain(part) {
            return Err(wrong());
        }
        let whole: i64 = whole.parse().map_err(|_| wrong())?;
        let part: i64 = format!("{part:0<6}").parse().map_err(|_| wrong())?;
        let micros = whole.checked_mul(1_000_000).and_then(|w| w.checked_add(part)).ok_or_else(wrong)?;
        Ok(Self(if negative { -micros } else { micros }))
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let text = format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Between which values a column counts: what lies outside is moved to the nearer bound before it is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The lower bound.
    pub lower: Bound,
    /// The upper bound.
    pub upper: Bound,
    /// Whether every row has a value. A row without one then counts as the middle of both bounds, and counts of
    /// rows serve as counts of values, which saves budget.
    #[serde(default)]
    pub complete: bool,
}

/// Which values of a column are public as keys of groups: every one of them is shown, also where nobody is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PublicKeys {
    /// These, written as texts.
    Values(Vec<String>),
    /// Those of a column of a public table.
    Column(ColumnRef),
}

/// What is declared of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablePrivacy {
    /// The most rows that one unit (the table's `unit` column) brings to an answer; more of its rows are left out.
    pub rows_per_unit: u32,
    /// Bounds of numeric columns.
    #[serde(default)]
    pub bounds: BTreeMap<ColumnName, Bounds>,
    /// Columns whose values are public as keys of groups.
    #[serde(default)]
    pub keys: BTreeMap<ColumnName, PublicKeys>,
}

/// What is declared of a dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetPrivacy {
    /// What all grants together may spend of the dataset's privacy in a month; none: nothing is answered under noise.
    #[serde(default)]
    pub epsilon_per_month: Option<Epsilon>,
    /// Per table.
    #[serde(default)]
    pub tables: BTreeMap<TableName, TablePrivacy>,
}

impl DatasetPrivacy {
    /// Whether nothing is declared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.epsilon_per_month.is_none() && self.tables.is_empty()
    }
}

impl TablePrivacy {
    /// What is wrong with it, if anything.
    ///
    /// # Errors
    /// Words that say what to write instead.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=MOST_ROWS_PER_UNIT).contains(&self.rows_per_unit) {
            return Err(format!("one unit may bring 1 to {MOST_ROWS_PER_UNIT} rows"));
        }
        for (column, bounds) in &self.bounds {
            if bounds.lower >= bounds.upper {
                return Err(format!("{column}: the lower bound must lie below the upper one"));
            }
        }
        for (column, keys) in &self.keys {
            if let PublicKeys::Values(values) = keys
                && !(1..=MOST_KEYS).contains(&values.len())
            {
                return Err(format!("{column}: list 1 to {MOST_KEYS} values"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn bounds_parse_and_print_exactly() {
        for text in ["0", "-50000", "0.5", "-0.000001", "500000"] {
            assert_eq!(text.parse::<Bound>().unwrap().to_string(), text);
        }
        for bad in ["", "-", "1e5", "0.0000001", "9999999999999999", "five", "--1"] {
            assert!(bad.parse::<Bound>().is_err(), "{bad}");
        }
        let read: Bounds = serde_json::from_str(r#"{"lower": 0, "upper": "2.5"}"#).unwrap();
        assert_eq!((read.lower.micros(), read.upper.micros(), read.complete), (0, 2_500_000, false));
        let again: Bounds = serde_json::from_str(&serde_json::to_string(&read).unwrap()).unwrap();
        assert_eq!(again, read);
    }

    #[test]
    fn a_declaration_that_protects_nothing_is_refused() {
        let table = |rows, lower: &str, upper: &str| TablePrivacy {
            rows_per_unit: rows,
            bounds: BTreeMap::from([(
                ColumnName::new("wages").unwrap(),
                Bounds { lower: lower.parse().unwrap(), upper: upper.parse().unwrap(), complete: true },
            )]),
            keys: BTreeMap::new(),
        };
        assert!(table(1, "0", "10").check().is_ok());
        assert!(table(0, "0", "10").check().is_err());
        assert!(table(1, "10", "10").check().is_err());
    }
}
