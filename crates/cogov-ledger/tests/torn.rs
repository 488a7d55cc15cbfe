//! Torn writes, failing disks, lost power.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests may stop at once"
)]

mod common;

use std::time::Duration;

use cogov_ledger::{Ledger, LedgerError, MemoryMedia, verify};
use common::{Public, leaf, open, options, sealed};

/// A ledger that publishes only when it is told to.
fn quiet(media: &MemoryMedia) -> Ledger {
    let mut options = options(media);
    options.checkpoint_every = Duration::from_secs(3600);
    Ledger::open(options).unwrap().0
}

/// Journal with `signed` published entries, then `tail` more, each a group of its own. The last bytes of the journal are theirs.
fn with_tail(signed: u64, tail: u64) -> (MemoryMedia, Vec<usize>) {
    let media = MemoryMedia::new();
    let ledger = quiet(&media);
    for number in 0..signed {
        ledger.append_blocking(leaf(number), sealed(number)).unwrap();
    }
    ledger.publish_blocking().unwrap();
    let mut ends = vec![length(&media)];
    for number in signed..signed + tail {
        ledger.append_blocking(leaf(number), sealed(number)).unwrap();
        ends.push(length(&media));
    }
    // A copy is taken before closing publishes the rest.
    (media.copy(), ends)
}

fn length(media: &MemoryMedia) -> usize {
    let mut len = 0;
    media.tamper_journal(|journal| len = journal.len());
    len
}

fn check(media: &MemoryMedia, size: u64, what: &str) {
    let (ledger, opened) = open(media).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(opened.size, size, "{what}");
    for number in 0..size {
        assert_eq!(ledger.read(number).unwrap().leaf, leaf(number), "{what}");
    }
    // It goes on where it was.
    assert_eq!(ledger.append_blocking(leaf(size), sealed(size)).unwrap(), size);
    ledger.publish_blocking().unwrap();
    assert_eq!(verify::ledger(&Public(media), ledger.key()).unwrap().size, size + 1, "{what}");
}

#[test]
fn a_journal_cut_at_any_byte_keeps_every_whole_record() {
    let (media, ends) = with_tail(3, 3);
    for cut in ends[0]..=ends[3] {
        let copy = media.copy();
        copy.tamper_journal(|journal| journal.truncate(cut));
        let whole = ends.iter().filter(|end| **end <= cut).count() as u64;
        let on_edge = ends.contains(&cut);
        let opened = open(&copy.copy()).unwrap().1;
        assert_eq!(opened.repaired.is_none(), on_edge, "cut at {cut}");
        if let Some(repair) = opened.repaired {
            assert_eq!(repair.index, 2 + whole);
            assert_eq!(repair.bytes as usize, cut - ends[whole as usize - 1]);
        }
        check(&copy, 2 + whole, &format!("cut at {cut}"));
    }
}

#[test]
fn a_flipped_bit_is_repaired_in_the_last_group_and_refused_before() {
    let (media, ends) = with_tail(3, 3);
    for at in 0..ends[3] {
        let copy = media.copy();
        copy.tamper_journal(|journal| journal[at] ^= 1 << (at % 8));
        if at >= ends[2] {
            check(&copy, 5, &format!("bit in byte {at}"));
        } else {
            // A later group was begun, so this one was durable: cutting it off would hide a loss.
            assert!(matches!(open(&copy), Err(LedgerError::Corrupt { .. })), "bit in byte {at}");
        }
    }
}

