//! Written before released: when the ledger's disk stops, no byte of data leaves.

use crate::common::node;
use cogov_app::{AppError, Door};
use futures::{StreamExt, TryStreamExt};

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_leaves_when_the_ledger_cannot_be_written() {
    let node = node().await;
    node.publish().await;
    let grant = node.grant().await;
    let analyst = node.actor("north-analyst").await;
    let session = node.app.grant_session(&analyst, &grant).await.unwrap();
    let sql = "SELECT id, wage FROM units";
    let prepared = node.app.prepare(&session, sql, Door::Pg).await.unwrap();
    node.media.stop();
    for attempt in
        [node.app.run(prepared).await, node.app.query(&analyst, &grant, sql, &[], Door::Http).await]
    {
        match attempt {
            Err(AppError::Unavailable(_)) => {}
            Err(other) => panic!("another error: {other}"),
            Ok(answer) => {
                let rows: usize = answer
                    .rows
                    .map_ok(|batch| batch.num_rows())
                    .try_fold(0, |a, b| async move { Ok(a + b) })
                    .await
                    .unwrap();
                panic!("{rows} rows left without a decision on the ledger");
            }
        }
    }
    assert!(node.app.ready().await.is_err(), "the node says that it is not ready");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_decision_is_durable_before_the_first_row() {
    let node = node().await;
    node.publish().await;
    let grant = node.grant().await;
    let analyst = node.actor("north-analyst").await;
    let answer = node.app.query(&analyst, &grant, "SELECT id FROM units", &[], Door::Http).await.unwrap();
    // Before anything is read from the stream, the disk as a power cut would leave it holds the decision.
    let mut decisions = 0;
    node.media.after_power_loss(0).tamper_journal(|journal| {
        let wanted = br#"{"kind":"decision""#;
        decisions = journal.windows(wanted.len()).filter(|window| window == wanted).count();
    });
    assert_eq!(decisions, 1);
    let mut rows = answer.rows;
    assert!(rows.next().await.unwrap().unwrap().num_rows() > 0);
}
