//! Statements that were planned before. A statement asked again in the same words, under an equal decision over the same
//! objects, needs neither labels nor plans anew.

use super::prepared::Plan;
use super::world::GrantWorld;
use cogov_model::GrantId;
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};

/// Statements kept of one grant, and grants; beyond them the cache starts again, which only costs time.
const STATEMENTS: usize = 64;
const GRANTS: usize = 64;

/// The longest statement that is kept, in bytes.
const LONGEST: usize = 8 << 10;

/// What was planned, by grant and statement. The statement's words are compared whole: literals may change labels (what
/// a bound rounds to, how many rows a LIMIT shows).
#[derive(Default)]
pub(super) struct Plans {
    kept: Mutex<HashMap<GrantId, HashMap<String, Kept>>>,
}

struct Kept {
    world: Arc<GrantWorld>,
    plan: Arc<Plan>,
}

impl Plans {
    /// The plan that was made of a statement when the decision, the rows and the objects were these.
    pub(super) fn find(&self, world: &Arc<GrantWorld>, sql: &str) -> Option<Arc<Plan>> {
        let kept = self.kept.lock();
        let known = kept.get(world.permit().grant())?.get(sql)?;
        let (before, plan) = (Arc::clone(&known.world), Arc::clone(&known.plan));
        drop(kept);
        if Arc::ptr_eq(&before, world) || before.shows_the_same(world) {
            return Some(plan);
        }
        self.forget(world.permit().grant());
        None
    }

    /// Keeps a plan in the place of what was planned of the statement before.
    pub(super) fn keep(&self, world: &Arc<GrantWorld>, sql: &str, plan: &Arc<Plan>) {
        if sql.len() > LONGEST || !plan.may_be_kept() {
            return;
        }
        let news = Kept { world: Arc::clone(world), plan: Arc::clone(plan) };
        let mut kept = self.kept.lock();
        let grant = world.permit().grant();
        let full = kept.len() >= GRANTS && !kept.contains_key(grant);
        let others = if full { std::mem::take(&mut *kept) } else { HashMap::new() };
        let mine = kept.entry(grant.clone()).or_default();
        let old = if mine.len() >= STATEMENTS { std::mem::take(mine) } else { HashMap::new() };
        mine.insert(sql.to_owned(), news);
        drop(kept);
        // Plans are large: they go when nobody waits for the lock.
        drop((others, old));
    }

    /// Forgets what was planned for a grant, its key with it.
    pub(super) fn forget(&self, grant: &GrantId) {
        let forgotten = self.kept.lock().remove(grant);
        drop(forgotten);
    }
}
