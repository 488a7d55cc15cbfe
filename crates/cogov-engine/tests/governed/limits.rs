//! What a query may cost: length, depth, memory, time; and that it ends when nobody reads it.

use crate::common::{MB, TestTable, col, tester_with, texts, wide};
use arrow::array::Int64Array;
use cogov_engine::Param;
use cogov_model::{Form, Treatment};
use futures::StreamExt;
use std::time::{Duration, Instant};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_nobody_reads_on_is_ended() {
    let id = Int64Array::from_iter_values(0..200_000);
    let columns = vec![col("id", id, Treatment::Clear)];
    let table = TestTable { name: "data.long", columns, unit: None, granted: true };
    let t =
        tester_with(vec![table], "", Form::Rows, |config| config.unread_time = Duration::from_millis(200))
            .await;
    let mut stream = t.prepare("select id from long order by id desc").await.unwrap().execute().unwrap();
    stream.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    let mut ended = None;
    while let Some(batch) = stream.next().await {
        ended = batch.err();
    }
    assert_eq!(ended.map(|error| error.sqlstate()), Some("57014"));
    assert_eq!(t.ok("select count(*) from long").await, ["200000"]);
}

#[tokio::test]
async fn long_and_deep_statements_are_refused() {
    let t = wide(10, 64 * MB, 10).await;
    assert_eq!(t.state(&format!("select '{}'", "x".repeat(1_000_000))).await, "54001");
    assert_eq!(t.state(&format!("select {}1{}", "(".repeat(1000), ")".repeat(1000))).await, "54001");
    assert_eq!(t.state(&format!("select 1{}", "+1".repeat(100_000))).await, "54001");
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
