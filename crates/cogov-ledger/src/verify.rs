//! Checking a ledger from its public bytes and its verifier key alone. Nothing here knows the journal or a running ledger.

use std::io;
use std::path::{Path, PathBuf};

use tlog_tiles::{Hash, node_hash, record_hash};

use crate::media::{inside, read_if_there};
use crate::tiles::{Kind, Tile, WIDTH, take_entry};
use crate::{Checkpoint, CheckpointError, HashBytes, InclusionProof, Index, ProofError};

/// Where public files come from: a directory, a web server, an archive.
pub trait Source {
    /// The file at a tlog-tiles path such as `checkpoint` or `tile/0/000`; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be known.
    fn get(&self, path: &str) -> io::Result<Option<Vec<u8>>>;
}

/// The public files in a directory.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// The directory that holds `checkpoint` and `tile/` (for a ledger of [`crate::FileMedia`], its `public/`).
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self(dir.to_owned())
    }
}

impl Source for Directory {
    fn get(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        read_if_there(&inside(&self.0, path)?)
    }
}

/// A whole ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The ledger's name.
    pub origin: String,
    /// Entries, all of them checked.
    pub size: u64,
    /// The signed root hash, which they lead to.
    pub root: HashBytes,
    /// When the checkpoint was signed, in Unix milliseconds.
    pub time: Option<u64>,
}

/// Why a ledger is not whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// A file could not be fetched.
    #[error("could not fetch {path}: {source}")]
    Fetch {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The checkpoint is missing.
    #[error("there is no checkpoint here; give the address or directory that holds the file `checkpoint`")]
    NoCheckpoint,
    /// The checkpoint is not acceptable.
    #[error("the checkpoint is not acceptable: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// An entry, or a hash over entries, is not what it should be.
    #[error("the ledger is not whole: first bad entry {index}{}: {what} ({path})", through(*.index, *.last))]
    Bad {
        /// The first entry that is bad, or that a bad hash covers.
        index: Index,
        /// The last entry that the same bad hash covers; equal to `index` when the entry itself is bad.
        last: Index,
        /// The file that shows it.
        path: String,
        /// What is wrong.
        what: &'static str,
    },
}

fn through(index: Index, last: Index) -> String {
    if last > index { format!(" (or one up to {last})") } else { String::new() }
}

/// Checks the whole ledger: the checkpoint's signature with the verifier key `key`, every entry against its leaf hash,
/// every tile of every level, and the root that they lead to.
///
/// # Errors
/// [`VerifyError`] with the first bad entry when it is not whole.
pub fn ledger(source: &impl Source, key: &str) -> Result<Report, VerifyError> {
    let note = fetch(source, "checkpoint")?.ok_or(VerifyError::NoCheckpoint)?;
    let checkpoint = Checkpoint::verify(&note, key)?;
    let mut walk = Walk { source, size: checkpoint.size, rows: Vec::new() };
    for n in 0..checkpoint.size.div_ceil(WIDTH as u64) {
        walk.bundle(n)?;
    }
    if walk.finish()?.0 != checkpoint.root {
        return Err(VerifyError::Bad {
            index: 0,
            last: checkpoint.size.saturating_sub(1),
            path: "checkpoint".to_owned(),
            what: "entries and tiles agree with each other, but not with the signed root",
        });
    }
    Ok(Report {
        origin: checkpoint.origin,
        size: checkpoint.size,
        root: checkpoint.root,
        time: checkpoint.time,
    })
}

/// Checks that `leaf` is the entry of `proof` under the signed `checkpoint` note, whose signature is checked with `key`.
///
/// # Errors
/// [`ProofError`] when it is not proven.
pub fn inclusion(
    leaf: &[u8],
    proof: &InclusionProof,
    checkpoint: &[u8],
    key: &str,
) -> Result<Checkpoint, ProofError> {
    let checkpoint = Checkpoint::verify(checkpoint, key)?;
    proof.check(leaf, &checkpoint)?;
    Ok(checkpoint)
}

/// Checks a receipt (a C2SP tlog-proof text) for `leaf` with the verifier key `key`. Returns the index and the checkpoint.
///
/// # Errors
/// [`ProofError`] when it is not proven.
pub fn receipt(leaf: &[u8], text: &str, key: &str) -> Result<(Index, Checkpoint), ProofError> {
    let (proof, checkpoint) = InclusionProof::from_text(text, key)?;
    proof.check(leaf, &checkpoint)?;
    Ok((proof.index, checkpoint))
}

fn fetch(source: &impl Source, path: &str) -> Result<Option<Vec<u8>>, VerifyError> {
    source.get(path).map_err(|source| VerifyError::Fetch { path: path.to_owned(), source })
}

/// A walk over all entries, left to right. It keeps one unfinished row of at most 256 computed hashes per tile level.
struct Walk<'a, S> {
    source: &'a S,
    size: u64,
    /// Per level: the number of the tile that is being filled, and its computed hashes.
    rows: Vec<(u64, Vec<Hash>)>,
}

