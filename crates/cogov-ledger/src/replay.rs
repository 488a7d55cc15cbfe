//! Reading the whole journal back: every record is checked, and damage is judged.

use crate::record::{self, HEADER, MAGIC, NoRecord};
use crate::state::Durable;
use crate::{Index, LedgerError, MAX_LEAF, MAX_SEALED, Media};

/// Bytes read at once.
const PIECE: usize = 1 << 20;

/// Length of the longest record.
const LONGEST: usize = HEADER + MAX_LEAF + MAX_SEALED;

/// The whole records of a journal, and where they stop.
pub(crate) struct Replay {
    pub(crate) durable: Durable,
    /// Where the first record that is not whole begins, if the journal does not end before it.
    pub(crate) stop: Option<Stop>,
}

/// The first record that is not whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stop {
    pub(crate) index: Index,
    pub(crate) offset: u64,
    pub(crate) reason: &'static str,
}

/// A window that moves over the journal.
struct Window<'a> {
    media: &'a dyn Media,
    len: u64,
    /// Journal offset of the first byte in `bytes`.
    start: u64,
    bytes: Vec<u8>,
}

impl Window<'_> {
    /// The journal from `offset` on: at least `want` bytes, unless it ends before.
    fn at(&mut self, offset: u64, want: usize) -> Result<&[u8], LedgerError> {
        let skip = usize::try_from(offset.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let have = self.bytes.len().saturating_sub(skip);
        let left = self.len.saturating_sub(offset);
        if have < want && (have as u64) < left {
            self.bytes.drain(..skip.min(self.bytes.len()));
            self.start = offset;
            let end = usize::try_from(left).unwrap_or(usize::MAX).min(want.max(PIECE));
            self.bytes.resize(end, 0);
            let fresh = self.bytes.get_mut(have..).unwrap_or_default();
            self.media
                .journal_read(offset + have as u64, fresh)
                .map_err(LedgerError::media("read the journal"))?;
        }
        let skip = usize::try_from(offset - self.start).unwrap_or(usize::MAX);
        Ok(self.bytes.get(skip..).unwrap_or_default())
    }
}

/// Reads every record from the start of the journal.
pub(crate) fn replay(media: &dyn Media) -> Result<Replay, LedgerError> {
    let len = media.journal_len().map_err(LedgerError::media("measure the journal"))?;
    let mut window = Window { media, len, start: 0, bytes: Vec::new() };
    let mut durable = Durable::default();
    let mut group = 0;
    let mut want = HEADER;
    while durable.end < len {
        let (index, offset) = (durable.size(), durable.end);
        let stop = |durable, reason| Ok(Replay { durable, stop: Some(Stop { index, offset, reason }) });
        let bytes = window.at(offset, want)?;
        match record::decode(bytes) {
            Err(NoRecord::Incomplete(needed)) if needed > want && needed as u64 <= len - offset => {
                want = needed
            }
            Err(NoRecord::Incomplete(_)) => return stop(durable, "the journal ends within it"),
            Err(NoRecord::Damaged(reason)) => return stop(durable, reason),
            Ok(record) if record.index != index => {
                return stop(durable, "it is the record of another entry");
            }
            Ok(record) if record.group != group && record.group != offset => {
                return stop(durable, "it was written in another place");
            }
            Ok(record) => {
                group = record.group;
                durable.push(record.leaf_hash, record.len);
                want = HEADER;
            }
        }
    }
    Ok(Replay { durable, stop: None })
}

/// Looks behind damage at `stop` for a whole record of a later group. One is proof that the damaged record was durable once: a
/// later group is begun only after a sync. Then it is no torn write, and cutting it off would hide a loss.
pub(crate) fn later_group(media: &dyn Media, stop: Stop) -> Result<bool, LedgerError> {
    let len = media.journal_len().map_err(LedgerError::media("measure the journal"))?;
    let mut window = Window { media, len, start: stop.offset, bytes: Vec::new() };
    let mut offset = stop.offset + 1;
    while offset + (HEADER as u64) <= len {
        let bytes = window.at(offset, 2 * LONGEST)?;
        // Only places from which a longest record fits into what was read are looked at, or all at the journal's end.
        let ends = offset + bytes.len() as u64 == len;
        let looked = if ends { bytes.len() } else { bytes.len().saturating_sub(LONGEST) };
        for (at, _) in bytes.windows(MAGIC.len()).take(looked).enumerate().filter(|(_, four)| *four == MAGIC)
        {
            let record = bytes.get(at..).map(record::decode);
            if let Some(Ok(record)) = record
                && record.group > stop.offset
                && record.group <= offset + at as u64
                && record.index > stop.index
            {
                return Ok(true);
            }
        }
        offset += looked.max(1) as u64;
    }
    Ok(false)
}
