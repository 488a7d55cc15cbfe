//! Drafts, the texts saved of them, and the facts of decisions.

use crate::fixtures::*;
use cogov_model::*;
use cogov_store::*;

fn draft(id: &str, made_at: i64) -> Draft {
    serde_json::from_value(serde_json::json!({
        "id": id, "kind": "rulebook", "title": {"en": "Changes", "zh": "修改"}, "proposer": "authority",
        "account": "mei", "locale": "en", "base": "r@1", "state": "writing", "made_at": made_at, "text": 1
    }))
    .unwrap()
}

fn words(number: u64, original: &str) -> DraftText {
    DraftText {
        number,
        title: Text::new("Changes", "修改"),
        summary: Text::same("Why"),
        original: original.into(),
        translation: "字 🧾".into(),
        account: "mei".parse().unwrap(),
        at: at(3),
    }
}

pub async fn two_drafters_never_overwrite_each_other(store: Store) {
    with_parties(&store, &["authority"]).await;
    let kept = store.add_draft(&draft("d1", 1), &words(1, "first")).await.unwrap();
    assert!(matches!(store.add_draft(&kept.record, &words(1, "x")).await, Err(StoreError::Exists { .. })));
    let mut changed = kept.record.clone();
    changed.text = 2;
    assert_eq!(store.update_draft(&changed, 1, Some(&words(2, "second"))).await.unwrap(), 2);
    let stale = store.update_draft(&changed, 1, Some(&words(3, "lost"))).await;
    assert!(matches!(stale, Err(StoreError::Conflict { .. })));
    let same_number = store.update_draft(&changed, 2, Some(&words(2, "again"))).await;
    assert!(matches!(same_number, Err(StoreError::Exists { .. })), "a saved text never changes");
    assert_eq!(store.draft(&changed.id).await.unwrap(), Revised { record: changed.clone(), revision: 2 });
    assert_eq!(store.draft_text(&changed.id, 1).await.unwrap(), words(1, "first"));
    assert_eq!(store.draft_text(&changed.id, 2).await.unwrap(), words(2, "second"));
    for number in [3, u64::MAX] {
        let none = store.draft_text(&changed.id, number).await;
        assert!(matches!(none, Err(StoreError::NotFound { .. })), "{number}: {none:?}");
    }
    let missing = store.update_draft(&draft("none", 1), 1, None).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })));
}

pub async fn a_draft_becomes_a_rulebook_once(store: Store) {
    with_parties(&store, &["authority"]).await;
    let mut kept = store.add_draft(&draft("d1", 1), &words(1, "first")).await.unwrap();
    kept.record.state = DraftState::Adopted;
    let text = RulebookText {
        version: "r@2".parse().unwrap(),
        en: "# Rules".into(),
        zh: "# 规则".into(),
        in_force: at(50),
    };
    assert_eq!(store.adopt_draft(&kept.record, 1, &text).await.unwrap(), 2);
    assert_eq!(store.rulebook_in_force(at(50)).await.unwrap(), text);
    assert!(matches!(store.adopt_draft(&kept.record, 1, &text).await, Err(StoreError::Conflict { .. })));
    let again = store.adopt_draft(&kept.record, 2, &text).await;
    assert!(matches!(again, Err(StoreError::Exists { .. })), "this very text was adopted before");
    assert_eq!(store.draft(&kept.record.id).await.unwrap().revision, 2, "half a change was kept");
}

pub async fn pages_show_every_draft_once(store: Store) {
    with_parties(&store, &["authority"]).await;
    for n in 0..7 {
        store.add_draft(&draft(&format!("d{n}"), n / 3), &words(1, "x")).await.unwrap();
    }
    let (mut seen, mut page) = (Vec::new(), Page::first(3));
    loop {
        let found = store.drafts(&page).await.unwrap();
        seen.extend(found.items.iter().map(|item| item.record.id.to_string()));
        match found.next {
            Some(next) => page = Page::new(Some(next), 3),
            None => break,
        }
    }
    assert_eq!(seen, ["d6", "d5", "d4", "d3", "d2", "d1", "d0"]);
}

pub async fn facts_are_kept_once(store: Store) {
    for (digest, body) in [("b", "{}"), ("a", "{\"x\": \"政\"}"), ("b", "other")] {
        store.keep_decision_facts(digest, body).await.unwrap();
    }
    let all = store.decision_facts("", 10).await.unwrap();
    assert_eq!(all, [("a".into(), "{\"x\": \"政\"}".into()), ("b".into(), "{}".into())]);
    assert_eq!(store.decision_facts("a", 10).await.unwrap().len(), 1);
}
