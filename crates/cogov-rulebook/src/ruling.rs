//! Rulings: what the rulebook says about one kind of column, as a pure function of facts.

use crate::cedar::Said;
use crate::{Facts, Rulebook, reason, rules::Rule};
use cogov_model::{Clauses, Text, Treatment};

/// What happens to a column, by which clauses, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// What the engine must do.
    pub treatment: Treatment,
    /// The clauses that say so; never empty.
    pub clauses: Clauses,
    /// The same in words that name clauses and never a value.
    pub reason: Text,
}

impl Ruling {
    /// Whether the column is not there.
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        self.treatment == Treatment::Withhold
    }

    /// This ruling with a condition that the grant's approver set; the stricter holds.
    #[must_use]
    pub(crate) fn under(mut self, condition: Treatment) -> Self {
        let both = self.treatment.stricter(condition);
        if both != self.treatment {
            self.treatment = both;
            self.reason = reason::with_condition(&self.reason, both);
        }
        self
    }
}

impl Rulebook {
    /// What this rulebook says about facts. A forbid beats every permit; of several permits the
    /// strictest obligation holds; a limit (`@limit`) makes stricter what another permit allows and
    /// allows nothing by itself; what no permit allows is withheld. Depends on nothing else, so
    /// that decisions can be replayed under a draft.
    #[must_use]
    pub fn rule(&self, facts: &Facts) -> Ruling {
        let (treatment, rules, why) = match self.judge.ask(&self.rules, facts) {
            // Limits alone allow nothing.
            Said::Permits(permits) if permits.iter().all(|rule| rule.limit) => {
                (Treatment::Withhold, Vec::new(), reason::Why::Silent)
            }
            Said::Permits(permits) => {
                let strictest = permits.iter().filter_map(|rule| rule.treatment).reduce(Treatment::stricter);
                // A permit without a treatment does not pass the parser; were there one, it allows nothing.
                (strictest.unwrap_or(Treatment::Withhold), permits, reason::Why::Permitted)
            }
            Said::Forbids(forbids) => (Treatment::Withhold, forbids, reason::Why::Forbidden),
            Said::Nothing => (Treatment::Withhold, Vec::new(), reason::Why::Silent),
            Said::Failed(broken) => (Treatment::Withhold, broken, reason::Why::Failed),
        };
        let clauses = self.cite(&rules);
        let reason = reason::ruling(self, why, treatment, &clauses);
        Ruling { treatment, clauses, reason }
    }

    fn cite(&self, rules: &[&Rule]) -> Clauses {
        if rules.is_empty() {
            Clauses::from([self.workflow().silence().clone()])
        } else {
            rules.iter().map(|rule| rule.clause.clone()).collect()
        }
    }
}
