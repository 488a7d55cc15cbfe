//! Rulings that were made before. A ruling depends on nothing but the rulebook and the facts, so that
//! equal facts need not ask the rules again; every query of a grant asks with the same facts all day.

use crate::{Facts, Ruling};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Facts kept at most; about 1 KB each.
const LIMIT: usize = 4096;

/// Rulings by facts, for one rulebook.
#[derive(Debug, Default)]
pub(crate) struct Memo(Mutex<HashMap<Facts, Ruling>>);

impl Memo {
    /// The ruling on facts, made by `rule` when it is not known.
    pub fn get(&self, facts: Facts, rule: impl FnOnce(&Facts) -> Ruling) -> Ruling {
        // A panic elsewhere cannot leave half an entry: entries are inserted whole.
        if let Some(ruling) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&facts) {
            return ruling.clone();
        }
        let ruling = rule(&facts);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= LIMIT {
            known.clear();
        }
        known.insert(facts, ruling.clone());
        ruling
    }
}

impl Clone for Memo {
    /// A copy starts empty.
    fn clone(&self) -> Self {
        Self::default()
    }
}
