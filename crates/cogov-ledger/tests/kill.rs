//! kill -9 at random moments: nothing that was acknowledged is lost, the tree verifies, checkpoints agree with each other.
//!
//! The test runs its own binary again as the writer, which reports every acknowledged entry on its standard output.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests may stop at once"
)]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cogov_ledger::{Checkpoint, FileMedia, FileSigner, Ledger, Opened, Options, verify};
use common::{leaf, sealed};

const HOME: &str = "COGOV_LEDGER_TORTURE_HOME";
const ROUNDS: u64 = 100;

fn open(home: &Path) -> (Ledger, Opened) {
    let signer = FileSigner::open(&home.join("key"), "cogov.example/torture").unwrap();
    let media = FileMedia::open(&home.join("ledger")).unwrap();
    let mut options = Options::new(Arc::new(media), Arc::new(signer), Arc::new(|| 0));
    // Often, so that the kills hit publications too.
    options.checkpoint_every = Duration::from_millis(3);
    Ledger::open(options).unwrap()
}

/// The writer's part: it appends from eight threads until it is killed.
#[test]
fn writer() {
    let Ok(home) = std::env::var(HOME) else {
        return;
    };
    let (ledger, _) = open(Path::new(&home));
    let base = ledger.size() * 1000;
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let ledger = &ledger;
            scope.spawn(move || {
                for step in 0..100_000 {
                    let number = base + step * 8 + thread;
                    let index = ledger.append_blocking(leaf(number), sealed(number)).unwrap();
                    let mut out = std::io::stdout().lock();
                    out.write_all(format!("ack {index} {number}\n").as_bytes()).unwrap();
                    out.flush().unwrap();
                }
            });
        }
    });
}

/// Starts a writer, kills it some time after its start or, when `busy`, after its first acknowledgement, and returns all that
/// it acknowledged.
fn torture(home: &Path, alive: Duration, busy: bool) -> BTreeMap<u64, u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "writer", "--nocapture", "--test-threads=1"])
        .env(HOME, home)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let (started, first) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut acknowledged = BTreeMap::new();
        let mut line = String::new();
        // A line without its end was cut by the kill: it may be half a number.
        while lines.read_line(&mut line).is_ok_and(|read| read > 0) && line.ends_with('\n') {
            // The test harness writes to the same stream, so an acknowledgement may follow other words.
            let words: Vec<_> = line.split_whitespace().skip_while(|word| *word != "ack").skip(1).collect();
            if let [index, number] = words[..] {
                acknowledged.insert(index.parse().unwrap(), number.parse().unwrap());
                let _ = started.send(());
            }
            line.clear();
        }
        acknowledged
    });
    if busy {
        let _ = first.recv_timeout(Duration::from_secs(10));
    }
    std::thread::sleep(alive);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[test]
fn nothing_acknowledged_is_lost_in_a_hundred_kills() {
    let home = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let mut all = BTreeMap::new();
    let mut checkpoints: Vec<Checkpoint> = Vec::new();
    let mut productive = 0;
    for round in 0..ROUNDS {
        // Every fourth is killed while it still starts and re-verifies.
        let busy = round % 4 != 0;
        let alive = Duration::from_micros((round * 7_919) % 25_000);
        let acknowledged = torture(home.path(), alive, busy);
        productive += u64::from(!acknowledged.is_empty());
        let (ledger, opened) = open(home.path());
        for (index, number) in &acknowledged {
            let entry = ledger.read(*index).unwrap();
            assert_eq!(
                (entry.leaf, entry.sealed),
                (leaf(*number), sealed(*number)),
                "round {round}, entry {index}"
            );
        }
        assert!(all.keys().all(|index| *index < opened.size), "round {round}");
        all.extend(acknowledged);
        let report =
            verify::ledger(&verify::Directory::new(&home.path().join("ledger/public")), ledger.key())
                .unwrap();
        assert!(report.size >= opened.signed);
        let now = ledger.checkpoint();
        for old in &checkpoints {
            ledger.consistency(old.size, now.size).unwrap().check(old, &now).unwrap();
        }
        checkpoints.push((*now).clone());
    }
    let (ledger, _) = open(home.path());
    for (index, number) in &all {
        assert_eq!(ledger.read(*index).unwrap().leaf, leaf(*number));
    }
    assert!(productive > ROUNDS / 2, "only {productive} rounds were killed while writing");
    println!("{} entries acknowledged in {productive} rounds, {:?}", all.len(), begun.elapsed());
}
