//! kill -9 at random moments: no budget is lost or spent twice, no kept answer changes.
//!
//! The test runs its own binary again as the one who asks, which reports what was paid and kept on its output.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "tests"
)]

use cogov_model::*;
use cogov_store::*;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const HOME: &str = "COGOV_NOISE_TORTURE_HOME";
const BASE: &str = "COGOV_NOISE_TORTURE_BASE";
const ROUNDS: u64 = 100;
const COST: u64 = 3;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

async fn open(home: &Path) -> Store {
    Store::open(&sqlite_url(&home.join("records.sqlite"))).await.unwrap()
}

fn month() -> Timestamp {
    Timestamp::from_date("2026-11-24".parse().unwrap())
}

fn grant() -> GrantId {
    "g".parse().unwrap()
}

fn accounts() -> [BudgetOf; 2] {
    [BudgetOf::Dataset("tax".parse().unwrap()), BudgetOf::Grant(grant())]
}

fn charge(number: u64) -> NoiseCharge {
    let loss = Loss { pure: Epsilon::from_micros(COST), rho: Rho::from_units(1), delta: Delta::default() };
    let limit = Epsilon::from_micros(u64::MAX / 4);
    NoiseCharge {
        grant: grant(),
        fingerprint: format!("q{number}"),
        facts: NoiseFacts {
            epsilon: "0.1".parse().unwrap(),
            loss,
            mechanism: "discrete-gaussian".into(),
            datasets: vec!["tax".parse().unwrap()],
        },
        accounts: accounts().map(|of| (of, limit)).to_vec(),
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// The asker's part: eight tasks pay and keep until they are killed.
#[test]
fn asker() {
    let (Ok(home), Ok(base)) = (std::env::var(HOME), std::env::var(BASE)) else { return };
    let base: u64 = base.parse().unwrap();
    runtime().block_on(async {
        let store = open(Path::new(&home)).await;
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let store = store.clone();
                tokio::spawn(async move {
                    for step in 0..10_000 {
                        let number = base + step * 8 + task;
                        store.pay_noise(&[charge(number)], month()).await.unwrap();
                        say(&format!("ack paid {number} -"));
                        let answer = format!("answer {number} {step}");
                        let kept = store.keep_noise(&grant(), &format!("q{number}"), &answer).await.unwrap();
                        say(&format!("ack kept {number} {}", kept.replace(' ', "_")));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

/// What an asker reported before it was killed.
#[derive(Default)]
struct Reported {
    paid: Vec<u64>,
    kept: BTreeMap<u64, String>,
}

fn torture(home: &Path, base: u64, alive: Duration, busy: bool) -> Reported {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "asker", "--nocapture", "--test-threads=1"])
        .env(HOME, home)
        .env(BASE, base.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let (started, first) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut reported = Reported::default();
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|read| read > 0) && line.ends_with('\n') {
            let words: Vec<_> = line.split_whitespace().skip_while(|word| *word != "ack").skip(1).collect();
            match words[..] {
                ["paid", number, _] => reported.paid.push(number.parse().unwrap()),
                ["kept", number, answer] => {
                    reported.kept.insert(number.parse().unwrap(), answer.replace('_', " "));
                }
                _ => {}
            }
            if !reported.paid.is_empty() {
                let _ = started.send(());
            }
            line.clear();
        }
        reported
    });
    if busy {
        let _ = first.recv_timeout(Duration::from_secs(10));
    }
    std::thread::sleep(alive);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

/// Every question of the records, and how many of them were answered.
async fn recorded(store: &Store) -> (u64, u64) {
    let (mut all, mut answered) = (0, 0);
    let mut page = Page::first(Page::MOST);
    loop {
        let found = store.noise_answers(&BudgetOf::Grant(grant()), &page).await.unwrap();
        all += found.items.len() as u64;
        answered += found.items.iter().filter(|record| record.answered).count() as u64;
        match found.next {
            Some(next) => page = Page::new(Some(next), Page::MOST),
            None => return (all, answered),
        }
    }
}

async fn set_up(home: &Path) {
    let store = open(home).await;
    let party = serde_json::json!({"id": "tax", "name": {"en": "Tax", "zh": "税"}, "class": "government"});
    store.put_party(&serde_json::from_value(party).unwrap()).await.unwrap();
    let words = serde_json::json!({"en": "w"});
    let made = serde_json::json!({
        "id": "g", "name": words, "party": "tax", "providers": ["tax"], "scope": {},
        "columns": [{"dataset": "tax", "table": "units", "column": "recid"}],
        "purpose": {"code": "p", "words": words, "legal_basis": words, "scenario": words},
        "form": "aggregate", "lane": "operate", "term": {"from": 0, "until": 100}, "state": "active", "made_at": 1
    });
    let key = MaskKey::new([1; 32]);
    store.add_grant(&serde_json::from_value(made).unwrap(), &key).await.unwrap();
    store.close().await;
}

#[test]
fn a_budget_is_exact_after_a_hundred_kills() {
    let home = tempfile::tempdir().unwrap();
    let runtime = runtime();
    runtime.block_on(set_up(home.path()));
    let mut productive = 0;
    let mut kept = BTreeMap::new();
    for round in 0..ROUNDS {
        // Every fourth is killed while it still starts.
        let busy = round % 4 != 0;
        let alive = Duration::from_micros((round * 7_919) % 25_000);
        let reported = torture(home.path(), round * 1_000_000, alive, busy);
        productive += u64::from(!reported.paid.is_empty());
        runtime.block_on(async {
            let store = open(home.path()).await;
            let (all, _) = recorded(&store).await;
            for of in accounts() {
                let spent = store.noise_spent(&of, Month::of(month())).await.unwrap();
                let exact = (spent.pure.micros(), spent.rho.units());
                assert_eq!(exact, (all * COST, all), "round {round}: {of} does not fit its {all} questions");
            }
            for number in &reported.paid {
                let again = store.pay_noise(&[charge(*number)], month()).await.unwrap();
                assert!(
                    matches!(&again, Payment::Paid(paid) if !paid[0].now),
                    "round {round}: question {number} was acknowledged and is not paid for"
                );
            }
            store.close().await;
        });
        kept.extend(reported.kept);
    }
    runtime.block_on(async {
        let store = open(home.path()).await;
        for (number, answer) in &kept {
            let found = store.keep_noise(&grant(), &format!("q{number}"), "another").await.unwrap();
            assert_eq!(found, *answer, "question {number}");
        }
        let (all, answered) = recorded(&store).await;
        println!("{all} questions, {answered} answered, {productive} rounds killed while asking");
    });
    assert!(productive > ROUNDS / 2, "only {productive} rounds were killed while asking");
}
