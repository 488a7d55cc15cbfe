//! Labels (标签): what a column, or a result, is about and how much harm its misuse could do.

use crate::{CategoryCode, Grade};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Categories and grade together. Labels form a join-semilattice: union of categories, higher grade.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Label {
    /// What the data is about.
    pub categories: BTreeSet<CategoryCode>,
    /// The grade.
    pub grade: Grade,
}

impl Label {
    /// The label of a constant: about nothing, general 1. The least element.
    #[must_use]
    pub fn bottom() -> Self {
        Self { categories: BTreeSet::new(), grade: Grade::General1 }
    }

    /// A label of these categories and this grade.
    pub fn new(categories: impl IntoIterator<Item = CategoryCode>, grade: Grade) -> Self {
        Self { categories: categories.into_iter().collect(), grade }
    }

    /// The least label that is at least both.
    #[must_use]
    pub fn join(mut self, other: &Label) -> Self {
        self.categories.extend(other.categories.iter().cloned());
        self.grade = self.grade.max(other.grade);
        self
    }

    /// Whether `other` is at least this label in categories and grade.
    #[must_use]
    pub fn is_below(&self, other: &Label) -> bool {
        self.grade <= other.grade && self.categories.is_subset(&other.categories)
    }

    /// The join of many labels; bottom when there are none.
    pub fn join_all<'a>(labels: impl IntoIterator<Item = &'a Label>) -> Self {
        labels.into_iter().fold(Self::bottom(), Label::join)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn label(code: &str, grade: Grade) -> Label {
        Label::new([CategoryCode::new(code).unwrap()], grade)
    }

    #[test]
    fn join_is_a_least_upper_bound() {
        let (a, b) = (label("person", Grade::General3), label("region", Grade::General1));
        let both = a.clone().join(&b);
        assert!(a.is_below(&both) && b.is_below(&both));
        assert_eq!(both, b.clone().join(&a));
        assert_eq!(both.clone().join(&both), both);
        assert_eq!(Label::join_all([&a, &b]), both);
        assert!(Label::bottom().is_below(&a) && !a.is_below(&b));
    }
}
