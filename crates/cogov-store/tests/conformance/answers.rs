//! What holds for remembered answers: they keep their order, and of two that come at once one is first.

use cogov_model::PartyId;
use cogov_store::{KeptAnswer, Store};

fn answer(table: &str, number: u64, body: &str) -> KeptAnswer {
    KeptAnswer {
        dataset: "tax".parse().unwrap(),
        table: table.parse().unwrap(),
        number,
        body: body.to_owned(),
    }
}

fn party(name: &str) -> PartyId {
    name.parse().unwrap()
}

async fn bodies(store: &Store, who: &str, table: &str, after: u64) -> Vec<String> {
    store.answers_given(&party(who), &"tax".parse().unwrap(), &table.parse().unwrap(), after).await.unwrap()
}

pub async fn answers_keep_their_order_and_are_kept_together_or_not(store: Store) {
    let lab = party("lab");
    assert!(store.add_answers(&lab, &[answer("units", 1, "a"), answer("cover", 1, "b")]).await.unwrap());
    assert!(store.add_answers(&lab, &[answer("units", 2, "c")]).await.unwrap());
    assert!(!store.add_answers(&lab, &[answer("cover", 2, "d"), answer("units", 2, "e")]).await.unwrap());
    assert_eq!(bodies(&store, "lab", "units", 0).await, ["a", "c"]);
    assert_eq!(bodies(&store, "lab", "units", 1).await, ["c"]);
    assert_eq!(bodies(&store, "lab", "cover", 0).await, ["b"], "kept together or not at all");
    assert!(bodies(&store, "other", "units", 0).await.is_empty());
}

/// Sixteen writers each keep one answer at the next free place: each is first once.
pub async fn two_answers_at_once_never_share_a_place(store: Store) {
    let write = |name: u64| {
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                let next = bodies(&store, "lab", "units", 0).await.len() as u64 + 1;
                if store
                    .add_answers(&party("lab"), &[answer("units", next, &name.to_string())])
                    .await
                    .unwrap()
                {
                    return;
                }
            }
        })
    };
    for writer in (0..16).map(write).collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let mut all = bodies(&store, "lab", "units", 0).await;
    all.sort_by_key(|body| body.parse::<u64>().unwrap());
    assert_eq!(all, (0..16).map(|n| n.to_string()).collect::<Vec<_>>());
}
