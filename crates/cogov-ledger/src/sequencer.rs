//! The sequencer: one thread that gives every entry its place. One write and one sync serve all that wait (group commit).

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use crate::record::Prepared;
use crate::state::Shared;
use crate::{Index, LedgerError};

/// A group ends when it holds this many bytes, so that one huge wave does not make everybody wait for all of it.
const GROUP_BYTES: usize = 4 << 20;

type Answer = Result<Index, LedgerError>;

struct Waiting {
    entry: Prepared,
    answer: oneshot::Sender<Answer>,
}

/// Entries that wait for their place.
#[derive(Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    filled: Condvar,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Waiting>,
    /// Why nothing more is taken.
    closed: Option<LedgerError>,
}

impl Queue {
    /// Queues an entry; the answer comes when it is durable or can no longer become so.
    pub(crate) fn push(&self, entry: Prepared) -> Result<oneshot::Receiver<Answer>, LedgerError> {
        let (answer, receiver) = oneshot::channel();
        let mut inner = self.inner.lock();
        if let Some(reason) = &inner.closed {
            return Err(reason.clone());
        }
        let idle = inner.waiting.is_empty();
        inner.waiting.push_back(Waiting { entry, answer });
        drop(inner);
        // The sequencer empties the queue before it sleeps, so only the first entry has to wake it.
        if idle {
            self.filled.notify_one();
        }
        Ok(receiver)
    }

    /// Takes no more entries; those that wait are still written.
    pub(crate) fn close(&self) {
        self.inner.lock().closed.get_or_insert(LedgerError::Closed);
        self.filled.notify_one();
    }

    /// Why nothing more is taken, if so.
    pub(crate) fn closed(&self) -> Option<LedgerError> {
        self.inner.lock().closed.clone()
    }

    /// The next group, or `None` when the queue is closed and empty.
    fn take(&self) -> Option<Vec<Waiting>> {
        let mut inner = self.inner.lock();
        while inner.waiting.is_empty() {
            if inner.closed.is_some() {
                return None;
            }
            self.filled.wait(&mut inner);
        }
        let mut bytes = 0;
        let many = inner.waiting.iter().take_while(|waiting| {
            let fits = bytes == 0 || bytes + waiting.entry.len() <= GROUP_BYTES;
            bytes += waiting.entry.len();
            fits
        });
        let many = many.count();
        Some(inner.waiting.drain(..many).collect())
    }

    /// Takes no more entries and gives up on those that wait: none of them was written.
    fn fail(&self, reason: &LedgerError) {
        let mut inner = self.inner.lock();
        inner.closed = Some(reason.clone());
        for waiting in inner.waiting.drain(..) {
            let _ = waiting.answer.send(Err(reason.clone()));
        }
    }
}

/// The sequencer's thread. It ends when the queue is closed, or at the first failure: after that, what is on the disk is not
/// known, and only opening the ledger again can tell.
pub(crate) fn run(shared: &Shared, queue: &Queue) {
    let mut bytes = Vec::new();
    while let Some(group) = queue.take() {
        match commit(shared, &group, &mut bytes) {
            Ok(first) => {
                for (index, waiting) in (first..).zip(group) {
                    // Whoever no longer waits has an entry all the same.
                    let _ = waiting.answer.send(Ok(index));
                }
            }
            Err(error) => {
                tracing::error!(%error, "the ledger's journal failed; the ledger is read-only until it is opened again");
                queue.fail(&LedgerError::ReadOnly { cause: error.to_string() });
                let error = Arc::new(error);
                for waiting in group {
                    let _ = waiting.answer.send(Err(LedgerError::NotDurable(Arc::clone(&error))));
                }
                return;
            }
        }
    }
}

/// Writes and syncs a group, then counts it. Returns the index of its first entry.
fn commit(shared: &Shared, group: &[Waiting], bytes: &mut Vec<u8>) -> std::io::Result<Index> {
    let (first, start) = {
        let durable = shared.durable.read();
        (durable.size(), durable.end)
    };
    bytes.clear();
    for (index, waiting) in (first..).zip(group) {
        waiting.entry.encode(index, start, bytes);
    }
    shared.media.journal_write(start, bytes)?;
    shared.media.journal_sync()?;
    let mut durable = shared.durable.write();
    for waiting in group {
        durable.push(waiting.entry.leaf_hash, waiting.entry.len());
    }
    Ok(first)
}
