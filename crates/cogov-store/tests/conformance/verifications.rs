//! The counts behind the daily limits of verify grants.

use crate::fixtures::*;
use cogov_model::GrantId;
use cogov_store::*;

pub async fn limits_hold_exactly_under_concurrency(store: Store) {
    with_parties(&store, &["tax", "north"]).await;
    store.add_grant(&grant("g-1", "north", &["tax"], &["tax"], 5), &key(1)).await.unwrap();
    let id: GrantId = "g-1".parse().unwrap();
    let limit = VerificationLimit { asked: 20, unknown: 8 };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (store, id) = (store.clone(), id.clone());
        tasks.spawn(async move { store.count_verification(&id, 7, limit).await.unwrap() });
    }
    let taken = tasks.join_all().await.into_iter().filter(|taken| *taken).count();
    assert_eq!(taken, 8, "questions whose answer is not there yet count as unknown");
    for _ in 0..8 {
        store.verification_known(&id, 7).await.unwrap();
    }
    let mut more = 0;
    while store.count_verification(&id, 7, limit).await.unwrap() {
        store.verification_known(&id, 7).await.unwrap();
        more += 1;
    }
    assert_eq!(more, 12);
    assert_eq!(store.verification_use(&id, 7).await.unwrap(), VerificationUse { asked: 20, unknown: 0 });
    assert!(store.count_verification(&id, 8, limit).await.unwrap(), "another day");
    let nothing = VerificationLimit { asked: 0, unknown: 5 };
    assert!(!store.count_verification(&id, 9, nothing).await.unwrap());
    assert_eq!(store.verification_use(&id, 9).await.unwrap(), VerificationUse::default());
    let lost = store.count_verification(&"g-none".parse().unwrap(), 7, limit).await;
    assert!(matches!(lost, Err(StoreError::Reference { .. })), "{lost:?}");
}
