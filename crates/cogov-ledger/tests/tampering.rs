//! Whatever is changed in the public files, verification finds it; whatever in the journal, opening refuses or repairs it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests may stop at once"
)]

mod common;

use std::collections::BTreeMap;

use cogov_ledger::{LedgerError, MemoryMedia, verify, verify::VerifyError};
use common::{Public, leaf, open, sealed};

/// A small generator with a fixed seed: the same tamperings in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

fn filled(size: u64) -> (MemoryMedia, String) {
    let media = MemoryMedia::new();
    let (ledger, _) = open(&media).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let queued: Vec<_> = (0..size).map(|number| ledger.append(leaf(number), sealed(number))).collect();
    for append in queued {
        runtime.block_on(append).unwrap();
    }
    ledger.publish_blocking().unwrap();
    (media, ledger.key().to_owned())
}

/// Does one random harm and returns what was done.
fn harm(files: &mut BTreeMap<String, Vec<u8>>, names: &[String], dice: &mut Dice) -> String {
    let name = names[dice.below(names.len())].clone();
    let bytes = files.get_mut(&name).unwrap();
    let at = dice.below(bytes.len());
    match dice.below(6) {
        0..=2 => {
            bytes[at] ^= 1 << dice.below(8);
            format!("bit of byte {at} of {name}")
        }
        3 => {
            bytes.truncate(at);
            format!("{name} cut to {at}")
        }
        4 => {
            files.remove(&name);
            format!("{name} removed")
        }
        _ => {
            let other = names[dice.below(names.len())].clone();
            let (a, b) = (files[&name].clone(), files[&other].clone());
            files.insert(name.clone(), b);
            files.insert(other.clone(), a);
            format!("{name} and {other} exchanged")
        }
    }
}

#[test]
fn a_thousand_tamperings_are_found() {
    let (media, key) = filled(1000);
    let size = 1000;
    let mut original = BTreeMap::new();
    media.tamper_files(|files| original.clone_from(files));
    // Only what a tree of this size consists of: older partial tiles are no part of it.
    let tail = [".p/232", "tile/1/000.p/3", "checkpoint"];
    let part = |name: &&String| {
        name.starts_with("public/")
            && (tail.iter().any(|end| name.ends_with(end)) || !name.contains(".p/"))
            && !name.ends_with("key")
    };
    let names: Vec<_> = original.keys().filter(part).cloned().collect();
    assert_eq!(names.len(), 10, "{names:?}");
    let mut dice = Dice(7);
    let mut found = 0;
    while found < 1000 {
        let mut files = original.clone();
        let what = harm(&mut files, &names, &mut dice);
        if files == original {
            continue;
        }
        media.tamper_files(|now| now.clone_from(&files));
        match verify::ledger(&Public(&media), &key) {
            Ok(_) => panic!("not found: {what}"),
            Err(VerifyError::Bad { index, last, .. }) => {
                assert!(index <= last && last < size, "{what}")
            }
            Err(VerifyError::Checkpoint(_) | VerifyError::NoCheckpoint) => {
                assert!(what.contains("checkpoint"), "{what}")
            }
            Err(error) => panic!("{what}: {error}"),
        }
        found += 1;
    }
    media.tamper_files(|now| now.clone_from(&original));
    verify::ledger(&Public(&media), &key).unwrap();
}

#[test]
fn the_first_changed_entry_is_named() {
    let (media, key) = filled(700);
    for index in [0u64, 1, 255, 256, 257, 511, 600, 699] {
        let copy = media.copy();
        copy.tamper_files(|files| {
            let name = if index < 512 {
                format!("public/tile/entries/{:03}", index / 256)
            } else {
                "public/tile/entries/002.p/188".to_owned()
            };
            let offset: usize = (index / 256 * 256..index).map(|number| leaf(number).len() + 2).sum();
            files.get_mut(&name).unwrap()[offset + 4] ^= 1;
        });
        let Err(VerifyError::Bad { index: named, last, .. }) = verify::ledger(&Public(&copy), &key) else {
            panic!("{index}")
        };
        assert_eq!((named, last), (index, index));
    }
}

