//! The publisher: writes tiles, signs checkpoints, and is the only one that does.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use crate::open::SIGNED;
use crate::state::Shared;
use crate::tiles::Tile;
use crate::{Checkpoint, LedgerError};

/// The public checkpoint's name in the media.
pub(crate) const CHECKPOINT: &str = "public/checkpoint";

/// Every copy of a checkpoint, in the order of writing: nothing is public before it is committed.
const COPIES: [&str; 2] = [SIGNED, CHECKPOINT];

/// The verifier key's name in the media.
const KEY: &str = "public/key";

type Answer = Result<Arc<Checkpoint>, LedgerError>;

/// Requests to the publisher's thread.
#[derive(Default)]
pub(crate) struct Requests {
    inner: Mutex<Inner>,
    woken: Condvar,
}

#[derive(Default)]
struct Inner {
    waiting: Vec<oneshot::Sender<Answer>>,
    closed: bool,
    /// Why the last publication failed, until one succeeds.
    failure: Option<LedgerError>,
}

impl Requests {
    /// Asks for a checkpoint over everything that is durable now.
    pub(crate) fn ask(&self) -> oneshot::Receiver<Answer> {
        let (answer, receiver) = oneshot::channel();
        let mut inner = self.inner.lock();
        if !inner.closed {
            inner.waiting.push(answer);
        }
        self.woken.notify_one();
        receiver
    }

    /// Ends the thread after a last publication.
    pub(crate) fn close(&self) {
        self.inner.lock().closed = true;
        self.woken.notify_one();
    }

    /// Why the last publication failed, if it did.
    pub(crate) fn failure(&self) -> Option<LedgerError> {
        self.inner.lock().failure.clone()
    }
}

/// The publisher's thread: at every request, and at least `every` while there are new entries.
pub(crate) fn run(shared: &Shared, requests: &Requests, every: Duration) {
    loop {
        let (waiting, closed) = {
            let mut inner = requests.inner.lock();
            if inner.waiting.is_empty() && !inner.closed {
                requests.woken.wait_for(&mut inner, every);
            }
            (std::mem::take(&mut inner.waiting), inner.closed)
        };
        let answer = publish(shared);
        if let Err(error) = &answer {
            tracing::error!(%error, "the ledger's checkpoint could not be published; it is tried again");
        }
        requests.inner.lock().failure = answer.as_ref().err().cloned();
        for receiver in waiting {
            // Whoever no longer waits does not need the answer.
            let _ = receiver.send(answer.clone());
        }
        if closed {
            return;
        }
    }
}

/// Publishes what is durable: tiles first, then the commitment, then the checkpoint that points to them.
pub(crate) fn publish(shared: &Shared) -> Answer {
    let before = Arc::clone(&shared.published.read());
    let (size, root) = {
        let durable = shared.durable.read();
        let root = tlog_tiles::tree_hash(durable.size(), &durable.tree);
        let root = root.map_err(|error| LedgerError::Proof(error.to_string()))?;
        (durable.size(), root)
    };
    if size == before.size {
        keep(shared, &before)?;
        return Ok(before);
    }
    let (time, signer) = ((shared.clock)(), shared.signer.as_ref());
    let checkpoint = Checkpoint::sign(&shared.origin, size, root, time, signer)?;
    for tile in Tile::added(before.size, size) {
        write(shared, tile)?;
        if tile.is_full() {
            let partials = format!("public/{}", tile.partials());
            let removed = shared.media.remove_folder(&partials);
            removed.map_err(LedgerError::media("remove partial tiles"))?;
        }
    }
    for name in COPIES {
        put(shared, name, &checkpoint)?;
    }
    let checkpoint = Arc::new(checkpoint);
    *shared.published.write() = Arc::clone(&checkpoint);
    Ok(checkpoint)
}

/// Writes the copies of the newest checkpoint that are missing or were changed.
fn keep(shared: &Shared, newest: &Checkpoint) -> Result<(), LedgerError> {
    for name in COPIES {
        let copy = shared.media.get(name);
        let copy = copy.map_err(LedgerError::media("read a checkpoint"))?;
        if copy.as_ref() != Some(&newest.note) {
            put(shared, name, newest)?;
        }
    }
    Ok(())
}

fn put(shared: &Shared, name: &str, checkpoint: &Checkpoint) -> Result<(), LedgerError> {
    let written = shared.media.put(name, &checkpoint.note, true);
    written.map_err(LedgerError::media("write a checkpoint"))
}

/// Makes the public files of a tree of `size` entries equal to the journal. Returns how many had to be written.
pub(crate) fn project(shared: &Shared, size: u64) -> Result<u64, LedgerError> {
    let mut written = 0;
    let same = |name: &str, bytes: &[u8]| -> Result<bool, LedgerError> {
        let public = shared.media.get(name).map_err(LedgerError::media("read a public file"))?;
        Ok(public.as_deref() == Some(bytes))
    };
    for tile in Tile::added(0, size) {
        if let Some(bytes) = shared.tile(tile)?
            && !same(&name(tile), &bytes)?
        {
            write(shared, tile)?;
            written += 1;
        }
    }
    let key = format!("{}\n", shared.signer.verifier_key());
    if !same(KEY, key.as_bytes())? {
        shared.media.put(KEY, key.as_bytes(), false).map_err(LedgerError::media("write the public key"))?;
    }
    Ok(written)
}

/// A tile's name in the media.
pub(crate) fn name(tile: Tile) -> String {
    format!("public/{tile}")
}

fn write(shared: &Shared, tile: Tile) -> Result<(), LedgerError> {
    match shared.tile(tile)? {
        // Not synced: opening compares every tile with the journal and writes it again when it differs.
        Some(bytes) => {
            shared.media.put(&name(tile), &bytes, false).map_err(LedgerError::media("write a tile"))
        }
        None => Ok(()),
    }
}
