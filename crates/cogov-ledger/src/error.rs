//! What can go wrong with a ledger, in words that say what to do.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::checkpoint::CheckpointError;
use crate::signer::SignerError;
use crate::{Index, MAX_LEAF, MAX_SEALED};

/// Why the ledger refused or failed. No variant carries bytes of an entry.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The public entry does not fit a tlog-tiles entry bundle, whose lengths are 16 bits wide.
    #[error(
        "a public entry of {len} bytes does not fit: at most {MAX_LEAF} bytes; move long text into the sealed part"
    )]
    LeafTooLong {
        /// Length that was offered, in bytes.
        len: usize,
    },
    /// The private part is longer than the ledger takes.
    #[error(
        "a sealed part of {len} bytes does not fit: at most {MAX_SEALED} bytes; keep the text elsewhere and seal its hash"
    )]
    SealedTooLong {
        /// Length that was offered, in bytes.
        len: usize,
    },
    /// This append was in the group whose write or sync failed: whether it is durable is unknown until the ledger is opened again.
    #[error("the entry could not be made durable: {0}")]
    NotDurable(#[source] Arc<io::Error>),
    /// An earlier write failed; nothing more is taken until the ledger is opened again.
    #[error(
        "the ledger is read-only since a write failed ({cause}); check the disk, then restart to open the ledger again"
    )]
    ReadOnly {
        /// The failure that closed it.
        cause: String,
    },
    /// The ledger was shut down.
    #[error("the ledger is closed")]
    Closed,
    /// There is no such entry (yet).
    #[error("there is no entry {index}: the ledger holds {size} entries")]
    NoSuchEntry {
        /// The index asked for.
        index: Index,
        /// Durable entries.
        size: u64,
    },
    /// A proof was asked about a tree that does not exist (yet).
    #[error("there is no tree of {wanted} entries for this proof: the ledger holds {size}")]
    NoSuchTree {
        /// The tree size asked for.
        wanted: u64,
        /// Durable entries.
        size: u64,
    },
    /// A record of the journal is damaged where it must not be.
    #[error(
        "the journal is damaged at entry {index} (byte {offset}): {reason}; restore the journal from a copy"
    )]
    Corrupt {
        /// The first entry that is not whole.
        index: Index,
        /// Where its record begins, in bytes.
        offset: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The journal ends before what was signed.
    #[error(
        "the journal ends before entry {index}, but {signed} entries were signed; restore the journal from a copy"
    )]
    JournalShort {
        /// The first entry that is missing.
        index: Index,
        /// Entries in the signed checkpoint.
        signed: u64,
    },
    /// Every record is whole, but they are not the entries that were signed.
    #[error("the journal does not hold what was signed for {size} entries{}; restore the journal from a copy", first_words(*.first))]
    RootMismatch {
        /// Entries in the signed checkpoint.
        size: u64,
        /// The first entry that differs from its published hash, where the tiles tell.
        first: Option<Index>,
    },
    /// A checkpoint on disk is not signed by this ledger's key.
    #[error("the checkpoint in {name} is not acceptable: {source}")]
    SignedState {
        /// Which file.
        name: &'static str,
        /// Why.
        source: CheckpointError,
    },
    /// The directory belongs to another ledger.
    #[error("this ledger was begun as {found}, not {expected}; use its own name or another directory")]
    OtherOrigin {
        /// The origin that was configured.
        expected: String,
        /// The origin that was found.
        found: String,
    },
    /// The published checkpoint promises more than was committed: the private side was rolled back.
    #[error(
        "the public checkpoint covers {public} entries, the committed one {signed}: the ledger was rolled back; restore it from a copy"
    )]
    RolledBack {
        /// Entries in the public checkpoint.
        public: u64,
        /// Entries in the committed checkpoint.
        signed: u64,
    },
    /// Reading or writing failed outside an append.
    #[error("could not {what}: {source}")]
    Media {
        /// What was tried.
        what: &'static str,
        /// The failure.
        #[source]
        source: Arc<io::Error>,
    },
    /// Another process has this ledger open.
    #[error("the ledger in {} is open in another process; stop it first", .dir.display())]
    Locked {
        /// The ledger's directory.
        dir: PathBuf,
    },
    /// The signer failed or its key is unusable.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// A proof could not be computed.
    #[error("the proof could not be computed: {0}")]
    Proof(String),
}

impl LedgerError {
    /// Wraps a failure of the media for `map_err`.
    pub(crate) fn media(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Media { what, source: Arc::new(source) }
    }
}

fn first_words(first: Option<Index>) -> String {
    first.map_or_else(String::new, |index| format!(", first at entry {index}"))
}
