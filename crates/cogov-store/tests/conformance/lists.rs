//! What holds for lists: every record once, in one order everywhere, found by each filter.

use crate::fixtures::*;
use cogov_model::*;
use cogov_store::*;

/// A locale would sort `a-c` between `ab` and `ad`.
pub async fn identifiers_sort_by_bytes(store: Store) {
    with_parties(&store, &["ab", "a-c", "ad", "a_b", "a0"]).await;
    let ids: Vec<String> =
        store.parties(&Page::first(10)).await.unwrap().items.iter().map(|p| p.id.to_string()).collect();
    assert_eq!(ids, ["a-c", "a0", "a_b", "ab", "ad"]);
}

pub async fn pages_show_every_record_once(store: Store) {
    with_parties(&store, &["tax", "welfare"]).await;
    for number in 0..25 {
        // Several share a moment: the identifier then decides.
        let grant = grant(&format!("g{number:02}"), "welfare", &["tax"], &["tax"], number / 4);
        store.add_grant(&grant, &key(1)).await.unwrap();
    }
    let mut all: Vec<String> = (0..25).map(|number| format!("g{number:02}")).collect();
    all.sort_by_key(|id| (id[1..].parse::<i64>().unwrap() / 4, id.clone()));
    all.reverse();
    for limit in [1, 4, 7, 24, 25, 26] {
        for filter in [GrantFilter::default(), GrantFilter { dataset: id("tax"), ..Default::default() }] {
            assert_eq!(walk(&store, &filter, limit).await, all, "limit {limit}, {filter:?}");
        }
    }
    let accounts = ["a", "b", "c"].map(|name| account(name, "tax"));
    for account in &accounts {
        store.add_account(account).await.unwrap();
    }
    let first = store.accounts(id("tax").as_ref(), &Page::first(2)).await.unwrap();
    let second = store.accounts(None, &Page::new(first.next, 2)).await.unwrap();
    assert_eq!([first.items, second.items].concat(), accounts);
    assert_eq!(second.next, None);
}

async fn walk(store: &Store, filter: &GrantFilter, limit: u32) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.grants(filter, &Page::new(after, limit)).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        seen.extend(page.items.iter().map(|grant| grant.record.id.to_string()));
        match page.next {
            Some(next) => after = Some(Cursor::from_text(&next.to_string())),
            None => return seen,
        }
    }
}

fn id<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

pub async fn grants_are_found_by_each_filter(store: Store) {
    with_parties(&store, &["tax", "welfare", "health", "lab"]).await;
    let mut revoked = grant("g3", "lab", &["health", "tax"], &["hospital", "tax"], 3);
    revoked.state = GrantState::Revoked;
    let grants = [
        grant("g1", "lab", &["tax"], &["tax"], 1),
        grant("g2", "welfare", &["tax"], &["tax"], 2),
        revoked,
        grant("g4", "welfare", &["health"], &["hospital"], 4),
    ];
    for grant in &grants {
        store.add_grant(grant, &key(1)).await.unwrap();
    }
    let (party, provider, dataset) = (id("lab"), id("health"), id("tax"));
    let all = GrantFilter::default;
    let expect = [
        (all(), vec!["g4", "g3", "g2", "g1"]),
        (GrantFilter { party: party.clone(), ..all() }, vec!["g3", "g1"]),
        (GrantFilter { provider: provider.clone(), ..all() }, vec!["g4", "g3"]),
        (GrantFilter { dataset: dataset.clone(), ..all() }, vec!["g3", "g2", "g1"]),
        (GrantFilter { dataset: dataset.clone(), provider: provider.clone(), ..all() }, vec!["g3"]),
        (GrantFilter { dataset, party, state: Some(GrantState::Active), ..all() }, vec!["g1"]),
        (GrantFilter { provider, state: Some(GrantState::Active), ..all() }, vec!["g4"]),
    ];
    for (filter, ids) in expect {
        assert_eq!(walk(&store, &filter, 1).await, ids, "{filter:?}");
    }
}

