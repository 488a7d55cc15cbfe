//! Start-up: nothing is believed before it was checked again.

use std::sync::Arc;

use tlog_tiles::Hash;

use crate::publisher;
use crate::replay::{self, Replay, Stop};
use crate::state::{Durable, Shared};
use crate::tiles::{Kind, Tile, WIDTH};
use crate::{Checkpoint, CheckpointError, Index, LedgerError, Media, Options};

/// The private copy of the newest signed checkpoint: the commitment that a published one never exceeds.
pub(crate) const SIGNED: &str = "signed";

/// What opening found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Durable entries.
    pub size: u64,
    /// Entries that a signed checkpoint covered before.
    pub signed: u64,
    /// A torn tail that was cut off, if there was one.
    pub repaired: Option<Repair>,
    /// Public files that were missing or differed from the journal and were written again.
    pub rewritten: u64,
}

/// A torn tail: the remains of a write that was never acknowledged as durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The first entry that was not whole.
    pub index: Index,
    /// Bytes that were cut off.
    pub bytes: u64,
    /// What was wrong with the first of them.
    pub reason: &'static str,
}

/// Checks everything, repairs a torn tail and the public files, and publishes what is durable.
pub(crate) fn open(options: &Options) -> Result<(Shared, Opened), LedgerError> {
    let media = options.media.as_ref();
    let signed = committed(options)?;
    let floor = signed.as_ref().map_or(0, |signed| signed.size);
    let Replay { durable, stop } = replay::replay(media)?;
    if durable.size() < floor {
        return Err(match stop {
            Some(Stop { index, offset, reason }) => LedgerError::Corrupt { index, offset, reason },
            None => LedgerError::JournalShort { index: durable.size(), signed: floor },
        });
    }
    if let Some(signed) = &signed {
        check_root(media, &durable, signed)?;
    }
    check_public(options, &durable, floor)?;
    let repaired = stop.map(|stop| repair(media, &durable, stop)).transpose()?;
    settle(media, &durable, floor)?;

    let size = durable.size();
    let shared = share(options, durable, signed)?;
    let rewritten = publisher::project(&shared, floor)?;
    publisher::publish(&shared)?;
    Ok((shared, Opened { size, signed: floor, repaired, rewritten }))
}

/// Puts the checked parts together; what was signed before is what counts as published.
fn share(options: &Options, durable: Durable, signed: Option<Checkpoint>) -> Result<Shared, LedgerError> {
    let (time, signer) = ((options.clock)(), options.signer.as_ref());
    let head = match signed {
        Some(signed) => signed,
        // The head of nothing: a ledger has a checkpoint from its first moment.
        None => Checkpoint::sign(&options.origin, 0, tlog_tiles::EMPTY_HASH, time, signer)?,
    };
    Ok(Shared {
        media: Arc::clone(&options.media),
        signer: Arc::clone(&options.signer),
        clock: Arc::clone(&options.clock),
        origin: options.origin.clone(),
        durable: durable.into(),
        published: Arc::new(head).into(),
    })
}

/// The checkpoint that the ledger last committed to.
fn committed(options: &Options) -> Result<Option<Checkpoint>, LedgerError> {
    let signed = load(options, SIGNED)?;
    let unacceptable = |source| LedgerError::SignedState { name: SIGNED, source };
    let Some(signed) = signed.transpose().map_err(unacceptable)? else {
        // Without the private copy, a public checkpoint still binds.
        let public = load(options, publisher::CHECKPOINT)?.transpose();
        return public.map_err(|source| LedgerError::SignedState { name: publisher::CHECKPOINT, source });
    };
    if signed.origin != options.origin {
        return Err(LedgerError::OtherOrigin { expected: options.origin.clone(), found: signed.origin });
    }
    Ok(Some(signed))
}

fn load(
    options: &Options,
    name: &'static str,
) -> Result<Option<Result<Checkpoint, CheckpointError>>, LedgerError> {
    let note = options.media.get(name).map_err(LedgerError::media("read a checkpoint"))?;
    Ok(note.map(|note| Checkpoint::verify(&note, options.signer.verifier_key())))
}

/// The public checkpoint must be one that this journal and this commitment could have led to. One that is unreadable is only
/// a damaged copy and is written again.
fn check_public(options: &Options, durable: &Durable, signed: u64) -> Result<(), LedgerError> {
    let Some(Ok(public)) = load(options, publisher::CHECKPOINT)? else {
        return Ok(());
    };
    if public.origin != options.origin {
        return Err(LedgerError::OtherOrigin { expected: options.origin.clone(), found: public.origin });
    }
    if public.size > signed {
        return Err(LedgerError::RolledBack { public: public.size, signed });
    }
    check_root(options.media.as_ref(), durable, &public)
}

fn check_root(media: &dyn Media, durable: &Durable, signed: &Checkpoint) -> Result<(), LedgerError> {
    let root = tlog_tiles::tree_hash(signed.size, &durable.tree)
        .map_err(|error| LedgerError::Proof(error.to_string()))?;
    if root == signed.root_hash() {
        return Ok(());
    }
    Err(LedgerError::RootMismatch { size: signed.size, first: first_difference(media, durable, signed.size) })
}

/// The first entry whose published leaf hash is not the journal's.
fn first_difference(media: &dyn Media, durable: &Durable, size: u64) -> Option<Index> {
    let tiles = Tile::added(0, size).filter(|tile| tile.kind == Kind::Hashes(0));
    for tile in tiles {
        let (Ok(Some(public)), Some(ours)) =
            (media.get(&publisher::name(tile)), durable.tree.tile(0, tile.n, tile.width))
        else {
            continue;
        };
        let hash = size_of::<Hash>();
        if let Some(at) = ours.chunks(hash).zip(public.chunks(hash)).position(|(ours, public)| ours != public)
        {
            return Some(tile.n * WIDTH as u64 + at as u64);
        }
    }
    None
}

/// Cuts off a torn tail, if it can only be one.
fn repair(media: &dyn Media, durable: &Durable, stop: Stop) -> Result<Repair, LedgerError> {
    if replay::later_group(media, stop)? {
        return Err(LedgerError::Corrupt { index: stop.index, offset: stop.offset, reason: stop.reason });
    }
    let len = media.journal_len().map_err(LedgerError::media("measure the journal"))?;
    media.journal_truncate(durable.end).map_err(LedgerError::media("cut off a torn tail"))?;
    let bytes = len.saturating_sub(durable.end);
    tracing::warn!(
        index = stop.index,
        bytes,
        reason = stop.reason,
        "cut off the torn tail of the ledger's journal"
    );
    Ok(Repair { index: stop.index, bytes, reason: stop.reason })
}

/// Makes sure of the records that no checkpoint covers. They were read, but a failed sync may have left them in memory only
/// and marked as clean, so they are written again, the same bytes in the same place, and synced.
fn settle(media: &dyn Media, durable: &Durable, floor: u64) -> Result<(), LedgerError> {
    const PIECE: u64 = 1 << 20;
    let mut offset = durable.offset(floor).unwrap_or(durable.end);
    if offset == durable.end {
        return Ok(());
    }
    while offset < durable.end {
        let mut piece = vec![0; usize::try_from((durable.end - offset).min(PIECE)).unwrap_or(0)];
        media.journal_read(offset, &mut piece).map_err(LedgerError::media("read the journal"))?;
        media.journal_write(offset, &piece).map_err(LedgerError::media("write the journal's tail again"))?;
        offset += piece.len() as u64;
    }
    media.journal_sync().map_err(LedgerError::media("sync the journal's tail"))
}