#[test]
fn a_hole_in_the_last_group_is_torn_even_when_whole_records_follow() {
    let media = MemoryMedia::new();
    let ledger = quiet(&media);
    ledger.append_blocking(leaf(0), sealed(0)).unwrap();
    media.slow_sync(Duration::from_millis(50));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let queued: Vec<_> = (1..40).map(|number| ledger.append(leaf(number), sealed(number))).collect();
    for append in queued {
        runtime.block_on(append).unwrap();
    }
    media.slow_sync(Duration::ZERO);
    let record = |number: u64| 36 + leaf(number).len() + sealed(number).len();
    let start = |index: u64| (0..index).map(record).sum::<usize>();
    let copy = media.copy();
    let mut last_group = 0;
    copy.tamper_journal(|journal| {
        let at = start(39) + 20;
        last_group = u64::from_le_bytes(journal[at..at + 8].try_into().unwrap()) as usize;
    });
    let first = (0..40).find(|index| start(*index) == last_group).unwrap();
    assert!(first + 5 < 40, "the last group holds several records");
    // A lost page in its third record: what was written before it stays, what follows goes, and that is told.
    copy.tamper_journal(|journal| journal[start(first + 2)..start(first + 3)].fill(0));
    let repair = open(&copy.copy()).unwrap().1.repaired.unwrap();
    assert_eq!((repair.index, repair.bytes as usize), (first + 2, start(40) - start(first + 2)));
    check(&copy, first + 2, "hole in the last group");
    // The same hole in an earlier group is damage.
    let copy = media.copy();
    copy.tamper_journal(|journal| journal[start(first) - 3..start(first)].fill(0xAA));
    assert!(matches!(open(&copy), Err(LedgerError::Corrupt { .. })));
}

#[test]
fn a_failed_write_fails_everybody_and_closes_the_ledger() {
    for torn in [0, 1, 20, 36, 50, 100] {
        let media = MemoryMedia::new();
        let ledger = quiet(&media);
        ledger.append_blocking(leaf(0), sealed(0)).unwrap();
        media.fail_write_after(torn);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let queued: Vec<_> = (1..65).map(|number| ledger.append(leaf(number), sealed(number))).collect();
        let mut refused = 0;
        for append in queued {
            match runtime.block_on(append) {
                Ok(_) => {}
                Err(LedgerError::NotDurable(_) | LedgerError::ReadOnly { .. }) => refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        let acknowledged = ledger.size();
        assert_eq!(acknowledged - 1, 64 - refused);
        assert!(refused > 0);
        media.heal();
        assert!(matches!(ledger.append_blocking(leaf(9), sealed(9)), Err(LedgerError::ReadOnly { .. })));
        assert!(matches!(ledger.status().read_only, Some(LedgerError::ReadOnly { .. })));
        // It still reads, proves and publishes what is durable.
        assert_eq!(ledger.read(0).unwrap().leaf, leaf(0));
        assert_eq!(ledger.publish_blocking().unwrap().size, acknowledged);
        drop(ledger);
        let (ledger, opened) = open(&media).unwrap();
        assert!(opened.size >= acknowledged);
        assert_eq!(ledger.read(0).unwrap().leaf, leaf(0));
    }
}

#[test]
fn a_failed_sync_acknowledges_nothing_and_signs_nothing() {
    let media = MemoryMedia::new();
    let ledger = quiet(&media);
    ledger.append_blocking(leaf(0), sealed(0)).unwrap();
    media.fail_sync();
    assert!(matches!(ledger.append_blocking(leaf(1), sealed(1)), Err(LedgerError::NotDurable(_))));
    assert_eq!(ledger.size(), 1);
    assert_eq!(ledger.publish_blocking().unwrap().size, 1);
    drop(ledger);
    // The power fails: whatever part of the unsynced write survived, nothing acknowledged is lost.
    for kept in 0..200 {
        let after = media.after_power_loss(kept);
        let (ledger, opened) = open(&after).unwrap();
        assert!((1..=2).contains(&opened.size));
        assert_eq!(ledger.read(0).unwrap().leaf, leaf(0));
        verify::ledger(&Public(&after), ledger.key()).unwrap();
    }
    // Without a power loss the record is found; opening makes it durable before it counts.
    media.heal();
    let (ledger, opened) = open(&media).unwrap();
    assert_eq!((opened.size, opened.signed), (2, 1));
    assert_eq!(open(&media.after_power_loss(0)).unwrap().1.size, 2);
    drop(ledger);
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_told_and_tried_again() {
    let media = MemoryMedia::new();
    let ledger = quiet(&media);
    media.fail_put();
    ledger.append_blocking(leaf(0), sealed(0)).unwrap();
    assert!(matches!(ledger.publish_blocking(), Err(LedgerError::Media { .. })));
    assert_eq!(ledger.checkpoint().size, 0);
    assert!(ledger.status().publishing.is_some());
    media.heal();
    assert_eq!(ledger.publish_blocking().unwrap().size, 1);
    assert!(ledger.status().publishing.is_none());
    verify::ledger(&Public(&media), ledger.key()).unwrap();
}
