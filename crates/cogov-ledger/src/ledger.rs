//! The handle of an open ledger.

use std::future::Future;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;
use tlog_tiles::Hash;

use crate::open::{self, Opened};
use crate::publisher::{self, Requests};
use crate::record::Prepared;
use crate::sequencer::{self, Queue};
use crate::state::Shared;
use crate::tiles::Tile;
use crate::{Checkpoint, ConsistencyProof, HashBytes, InclusionProof, Index, LedgerError, Media, Signer};

/// Tells the time as Unix milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// How a ledger is opened.
#[derive(Clone)]
pub struct Options {
    /// Where its bytes lie.
    pub media: Arc<dyn Media>,
    /// Who signs its checkpoints.
    pub signer: Arc<dyn Signer>,
    /// The time for checkpoints, in Unix milliseconds.
    pub clock: Clock,
    /// The ledger's name, first line of its checkpoints: a URL without scheme, like `cogov.example/demo`.
    pub origin: String,
    /// How long a durable entry waits for a checkpoint at most.
    pub checkpoint_every: Duration,
}

impl Options {
    /// The usual: the origin is the key's name, as C2SP recommends; a checkpoint is begun every 800 ms, so that it is out
    /// within the second.
    #[must_use]
    pub fn new(media: Arc<dyn Media>, signer: Arc<dyn Signer>, clock: Clock) -> Self {
        let origin = signer.verifier_key().split('+').next().unwrap_or_default().to_owned();
        Self { media, signer, clock, origin, checkpoint_every: Duration::from_millis(800) }
    }
}

/// An entry read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its position.
    pub index: Index,
    /// The public bytes.
    pub leaf: Vec<u8>,
    /// The private bytes that belong to it.
    pub sealed: Vec<u8>,
}

/// How an open ledger is.
#[derive(Debug, Clone)]
pub struct Status {
    /// Durable entries.
    pub size: u64,
    /// Entries that the published checkpoint covers.
    pub published: u64,
    /// Why nothing can be appended, if so.
    pub read_only: Option<LedgerError>,
    /// Why the newest checkpoint could not be published, if so; it is tried again.
    pub publishing: Option<LedgerError>,
}

/// An open ledger. It is shared behind an [`Arc`]; dropping it writes what waits, publishes a last checkpoint and closes it.
///
/// Reading methods do a short blocking read of the journal (usually from the page cache).
pub struct Ledger {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    requests: Arc<Requests>,
    sequencer: Mutex<Option<JoinHandle<()>>>,
    publisher: Mutex<Option<JoinHandle<()>>>,
}

impl Ledger {
    /// Opens a ledger, or begins one on an empty media: re-verifies the journal and what was signed, cuts off a torn tail,
    /// rewrites public files that differ, publishes a checkpoint over all that is durable.
    ///
    /// # Errors
    /// [`LedgerError`] that names the first bad entry when what was signed is not there any more, whole and unchanged.
    pub fn open(options: Options) -> Result<(Self, Opened), LedgerError> {
        let (shared, opened) = open::open(&options)?;
        let (shared, queue, requests) =
            (Arc::new(shared), Arc::new(Queue::default()), Arc::new(Requests::default()));
        let sequencer = {
            let (shared, queue) = (Arc::clone(&shared), Arc::clone(&queue));
            spawn("ledger-sequencer", move || sequencer::run(&shared, &queue))?
        };
        let ledger = Self {
            sequencer: Mutex::new(Some(sequencer)),
            publisher: Mutex::new(None),
            shared: Arc::clone(&shared),
            queue,
            requests: Arc::clone(&requests),
        };
        let publisher =
            spawn("ledger-publisher", move || publisher::run(&shared, &requests, options.checkpoint_every))?;
        *ledger.publisher.lock() = Some(publisher);
        Ok((ledger, opened))
    }

    /// Appends an entry: `leaf` is public, `sealed` belongs to it and is private. Resolves to its index when both are
    /// durable. The entry is queued by the call itself; dropping the future does not take it back.
    ///
    /// # Errors
    /// [`LedgerError::LeafTooLong`], [`LedgerError::SealedTooLong`]; [`LedgerError::NotDurable`] when this very write failed;
    /// [`LedgerError::ReadOnly`] after one failed; [`LedgerError::Closed`].
    pub fn append(
        &self,
        leaf: Vec<u8>,
        sealed: Vec<u8>,
    ) -> impl Future<Output = Result<Index, LedgerError>> + Send + use<> {
        let queued = Prepared::new(leaf, sealed).and_then(|entry| self.queue.push(entry));
        async move { queued?.await.unwrap_or(Err(LedgerError::Closed)) }
    }

    /// [`Ledger::append`] for a thread that may block (never inside an async task).
    ///
    /// # Errors
    /// As [`Ledger::append`].
    pub fn append_blocking(&self, leaf: Vec<u8>, sealed: Vec<u8>) -> Result<Index, LedgerError> {
        let queued = Prepared::new(leaf, sealed).and_then(|entry| self.queue.push(entry))?;
        queued.blocking_recv().unwrap_or(Err(LedgerError::Closed))
    }

    /// Publishes a checkpoint over everything that is durable now, without waiting for the next second.
    ///
    /// # Errors
    /// When signing or writing fails.
    pub fn publish(&self) -> impl Future<Output = Result<Arc<Checkpoint>, LedgerError>> + Send + use<> {
        let answer = self.requests.ask();
        async move { answer.await.unwrap_or(Err(LedgerError::Closed)) }
    }

