//! The whole story on one node: import, publish, apply, agree, query, audit.

use crate::common::node;
use cogov_app::{AppError, ApplicationAct, Door, EntryFilter, Page};
use cogov_model::{ApplicationState, EntryKind, Outcome};
use futures::TryStreamExt;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_becomes_a_governed_answer_that_the_ledger_tells() {
    let node = node().await;
    node.publish().await;
    let grant = node.grant().await;
    let analyst = node.actor("north-analyst").await;
    let sql = "SELECT name, count(*) AS n, sum(wage) AS w FROM units GROUP BY name ORDER BY name";
    let answer = node.app.query(&analyst, &grant, sql, &[], Door::Http).await.unwrap();
    assert!(!answer.clauses.is_empty() && answer.columns.len() == 3);
    let decision = answer.decision;
    let batches: Vec<_> = answer.rows.try_collect().await.unwrap();
    let text = arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string();
    // Ten rows of the own region, names by their first character.
    assert!(text.contains("P…") && text.contains("| 10 | 10900 |"), "{text}");
    let entry = node.app.entry(Some(&analyst), decision).await.unwrap();
    assert_eq!(entry.entry.kind, EntryKind::Decision);
    assert_eq!(entry.sealed.unwrap()["sql"].text, sql);
    assert!(node.app.entry(None, decision).await.unwrap().sealed.is_none(), "strangers read hashes only");
    let release = node.app.entry(None, decision + 1).await.unwrap().entry;
    assert_eq!((release.kind, release.follows), (EntryKind::Release, Some(decision)));
    assert_eq!(release.facts["rows"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_skips_a_step_and_others_see_nothing() {
    let node = node().await;
    node.publish().await;
    let requester = node.actor("north-requester").await;
    let id = node.app.apply(&requester, node.draft()).await.unwrap();
    let approver = node.actor("tax-approver").await;
    let early = node
        .app
        .act(
            &approver,
            &id,
            ApplicationAct::Agree { columns: None, conditions: Vec::new(), words: String::new() },
        )
        .await;
    assert!(matches!(early, Err(AppError::Forbidden(_))), "the requester's head comes first");
    let head = node.actor("north-head").await;
    let state =
        node.app.act(&head, &id, ApplicationAct::ApproveAsHead { words: String::new() }).await.unwrap().state;
    assert_eq!(state, ApplicationState::Submitted);
    let ask = || ApplicationAct::AskForMore { words: "the act's number".into() };
    node.app.act(&approver, &id, ask()).await.unwrap();
    node.app.act(&requester, &id, ApplicationAct::Supply { words: "No. 7".into() }).await.unwrap();
    assert!(
        matches!(node.app.act(&approver, &id, ask()).await, Err(AppError::Forbidden(_))),
        "asked once only"
    );
    let empty = node.app.act(&approver, &id, ApplicationAct::Refuse { reasons: " ".into() }).await;
    assert!(matches!(empty, Err(AppError::Invalid { .. })), "a refusal gives reasons");
    let refused =
        node.app.act(&approver, &id, ApplicationAct::Refuse { reasons: "no task".into() }).await.unwrap();
    assert_eq!(refused.state, ApplicationState::Refused);
    assert!(!refused.clauses.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_its_partys_alone_and_ends_at_once_when_revoked() {
    let node = node().await;
    node.publish().await;
    let grant = node.grant().await;
    crate::common::account(&node.app, "tax-analyst-2", "tax", vec![cogov_model::Role::Analyst]).await;
    let stranger = node.actor("tax-analyst-2").await;
    let sql = "SELECT count(*) FROM units";
    let other = node.app.query(&stranger, &grant, sql, &[], Door::Pg).await;
    assert!(matches!(other, Err(AppError::NotFound(_))));
    let analyst = node.actor("north-analyst").await;
    let session = node.app.grant_session(&analyst, &grant).await.unwrap();
    let prepared = node.app.prepare(&session, sql, Door::Pg).await.unwrap();
    node.app.revoke(&node.actor("tax-approver").await, &grant, "misuse").await.unwrap();
    match node.app.run(prepared).await {
        Err(AppError::Refused { clauses, decision: Some(index), .. }) => {
            assert!(!clauses.is_empty());
            let entry = node.app.entry(None, index).await.unwrap().entry;
            assert_eq!(entry.outcome, Outcome::Deny);
        }
        other => panic!("a prepared statement outlived its grant: {:?}", other.err()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn auditors_find_refusals_and_their_export_is_recorded() {
    let node = node().await;
    node.publish().await;
    let grant = node.grant().await;
    let analyst = node.actor("north-analyst").await;
    let refused = node.app.query(&analyst, &grant, "EXPLAIN SELECT 1", &[], Door::Http).await;
    assert!(refused.is_err());
    let auditor = node.actor("auditor").await;
    let filter = EntryFilter { account: Some(analyst.account.clone()), ..EntryFilter::default() };
    for _ in 0..50 {
        let found = node.app.entries(Some(&auditor), &filter, &Page::first(10)).await.unwrap();
        if found.items.iter().any(|view| view.entry.outcome == Outcome::Deny) {
            let csv = String::from_utf8(node.app.export_entries(&auditor, &filter).await.unwrap()).unwrap();
            assert!(csv.contains("sql=EXPLAIN SELECT 1"), "{csv}");
            assert!(node.app.entries(Some(&analyst), &filter, &Page::first(10)).await.is_err());
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the refusal was not found");
}
