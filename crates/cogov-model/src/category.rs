//! Categories (类别): the tree of what data is about, with the floor grade of each. Read from a data file.

use crate::{CategoryCode, Grade, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its code.
    pub code: CategoryCode,
    /// Its name.
    pub name: Text,
    /// No column of this category grades lower.
    pub floor: Grade,
    /// Where the floor comes from, with date; says "unverified" when nobody read it in a source.
    pub source: String,
}

/// When the number of persons raises a grade (GB/T 43697-2024: scale is a factor of grading).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeRule {
    /// Applies to columns of at least this grade …
    pub from_grade: Grade,
    /// … in tables of at least so many persons …
    pub persons: u64,
    /// … which then have at least this grade.
    pub raise_to: Grade,
    /// Where the rule comes from, with date.
    pub source: String,
}

/// A category scheme: a data file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scheme {
    /// The categories.
    #[serde(rename = "category")]
    pub categories: Vec<Category>,
    /// The volume rules.
    #[serde(rename = "volume", default)]
    pub volume: Vec<VolumeRule>,
    /// Named thresholds, such as uniqueness shares in per mille.
    #[serde(default)]
    pub thresholds: BTreeMap<String, u64>,
}

/// Why a scheme cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemeError {
    /// Two categories share a code.
    #[error("category {0} stands twice in the scheme: keep one")]
    Duplicate(CategoryCode),
    /// A category's parent is missing.
    #[error("category {0} has no parent {1} in the scheme: add the parent")]
    Orphan(CategoryCode, String),
}

impl Scheme {
    /// Checks that codes are unique and every parent exists.
    ///
    /// # Errors
    /// The first duplicate or orphan.
    pub fn check(&self) -> Result<(), SchemeError> {
        let mut seen = BTreeMap::new();
        for category in &self.categories {
            if seen.insert(category.code.as_str(), ()).is_some() {
                return Err(SchemeError::Duplicate(category.code.clone()));
            }
        }
        for category in &self.categories {
            if let Some((parent, _)) = category.code.as_str().rsplit_once('.')
                && !seen.contains_key(parent)
            {
                return Err(SchemeError::Orphan(category.code.clone(), parent.to_owned()));
            }
        }
        Ok(())
    }

    /// The category of a code.
    #[must_use]
    pub fn get(&self, code: &CategoryCode) -> Option<&Category> {
        self.categories.iter().find(|category| category.code == *code)
    }

    /// The lowest grade a column of this category may have; general 1 for unknown codes.
    #[must_use]
    pub fn floor(&self, code: &CategoryCode) -> Grade {
        code.lineage()
            .filter_map(|c| self.categories.iter().find(|category| category.code.as_str() == c))
            .map(|category| category.floor)
            .max()
            .unwrap_or(Grade::General1)
    }
}
