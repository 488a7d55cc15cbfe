//! What a query may cost: length, depth, memory, time; and that it ends when nobody reads it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use arrow::array::{Int64Array, StringArray};
use cogov_engine::{ErrorKind, Param};
use cogov_model::{Form, Treatment};
use common::{TestTable, Tester, col, tester_with, texts};
use futures::StreamExt;
use std::time::{Duration, Instant};

const MB: usize = 1 << 20;

/// `rows` rows with a distinct text of 100 characters each.
async fn wide(rows: i64, memory: usize, seconds: u64) -> Tester {
    let word = |i: i64| format!("{i:0>100}");
    let table = TestTable {
        name: "data.wide",
        columns: vec![
            col("id", Int64Array::from_iter_values(0..rows), Treatment::Clear),
            col("word", StringArray::from_iter_values((0..rows).map(word)), Treatment::Clear),
        ],
        unit: None,
        granted: true,
    };
    tester_with(vec![table], "", Form::Rows, |config| {
        config.query_memory = memory;
        config.total_memory = 2 * memory;
        config.query_time = Duration::from_secs(seconds);
        config.max_spill = 2 << 30;
    })
    .await
}

/// Resident bytes of this process.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test(flavor = "multi_thread")]
async fn data_four_times_the_memory_ends_or_is_refused() {
    // 640,000 × 100 bytes = 64 MB of texts under 16 MB.
    let t = wide(640_000, 16 * MB, 120).await;
    let before = resident();
    for sql in [
        "select word, count(*) from wide group by word",
        "select word from wide order by word desc",
        "select count(distinct word) from wide",
        "select count(*) from wide a join wide b on a.word = b.word",
        "select word, row_number() over (order by word) from wide",
    ] {
        let started = Instant::now();
        let mut stream = t.prepare(sql).await.unwrap().execute().unwrap();
        let (mut rows, mut peak, mut outcome) = (0, 0, None);
        while let Some(batch) = stream.next().await {
            peak = peak.max(resident());
            match batch {
                Ok(batch) => rows += batch.num_rows(),
                Err(error) => outcome = Some(error.kind()),
            }
        }
        println!(
            "{sql}: {rows} rows, {outcome:?}, {:?}, {} MB more",
            started.elapsed(),
            peak.saturating_sub(before) / MB
        );
        assert!(matches!(outcome, None | Some(ErrorKind::OutOfMemory)), "{sql}: {outcome:?}");
        assert!(peak < before + 200 * MB, "{sql}: {} MB", (peak - before) / MB);
        assert!(started.elapsed() < Duration::from_secs(120));
    }
    assert_eq!(t.ok("select count(*) from wide").await, ["640000"], "the engine goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_query_ends_in_time_and_says_so() {
    let t = wide(20_000, 64 * MB, 1).await;
    let started = Instant::now();
    let error = t.fails("select count(*) from wide a, wide b, wide c where a.id + b.id + c.id < 0").await;
    assert_eq!(error.sqlstate(), "57014");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_stream_ends_the_query_and_frees_its_memory() {
    let t = wide(200_000, 64 * MB, 60).await;
    for _ in 0..20 {
        let mut stream = t
            .prepare("select a.word from wide a join wide b on a.id = b.id")
            .await
            .unwrap()
            .execute()
            .unwrap();
        stream.next().await.unwrap().unwrap();
        drop(stream);
    }
    // A reader that waits costs no time of the query's.
    let mut stream = t.prepare("select word from wide").await.unwrap().execute().unwrap();
    stream.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        rows += batch.unwrap().num_rows();
    }
    assert!(rows > 100_000);
    assert_eq!(t.ok("select count(*) from wide").await, ["200000"]);
}

#[tokio::test]
async fn long_and_deep_statements_are_refused() {
    let t = wide(10, 64 * MB, 10).await;
    assert_eq!(t.state(&format!("select '{}'", "x".repeat(1_000_000))).await, "54001");
    assert_eq!(t.state(&format!("select {}1{}", "(".repeat(1000), ")".repeat(1000))).await, "54001");
    assert_eq!(t.state(&format!("select 1{}", "+1".repeat(100_000))).await, "54001");
    // WITH queries that double at each step, and texts that do: refused before, or while, they grow.
    let steps = |body: &str| (1..60).map(|i| format!(", c{i} as ({})", body.replace('?', &format!("c{}", i - 1))));
    let join: String = steps("select x.id from ? x join ? y on x.id = y.id").collect();
    assert_eq!(t.state(&format!("with c0 as (select id from wide){join} select count(*) from c59")).await, "54001");
    let double: String = steps("select word || word as word from ?").collect();
    let sql = format!("with c0 as (select word from wide){double} select max(character_length(word)) from c59");
    assert_eq!(t.state(&sql).await, "53200");
    let mut replaced = "word".to_owned();
    for _ in 0..8 {
        replaced = format!("replace({replaced}, '0', '{}')", "0".repeat(100));
    }
    assert_eq!(t.state(&format!("select character_length({replaced}) from wide")).await, "53200");
    let union = vec!["select 1"; 900].join(" union all ");
    assert_eq!(t.ok(&format!("select count(*) from ({union}) u")).await, ["900"]);
    let or = (0..400).map(|i| format!("id = {i}")).collect::<Vec<_>>().join(" or ");
    assert_eq!(t.ok(&format!("select count(*) from wide where {or}")).await, ["10"]);
    let list = (0..20_000).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(t.ok(&format!("select count(*) from wide where id in ({list})")).await, ["10"]);
}

#[tokio::test]
async fn parameters_are_typed_bound_and_run_many_times() {
    let t = wide(100, 64 * MB, 10).await;
    let prepared =
        t.prepare("select id from wide where id > $1 and word like $2 order by id limit 2").await.unwrap();
    assert_eq!(prepared.parameter_types().len(), 2);
    assert_eq!(prepared.shape(), "SELECT id FROM wide WHERE id > $1 AND word LIKE $2 ORDER BY id LIMIT ?");
    assert_eq!(prepared.execute().err().unwrap().sqlstate(), "08P01");
    let bound = prepared.bind(&[Param::Text("50".into()), Param::Text("%".into())]).await.unwrap();
    for _ in 0..3 {
        let mut rows = Vec::new();
        let mut stream = bound.execute().unwrap();
        while let Some(batch) = stream.next().await {
            rows.extend(texts(&batch.unwrap()));
        }
        assert_eq!(rows, ["51", "52"]);
    }
    assert_eq!(
        prepared.bind(&[Param::Text("x".into()), Param::Null]).await.err().unwrap().sqlstate(),
        "08P01"
    );
    assert_eq!(prepared.bind(&[]).await.err().unwrap().sqlstate(), "08P01");
}
