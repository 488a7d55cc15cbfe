//! Two versions of a rulebook, clause by clause.

use crate::{Clause, Rulebook};
use cogov_model::ClauseId;

/// How a clause differs between two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Only the newer version has it.
    Added,
    /// Only the older version has it.
    Removed,
    /// Both have it.
    Changed {
        /// Its title or words differ, in either language.
        words: bool,
        /// Its rules or settings differ.
        rule: bool,
    },
}

/// A clause that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClauseChange {
    /// The clause.
    pub anchor: ClauseId,
    /// How it differs.
    pub change: Change,
}

impl Rulebook {
    /// What changed from this version to a newer one: first the newer one's clauses in its order, then
    /// the removed ones in ours. Clauses that did not change are not listed.
    #[must_use]
    pub fn compare(&self, newer: &Rulebook) -> Vec<ClauseChange> {
        let change = |new: &Clause| match self.clause(&new.anchor) {
            None => Some(Change::Added),
            Some(old) => differs(old, new),
        };
        let kept = newer.clauses().iter().filter_map(|c| Some((&c.anchor, change(c)?)));
        let gone = self.clauses().iter().filter(|old| newer.clause(&old.anchor).is_none());
        kept.chain(gone.map(|old| (&old.anchor, Change::Removed)))
            .map(|(anchor, change)| ClauseChange { anchor: anchor.clone(), change })
            .collect()
    }
}

fn differs(old: &Clause, new: &Clause) -> Option<Change> {
    let words = (&old.title, &old.markdown) != (&new.title, &new.markdown);
    let rule = (&old.rules, &old.settings) != (&new.rules, &new.settings);
    (words || rule).then_some(Change::Changed { words, rule })
}
