//! What a draft rulebook would change: every grant decided again, column by column.

use crate::{App, error::Result};
use cogov_model::{Clauses, ColumnRef, GrantId, RulebookVersion, Treatment};
use cogov_rulebook::{Ask, Rulebook};

/// A column whose treatment a draft would change.
#[derive(Debug, Clone)]
pub struct ReplayChange {
    /// The grant.
    pub grant: GrantId,
    /// The column.
    pub column: ColumnRef,
    /// What the rulebook in force says.
    pub before: Treatment,
    /// What the draft says.
    pub after: Treatment,
    /// The draft's clauses.
    pub clauses: Clauses,
}

/// What a draft would change.
#[derive(Debug, Clone)]
pub struct Replay {
    /// The rulebook in force.
    pub in_force: RulebookVersion,
    /// The draft.
    pub draft: RulebookVersion,
    /// Grants decided again: all of them.
    pub grants: usize,
    /// Columns decided again.
    pub columns: usize,
    /// Those that would change, by grant and column.
    pub changes: Vec<ReplayChange>,
}

impl App {
    /// Decides every grant again under a draft. Writes nothing.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn replay(&self, draft: &Rulebook) -> Result<Replay> {
        let in_force = self.rulebook();
        let mut replay = Replay {
            in_force: in_force.version().clone(),
            draft: draft.version().clone(),
            grants: 0,
            columns: 0,
            changes: Vec::new(),
        };
        for grant in self.all_grants().await? {
            let reach = self.reach(&grant).await?;
            let party = self.party_or_unknown(&grant.party).await?;
            let ask = Ask {
                grant: &grant,
                party: &party,
                columns: reach.ask_columns(&grant),
                now: self.clock.now(),
            };
            let (before, after) = (in_force.preview(&ask), draft.preview(&ask));
            replay.grants += 1;
            replay.columns += after.rulings.len();
            let changed = after.rulings.iter().filter_map(|(column, after)| {
                let before = before.rulings.get(column)?.treatment;
                (before != after.treatment).then(|| ReplayChange {
                    grant: grant.id.clone(),
                    column: column.clone(),
                    before,
                    after: after.treatment,
                    clauses: after.clauses.clone(),
                })
            });
            replay.changes.extend(changed);
        }
        Ok(replay)
    }
}