#[test]
fn two_entries_exchanged_with_their_hashes_are_found_above() {
    let (media, key) = filled(700);
    media.tamper_files(|files| {
        for row in ["public/tile/0/001", "public/tile/0/000"] {
            let bytes = files.get_mut(row).unwrap();
            bytes.swap(0, 32);
        }
        let (a, b) = (files["public/tile/0/000"].clone(), files["public/tile/0/001"].clone());
        files.insert("public/tile/0/000".into(), b);
        files.insert("public/tile/0/001".into(), a);
        let (a, b) = (files["public/tile/entries/000"].clone(), files["public/tile/entries/001"].clone());
        files.insert("public/tile/entries/000".into(), b);
        files.insert("public/tile/entries/001".into(), a);
        // The hashes are put right again, so that entries and leaf tiles agree.
        for row in ["public/tile/0/001", "public/tile/0/000"] {
            files.get_mut(row).unwrap().swap(0, 32);
        }
    });
    let Err(VerifyError::Bad { index, last, path, .. }) = verify::ledger(&Public(&media), &key) else {
        panic!()
    };
    assert_eq!((index, last, path.as_str()), (0, 255, "tile/1/000.p/2"));
}

#[test]
fn opening_puts_public_files_right_again() {
    let (media, key) = filled(700);
    media.tamper_files(|files| {
        files.get_mut("public/tile/entries/001").unwrap()[77] ^= 1;
        files.remove("public/tile/0/000");
        files.get_mut("public/checkpoint").unwrap()[3] ^= 1;
        files.remove("public/key");
    });
    let (_ledger, opened) = open(&media).unwrap();
    assert_eq!(opened.rewritten, 2);
    verify::ledger(&Public(&media), &key).unwrap();
}

#[test]
fn every_bit_of_what_was_signed_counts() {
    let (media, _) = filled(300);
    let mut len = 0;
    media.tamper_journal(|journal| len = journal.len());
    let mut dice = Dice(3);
    for _ in 0..150 {
        let copy = media.copy();
        let at = dice.below(len);
        let mask = 1 << dice.below(8);
        copy.tamper_journal(|journal| journal[at] ^= mask);
        assert!(matches!(open(&copy), Err(LedgerError::Corrupt { .. })), "byte {at}");
        let copy = media.copy();
        copy.tamper_journal(|journal| journal.truncate(at));
        assert!(
            matches!(open(&copy), Err(LedgerError::Corrupt { .. } | LedgerError::JournalShort { .. })),
            "cut at {at}"
        );
    }
}

#[test]
fn a_rewritten_history_is_refused() {
    let (media, _) = filled(300);
    let (other, _) = filled(0);
    let (ledger, _) = open(&other).unwrap();
    for number in 0..300 {
        let number = if number == 17 { 999 } else { number };
        ledger.append_blocking(leaf(number), sealed(number)).unwrap();
    }
    drop(ledger);
    let mut forged = Vec::new();
    other.tamper_journal(|journal| forged.clone_from(journal));
    media.tamper_journal(|journal| *journal = forged);
    assert!(matches!(open(&media), Err(LedgerError::RootMismatch { size: 300, first: Some(17) })));
}

#[test]
fn a_rollback_is_refused() {
    let (media, _) = filled(10);
    let old = media.copy();
    let (ledger, _) = open(&media).unwrap();
    ledger.append_blocking(leaf(10), sealed(10)).unwrap();
    drop(ledger);
    let (mut journal, mut signed) = (Vec::new(), Vec::new());
    old.tamper_journal(|bytes| journal.clone_from(bytes));
    old.tamper_files(|files| signed.clone_from(&files["signed"]));
    media.tamper_journal(|bytes| bytes.clone_from(&journal));
    assert!(matches!(open(&media), Err(LedgerError::JournalShort { index: 10, signed: 11 })));
    media.tamper_files(|files| files.get_mut("signed").unwrap().clone_from(&signed));
    assert!(matches!(open(&media), Err(LedgerError::RolledBack { public: 11, signed: 10 })));
}
