//! What holds for single records: they come back as they were, and nobody's change is lost.

use crate::fixtures::*;
use cogov_model::*;
use cogov_store::*;

pub async fn parties_come_back_and_change(store: Store) {
    let mut welfare = party("welfare");
    store.put_party(&welfare).await.unwrap();
    assert_eq!(store.party(&welfare.id).await.unwrap(), welfare);
    welfare.region = Some("06".parse().unwrap());
    store.put_party(&welfare).await.unwrap();
    assert_eq!(store.party(&welfare.id).await.unwrap(), welfare);
    let missing = store.party(&"nobody".parse().unwrap()).await;
    assert_eq!(missing, Err(StoreError::NotFound { what: "party", id: "nobody".into() }));
}

pub async fn accounts_are_unique_and_belong_to_a_party(store: Store) {
    with_parties(&store, &["tax"]).await;
    let ann = account("ann", "tax");
    store.add_account(&ann).await.unwrap();
    assert_eq!(store.account(&ann.name).await.unwrap(), ann);
    assert!(matches!(store.add_account(&ann).await, Err(StoreError::Exists { .. })));
    let lost = account("bob", "no-such-party");
    assert!(matches!(store.add_account(&lost).await, Err(StoreError::Reference { .. })));
    assert!(matches!(store.update_account(&lost).await, Err(StoreError::NotFound { .. })));
    assert!(!format!("{ann:?}").contains("argon2"), "an account prints its password hash");
}

pub async fn a_new_password_or_a_lock_ends_web_sessions(store: Store) {
    with_parties(&store, &["tax"]).await;
    let mut ann = account("ann", "tax");
    store.add_account(&ann).await.unwrap();
    let session = session(1, 100);
    store.add_session(&session).await.unwrap();
    ann.display_name = "Ann".into();
    store.update_account(&ann).await.unwrap();
    assert_eq!(store.session(&session.hash, at(5)).await.unwrap(), session, "a new name ends nothing");
    ann.password_hash.push('x');
    store.update_account(&ann).await.unwrap();
    assert!(matches!(store.session(&session.hash, at(5)).await, Err(StoreError::NotFound { .. })));
}

fn session(byte: u8, until: i64) -> WebSession {
    WebSession {
        hash: TokenHash::new([byte; 32]),
        account: "ann".parse().unwrap(),
        csrf: TokenHash::new([byte + 1; 32]),
        created_at: at(1),
        expires_at: at(until),
    }
}

pub async fn tokens_and_sessions_end_when_they_say(store: Store) {
    with_parties(&store, &["tax"]).await;
    store.add_account(&account("ann", "tax")).await.unwrap();
    let token = |byte: u8, until: Option<i64>| Token {
        hash: TokenHash::new([byte; 32]),
        account: "ann".parse().unwrap(),
        name: "laptop".into(),
        created_at: at(1),
        expires_at: until.map(at),
    };
    let (short, long) = (token(1, Some(10)), token(2, None));
    store.add_token(&short).await.unwrap();
    store.add_token(&long).await.unwrap();
    store.add_session(&session(9, 10)).await.unwrap();
    assert_eq!(store.token(&short.hash, at(9)).await.unwrap(), short);
    assert!(store.token(&short.hash, at(10)).await.is_err(), "the end itself is excluded");
    assert_eq!(store.token(&long.hash, at(i64::MAX)).await.unwrap(), long);
    assert_eq!(store.tokens(&long.account).await.unwrap().len(), 2);
    store.prolong_session(&session(9, 10).hash, at(20)).await.unwrap();
    assert!(store.session(&session(9, 10).hash, at(15)).await.is_ok());
    assert_eq!(store.sweep_sign_ins(at(20)).await.unwrap(), 2, "one token and one session had ended");
    let other = "other".parse().unwrap();
    assert!(store.remove_token(&other, &long.hash).await.is_err(), "only the holder removes a token");
    store.remove_token(&long.account, &long.hash).await.unwrap();
    assert!(store.tokens(&long.account).await.unwrap().is_empty());
}

