//! What a party was answered is remembered with the records: across its grants, and when it asks many things at once.

use crate::common::Node;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use cogov_app::{ApplicationDraft, Door};
use cogov_model::{Form, GrantId, RowScope};
use futures::StreamExt;

/// The first value of an answer, null as `∅`.
async fn ask(node: &Node, grant: &GrantId, sql: &str) -> String {
    let analyst = node.actor("north-analyst").await;
    let answer =
        node.app.query(&analyst, grant, sql, &[], Door::Http).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    let mut rows = answer.rows;
    let mut values = Vec::new();
    while let Some(batch) = rows.next().await {
        let batch = batch.unwrap();
        let options = FormatOptions::default().with_null("∅");
        let column = ArrayFormatter::try_new(batch.column(0).as_ref(), &options).unwrap();
        values.extend((0..batch.num_rows()).map(|row| column.value(row).to_string()));
    }
    values.first().cloned().unwrap_or_else(|| "no row".into())
}

async fn statistics(node: &Node) -> GrantId {
    let draft = ApplicationDraft { form: Form::Aggregate, scope: RowScope::default(), ..node.draft() };
    node.grant_of(draft).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_grants_of_a_party_cannot_be_subtracted() {
    let node = crate::common::node().await;
    node.publish().await;
    let (one, other) = (statistics(&node).await, statistics(&node).await);
    assert_eq!(ask(&node, &one, "SELECT sum(wage) FROM units").await, "219900");
    assert_eq!(ask(&node, &other, "SELECT sum(wage) FROM units WHERE wage <> 1007").await, "∅");
    assert_eq!(ask(&node, &other, "SELECT sum(wage) FROM units WHERE region = 6").await, "10900");
    assert_eq!(ask(&node, &other, "SELECT sum(wage) FROM units").await, "219900");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_only_one_passes() {
    let node = crate::common::node().await;
    node.publish().await;
    let grant = statistics(&node).await;
    let sqls: Vec<String> =
        (0..9).map(|n| format!("SELECT count(*) FROM units WHERE wage >= {}", 1000 + n)).collect();
    let all = futures::future::join_all(sqls.iter().map(|sql| ask(&node, &grant, sql))).await;
    assert_eq!(all.iter().filter(|answer| *answer != "∅").count(), 1, "{all:?}");
}
