//! What rows that come in portions rest on: a right that is asked for again at every portion, and a time.
//!
//! A query is decided once, when it begins. A client that takes its rows little by little would otherwise go on
//! after its grant was revoked or the rulebook amended.

use super::{fault, session::Session};
use cogov_app::Door;
use cogov_engine::GrantWorld;
use cogov_model::{Locale, Text};
use parking_lot::Mutex;
use pgwire::api::portal::PortalExecutionState;
use pgwire::error::PgWireResult;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How long rows may be taken in portions, from the moment they were opened. The decision behind them grows old, and
/// what is open holds memory: longer than people look at a page of rows, shorter than a working day.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// A statement that reads nothing. It is planned, never run: planning asks whether the grant is held and allowed now,
/// and puts a refusal on the ledger.
const PROBE: &str = "SELECT 1";

/// The right and the moment at which rows were opened.
pub(super) struct Standing {
    /// What the grant allowed then; none when the rows are names and types only.
    world: Option<Arc<GrantWorld>>,
    opened: Instant,
}

impl Standing {
    /// Of rows of data that are opened now. To be taken before they are decided: what changes in between ends them.
    pub(super) async fn of_data(session: &Session) -> PgWireResult<Self> {
        Ok(Self { world: Some(allowed(session).await?), opened: Instant::now() })
    }

    /// Of rows of the catalogue that are opened now.
    pub(super) fn of_names() -> Self {
        Self { world: None, opened: Instant::now() }
    }

    /// Whether the rows may still be taken.
    ///
    /// # Errors
    /// 57014 when their time is over; whatever the app says when the grant may not be used any more, as it does to a
    /// prepared statement; 55000 when the grant allows something else than it did.
    pub(super) async fn check(&self, session: &Session) -> PgWireResult<()> {
        in_time(self.opened.elapsed(), session.locale())?;
        let Some(before) = &self.world else {
            let asking = session.asking();
            let held = session.app().grant_session(&asking.actor, &asking.grant).await;
            return held.map(|_| ()).map_err(|error| session.failed(&error));
        };
        if allowed(session).await?.permit().allows_the_same(before.permit()) {
            return Ok(());
        }
        let words = Text::new(
            "the rules or the labels of the data changed since these rows were opened: ask for them again",
            "打开结果之后，规则或数据标签已变更：请重新查询",
        );
        Err(fault::told("55000", &words, session.locale()))
    }
}

/// What the grant allows now.
async fn allowed(session: &Session) -> PgWireResult<Arc<GrantWorld>> {
    match session.app().prepare(&session.asking(), PROBE, Door::Pg).await {
        Ok(probe) => Ok(Arc::clone(probe.plan().world())),
        Err(error) => {
            crate::metrics::query(Door::Pg, error.code(), None);
            Err(session.failed(&error))
        }
    }
}

fn in_time(open: Duration, locale: Locale) -> PgWireResult<()> {
    if open < LIFETIME {
        return Ok(());
    }
    let minutes = LIFETIME.as_secs() / 60;
    let words = Text::new(
        format!("these rows were opened more than {minutes} minutes ago: ask again, and take them sooner"),
        format!("结果打开已超过 {minutes} 分钟：请重新查询，并尽快取完"),
    );
    Err(fault::told("57014", &words, locale))
}

/// The state of a portal, which tells it from others.
type Portal = tokio::sync::Mutex<PortalExecutionState>;

/// What the portals of one connection rest on that may be resumed.
#[derive(Default)]
pub(super) struct Resumable(Mutex<Vec<(Weak<Portal>, Arc<Standing>)>>);

impl Resumable {
    /// Notes what a portal rests on, and forgets portals that are gone.
    pub(super) fn keep(&self, portal: &Arc<Portal>, standing: Arc<Standing>) {
        let mut known = self.0.lock();
        known.retain(|(other, _)| other.strong_count() > 0 && !is(other, portal));
        known.push((Arc::downgrade(portal), standing));
    }

    /// Whether a portal may go on.
    ///
    /// # Errors
    /// As [`Standing::check`].
    pub(super) async fn check(&self, portal: &Arc<Portal>, session: &Session) -> PgWireResult<()> {
        match self.find(portal) {
            Some(standing) => standing.check(session).await,
            None => Err(fault::error("34000", "this portal cannot be resumed: bind it again")),
        }
    }

    fn find(&self, portal: &Arc<Portal>) -> Option<Arc<Standing>> {
        let known = self.0.lock();
        known.iter().find(|(other, _)| is(other, portal)).map(|(_, standing)| Arc::clone(standing))
    }
}

fn is(known: &Weak<Portal>, portal: &Arc<Portal>) -> bool {
    std::ptr::eq(known.as_ptr(), Arc::as_ptr(portal))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use pgwire::error::ErrorInfo;

    #[test]
    fn rows_have_a_lifetime() {
        assert!(in_time(LIFETIME.saturating_sub(Duration::from_millis(1)), Locale::En).is_ok());
        for locale in [Locale::En, Locale::ZhHans] {
            let late = ErrorInfo::from(in_time(LIFETIME, locale).unwrap_err());
            assert_eq!((late.code.as_str(), late.message.contains("15")), ("57014", true));
        }
    }

    #[test]
    fn portals_are_told_apart_and_forgotten() {
        let portal = || Arc::new(Portal::new(PortalExecutionState::Initial));
        let (first, second) = (portal(), portal());
        let resumable = Resumable::default();
        let standing = Arc::new(Standing::of_names());
        resumable.keep(&first, Arc::clone(&standing));
        assert!(Arc::ptr_eq(&resumable.find(&first).unwrap(), &standing));
        assert!(resumable.find(&second).is_none());
        drop(first);
        resumable.keep(&second, standing);
        assert_eq!(resumable.0.lock().len(), 1);
    }
}