pub async fn two_stewards_never_overwrite_each_other(store: Store) {
    with_parties(&store, &["tax"]).await;
    let mut first = store.add_dataset(&dataset("tax", "tax")).await.unwrap();
    let mut second = store.dataset(&first.record.id).await.unwrap();
    assert_eq!(first, second);
    first.record.description = Text::same("first");
    assert_eq!(store.update_dataset(&first.record, first.revision).await.unwrap(), 2);
    second.record.description = Text::same("second");
    let refused = store.update_dataset(&second.record, second.revision).await;
    assert_eq!(refused, Err(StoreError::Conflict { what: "dataset", id: "tax".into() }));
    assert_eq!(store.dataset(&first.record.id).await.unwrap().record, first.record);
    let missing = store.update_dataset(&dataset("none", "tax"), 1).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })));
    assert!(matches!(store.add_dataset(&first.record).await, Err(StoreError::Exists { .. })));
}

/// Ten writers add ten keywords each, trying again on conflict: a hundred keywords stand in the end.
pub async fn many_writers_lose_no_change(store: Store) {
    with_parties(&store, &["tax"]).await;
    store.add_dataset(&dataset("tax", "tax")).await.unwrap();
    let writers: Vec<_> = (0..10).map(|writer| tokio::spawn(add_keywords(store.clone(), writer))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let end = store.dataset(&"tax".parse().unwrap()).await.unwrap();
    assert_eq!((end.record.keywords.len(), end.revision), (100, 101));
}

async fn add_keywords(store: Store, writer: usize) {
    for number in 0..10 {
        loop {
            let mut now = store.dataset(&"tax".parse().unwrap()).await.unwrap();
            now.record.keywords.push(Text::same(format!("{writer}-{number}")));
            match store.update_dataset(&now.record, now.revision).await {
                Ok(_) => break,
                Err(StoreError::Conflict { .. }) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        }
    }
}

pub async fn a_version_and_its_dataset_change_together(store: Store) {
    with_parties(&store, &["tax"]).await;
    let mut kept = store.add_dataset(&dataset("tax", "tax")).await.unwrap();
    let id = kept.record.id.clone();
    let units: TableName = "units".parse().unwrap();
    kept.record.version = 1;
    let profiles = [(units.clone(), profile(3))];
    let revision = store.add_version(&kept.record, 1, &version("tax", 1), &profiles).await.unwrap();
    assert_eq!(store.version(&id, 1).await.unwrap(), version("tax", 1));
    assert_eq!(store.profiles(&id, 1).await.unwrap(), profiles);
    let stale = store.add_version(&kept.record, 1, &version("tax", 2), &[]).await;
    assert!(matches!(stale, Err(StoreError::Conflict { .. })));
    kept.record.version = 9;
    let taken = store.add_version(&kept.record, revision, &version("tax", 1), &[]).await;
    assert!(matches!(taken, Err(StoreError::Exists { .. })));
    assert_eq!(store.dataset(&id).await.unwrap().record.version, 1, "half a change was kept");
    kept.record.version = 2;
    store.add_version(&kept.record, revision, &version("tax", 2), &[]).await.unwrap();
    let numbers: Vec<_> = store.versions(&id).await.unwrap().iter().map(|v| v.number).collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!(store.profile(&id, &units).await.unwrap(), (1, profile(3)));
}

pub async fn label_decisions_keep_their_order(store: Store) {
    with_parties(&store, &["tax"]).await;
    let kept = store.add_dataset(&dataset("tax", "tax")).await.unwrap();
    let decision = |column: &str, choice| LabelDecision {
        dataset: kept.record.id.clone(),
        version: 1,
        table: "units".parse().unwrap(),
        column: column.parse().unwrap(),
        proposed: Label::bottom(),
        choice,
        account: "ann".parse().unwrap(),
        at: at(3),
    };
    let higher = Label::new([], Grade::General4);
    let overridden = LabelChoice::Overridden { label: higher, reason: Text::same("re-identifiable") };
    let (a, b) = (decision("zeta", LabelChoice::Accepted), decision("alpha", overridden));
    let revision = store.decide_labels(&kept.record, 1, std::slice::from_ref(&a)).await.unwrap();
    store.decide_labels(&kept.record, revision, &[b.clone(), a.clone()]).await.unwrap();
    assert_eq!(store.label_decisions(&kept.record.id).await.unwrap(), [a.clone(), b, a.clone()]);
    assert!(matches!(store.decide_labels(&kept.record, 1, &[a]).await, Err(StoreError::Conflict { .. })));
    assert_eq!(store.label_decisions(&kept.record.id).await.unwrap().len(), 3);
}

pub async fn an_application_becomes_a_grant_once(store: Store) {
    with_parties(&store, &["tax", "welfare"]).await;
    let mut asked = store.add_application(&application("a1", "welfare", "tax", 1)).await.unwrap();
    asked.record.state = ApplicationState::Granted;
    let mut grant = grant("g1", "welfare", &["tax"], &["tax"], 2);
    grant.application = Some(asked.record.id.clone());
    asked.record.grant = Some(grant.id.clone());
    store.grant_application(&asked.record, 1, &grant, &key(7)).await.unwrap();
    assert_eq!(store.grant(&grant.id).await.unwrap(), Revised { record: grant.clone(), revision: 1 });
    assert_eq!(store.mask_key(&grant.id).await.unwrap(), key(7));
    grant.id = "g2".parse().unwrap();
    let again = store.grant_application(&asked.record, 1, &grant, &key(8)).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })));
    assert!(matches!(store.grant(&grant.id).await, Err(StoreError::NotFound { .. })));
    assert!(matches!(store.mask_key(&grant.id).await, Err(StoreError::NotFound { .. })));
    grant.id = "g1".parse().unwrap();
    let taken = store.grant_application(&asked.record, 2, &grant, &key(8)).await;
    assert!(matches!(taken, Err(StoreError::Exists { .. })));
    assert_eq!(store.application(&asked.record.id).await.unwrap().revision, 2, "half a change was kept");
    assert_eq!(store.mask_key(&grant.id).await.unwrap(), key(7));
}

