//! The ordinary life of a ledger: append, read, publish, prove, verify, open again.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests may stop at once"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cogov_ledger::{
    FileMedia, FileSigner, Ledger, LedgerError, MAX_LEAF, Media, MemoryMedia, Options, verify,
};
use common::{Public, leaf, open, options, sealed};

#[test]
fn an_empty_ledger_is_whole() {
    let media = MemoryMedia::new();
    let (ledger, opened) = open(&media).unwrap();
    assert_eq!((opened.size, opened.repaired), (0, None));
    let report = verify::ledger(&Public(&media), ledger.key()).unwrap();
    assert_eq!((report.size, report.root), (0, tlog_tiles::EMPTY_HASH.0));
    assert!(matches!(ledger.read(0), Err(LedgerError::NoSuchEntry { index: 0, size: 0 })));
    assert!(matches!(ledger.receipt(0), Err(LedgerError::NoSuchEntry { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_tasks_get_contiguous_indices() {
    let media = MemoryMedia::new();
    let ledger = Arc::new(open(&media).unwrap().0);
    let mut tasks = Vec::new();
    for task in 0..64u64 {
        let ledger = Arc::clone(&ledger);
        tasks.push(tokio::spawn(async move {
            let mut got = Vec::new();
            for step in 0..20 {
                let number = task * 20 + step;
                got.push((ledger.append(leaf(number), sealed(number)).await.unwrap(), number));
            }
            got
        }));
    }
    let mut seen = BTreeSet::new();
    for task in tasks {
        for (index, number) in task.await.unwrap() {
            assert!(seen.insert(index));
            let entry = ledger.read(index).unwrap();
            assert_eq!((entry.leaf, entry.sealed), (leaf(number), sealed(number)));
        }
    }
    assert_eq!(seen, (0..1280).collect());
    assert!(media.syncs() < 1280, "groups share syncs: {}", media.syncs());
    let checkpoint = ledger.publish().await.unwrap();
    assert_eq!(checkpoint.size, 1280);
    assert_eq!(verify::ledger(&Public(&media), ledger.key()).unwrap().root, checkpoint.root);
}

#[tokio::test]
async fn a_checkpoint_comes_within_the_second() {
    let media = MemoryMedia::new();
    let (ledger, _) = open(&media).unwrap();
    ledger.append(leaf(0), sealed(0)).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1000)).await;
    assert_eq!(ledger.checkpoint().size, 1);
}

#[test]
fn it_goes_on_after_a_restart_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("ledger");
    let open = || {
        let signer = FileSigner::open(&dir.path().join("key"), "cogov.example/demo").unwrap();
        Ledger::open(Options::new(
            Arc::new(FileMedia::open(&home).unwrap()),
            Arc::new(signer),
            Arc::new(|| 7),
        ))
        .unwrap()
    };
    let mut checkpoints = Vec::new();
    for round in 0..5u64 {
        let (ledger, opened) = open();
        assert_eq!(
            (opened.size, opened.signed, &opened.repaired, opened.rewritten),
            (round * 150, round * 150, &None, 0)
        );
        for number in round * 150..(round + 1) * 150 {
            assert_eq!(ledger.append_blocking(leaf(number), sealed(number)).unwrap(), number);
        }
        checkpoints.push(ledger.publish_blocking().unwrap());
        for old in &checkpoints {
            let new = ledger.checkpoint();
            ledger.consistency(old.size, new.size).unwrap().check(old, &new).unwrap();
        }
    }
    let (ledger, _) = open();
    let report = verify::ledger(&verify::Directory::new(&home.join("public")), ledger.key()).unwrap();
    assert_eq!((report.origin.as_str(), report.size, report.time), ("cogov.example/demo", 750, Some(7)));
    let numbers: Vec<_> = ledger.range(100, 9999).unwrap().into_iter().map(|entry| entry.leaf).collect();
    assert_eq!(numbers, (100..750).map(leaf).collect::<Vec<_>>());
}

#[test]
fn files_are_served_for_what_is_published() {
    let media = MemoryMedia::new();
    let (ledger, _) = open(&media).unwrap();
    for number in 0..600 {
        ledger.append_blocking(leaf(number), sealed(number)).unwrap();
    }
    ledger.publish_blocking().unwrap();
    let file = |path| ledger.file(path).unwrap();
    assert_eq!(file("checkpoint").unwrap(), ledger.checkpoint().note);
    assert_eq!(file("key").unwrap(), format!("{}\n", ledger.key()).into_bytes());
    assert_eq!(file("tile/0/000").unwrap().len(), 256 * 32);
    assert_eq!(file("tile/0/002.p/88").unwrap().len(), 88 * 32);
    assert_eq!(file("tile/1/000.p/2").unwrap().len(), 64);
    assert_eq!(file("tile/entries/000.p/1").unwrap()[2..], leaf(0));
    for path in [
        "tile/0/002",
        "tile/0/002.p/89",
        "tile/1/000.p/3",
        "tile/2/000.p/1",
        "../journal",
        "signed",
        "tile/0/../../signed",
    ] {
        assert_eq!(file(path), None, "{path}");
    }
    // What the disk has is what is served.
    let mut public = BTreeMap::new();
    media.tamper_files(|files| public.clone_from(files));
    for (name, bytes) in &public {
        if let Some(path) = name.strip_prefix("public/") {
            assert_eq!(ledger.file(path).unwrap().as_ref(), Some(bytes), "{path}");
        }
    }
    assert!(public.contains_key("public/tile/entries/002.p/88"));
}

#[test]
fn receipts_stand_alone() {
    let media = MemoryMedia::new();
    let (ledger, _) = open(&media).unwrap();
    for number in 0..300 {
        ledger.append_blocking(leaf(number), sealed(number)).unwrap();
    }
    ledger.publish_blocking().unwrap();
    let text = ledger.receipt(123).unwrap();
    let (index, checkpoint) = verify::receipt(&leaf(123), &text, ledger.key()).unwrap();
    assert_eq!((index, checkpoint.size), (123, 300));
    verify::receipt(&leaf(124), &text, ledger.key()).unwrap_err();
    let proof = ledger.proof(5, 300).unwrap();
    verify::inclusion(&leaf(5), &proof, &checkpoint.note, ledger.key()).unwrap();
    verify::inclusion(&leaf(5), &ledger.proof(5, 299).unwrap(), &checkpoint.note, ledger.key()).unwrap_err();
}

#[test]
fn entries_that_do_not_fit_are_refused_before_they_are_queued() {
    let media = MemoryMedia::new();
    let (ledger, _) = open(&media).unwrap();
    let error = ledger.append_blocking(vec![b'x'; MAX_LEAF + 1], Vec::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a public entry of 65536 bytes does not fit: at most 65535 bytes; move long text into the sealed part"
    );
    let sealed = vec![b'x'; cogov_ledger::MAX_SEALED];
    let index = ledger.append_blocking(vec![b'x'; MAX_LEAF], sealed.clone()).unwrap();
    assert_eq!(ledger.read(index).unwrap().sealed, sealed);
    assert!(matches!(
        ledger.append_blocking(Vec::new(), vec![0; cogov_ledger::MAX_SEALED + 1]),
        Err(LedgerError::SealedTooLong { .. })
    ));
    ledger.publish_blocking().unwrap();
    verify::ledger(&Public(&media), ledger.key()).unwrap();
}

#[test]
fn another_key_or_name_is_refused() {
    let media = MemoryMedia::new();
    drop(open(&media).unwrap());
    let mut other = options(&media);
    other.origin = "cogov.example/other".to_owned();
    assert!(matches!(Ledger::open(other), Err(LedgerError::OtherOrigin { .. })));
    let dir = tempfile::tempdir().unwrap();
    let mut other = options(&media);
    other.signer = Arc::new(FileSigner::open(&dir.path().join("key"), "cogov.example/test").unwrap());
    assert!(matches!(Ledger::open(other), Err(LedgerError::SignedState { .. })));
}

#[test]
fn a_tree_of_three_tile_levels_is_whole() {
    let media = MemoryMedia::new();
    let (ledger, _) = open(&media).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for sizes in [0..65_536, 65_536..66_100u64] {
        let size = sizes.end;
        let queued: Vec<_> = sizes.map(|number| ledger.append(leaf(number), sealed(number))).collect();
        for append in queued {
            runtime.block_on(append).unwrap();
        }
        let checkpoint = ledger.publish_blocking().unwrap();
        let report = verify::ledger(&Public(&media), ledger.key()).unwrap();
        assert_eq!((report.size, report.root), (size, checkpoint.root));
        assert_eq!(ledger.file("tile/2/000.p/1").unwrap().unwrap().len(), 32);
    }
    drop(ledger);
    let (ledger, opened) = open(&media).unwrap();
    assert_eq!((opened.size, opened.rewritten), (66_100, 0));
    assert_eq!(ledger.read(66_099).unwrap().leaf, leaf(66_099));
}

/// The public files as someone saw them who fetched the checkpoint before the ledger grew.
struct Late<'a>(&'a MemoryMedia, Vec<u8>);

impl verify::Source for Late<'_> {
    fn get(&self, path: &str) -> std::io::Result<Option<Vec<u8>>> {
        match path {
            "checkpoint" => Ok(Some(self.1.clone())),
            path => Public(self.0).get(path),
        }
    }
}

#[test]
fn an_older_checkpoint_verifies_after_its_partial_tiles_are_gone() {
    let media = MemoryMedia::new();
    let (ledger, _) = open(&media).unwrap();
    let fill = |numbers: std::ops::Range<u64>| {
        for number in numbers {
            ledger.append_blocking(leaf(number), sealed(number)).unwrap();
        }
        ledger.publish_blocking().unwrap()
    };
    let old = fill(0..100);
    fill(100..300);
    assert!(Media::get(&media, "public/tile/0/000.p/100").unwrap().is_none());
    let late = Late(&media, old.note.clone());
    assert_eq!(verify::ledger(&late, ledger.key()).unwrap().size, 100);
}
