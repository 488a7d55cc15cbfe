//! A query over more data than it may hold. The only test of its program: it measures the memory of its process.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use cogov_engine::ErrorKind;
use common::{MB, wide};
use futures::StreamExt;
use std::time::{Duration, Instant};

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
