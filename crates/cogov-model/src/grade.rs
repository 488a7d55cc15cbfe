//! Grades (级别) of GB/T 43697-2024: how much harm misuse could do.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A grade. Ordered: a later variant is more harmful, and the higher grade wins.
///
/// General data is split into four levels as annex H of GB/T 43697-2024 does; important and core
/// data are graded by harm to the economy, society and national security.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Grade {
    /// General 1: no harm to persons or organisations.
    General1,
    /// General 2: general harm.
    General2,
    /// General 3: serious harm.
    General3,
    /// General 4: especially serious harm.
    General4,
    /// Important data (重要数据).
    Important,
    /// Core data (核心数据).
    Core,
}

/// A text that names no grade.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no grade is called {0:?}: use general-1 to general-4, important or core")]
pub struct ParseGradeError(String);

impl Grade {
    /// Every grade, lowest first.
    pub const ALL: [Grade; 6] =
        [Grade::General1, Grade::General2, Grade::General3, Grade::General4, Grade::Important, Grade::Core];

    /// 1 for general 1 up to 6 for core: the number that rules compare.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Grade::General1 => 1,
            Grade::General2 => 2,
            Grade::General3 => 3,
            Grade::General4 => 4,
            Grade::Important => 5,
            Grade::Core => 6,
        }
    }

    /// The code used in files, headers and URLs, such as `general-3`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Grade::General1 => "general-1",
            Grade::General2 => "general-2",
            Grade::General3 => "general-3",
            Grade::General4 => "general-4",
            Grade::Important => "important",
            Grade::Core => "core",
        }
    }

    /// The name in Chinese, as the standard writes it.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Grade::General1 => "一般1级",
            Grade::General2 => "一般2级",
            Grade::General3 => "一般3级",
            Grade::General4 => "一般4级",
            Grade::Important => "重要数据",
            Grade::Core => "核心数据",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Grade {
    type Err = ParseGradeError;
    fn from_str(text: &str) -> Result<Self, ParseGradeError> {
        Self::ALL
            .into_iter()
            .find(|grade| grade.code() == text)
            .ok_or_else(|| ParseGradeError(text.chars().take(40).collect()))
    }
}

impl TryFrom<String> for Grade {
    type Error = ParseGradeError;
    fn try_from(text: String) -> Result<Self, ParseGradeError> {
        text.parse()
    }
}

impl From<Grade> for String {
    fn from(grade: Grade) -> String {
        grade.code().to_owned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn order_follows_harm_and_codes_round_trip() {
        assert!(Grade::ALL.windows(2).all(|w| w[0] < w[1] && w[0].rank() < w[1].rank()));
        for grade in Grade::ALL {
            assert_eq!(grade.code().parse::<Grade>().unwrap(), grade);
        }
        assert!("general-5".parse::<Grade>().is_err());
    }
}