    /// [`Ledger::publish`] for a thread that may block (never inside an async task).
    ///
    /// # Errors
    /// As [`Ledger::publish`].
    pub fn publish_blocking(&self) -> Result<Arc<Checkpoint>, LedgerError> {
        self.requests.ask().blocking_recv().unwrap_or(Err(LedgerError::Closed))
    }

    /// Number of durable entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.shared.size()
    }

    /// How the ledger is: for health checks and metrics.
    #[must_use]
    pub fn status(&self) -> Status {
        let published = self.shared.published.read().size;
        Status {
            size: self.size(),
            published,
            read_only: self.queue.closed(),
            publishing: self.requests.failure(),
        }
    }

    /// The newest published checkpoint; its `note` is what `/ledger/checkpoint` serves.
    #[must_use]
    pub fn checkpoint(&self) -> Arc<Checkpoint> {
        Arc::clone(&self.shared.published.read())
    }

    /// The verifier key, `<name>+<id>+<base64>`: with it and the public files anyone can check the ledger.
    #[must_use]
    pub fn key(&self) -> &str {
        self.shared.signer.verifier_key()
    }

    /// Who signs.
    pub(crate) fn signer(&self) -> &dyn Signer {
        self.shared.signer.as_ref()
    }

    /// The ledger's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.shared.origin
    }

    /// Reads one entry, checked again.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchEntry`], [`LedgerError::Corrupt`] when its bytes changed on disk, [`LedgerError::Media`].
    pub fn read(&self, index: Index) -> Result<Entry, LedgerError> {
        let missing = || LedgerError::NoSuchEntry { index, size: self.size() };
        let end = index.checked_add(1).ok_or_else(missing)?;
        self.range(index, end)?.pop().ok_or_else(missing)
    }

    /// Reads the entries `from..to` in order; `to` beyond the end means up to the end.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub fn range(&self, from: Index, to: Index) -> Result<Vec<Entry>, LedgerError> {
        let mut entries = Vec::new();
        self.shared.records(from, to.min(self.size()), |record| {
            entries.push(Entry {
                index: record.index,
                leaf: record.leaf.to_vec(),
                sealed: record.sealed.to_vec(),
            });
        })?;
        Ok(entries)
    }

    /// The public file at `path`: `checkpoint`, `key`, `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`. Tiles are made from
    /// the journal for what is published, in any width that is; every other path is `None`.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn file(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        match path {
            "checkpoint" => Ok(Some(self.checkpoint().note.clone())),
            "key" => Ok(Some(format!("{}\n", self.key()).into_bytes())),
            path => match Tile::parse(path).filter(|tile| tile.exists_in(self.checkpoint().size)) {
                Some(tile) => self.shared.tile(tile),
                None => Ok(None),
            },
        }
    }

    /// The proof that entry `index` is in the tree of `tree_size` entries (usually that of [`Ledger::checkpoint`]).
    ///
    /// # Errors
    /// [`LedgerError::NoSuchTree`] when the tree is not that large (yet), [`LedgerError::NoSuchEntry`] when it does not hold it.
    pub fn proof(&self, index: Index, tree_size: u64) -> Result<InclusionProof, LedgerError> {
        let durable = self.shared.durable.read();
        if tree_size > durable.size() {
            return Err(LedgerError::NoSuchTree { wanted: tree_size, size: durable.size() });
        }
        if index >= tree_size {
            return Err(LedgerError::NoSuchEntry { index, size: tree_size });
        }
        let hashes = tlog_tiles::prove_record(tree_size, index, &durable.tree)
            .map_err(|error| LedgerError::Proof(error.to_string()))?;
        Ok(InclusionProof { index, tree_size, hashes: raw(hashes) })
    }

    /// The proof that the tree of `old_size` entries is the beginning of that of `new_size`.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchTree`] when there is no such pair of trees.
    pub fn consistency(&self, old_size: u64, new_size: u64) -> Result<ConsistencyProof, LedgerError> {
        let durable = self.shared.durable.read();
        if new_size > durable.size() || old_size > new_size {
            return Err(LedgerError::NoSuchTree { wanted: new_size.max(old_size), size: durable.size() });
        }
        let hashes = match old_size {
            0 => Vec::new(),
            _ => tlog_tiles::prove_tree(new_size, old_size, &durable.tree)
                .map_err(|error| LedgerError::Proof(error.to_string()))?,
        };
        Ok(ConsistencyProof { old_size, new_size, hashes: raw(hashes) })
    }

    /// The receipt of an entry that a published checkpoint covers: a C2SP tlog-proof text, to be kept and checked offline with
    /// [`crate::verify::receipt`].
    ///
    /// # Errors
    /// [`LedgerError::NoSuchEntry`] when it is not published (yet): [`Ledger::publish`] first.
    pub fn receipt(&self, index: Index) -> Result<String, LedgerError> {
        let checkpoint = self.checkpoint();
        Ok(self.proof(index, checkpoint.size)?.to_text(&checkpoint))
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.queue.close();
        join(&self.sequencer);
        self.requests.close();
        join(&self.publisher);
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, LedgerError> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map_err(LedgerError::media("start a thread"))
}

fn join(thread: &Mutex<Option<JoinHandle<()>>>) {
    let thread = thread.lock().take();
    if let Some(thread) = thread
        && thread.join().is_err()
    {
        tracing::error!("a thread of the ledger ended by a panic");
    }
}

fn raw(hashes: Vec<Hash>) -> Vec<HashBytes> {
    hashes.into_iter().map(|hash| hash.0).collect()
}
