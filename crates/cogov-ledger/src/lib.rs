//! The append-only log of every decision and public act, as a Merkle tree that outsiders can check.
//!
//! - **The journal is the truth**: one append-only file of records, each a public *leaf* and the private *sealed* bytes
//!   that belong to it. [`Ledger::append`] resolves only when its record is durable; one write and one sync serve
//!   everybody who waits (group commit).
//! - **Tiles and checkpoints are a projection** by [C2SP tlog-tiles], [tlog-checkpoint] and [signed-note] with Ed25519.
//!   They are rebuilt from the journal whenever they differ from it. What is signed is never ahead of what is durable, and
//!   never goes back.
//! - **Start-up re-verifies** every record and the signed root: a torn tail is cut off and reported in [`Opened`], damage
//!   inside what was signed is refused.
//! - **[`verify`]** checks a whole ledger, or one entry, from its public bytes and its key alone.
//!
//! Two small traits are the ports: [`Media`] says where bytes lie, [`Signer`] says who signs.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use cogov_ledger::{FileMedia, FileSigner, Ledger, Options, verify};
//!
//! let dir = tempfile::tempdir()?;
//! let signer = FileSigner::open(&dir.path().join("ledger.key"), "cogov.example/demo")?;
//! let media = FileMedia::open(&dir.path().join("ledger"))?;
//! let (ledger, _opened) = Ledger::open(Options::new(Arc::new(media), Arc::new(signer), Arc::new(|| 0)))?;
//!
//! let index = ledger.append_blocking(br#"{"kind":"decision"}"#.to_vec(), b"salt and text".to_vec())?;
//! ledger.publish_blocking()?;
//! assert_eq!(ledger.read(index)?.sealed, b"salt and text");
//!
//! let report = verify::ledger(&verify::Directory::new(&dir.path().join("ledger/public")), ledger.key())?;
//! assert_eq!(report.size, 1);
//! # Ok(()) }
//! ```
//!
//! [C2SP tlog-tiles]: https://c2sp.org/tlog-tiles
//! [tlog-checkpoint]: https://c2sp.org/tlog-checkpoint
//! [signed-note]: https://c2sp.org/signed-note

mod checkpoint;
mod error;
mod ledger;
mod media;
mod memory;
mod note;
mod open;
mod proof;
mod publisher;
mod record;
mod replay;
mod seal;
mod sequencer;
mod signer;
mod state;
mod tiles;
mod tree;
pub mod verify;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use error::LedgerError;
pub use ledger::{Clock, Entry, Ledger, Options, Status};
pub use media::{FileMedia, Media};
pub use memory::MemoryMedia;
pub use note::{NoteError, read_statement};
pub use open::{Opened, Repair};
pub use proof::{ConsistencyProof, InclusionProof, ProofError};
pub use record::{MAX_LEAF, MAX_SEALED};
pub use seal::seal;
pub use signer::{FileSigner, Signer, SignerError};

/// Position of an entry in the ledger, from 0, without gaps.
pub type Index = u64;

/// A SHA-256 hash as raw bytes.
pub type HashBytes = [u8; 32];
