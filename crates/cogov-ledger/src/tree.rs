//! The Merkle tree in memory: the hashes of every tile level, about 32 bytes an entry, and what follows from them.

use tlog_tiles::{EMPTY_HASH, Error, Hash, HashReader, node_hash, split_stored_hash_index};

use crate::tiles::{HEIGHT, WIDTH};

/// Hashes of every tile level: level `l` holds the roots of the complete subtrees of `256^l` leaves.
#[derive(Default)]
pub(crate) struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// Adds a leaf and every tile-level hash that it completes.
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() <= level {
                self.levels.push(Vec::new());
            }
            let Some(row) = self.levels.get_mut(level) else {
                return;
            };
            row.push(hash);
            if row.len() % WIDTH != 0 {
                return;
            }
            hash = fold(row.get(row.len() - WIDTH..).unwrap_or_default());
        }
    }

    /// The bytes of a hash tile, or `None` when the tree has no such hashes.
    pub(crate) fn tile(&self, level: u8, n: u64, width: usize) -> Option<Vec<u8>> {
        let start = usize::try_from(n).ok()?.checked_mul(WIDTH)?;
        let hashes = self.levels.get(usize::from(level))?.get(start..start.checked_add(width)?)?;
        Some(hashes.iter().flat_map(|hash| hash.0).collect())
    }

    fn hash_at(&self, index: u64) -> Option<Hash> {
        let (level, n) = split_stored_hash_index(index);
        let below = level % HEIGHT;
        let start = usize::try_from(n.checked_shl(below.into())?).ok()?;
        let row = self.levels.get(usize::from(level / HEIGHT))?;
        row.get(start..start.checked_add(1 << below)?).map(fold)
    }
}

impl HashReader for Tree {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        indexes.iter().map(|&index| self.hash_at(index).ok_or(Error::IndexesNotInTree)).collect()
    }
}

/// Root of the RFC 6962 tree whose rows of leaves (or complete subtrees of one size) are `row`: pairs are hashed, an odd last
/// one moves up unchanged. The last element may be an incomplete subtree.
pub(crate) fn fold(row: &[Hash]) -> Hash {
    let mut row = row.to_vec();
    while row.len() > 1 {
        row = row
            .chunks(2)
            .filter_map(|pair| match pair {
                [left, right] => Some(node_hash(*left, *right)),
                [odd] => Some(*odd),
                _ => None,
            })
            .collect();
    }
    row.first().copied().unwrap_or(EMPTY_HASH)
}
