//! What governing adds to planning: statements over a grant of 250 columns, beside plain DataFusion's planning of the same
//! statements over the same file.
//!
//! Each statement is asked in words that were not asked before, so that no plan is kept, and both sides take turns. The
//! engine says what labelling and governing took of it; the rest is DataFusion's, which plans what lies above and what lies
//! below the barriers. The decision, once for a grant and a rulebook, is measured by `decide_cost` of `cogov-rulebook`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark")]
#![allow(dead_code, reason = "what only tests read")]

#[path = "../tests/common/mod.rs"]
mod common;

use anyhow::{Context as _, Result};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use cogov_model::{Form, Grade, Treatment};
use common::{Col, TestTable, Tester};
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use std::sync::Arc;
use std::time::Instant;

const COLUMNS: usize = 250;
const ROWS: i64 = 4000;
const ROUNDS: usize = 101;

const STATEMENTS: [(&str, &str); 5] = [
    ("point", "select c1, c2, c6 from t where c0 = 7"),
    ("aggregate", "select c3, count(*), avg(c10) from t where c20 > 5 group by c3 having count(*) > 2"),
    ("join", "select a.c1, b.c11 from t a join t b on a.c0 = b.c0 where a.c5 < 10 order by a.c1 limit 20"),
    ("window", "select c1, row_number() over (partition by c3 order by c10) from t"),
    ("all columns", "select * from t"),
];

/// The allocator of the binary, for both sides.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let names: Vec<&'static str> = (0..COLUMNS).map(|n| &*format!("c{n}").leak()).collect();
    let plain = plain(&names, &folder.path().join("t.parquet")).await?;
    let columns = names.iter().enumerate().map(|(n, name)| column(n, name)).collect();
    let table = TestTable { name: "data.t", columns, unit: Some("c0"), granted: true };
    let scope = r#"{"data.t":[{"column":"c0","op":">=","value":10}]}"#;
    let governed = common::tester(vec![table], scope, Form::Rows).await;
    println!(
        "a grant of {COLUMNS} columns: a row scope, every fifth column masked; medians of {ROUNDS}, in ms"
    );
    println!("{:12} {:>16} {:>9} {:>9}", "statement", "label and govern", "planning", "plain");
    for (name, sql) in STATEMENTS {
        let [governing, ours, theirs] = measure(&governed, &plain, sql).await.with_context(|| name)?;
        println!("{name:12} {governing:16.2} {ours:9.2} {theirs:9.2}");
    }
    Ok(())
}

/// Medians in milliseconds: of labelling and governing, of all of our planning, and of plain planning.
async fn measure(governed: &Tester, plain: &SessionContext, sql: &str) -> Result<[f64; 3]> {
    let (mut governing, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let anew = format!("{sql} -- {round}");
        let start = Instant::now();
        let prepared = governed.prepare(&anew).await?;
        ours.push(start.elapsed());
        governing.push(prepared.governing());
        let start = Instant::now();
        drop(plain.sql(&anew).await?.create_physical_plan().await?);
        theirs.push(start.elapsed());
    }
    let median = |mut times: Vec<std::time::Duration>| {
        times.sort();
        times.get(times.len() / 2).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    };
    Ok([median(governing), median(ours), median(theirs)])
}

/// Numbers, and a text in every fifth place.
fn values(n: usize) -> ArrayRef {
    let numbers = (0..ROWS).map(|row| row % (n as i64 + 1));
    match n % 5 {
        1 => Arc::new(StringArray::from_iter_values(numbers.map(|number| number.to_string()))),
        _ => Arc::new(Int64Array::from_iter_values(numbers)),
    }
}

/// Ten labels, and a mask on the texts.
fn column(n: usize, name: &'static str) -> Col {
    let treatment = if n % 5 == 1 { common::mask("keyed-hash") } else { Treatment::Clear };
    let grade = Grade::ALL.get(n % 3).copied().unwrap_or(Grade::General3);
    Col { name, values: values(n), grade, treatment }
}

async fn plain(names: &[&str], path: &std::path::Path) -> Result<SessionContext> {
    let batch = RecordBatch::try_from_iter(names.iter().enumerate().map(|(n, name)| (*name, values(n))))?;
    let file = std::fs::File::create(path)?;
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    context.register_parquet("t", path.to_string_lossy(), ParquetReadOptions::default()).await?;
    Ok(context)
}