impl<S: Source> Walk<'_, S> {
    /// Checks one entry bundle against the tile of its leaf hashes.
    fn bundle(&mut self, n: u64) -> Result<(), VerifyError> {
        let (tile, first) = self.tile(Kind::Entries, n);
        let path = tile.to_string();
        let last = first + tile.width as u64 - 1;
        let (bytes, wider) =
            self.fetch(tile)?.ok_or_else(|| bad(first, last, &path, "the entry bundle is missing"))?;
        let mut rest = bytes.as_slice();
        let mut hashes = Vec::with_capacity(tile.width);
        for index in first..=last {
            let entry = take_entry(&mut rest)
                .ok_or_else(|| bad(index, index, &path, "the entry bundle ends within or before it"));
            hashes.push(entry.map(record_hash));
        }
        // A damaged length shifts all that follow: the first hash that differs names the entry.
        let stored = self.stored(Kind::Hashes(0), n, 1)?;
        let mut row = Vec::with_capacity(tile.width);
        for ((index, hash), stored) in (first..).zip(hashes).zip(stored) {
            let hash = hash?;
            if hash != stored {
                return Err(bad(
                    index,
                    index,
                    &path,
                    "the entry does not have the hash that the leaf tile states",
                ));
            }
            row.push(hash);
        }
        if !rest.is_empty() && !wider {
            return Err(bad(last, last, &path, "the entry bundle holds more than its entries"));
        }
        self.rise(0, n, row)
    }

    /// Takes the complete or last row of a tile and, when it is complete, checks the hash above it.
    fn rise(&mut self, level: u8, n: u64, row: Vec<Hash>) -> Result<(), VerifyError> {
        let at = usize::from(level);
        while self.rows.len() <= at {
            self.rows.push((0, Vec::new()));
        }
        if row.len() < WIDTH {
            if let Some(slot) = self.rows.get_mut(at) {
                *slot = (n, row);
            }
            return Ok(());
        }
        let hash = root(&row);
        if let Some(slot) = self.rows.get_mut(at) {
            *slot = (n + 1, Vec::new());
        }
        while self.rows.len() <= at + 1 {
            self.rows.push((0, Vec::new()));
        }
        let Some((above, waiting)) = self.rows.get_mut(at + 1) else {
            return Ok(());
        };
        waiting.push(hash);
        let above = *above;
        let filled = waiting.len();
        if filled == self.tile(Kind::Hashes(level + 1), above).0.width {
            let row = self.compare(level + 1, above)?;
            return self.rise(level + 1, above, row);
        }
        Ok(())
    }

    /// Compares the computed row of a level with its stored tile, and takes it.
    fn compare(&mut self, level: u8, n: u64) -> Result<Vec<Hash>, VerifyError> {
        let span = span(level);
        let stored = self.stored(Kind::Hashes(level), n, span)?;
        let row =
            self.rows.get_mut(usize::from(level)).map(|(_, row)| std::mem::take(row)).unwrap_or_default();
        let first = n * WIDTH as u64;
        for ((at, ours), stored) in (first..).zip(&row).zip(stored) {
            if *ours != stored {
                let path = self.tile(Kind::Hashes(level), n).0.to_string();
                return Err(bad(
                    at * span,
                    (at + 1) * span - 1,
                    &path,
                    "the tile does not state the hash of the entries below it",
                ));
            }
        }
        Ok(row)
    }

    /// The hashes of a stored tile, each over `span` entries.
    fn stored(&self, kind: Kind, n: u64, span: u64) -> Result<Vec<Hash>, VerifyError> {
        let (tile, first) = self.tile(kind, n);
        let path = tile.to_string();
        let last = (first + tile.width as u64) * span - 1;
        let wrong = |what| bad(first * span, last, &path, what);
        let (bytes, wider) = self.fetch(tile)?.ok_or_else(|| wrong("the tile is missing"))?;
        let (hashes, rest) = bytes.as_chunks::<32>();
        let expected = if wider { WIDTH } else { tile.width };
        if !rest.is_empty() || hashes.len() != expected {
            return Err(wrong("the tile has a wrong length"));
        }
        Ok(hashes.iter().take(tile.width).copied().map(Hash).collect())
    }

    /// The bytes of a tile. When a partial tile is gone because the ledger grew meanwhile, its full version serves (as
    /// tlog-tiles asks of clients); the flag then says that it holds more.
    fn fetch(&self, tile: Tile) -> Result<Option<(Vec<u8>, bool)>, VerifyError> {
        if let Some(bytes) = fetch(self.source, &tile.to_string())? {
            return Ok(Some((bytes, false)));
        }
        if tile.is_full() {
            return Ok(None);
        }
        let full = Tile { width: WIDTH, ..tile };
        Ok(fetch(self.source, &full.to_string())?.map(|bytes| (bytes, true)))
    }

    /// Tile `n` of a kind as wide as the signed size makes it, and the number of its first item.
    fn tile(&self, kind: Kind, n: u64) -> (Tile, u64) {
        let first = n.saturating_mul(WIDTH as u64);
        let left = kind.items(self.size).saturating_sub(first);
        (Tile { kind, n, width: usize::try_from(left).map_or(WIDTH, |left| left.min(WIDTH)) }, first)
    }

    /// The root over all rows: each level's row, with the incomplete subtree from below as its last element.
    fn finish(self) -> Result<Hash, VerifyError> {
        let mut carry = None;
        for (_, mut row) in self.rows {
            row.extend(carry);
            carry = if row.is_empty() { None } else { Some(root(&row)) };
        }
        Ok(carry.unwrap_or(tlog_tiles::EMPTY_HASH))
    }
}

/// Entries under one hash of a level.
fn span(level: u8) -> u64 {
    1 << (u32::from(level) * 8)
}

fn bad(index: Index, last: Index, path: &str, what: &'static str) -> VerifyError {
    VerifyError::Bad { index, last, path: path.to_owned(), what }
}

/// The RFC 6962 root of `row`, by the definition's recursion: split at the largest power of two smaller than its length.
fn root(row: &[Hash]) -> Hash {
    match row {
        [] => tlog_tiles::EMPTY_HASH,
        [one] => *one,
        _ => {
            let (left, right) = row.split_at(row.len().next_power_of_two() / 2);
            node_hash(root(left), root(right))
        }
    }
}
