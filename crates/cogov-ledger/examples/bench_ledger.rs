//! Durable appends per second with 64 clients: the ledger beside grouped fsync alone on the same disk.
//!
//! `cargo run --release -p cogov-ledger --example bench_ledger [DIR]`; `DIR` (default: the current directory) chooses the disk.
#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cogov_ledger::{FileMedia, FileSigner, Ledger, Options};
use tokio::sync::{mpsc, oneshot};

const CLIENTS: u64 = 64;
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);

/// About what one decision is: public JSON, and the salted words of a query.
fn entry(number: u64) -> (Vec<u8>, Vec<u8>) {
    let leaf = format!(r#"{{"kind":"decision","n":{number},"pad":"{}"}}"#, "x".repeat(300));
    let sealed = format!(r#"{{"salt":"{number:032x}","text":"{}"}}"#, "y".repeat(200));
    (leaf.into_bytes(), sealed.into_bytes())
}

type Ack = oneshot::Sender<bool>;

/// Grouped fsync alone: what waits is written in one write and synced; no tree, no checks.
fn plain(dir: &Path) -> std::io::Result<mpsc::UnboundedSender<(Vec<u8>, Ack)>> {
    let mut file = File::create(dir.join("plain"))?;
    let (sender, mut receiver) = mpsc::unbounded_channel::<(Vec<u8>, Ack)>();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut waiting = Vec::new();
        while let Some((record, ack)) = receiver.blocking_recv() {
            bytes.clear();
            bytes.extend_from_slice(&record);
            waiting.push(ack);
            while let Ok((record, ack)) = receiver.try_recv() {
                bytes.extend_from_slice(&record);
                waiting.push(ack);
            }
            let durable = file.write_all(&bytes).and_then(|()| file.sync_data()).is_ok();
            for ack in waiting.drain(..) {
                let _ = ack.send(durable);
            }
        }
    });
    Ok(sender)
}

/// Runs 64 clients for one round, each with one append under way, and returns durable appends per second.
async fn round<F>(append: impl Fn(u64) -> F + Send + Sync + 'static) -> Result<f64, Box<dyn Error>>
where
    F: Future<Output = bool> + Send + 'static,
{
    let append = Arc::new(append);
    let done = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for client in 0..CLIENTS {
        let (append, done) = (Arc::clone(&append), Arc::clone(&done));
        tasks.push(tokio::spawn(async move {
            let mut number = client;
            while begun.elapsed() < ROUND && append(number).await {
                number += CLIENTS;
                done.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for task in tasks {
        task.await?;
    }
    Ok(done.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn open(dir: &Path) -> Result<Ledger, Box<dyn Error>> {
    let signer = FileSigner::open(&dir.join("key"), "cogov.example/bench")?;
    let media = FileMedia::open(&dir.join("ledger"))?;
    let options = Options::new(Arc::new(media), Arc::new(signer), Arc::new(|| 0));
    Ok(Ledger::open(options)?.0)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let parent = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let dir = tempfile::tempdir_in(parent)?;
    let ledger = Arc::new(open(dir.path())?);
    let plain = plain(dir.path())?;
    let (mut ours, mut peers) = (Vec::new(), Vec::new());
    println!("durable appends per second, {CLIENTS} clients, one under way each");
    println!("{:>6} {:>14} {:>14} {:>6}", "round", "ledger", "fsync alone", "ratio");
    for number in 1..=ROUNDS {
        let ledger = Arc::clone(&ledger);
        let with = move |number| {
            let (leaf, sealed) = entry(number);
            let append = ledger.append(leaf, sealed);
            async move { append.await.is_ok() }
        };
        let our = round(with).await?;
        let plain = plain.clone();
        let without = move |number| {
            let (mut record, sealed) = entry(number);
            record.extend_from_slice(&sealed);
            let (ack, durable) = oneshot::channel();
            let sent = plain.send((record, ack)).is_ok();
            async move { sent && durable.await.unwrap_or(false) }
        };
        let peer = round(without).await?;
        println!("{number:>6} {our:>14.0} {peer:>14.0} {:>6.2}", our / peer);
        ours.push(our);
        peers.push(peer);
    }
    let (our, peer) = (median(ours), median(peers));
    println!("{:>6} {our:>14.0} {peer:>14.0} {:>6.2}", "median", our / peer);
    drop(ledger);
    let begun = Instant::now();
    let size = open(dir.path())?.size();
    let took = begun.elapsed();
    println!("opened again and re-verified: {size} entries in {took:.2?}");
    Ok(())
}
