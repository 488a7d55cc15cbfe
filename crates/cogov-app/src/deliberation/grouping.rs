//! Groups of opinion and how sure they are.

use super::{Confidence, Position, Represents, StatementOpinion};
use cogov_model::Contribution;
use cogov_store::Stance;

/// Who belongs together.
pub(crate) struct Grouping {
    /// How many groups; 0 when none are stable.
    pub(crate) groups: usize,
    /// Where everybody stands, by participant.
    pub(crate) positions: Vec<Position>,
    /// How sure it is.
    pub(crate) confidence: Confidence,
}

impl Grouping {
    pub(crate) fn group_of(&self, participant: u64) -> Option<usize> {
        let place = self.positions.binary_search_by_key(&participant, |position| position.participant).ok()?;
        self.positions.get(place)?.group
    }

    pub(crate) fn extremity(&self, _statement: u64) -> f64 {
        0.0
    }
}

pub(crate) fn of(_statements: &[Contribution], _stances: &[Stance]) -> Grouping {
    Grouping { groups: 0, positions: Vec::new(), confidence: Confidence { stable: false, agreement: None } }
}

pub(crate) fn representative(_group: usize, _opinions: &[StatementOpinion]) -> Vec<Represents> {
    Vec::new()
}
