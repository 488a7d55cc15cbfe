//! How a figure was asked for, as far as it matters for what it tells beside its value.

use crate::digest::Digest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A column or an expression that is set to one value, by WHERE or as a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Whether the column is a protected one of general 3 or above.
    pub sensitive: bool,
    /// Whether it is an expression and no plain column.
    pub computed: bool,
}

/// The conditions under which a figure was asked: digests of texts that name columns.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Story {
    /// Conditions of WHERE, and the grant's own row scope.
    pub conditions: BTreeSet<Digest>,
    /// By the digest of its name.
    pub keys: BTreeMap<Digest, Key>,
}

impl Story {
    /// Whether the same people under these two stories tell nothing new: with other conditions, or with a
    /// sensitive column in one of them only, it would tell what all of them, or none, have in common.
    pub(crate) fn tells_no_more(&self, other: &Self) -> bool {
        let sensitive = |story: &Self| -> BTreeSet<Digest> {
            story.keys.iter().filter(|(_, key)| key.sensitive).map(|(name, _)| *name).collect()
        };
        self.conditions == other.conditions && sensitive(self) == sensitive(other)
    }

    /// Whether figures of these stories may add up to one another: they are cells and totals of tables under
    /// one condition, over columns and at most one expression.
    pub(crate) fn one_table<'a>(mut all: impl Iterator<Item = &'a Self>) -> bool {
        let Some(first) = all.next() else { return true };
        let computed = |story: &Self| -> Vec<Digest> {
            story.keys.iter().filter(|(_, key)| key.computed).map(|(name, _)| *name).collect()
        };
        let mut expressions: BTreeSet<Digest> = computed(first).into_iter().collect();
        for story in all {
            if story.conditions != first.conditions {
                return false;
            }
            expressions.extend(computed(story));
        }
        expressions.len() <= 1
    }
}
