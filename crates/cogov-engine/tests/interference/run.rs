//! Runs of many statements, and what they found.

use super::dice::Dice;
use super::observe::{Outcome, Seen};
use super::pair::{Finding, Judged, Pair};
use super::query;
use super::statement::Statement;
use cogov_engine::{Engine, EngineConfig};
use futures::StreamExt;
use object_store::{ObjectStore, memory::InMemory};
use std::sync::Arc;

/// Statements that are put to one pair of worlds.
const STATEMENTS: u64 = 50;

/// Pairs that share an engine, and pairs that run at once.
const SHARED: u64 = 40;
const AT_ONCE: usize = 4;

/// What a run found.
#[derive(Debug, Default)]
pub struct Tally {
    pub cases: u64,
    pub rows: u64,
    pub empty: u64,
    pub refused: u64,
    pub failed: u64,
    /// Compared with plain DataFusion.
    pub compared: u64,
    /// Worlds that can be told apart.
    pub differences: Vec<String>,
    /// Answers that plain DataFusion does not give.
    pub wrong: Vec<String>,
    /// Statements to which plain DataFusion gives different rows under different settings.
    pub disputed: Vec<String>,
    /// Errors that say that the engine is at fault.
    pub faults: Vec<String>,
    /// For another engine to judge: a pair's prepared tables, and answers over them. One JSON document a pair.
    pub dumped: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.rows += other.rows;
        self.empty += other.empty;
        self.refused += other.refused;
        self.failed += other.failed;
        self.compared += other.compared;
        self.differences.extend(other.differences);
        self.wrong.extend(other.wrong);
        self.disputed.extend(other.disputed);
        self.faults.extend(other.faults);
        self.dumped.extend(other.dumped);
    }

    fn found(&self, first: Option<First>) -> bool {
        match first {
            None => false,
            Some(First::Difference) => !self.differences.is_empty(),
            Some(First::Any) => !self.differences.is_empty() || !self.wrong.is_empty(),
        }
    }

    fn count(&mut self, seen: &Seen) {
        self.cases += 1;
        match seen.outcome {
            Outcome::Rows => self.rows += 1,
            Outcome::Empty => self.empty += 1,
            Outcome::Refused => self.refused += 1,
            Outcome::Failed => self.failed += 1,
        }
    }
}

/// A finding that ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// Two worlds that can be told apart.
    Difference,
    /// That, or a wrong answer.
    Any,
}

/// How a run goes.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub seed: u64,
    /// The first pair; pairs share engines by the forty.
    pub from: u64,
    pub cases: u64,
    /// One pair of all.
    pub only: Option<u64>,
    /// Whether to print every statement with how it ended.
    pub show: bool,
    /// Whether to stop at a first finding, and of what.
    pub first: Option<First>,
    /// Whether to keep tables and answers for another engine.
    pub dump: bool,
}

impl Run {
    /// Runs the cases.
    pub async fn go(self) -> Tally {
        let mut tally = Tally::default();
        let end = self.from + self.cases.div_ceil(STATEMENTS);
        for start in (self.from..end).step_by(SHARED as usize) {
            let spill = tempfile::tempdir().unwrap();
            let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
            let mut config = EngineConfig::new(spill.path());
            config.target_partitions = 2;
            config.threads = 2;
            let small = start / SHARED % 4 == 3;
            if small {
                config.batch_rows = 3;
            }
            let engine = Engine::new(config, Arc::clone(&store)).unwrap();
            let pair = |number| {
                let (engine, store) = (engine.clone(), Arc::clone(&store));
                tokio::spawn(async move { self.pair(number, &engine, &store, small).await })
            };
            let numbers = start..end.min(start + SHARED);
            let numbers = numbers.filter(|number| self.only.is_none_or(|only| only == *number));
            let mut running = futures::stream::iter(numbers.map(pair)).buffered(AT_ONCE);
            while let Some(done) = running.next().await {
                tally.add(done.unwrap());
                if tally.found(self.first) {
                    return tally;
                }
            }
        }
        tally
    }

    async fn pair(self, number: u64, engine: &Engine, store: &Arc<dyn ObjectStore>, small: bool) -> Tally {
        let mut dice = Dice::of(self.seed, number);
        let mut pair = Pair::new(&mut dice, engine, store).await;
        pair.shop.whole &= !small;
        let mut tally = Tally::default();
        let name = format!("COGOV_FUZZ_SEED={} pair {number}", self.seed);
        if let Some(words) = pair.catalogues().await {
            tally.differences.push(format!("{name}: {words}"));
        }
        let mut answers = Vec::new();
        for n in 0..STATEMENTS {
            let statement = query::statement(&pair.shop, &mut dice);
            if n == STATEMENTS - 3 && number.is_multiple_of(4) {
                pair.lose(store).await;
            }
            let judged = self.case(&pair, &statement, &name, &mut tally).await;
            if self.dump {
                answers.extend(pair.answer(&judged, &statement).await);
            }
            if tally.found(self.first) {
                break;
            }
        }
        if self.dump {
            tally.dumped.push(pair.dump(&name, answers));
        }
        tally
    }

    async fn case(self, pair: &Pair, statement: &Statement, name: &str, tally: &mut Tally) -> Judged {
        let judged = pair.judge(statement).await;
        tally.count(&judged.one);
        if self.show {
            println!(
                "{:?}\t{}\t{}",
                judged.one.outcome,
                statement.sql(),
                judged.one.text.lines().last().unwrap_or_default()
            );
        }
        if judged.one.fault {
            tally.faults.push(format!("{name}: {}", statement.sql()));
        }
        if judged.is(Finding::Apart) {
            tally.differences.push(format!("{name}\n{}", pair.report(Finding::Apart, statement).await));
        }
        if judged.expected.is_some() {
            tally.compared += 1;
        }
        if judged.disputed {
            tally.disputed.push(format!("{name}\n{}", statement.sql()));
        }
        if judged.is(Finding::Wrong) {
            tally.wrong.push(format!("{name}\n{}", pair.report(Finding::Wrong, statement).await));
        }
        judged
    }
}
