//! Statements that were planned before, and the tables they were planned over. A statement asked again in the same words,
//! under an equal decision over the same objects, needs neither labels nor plans anew; one in other words needs no new tables.

use super::governed::GovernedTable;
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
    kept: Mutex<HashMap<GrantId, OfGrant>>,
}

/// The tables of a grant.
type Tables = Arc<[Arc<GovernedTable>]>;

/// What is kept of one grant.
#[derive(Default)]
struct OfGrant {
    /// Its tables, governed by the decision of this world.
    tables: Option<(Arc<GrantWorld>, Tables)>,
    statements: HashMap<String, Kept>,
}

struct Kept {
    world: Arc<GrantWorld>,
    plan: Arc<Plan>,
}

impl Plans {
    /// The plan that was made of a statement when the decision, the rows and the objects were these.
    pub(super) fn find(&self, world: &Arc<GrantWorld>, sql: &str) -> Option<Arc<Plan>> {
        let kept = self.kept.lock();
        let known = kept.get(world.permit().grant())?.statements.get(sql)?;
        let (before, plan) = (Arc::clone(&known.world), Arc::clone(&known.plan));
        drop(kept);
        if Arc::ptr_eq(&before, world) || before.shows_the_same(world) {
            return Some(plan);
        }
        self.forget(world.permit().grant());
        None
    }

    /// The tables that were governed when the decision, the rows and the objects were these.
    pub(super) fn tables(&self, world: &Arc<GrantWorld>) -> Option<Tables> {
        let known = self.kept.lock().get(world.permit().grant())?.tables.clone();
        let (before, tables) = known?;
        (Arc::ptr_eq(&before, world) || before.governs_the_same(world)).then_some(tables)
    }

    /// Keeps a plan in the place of what was planned of the statement before.
    pub(super) fn keep(&self, world: &Arc<GrantWorld>, sql: &str, plan: &Arc<Plan>) {
        if sql.len() > LONGEST || !plan.may_be_kept() {
            return;
        }
        let news = Kept { world: Arc::clone(world), plan: Arc::clone(plan) };
        let old = self.of_grant(world.permit().grant(), |mine| {
            let full = mine.statements.len() >= STATEMENTS;
            let old = if full { std::mem::take(&mut mine.statements) } else { HashMap::new() };
            mine.statements.insert(sql.to_owned(), news);
            old
        });
        drop(old);
    }

    /// Keeps the governed tables of a world.
    pub(super) fn keep_tables(&self, world: &Arc<GrantWorld>, tables: &Tables) {
        let news = Some((Arc::clone(world), Arc::clone(tables)));
        let old = self.of_grant(world.permit().grant(), |mine| std::mem::replace(&mut mine.tables, news));
        drop(old);
    }

    /// Changes what is kept of a grant. What is thrown away goes when nobody waits for the lock: plans are large.
    fn of_grant<T>(&self, grant: &GrantId, change: impl FnOnce(&mut OfGrant) -> T) -> T {
        let mut kept = self.kept.lock();
        let full = kept.len() >= GRANTS && !kept.contains_key(grant);
        let others = if full { std::mem::take(&mut *kept) } else { HashMap::new() };
        let result = change(kept.entry(grant.clone()).or_default());
        drop(kept);
        drop(others);
        result
    }

    /// Forgets what was planned for a grant, its key with it.
    pub(super) fn forget(&self, grant: &GrantId) {
        let forgotten = self.kept.lock().remove(grant);
        drop(forgotten);
    }
}