pub async fn a_grant_changes_in_state_only(store: Store) {
    with_parties(&store, &["tax", "welfare"]).await;
    let made = grant("g1", "welfare", &["tax"], &["tax"], 2);
    let mut kept = store.add_grant(&made, &key(1)).await.unwrap();
    kept.record.state = GrantState::Revoked;
    assert_eq!(store.update_grant(&kept.record, 1).await.unwrap(), 2);
    assert!(matches!(store.update_grant(&kept.record, 1).await, Err(StoreError::Conflict { .. })));
    kept.record.party = "tax".parse().unwrap();
    assert!(matches!(store.update_grant(&kept.record, 2).await, Err(StoreError::Conflict { .. })));
    let end = store.grant(&made.id).await.unwrap();
    assert_eq!((end.record.state, end.record.party, end.revision), (GrantState::Revoked, made.party, 2));
}

pub async fn rulebooks_hold_from_their_moment(store: Store) {
    let text = |version: &str, from: i64| RulebookText {
        version: version.parse().unwrap(),
        en: "# Rules\n\n`$1`".into(),
        zh: "# 规则".into(),
        in_force: at(from),
    };
    assert!(matches!(store.rulebook_in_force(at(5)).await, Err(StoreError::NotFound { .. })));
    let (old, new, newer) = (text("r@1", 10), text("r@2", 20), text("r@3", 20));
    for rulebook in [&old, &new, &newer] {
        store.add_rulebook(rulebook).await.unwrap();
    }
    assert!(matches!(store.rulebook_in_force(at(9)).await, Err(StoreError::NotFound { .. })));
    assert_eq!(store.rulebook_in_force(at(19)).await.unwrap(), old);
    assert_eq!(store.rulebook_in_force(at(20)).await.unwrap(), newer, "the last of one moment holds");
    assert_eq!(store.rulebook(&new.version).await.unwrap(), new);
    assert_eq!(store.rulebooks().await.unwrap(), [newer, new, old.clone()]);
    assert!(matches!(store.add_rulebook(&old).await, Err(StoreError::Exists { .. })));
    // One that comes, and an urgent one that is built on it and comes before it.
    let (coming, urgent) = (text("r@4", 40), text("r@5", 30));
    for rulebook in [&coming, &urgent] {
        store.add_rulebook(rulebook).await.unwrap();
    }
    for moment in [30, 40, 99] {
        assert_eq!(store.rulebook_in_force(at(moment)).await.unwrap(), urgent, "{moment}");
    }
    assert_eq!(store.rulebooks().await.unwrap()[..2], [urgent, coming]);
}

pub async fn settings_are_remembered(store: Store) {
    assert_eq!(store.setting(Setting::Demo).await.unwrap(), None);
    store.put_setting(Setting::Demo, "loading").await.unwrap();
    store.put_setting(Setting::Demo, "ready").await.unwrap();
    assert_eq!(store.setting(Setting::Demo).await.unwrap().as_deref(), Some("ready"));
    store.ready().await.unwrap();
}
