//! Proofs that an entry is in a tree and that a tree grew out of another (RFC 6962), and their check.

use base64::prelude::{BASE64_STANDARD, Engine};
use tlog_tiles::{Hash, check_record, check_tree, record_hash};

use crate::{Checkpoint, CheckpointError, HashBytes, Index};

/// First line of a C2SP tlog-proof.
const TLOG_PROOF: &str = "c2sp.org/tlog-proof@v1";

/// A tree of 2^64 leaves is no higher.
const MAX_HASHES: usize = 64;

/// That one entry is in the tree of a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The entry.
    pub index: Index,
    /// Entries in the tree.
    pub tree_size: u64,
    /// The audit path of RFC 6962, from the leaf up.
    pub hashes: Vec<HashBytes>,
}

/// That the tree of one size is the beginning of the tree of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// Entries in the older tree.
    pub old_size: u64,
    /// Entries in the newer tree.
    pub new_size: u64,
    /// The consistency proof of RFC 6962.
    pub hashes: Vec<HashBytes>,
}

/// Why a proof does not hold.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
    /// The checkpoint is not acceptable.
    #[error("the checkpoint is not acceptable: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The proof speaks of another tree than the checkpoint.
    #[error("the proof is about a tree of {proof} entries, the checkpoint about {checkpoint}")]
    OtherTree {
        /// Entries in the proof's tree.
        proof: u64,
        /// Entries in the checkpoint's tree.
        checkpoint: u64,
    },
    /// The hashes do not lead to the root.
    #[error("the proof does not lead to the signed root")]
    Invalid,
    /// The text is not a C2SP tlog-proof.
    #[error("it is not a {TLOG_PROOF} text")]
    Malformed,
}

impl InclusionProof {
    /// Checks that `leaf` is the entry at `index` under `checkpoint`, whose signature must have been checked.
    ///
    /// # Errors
    /// [`ProofError`] when it is not proven.
    pub fn check(&self, leaf: &[u8], checkpoint: &Checkpoint) -> Result<(), ProofError> {
        if self.tree_size != checkpoint.size {
            return Err(ProofError::OtherTree { proof: self.tree_size, checkpoint: checkpoint.size });
        }
        if self.hashes.len() > MAX_HASHES {
            return Err(ProofError::Invalid);
        }
        let proof = self.hashes.iter().copied().map(Hash).collect();
        check_record(&proof, self.tree_size, checkpoint.root_hash(), self.index, record_hash(leaf))
            .map_err(|_| ProofError::Invalid)
    }

    /// This proof with its checkpoint as a receipt that can be kept and checked offline: the text of a [C2SP tlog-proof].
    ///
    /// [C2SP tlog-proof]: https://c2sp.org/tlog-proof
    #[must_use]
    pub fn to_text(&self, checkpoint: &Checkpoint) -> String {
        let hashes: String = self.hashes.iter().map(|hash| BASE64_STANDARD.encode(hash) + "\n").collect();
        format!("{TLOG_PROOF}\nindex {}\n{hashes}\n{}", self.index, String::from_utf8_lossy(&checkpoint.note))
    }

    /// Reads a tlog-proof and checks its checkpoint's signature with the verifier key `key`.
    ///
    /// # Errors
    /// [`ProofError`] when the text is malformed or the checkpoint is not by this key.
    pub fn from_text(text: &str, key: &str) -> Result<(Self, Checkpoint), ProofError> {
        let (head, note) = text.split_once("\n\n").ok_or(ProofError::Malformed)?;
        let mut lines = head.lines();
        if lines.next() != Some(TLOG_PROOF) {
            return Err(ProofError::Malformed);
        }
        let mut line = lines.next();
        if line.is_some_and(|line| line.starts_with("extra ")) {
            line = lines.next();
        }
        let index =
            line.and_then(|line| line.strip_prefix("index ")?.parse().ok()).ok_or(ProofError::Malformed)?;
        let hash = |line| BASE64_STANDARD.decode(line).ok()?.try_into().ok();
        let hashes = lines.map(hash).collect::<Option<Vec<HashBytes>>>().ok_or(ProofError::Malformed)?;
        let checkpoint = Checkpoint::verify(note.as_bytes(), key)?;
        Ok((Self { index, tree_size: checkpoint.size, hashes }, checkpoint))
    }
}

impl ConsistencyProof {
    /// Checks that the tree of `old` is the beginning of the tree of `new`; the signatures of both must have been checked.
    ///
    /// # Errors
    /// [`ProofError`] when it is not proven.
    pub fn check(&self, old: &Checkpoint, new: &Checkpoint) -> Result<(), ProofError> {
        for (proof, checkpoint) in [(self.old_size, old.size), (self.new_size, new.size)] {
            if proof != checkpoint {
                return Err(ProofError::OtherTree { proof, checkpoint });
            }
        }
        if self.hashes.len() > MAX_HASHES {
            return Err(ProofError::Invalid);
        }
        // Everything is a continuation of nothing; RFC 6962 has no proof for that.
        if old.size == 0 {
            let empty = old.root_hash() == tlog_tiles::EMPTY_HASH && self.hashes.is_empty();
            return if empty { Ok(()) } else { Err(ProofError::Invalid) };
        }
        let proof = self.hashes.iter().copied().map(Hash).collect();
        check_tree(&proof, new.size, new.root_hash(), old.size, old.root_hash())
            .map_err(|_| ProofError::Invalid)
    }
}
