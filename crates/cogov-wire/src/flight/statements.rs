//! Statements that were planned and wait to be run, and those that run: by a handle that only their caller may use.

use cogov_app::{Actor, PreparedQuery};
use cogov_model::AccountName;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tonic::Status;

/// Statements held for one account; its oldest go first, so that nobody ends the statements of others.
const HELD: usize = 64;
/// Statements held for all.
const HELD_IN_ALL: usize = 16_384;
/// How long a statement waits to be run.
const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// A handle, unguessable.
pub(super) type Handle = Vec<u8>;

struct Held {
    account: AccountName,
    /// As planned, with its parameters open.
    query: PreparedQuery,
    /// With the parameters that were sent last.
    bound: Option<PreparedQuery>,
    /// Ends what runs under this handle.
    running: CancellationToken,
    since: Instant,
}

/// The statements of the door.
#[derive(Default)]
pub(super) struct Statements(Mutex<HashMap<Handle, Held>>);

impl Statements {
    /// Holds a statement of somebody.
    pub(super) fn hold(&self, actor: &Actor, query: PreparedQuery) -> Result<Handle, Status> {
        let mut handle = vec![0; 16];
        getrandom::fill(&mut handle)
            .map_err(|_| Status::unavailable("the system gives no random numbers"))?;
        let mut held = self.0.lock();
        held.retain(|_, held| held.since.elapsed() < PATIENCE);
        let own = held.iter().filter(|(_, held)| held.account == actor.account);
        if own.clone().count() >= HELD {
            let oldest = own.min_by_key(|(_, held)| held.since).map(|(handle, _)| handle.clone());
            oldest.map(|oldest| held.remove(&oldest));
        }
        if held.len() >= HELD_IN_ALL {
            return Err(Status::resource_exhausted("too many statements wait to be run: try again later"));
        }
        let entry = Held {
            account: actor.account.clone(),
            query,
            bound: None,
            running: CancellationToken::new(),
            since: Instant::now(),
        };
        held.insert(handle.clone(), entry);
        Ok(handle)
    }

    /// The statement behind a handle, as it was planned.
    pub(super) fn planned(&self, actor: &Actor, handle: &[u8]) -> Result<PreparedQuery, Status> {
        self.find(actor, handle, |held| held.query.clone())
    }

    /// The statement behind a handle as it is to be run, with what ends its run. It stays held, since clients may run
    /// it again.
    pub(super) fn runnable(
        &self,
        actor: &Actor,
        handle: &[u8],
    ) -> Result<(PreparedQuery, CancellationToken), Status> {
        let both = |held: &Held| (held.bound.as_ref().unwrap_or(&held.query).clone(), held.running.clone());
        self.find(actor, handle, both)
    }

    fn find<T>(&self, actor: &Actor, handle: &[u8], get: impl Fn(&Held) -> T) -> Result<T, Status> {
        let mut held = self.0.lock();
        match held.get_mut(handle).filter(|held| held.account == actor.account) {
            Some(held) => {
                held.since = Instant::now();
                Ok(get(held))
            }
            None => Err(Status::not_found(
                "there is no such statement, or it waited for too long: prepare it again",
            )),
        }
    }

    /// Keeps a statement with its parameters.
    pub(super) fn bind(&self, actor: &Actor, handle: &[u8], bound: PreparedQuery) {
        if let Some(held) = self.0.lock().get_mut(handle).filter(|held| held.account == actor.account) {
            held.bound = Some(bound);
        }
    }

    /// Forgets a statement and ends what runs of it. Whether there was one.
    pub(super) fn end(&self, actor: &Actor, handle: &[u8]) -> bool {
        let mut held = self.0.lock();
        match held.get(handle).filter(|held| held.account == actor.account) {
            Some(found) => {
                found.running.cancel();
                held.remove(handle);
                true
            }
            None => false,
        }
    }

    /// Forgets a statement that was run to its end, or closed.
    pub(super) fn forget(&self, actor: &Actor, handle: &[u8]) {
        let mut held = self.0.lock();
        if held.get(handle).is_some_and(|held| held.account == actor.account) {
            held.remove(handle);
        }
    }
}
