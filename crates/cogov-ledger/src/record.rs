//! One record of the journal: how an entry lies on disk and how damage is noticed.
//!
//! ```text
//!  0  4  magic FF 63 67 FE (no valid UTF-8 holds it, so no JSON text can imitate a record)
//!  4  4  length of the leaf, little endian like all numbers here
//!  8  4  length of the sealed part
//! 12  8  index of the entry
//! 20  8  byte offset of the group (one write) that this record belongs to
//! 28  8  check: first 8 bytes of SHA-256( bytes 0..28 || SHA-256( leaf hash || sealed ) )
//! 36     leaf, then sealed
//! ```
//!
//! The index and the group stand in the check, so a record that is whole but in another place is damage too. The group tells a
//! torn write from damage: a later group is begun only after every earlier one was synced.

use sha2::{Digest, Sha256};
use tlog_tiles::{Hash, record_hash};

use crate::{Index, LedgerError};

/// Longest public entry in bytes: entry bundles count with 16 bits (C2SP tlog-tiles).
pub const MAX_LEAF: usize = 65_535;

/// Longest sealed part in bytes.
pub const MAX_SEALED: usize = 4 << 20;

/// Bytes before the leaf.
pub(crate) const HEADER: usize = 36;

/// First bytes of every record.
pub(crate) const MAGIC: [u8; 4] = [0xFF, b'c', b'g', 0xFE];

const CHECKED: usize = 28;

/// An entry whose hashes are computed, ready to be given its place. Made on the caller's thread, so that the single
/// sequencer has little to do.
pub(crate) struct Prepared {
    leaf: Vec<u8>,
    sealed: Vec<u8>,
    digest: [u8; 32],
    /// RFC 6962 leaf hash.
    pub(crate) leaf_hash: Hash,
}

impl Prepared {
    /// Checks the lengths and hashes the parts.
    pub(crate) fn new(leaf: Vec<u8>, sealed: Vec<u8>) -> Result<Self, LedgerError> {
        if leaf.len() > MAX_LEAF {
            return Err(LedgerError::LeafTooLong { len: leaf.len() });
        }
        if sealed.len() > MAX_SEALED {
            return Err(LedgerError::SealedTooLong { len: sealed.len() });
        }
        let leaf_hash = record_hash(&leaf);
        let digest = digest(leaf_hash, &sealed);
        Ok(Self { leaf, sealed, digest, leaf_hash })
    }

    /// Length of the whole record in bytes.
    pub(crate) fn len(&self) -> usize {
        HEADER + self.leaf.len() + self.sealed.len()
    }

    /// Appends the record's bytes to `out`.
    pub(crate) fn encode(&self, index: Index, group: u64, out: &mut Vec<u8>) {
        let mut header = [0; CHECKED];
        let fields = MAGIC
            .into_iter()
            .chain((self.leaf.len() as u32).to_le_bytes())
            .chain((self.sealed.len() as u32).to_le_bytes())
            .chain(index.to_le_bytes())
            .chain(group.to_le_bytes());
        header.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        out.extend_from_slice(&header);
        out.extend_from_slice(&check(&header, &self.digest));
        out.extend_from_slice(&self.leaf);
        out.extend_from_slice(&self.sealed);
    }
}

/// A record read back, whole and checked.
pub(crate) struct Record<'a> {
    pub(crate) leaf: &'a [u8],
    pub(crate) sealed: &'a [u8],
    pub(crate) index: Index,
    pub(crate) group: u64,
    pub(crate) leaf_hash: Hash,
    /// Length of the whole record in bytes.
    pub(crate) len: usize,
}

/// Why bytes are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRecord {
    /// More bytes are needed: this many in all.
    Incomplete(usize),
    /// The bytes are damaged.
    Damaged(&'static str),
}

/// Reads the record at the beginning of `bytes`.
pub(crate) fn decode(bytes: &[u8]) -> Result<Record<'_>, NoRecord> {
    let (Some(header), Some(stored)) = (bytes.first_chunk::<CHECKED>(), field::<8>(bytes, CHECKED)) else {
        return Err(NoRecord::Incomplete(HEADER));
    };
    let (Some(magic), Some(leaf_len), Some(sealed_len), Some(index), Some(group)) =
        (field::<4>(bytes, 0), field(bytes, 4), field(bytes, 8), field(bytes, 12), field(bytes, 20))
    else {
        return Err(NoRecord::Incomplete(HEADER));
    };
    if magic != MAGIC {
        return Err(NoRecord::Damaged("no record begins here"));
    }
    let leaf_len = u32::from_le_bytes(leaf_len) as usize;
    let sealed_len = u32::from_le_bytes(sealed_len) as usize;
    if leaf_len > MAX_LEAF || sealed_len > MAX_SEALED {
        return Err(NoRecord::Damaged("its lengths are impossible"));
    }
    let len = HEADER + leaf_len + sealed_len;
    let (Some(leaf), Some(sealed)) =
        (bytes.get(HEADER..HEADER + leaf_len), bytes.get(HEADER + leaf_len..len))
    else {
        return Err(NoRecord::Incomplete(len));
    };
    let leaf_hash = record_hash(leaf);
    if stored != check(header, &digest(leaf_hash, sealed)) {
        return Err(NoRecord::Damaged("its bytes do not match their check"));
    }
    let (index, group) = (u64::from_le_bytes(index), u64::from_le_bytes(group));
    Ok(Record { leaf, sealed, index, group, leaf_hash, len })
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

fn digest(leaf_hash: Hash, sealed: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(leaf_hash.0);
    hash.update(sealed);
    hash.finalize().into()
}

fn check(header: &[u8; CHECKED], digest: &[u8; 32]) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(header);
    hash.update(digest);
    let whole: [u8; 32] = hash.finalize().into();
    let mut first = [0; 8];
    first.iter_mut().zip(whole).for_each(|(to, from)| *to = from);
    first
}
