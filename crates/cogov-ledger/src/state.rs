//! What a running ledger knows, shared by its handle and its two threads.

use std::sync::Arc;

use parking_lot::RwLock;

use crate::record::{self, NoRecord};
use crate::signer::Signer;
use crate::tiles::{Kind, Tile, WIDTH, put_entry};
use crate::tree::Tree;
use crate::{Checkpoint, Clock, Index, LedgerError, Media};

/// Longest piece of the journal read at once, unless one record is longer.
const PIECE: u64 = 4 << 20;

/// The durable entries, no more: written by the sequencer after each sync, read by everybody.
#[derive(Default)]
pub(crate) struct Durable {
    pub(crate) tree: Tree,
    /// Byte offset of each record.
    pub(crate) offsets: Vec<u64>,
    /// Byte offset after the last record.
    pub(crate) end: u64,
}

impl Durable {
    /// Number of entries.
    pub(crate) fn size(&self) -> u64 {
        self.offsets.len() as u64
    }

    /// Where the record of `index` begins; for the first index that is free, where it will.
    pub(crate) fn offset(&self, index: Index) -> Option<u64> {
        let at = usize::try_from(index).ok()?;
        if at == self.offsets.len() { Some(self.end) } else { self.offsets.get(at).copied() }
    }

    /// Takes in one more durable record.
    pub(crate) fn push(&mut self, leaf_hash: tlog_tiles::Hash, len: usize) {
        self.tree.push(leaf_hash);
        self.offsets.push(self.end);
        self.end += len as u64;
    }
}

/// The parts of a ledger that its handle, sequencer and publisher share.
pub(crate) struct Shared {
    pub(crate) media: Arc<dyn Media>,
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) clock: Clock,
    pub(crate) origin: String,
    pub(crate) durable: RwLock<Durable>,
    /// The newest published checkpoint: written by the publisher (and at opening), never replaced by a smaller one.
    pub(crate) published: RwLock<Arc<Checkpoint>>,
}

impl Shared {
    /// Number of durable entries.
    pub(crate) fn size(&self) -> u64 {
        self.durable.read().size()
    }

    /// Reads the records `from..to` (which must be durable) in order and hands each to `take`.
    pub(crate) fn records(
        &self,
        from: Index,
        to: Index,
        mut take: impl FnMut(&record::Record<'_>),
    ) -> Result<(), LedgerError> {
        let mut next = from;
        let mut piece = Vec::new();
        while next < to {
            let (start, end) = self.extent(next, to)?;
            piece.resize(usize::try_from(end - start).unwrap_or(usize::MAX), 0);
            self.media.journal_read(start, &mut piece).map_err(LedgerError::media("read the journal"))?;
            let mut rest = piece.as_slice();
            while !rest.is_empty() {
                let offset = end - rest.len() as u64;
                let damaged = |reason| LedgerError::Corrupt { index: next, offset, reason };
                let record = record::decode(rest).map_err(|why| match why {
                    NoRecord::Incomplete(_) => damaged("its bytes do not match their check"),
                    NoRecord::Damaged(reason) => damaged(reason),
                })?;
                if record.index != next {
                    return Err(damaged("it is the record of another entry"));
                }
                take(&record);
                rest = rest.get(record.len..).unwrap_or_default();
                next += 1;
            }
        }
        Ok(())
    }

    /// The bytes of as many records from `next` on as fit into one piece.
    fn extent(&self, next: Index, to: Index) -> Result<(u64, u64), LedgerError> {
        let durable = self.durable.read();
        let missing = LedgerError::NoSuchEntry { index: to.saturating_sub(1), size: durable.size() };
        let (Some(start), Some(mut end), Some(_)) =
            (durable.offset(next), durable.offset(next + 1), durable.offset(to))
        else {
            return Err(missing);
        };
        for index in next + 2..=to {
            match durable.offset(index) {
                Some(offset) if offset - start <= PIECE => end = offset,
                _ => break,
            }
        }
        Ok((start, end))
    }

    /// The bytes of a tile whose items are all durable.
    pub(crate) fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, LedgerError> {
        match tile.kind {
            Kind::Hashes(level) => Ok(self.durable.read().tree.tile(level, tile.n, tile.width)),
            Kind::Entries => {
                let from = tile.n.saturating_mul(WIDTH as u64);
                let mut bundle = Vec::new();
                self.records(from, from.saturating_add(tile.width as u64), |record| {
                    put_entry(&mut bundle, record.leaf)
                })?;
                Ok(Some(bundle))
            }
        }
    }
}
