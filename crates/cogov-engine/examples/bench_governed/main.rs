//! Runs one query at a time over TPC-H, governed and by hand, as `drive.py` asks on standard input.
//!
//! Both sides enforce `policy.toml`: the engine as a grant, plain DataFusion as views that somebody wrote by
//! hand. A line `governed NAME` or `hand NAME` is answered by `microseconds rows`; `plan NAME` is the planning of the governed
//! side alone, of a statement that was asked before, `first NAME` of one that was not. Its own first line is `ready` and the
//! folder of the tables.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod hand;
mod lay;
mod policy;

#[path = "../../tests/common/mod.rs"]
mod common;

use anyhow::{Context as _, Result, bail};
use cogov_engine::{Engine, EngineConfig, GrantWorld, MaskKey};
use futures::StreamExt;
use object_store::{ObjectStore, local::LocalFileSystem};
use policy::Policy;
use std::{
    collections::BTreeMap,
    io::{BufRead, Write},
    path::PathBuf,
    sync::Arc,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

/// Streams of one query, on both sides.
const PARTITIONS: usize = 2;

/// The key of the keyed hash; the same on both sides, so that their answers can be compared.
pub const KEY: [u8; 32] = [7; 32];

/// The allocator of the binary, for both sides.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Bench {
    engine: Engine,
    world: Arc<GrantWorld>,
    hand: datafusion::prelude::SessionContext,
    queries: BTreeMap<String, String>,
    /// How many statements were asked in new words.
    asked: AtomicUsize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let (Some(data), Some(queries)) = (arguments.next(), arguments.next()) else {
        bail!("usage: bench_governed DATA-FOLDER QUERIES-FOLDER");
    };
    let data = lay::out(&data)?;
    let bench = Bench::open(&data, &queries).await?;
    println!("ready {}", data.display());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (side, name) = line.split_once(' ').context("a line is SIDE NAME")?;
        let sql = bench.queries.get(name).with_context(|| format!("there is no query {name}"))?;
        let answer = match side {
            "governed" => bench.governed(sql).await,
            "hand" => bench.by_hand(sql).await,
            "plan" => bench.plan(sql).await,
            "first" => bench.plan(&bench.anew(sql)).await,
            other => bail!("there is no side {other}"),
        };
        match answer {
            Ok((micros, rows)) => println!("{micros} {rows}"),
            Err(error) => println!("failed {}", format!("{error:#}").replace('\n', " ")),
        }
        std::io::stdout().flush()?;
    }
    Ok(())
}

impl Bench {
    async fn open(data: &std::path::Path, queries: &std::path::Path) -> Result<Self> {
        let policy = Policy::read(&queries.join("policy.toml"))?;
        let spill = std::env::temp_dir().join(format!("cogov-bench-{}", std::process::id()));
        let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(data)?);
        let mut config = EngineConfig::new(&spill);
        (config.target_partitions, config.threads) = (PARTITIONS, PARTITIONS);
        (config.query_memory, config.total_memory) = (4 << 30, 8 << 30);
        let engine = Engine::new(config, store)?;
        let (tables, sources) = policy.tables(data)?;
        let scope = policy.scope()?;
        let permit = common::permit(&tables, &scope, cogov_model::Form::Rows);
        let world = Arc::new(GrantWorld::new(permit, scope, sources, MaskKey::new(KEY)));
        let hand = hand::context(&policy, data, PARTITIONS).await?;
        let mut texts = BTreeMap::new();
        for entry in std::fs::read_dir(queries)? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "sql")
                && let Some(name) = path.file_stem()
            {
                let text = std::fs::read_to_string(&path)?;
                let text = text.trim().trim_end_matches(';').to_owned();
                texts.insert(name.to_string_lossy().into_owned(), text);
            }
        }
        Ok(Self { engine, world, hand, queries: texts, asked: AtomicUsize::new(0) })
    }

    /// Everything that a door does but the ledger: plan, label, decide the treatments, govern, run.
    async fn governed(&self, sql: &str) -> Result<(u128, usize)> {
        let started = Instant::now();
        let mut stream = self.engine.prepare(&self.world, sql).await?.execute()?;
        let mut rows = 0;
        while let Some(batch) = stream.next().await {
            rows += batch?.num_rows();
        }
        Ok((started.elapsed().as_micros(), rows))
    }

    async fn by_hand(&self, sql: &str) -> Result<(u128, usize)> {
        let started = Instant::now();
        let mut stream = self.hand.sql(sql).await?.execute_stream().await?;
        let mut rows = 0;
        while let Some(batch) = stream.next().await {
            rows += batch?.num_rows();
        }
        Ok((started.elapsed().as_micros(), rows))
    }

    /// The statement in words that were not asked before.
    fn anew(&self, sql: &str) -> String {
        format!("{sql} -- {}", self.asked.fetch_add(1, Ordering::Relaxed))
    }

    /// Only the planning of the governed side.
    async fn plan(&self, sql: &str) -> Result<(u128, usize)> {
        let started = Instant::now();
        let prepared = self.engine.prepare(&self.world, sql).await?;
        Ok((started.elapsed().as_micros(), prepared.columns().len()))
    }
}
