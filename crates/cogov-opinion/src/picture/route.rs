//! Which statement is shown next.

use super::{Picture, StatementView};
use crate::tally::Counts;
use crate::votes::StatementId;

/// Weight of a statement about participants themselves, as in Polis.
const META: f64 = 49.0;

/// The weight with which a statement is shown: Polis' formula, with what one vote tells of a participant's place in
/// the stead of extremity: `[(1 − p)·(1 + E)·a·(1 + 8·2^(−S/5))]²`.
#[must_use]
pub fn priority(total: &Counts, information: f64, meta: bool) -> f64 {
    if meta {
        return META;
    }
    let seen = f64::from(total.seen());
    let passes = (f64::from(total.pass) + 1.0) / (seen + 2.0);
    let agrees = total.agreement().mean;
    let fresh = 1.0 + 8.0 * (-seen / 5.0).exp2();
    ((1.0 - passes) * (1.0 + information) * agrees * fresh).powi(2)
}

/// Draws statements for one participant after another, by the priorities of one picture.
#[derive(Debug, Clone)]
pub struct Routing {
    weights: Vec<(StatementId, f64)>,
}

impl Routing {
    /// The routing of a picture.
    #[must_use]
    pub fn of(picture: &Picture) -> Self {
        let shown = |view: &&StatementView| view.priority > 0.0;
        Self { weights: picture.statements.iter().filter(shown).map(|v| (v.id, v.priority)).collect() }
    }

    /// The next statement for somebody who has `seen` some; `draw` is a random number from 0 to below 1. `None` when all are seen.
    #[must_use]
    pub fn next(&self, seen: impl Fn(StatementId) -> bool, draw: f64) -> Option<StatementId> {
        let open: Vec<&(StatementId, f64)> = self.weights.iter().filter(|(id, _)| !seen(*id)).collect();
        let mut left = draw.clamp(0.0, 1.0) * open.iter().map(|(_, weight)| weight).sum::<f64>();
        for (id, weight) in &open {
            left -= weight;
            if left < 0.0 {
                return Some(*id);
            }
        }
        open.last().map(|(id, _)| *id)
    }
}
