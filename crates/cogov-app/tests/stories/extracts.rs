//! Files under a grant of extracts: written on the ledger by their hash, cut ones too, and traced by auditors only.

use crate::common::{Node, node};
use cogov_app::{AppError, ApplicationAct, ApplicationDraft, EntryFilter, FileFormat, Page};
use cogov_model::{EntryKind, Form, GrantId};
use futures::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};

async fn granted(node: &Node) -> GrantId {
    let app = &node.app;
    let mut draft = ApplicationDraft { form: Form::Extract, ..node.draft() };
    draft.columns.retain(|column| ["id", "region"].contains(&column.column.as_str()));
    draft.scope = cogov_model::RowScope::default();
    let id = app.apply(&node.actor("north-requester").await, draft).await.unwrap();
    let agree = |words: &str| ApplicationAct::ApproveAsHead { words: words.into() };
    app.act(&node.actor("north-head").await, &id, agree("yes")).await.unwrap();
    let whole = ApplicationAct::Agree { columns: None, conditions: Vec::new(), words: "fine".into() };
    app.act(&node.actor("tax-approver").await, &id, whole).await.unwrap();
    app.act(&node.actor("tax-head").await, &id, agree("yes")).await.unwrap().grant.unwrap()
}

async fn releases(node: &Node) -> Vec<cogov_app::EntryView> {
    let filter = EntryFilter { kind: Some(EntryKind::Release), ..EntryFilter::default() };
    for _ in 0..100 {
        let found = node.app.entries(None, &filter, &Page::first(10)).await.unwrap().items;
        if !found.is_empty() {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    Vec::new()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_holds_the_hash_of_what_left_before_the_end_leaves() {
    let node = node().await;
    node.publish().await;
    let grant = granted(&node).await;
    let analyst = node.actor("north-analyst").await;
    for format in FileFormat::ALL {
        let file = node.app.extract(&analyst, &grant, None, format).await.unwrap();
        let decision = file.decision;
        let bytes: Vec<u8> = file
            .bytes
            .try_fold(Vec::new(), |mut all, piece| async move {
                all.extend_from_slice(&piece);
                Ok(all)
            })
            .await
            .unwrap();
        // At once: the release was durable before the last byte was handed out.
        let record = node.app.extract_record(None, decision).await.unwrap();
        let release = record.release.unwrap();
        let fact = |name: &str| release.entry.facts.get(name).cloned().unwrap();
        assert_eq!(fact("sha256"), hex::encode(Sha256::digest(&bytes)));
        assert_eq!(
            (fact("rows"), fact("ended"), fact("file")),
            ("200".into(), "complete".into(), format.code().into())
        );
        assert_eq!(fact("bytes"), bytes.len().to_string());
        let copy = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(copy.path(), &bytes).unwrap();
        let found = node.app.trace(&node.actor("auditor").await, copy.path()).await.unwrap();
        let origin = found.first().unwrap();
        assert!(origin.same_bytes && origin.decision == decision, "{found:?}");
        assert_eq!(origin.party.as_ref().unwrap().as_str(), "north");
    }
    let copy = tempfile::NamedTempFile::new().unwrap();
    let stranger = node.app.trace(&analyst, copy.path()).await;
    assert!(matches!(stranger, Err(AppError::Forbidden(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_cut_is_on_the_ledger_as_cut() {
    let node = node().await;
    node.publish().await;
    let grant = granted(&node).await;
    let analyst = node.actor("north-analyst").await;
    let mut file =
        node.app.extract(&analyst, &grant, Some("SELECT id FROM units"), FileFormat::Csv).await.unwrap();
    let head = file.bytes.next().await.unwrap().unwrap();
    assert_eq!(head.as_ref(), b"id\r\n");
    drop(file);
    let release = releases(&node).await.pop().unwrap().entry;
    assert_eq!(release.facts.get("ended").map(String::as_str), Some("cut"));
    assert_eq!(release.facts.get("sha256"), Some(&hex::encode(Sha256::digest(&head))));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_leave_under_grants_of_extracts_only_and_never_without_the_ledger() {
    let node = node().await;
    node.publish().await;
    let analyst = node.actor("north-analyst").await;
    let rows = node.grant().await;
    let other = node.app.extract(&analyst, &rows, None, FileFormat::Csv).await;
    assert!(matches!(other, Err(AppError::Conflict(_))));
    let grant = granted(&node).await;
    let wrong = node.app.extract(&analyst, &grant, Some("SELECT wage FROM units"), FileFormat::Csv).await;
    assert_eq!(wrong.err().unwrap().sqlstate(), "42703", "what is not granted does not exist");
    node.media.stop();
    let none = node.app.extract(&analyst, &grant, None, FileFormat::Parquet).await;
    assert!(matches!(none, Err(AppError::Unavailable(_))));
}