pub async fn applications_are_found_by_each_filter(store: Store) {
    with_parties(&store, &["tax", "welfare", "lab"]).await;
    let mut done = application("a3", "lab", "tax", 3);
    done.state = ApplicationState::Refused;
    for application in [application("a1", "welfare", "tax", 1), application("a2", "lab", "welfare", 2), done]
    {
        store.add_application(&application).await.unwrap();
    }
    let all = ApplicationFilter::default;
    let expect = [
        (all(), vec!["a3", "a2", "a1"]),
        (ApplicationFilter { requester: id("lab"), ..all() }, vec!["a3", "a2"]),
        (ApplicationFilter { provider: id("tax"), ..all() }, vec!["a3", "a1"]),
        (ApplicationFilter { provider: id("tax"), waiting: Some(true), ..all() }, vec!["a1"]),
        (ApplicationFilter { waiting: Some(false), ..all() }, vec!["a3"]),
    ];
    for (filter, ids) in expect {
        let found = store.applications(&filter, &Page::first(10)).await.unwrap();
        let found: Vec<_> = found.items.iter().map(|a| a.record.id.to_string()).collect();
        assert_eq!(found, ids, "{filter:?}");
    }
    let mut a1 = store.application(&"a1".parse().unwrap()).await.unwrap();
    a1.record.state = ApplicationState::Withdrawn;
    store.update_application(&a1.record, a1.revision).await.unwrap();
    let inbox = ApplicationFilter { provider: id("tax"), waiting: Some(true), ..all() };
    assert!(store.applications(&inbox, &Page::first(10)).await.unwrap().items.is_empty());
    assert!(matches!(store.update_application(&a1.record, 1).await, Err(StoreError::Conflict { .. })));
}

pub async fn entries_are_found_by_each_filter(store: Store) {
    let mut refused = entry(2, EntryKind::Decision, &["lab", "tax"], &["tax"]);
    refused.outcome = Outcome::Deny;
    refused.grant = id("g1");
    refused.account = id("ann");
    let entries = [
        entry(0, EntryKind::RulebookInForce, &[], &[]),
        entry(1, EntryKind::Import, &["tax"], &["tax"]),
        refused,
        entry(3, EntryKind::Decision, &["tax", "lab"], &["hospital", "tax"]),
    ];
    store.index_entries(&entries).await.unwrap();
    let all = EntryFilter::default;
    let expect = [
        (all(), vec![3, 2, 1, 0]),
        (EntryFilter { party: id("lab"), ..all() }, vec![3, 2]),
        (EntryFilter { dataset: id("tax"), ..all() }, vec![3, 2, 1]),
        (EntryFilter { party: id("tax"), dataset: id("hospital"), ..all() }, vec![3]),
        (EntryFilter { party: id("tax"), kind: Some(EntryKind::Decision), ..all() }, vec![3, 2]),
        (EntryFilter { outcome: Some(Outcome::Deny), ..all() }, vec![2]),
        (EntryFilter { grant: id("g1"), ..all() }, vec![2]),
        (EntryFilter { account: id("ann"), ..all() }, vec![2]),
        (EntryFilter { from: Some(at(10)), until: Some(at(30)), ..all() }, vec![2, 1]),
    ];
    for (filter, indices) in expect {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = store.entries(&filter, &Page::new(after, 1)).await.unwrap();
            seen.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let found: Vec<_> = seen.iter().map(|entry| entry.index).collect();
        assert_eq!(found, indices, "{filter:?}");
        assert!(seen.iter().all(|entry| entries.contains(entry)), "an entry came back changed");
    }
}

pub async fn indexing_twice_changes_nothing(store: Store) {
    assert_eq!(store.indexed_until().await.unwrap(), 0);
    let entries = [
        entry(0, EntryKind::Import, &["tax", "tax"], &["tax"]),
        entry(1, EntryKind::Publish, &["tax"], &["tax"]),
    ];
    store.index_entries(&entries).await.unwrap();
    store.index_entries(&entries).await.unwrap();
    assert_eq!(store.indexed_until().await.unwrap(), 2);
    let filter = EntryFilter { party: id("tax"), ..Default::default() };
    assert_eq!(store.entries(&filter, &Page::first(9)).await.unwrap().items.len(), 2);
}

pub async fn a_cursor_of_another_list_is_refused(store: Store) {
    for text in ["", "x", "1e3~x", "'; DROP TABLE grants; --", "9999999999999999999999"] {
        let page = Page::new(Some(Cursor::from_text(text)), 5);
        let grants = store.grants(&GrantFilter::default(), &page).await;
        assert_eq!(grants.err(), Some(StoreError::BadCursor), "{text:?}");
        let entries = store.entries(&EntryFilter::default(), &page).await;
        assert_eq!(entries.err(), Some(StoreError::BadCursor), "{text:?}");
        assert!(store.parties(&page).await.is_ok(), "any text is a place among identifiers");
    }
}
