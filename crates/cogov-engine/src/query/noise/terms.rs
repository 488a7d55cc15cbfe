//! On what terms a grant's queries are answered under noise: what is declared of the tables, and how much of the
//! budget a question may take.

use cogov_model::{DatasetId, Epsilon, TableName, TablePrivacy};
use std::collections::BTreeMap;

/// The share of a month's ε that a question takes when it does not say: one in twenty.
const USUAL_SHARE: u64 = 20;

/// Terms of noise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NoiseTerms {
    /// What is declared, by dataset and table.
    pub declared: BTreeMap<(DatasetId, TableName), TablePrivacy>,
    /// The ε that the asker offers; the usual one when absent.
    pub epsilon: Option<Epsilon>,
    /// Leaves out the columns with margins of error.
    pub without_margins: bool,
}

impl NoiseTerms {
    /// The ε of a question, when so much may be spent in a month.
    pub(in crate::query) fn epsilon(&self, month: Epsilon) -> Epsilon {
        let usual = Epsilon::from_micros((month.micros() / USUAL_SHARE).max(1));
        self.epsilon.unwrap_or(usual)
    }
}
