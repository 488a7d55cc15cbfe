//! Every lookup and every list walks an index: none reads a whole table or sorts it, so none slows down
//! when there are a million records.
#![allow(clippy::unwrap_used, reason = "tests")]

use crate::{
    ApplicationFilter, ContributionFilter, Cursor, EntryFilter, GrantFilter, Page, Store, sql::Statement,
};
use cogov_model::{ContributionKind, EntryKind, GrantState, Outcome, Timestamp};

/// The steps in which SQLite would run a statement.
async fn steps(store: &Store, statement: Statement) -> Vec<String> {
    let mut connection = store.connection().await.unwrap();
    let rows = statement.explained().all(&mut connection).await.unwrap();
    rows.iter().map(|row| crate::sql::text(row, "detail").unwrap()).collect()
}

async fn assert_walks_an_index(store: &Store, what: &str, statement: Statement) {
    for step in steps(store, statement).await {
        let sorts = step.contains("TEMP B-TREE");
        let reads_all = step.starts_with("SCAN") && !step.contains("INDEX");
        assert!(!sorts && !reads_all, "{what}: {step}");
    }
}

fn some<T: std::str::FromStr>() -> Option<T> {
    "x".parse().ok()
}

#[tokio::test]
async fn lists_of_grants_walk_an_index() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let later = Page::new(Some(Cursor::at_moment(Timestamp::from_millis(5), "g")), 20);
    for (party, provider, dataset, state) in [
        (None, None, None, None),
        (some(), None, None, None),
        (None, some(), None, Some(GrantState::Active)),
        (None, None, some(), None),
        (some(), some(), some(), Some(GrantState::Active)),
    ] {
        let filter = GrantFilter { party, provider, dataset, state };
        for page in [Page::first(20), later.clone()] {
            let what = format!("{filter:?} {page:?}");
            assert_walks_an_index(&store, &what, crate::grant::select(&filter, &page).unwrap()).await;
        }
    }
}

#[tokio::test]
async fn lists_of_applications_walk_an_index() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    for (requester, provider, waiting) in
        [(None, None, None), (some(), None, None), (None, some(), Some(true)), (None, None, Some(true))]
    {
        let filter = ApplicationFilter { requester, provider, waiting };
        let what = format!("{filter:?}");
        let statement = crate::application::select(&filter, &Page::first(20)).unwrap();
        assert_walks_an_index(&store, &what, statement).await;
    }
}

#[tokio::test]
async fn searches_of_the_ledger_walk_an_index() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let later = Page::new(Some(Cursor::at_number(5)), 20);
    let all = EntryFilter::default;
    for filter in [
        all(),
        EntryFilter { party: some(), ..all() },
        EntryFilter { dataset: some(), ..all() },
        EntryFilter { party: some(), dataset: some(), kind: Some(EntryKind::Decision), ..all() },
        EntryFilter { grant: some(), ..all() },
        EntryFilter { account: some(), outcome: Some(Outcome::Deny), ..all() },
        EntryFilter { kind: Some(EntryKind::Release), from: Some(Timestamp::from_millis(1)), ..all() },
    ] {
        for page in [Page::first(20), later.clone()] {
            let what = format!("{filter:?} {page:?}");
            assert_walks_an_index(&store, &what, crate::ledger::select(&filter, &page).unwrap()).await;
        }
    }
}

#[tokio::test]
async fn lists_of_contributions_walk_an_index() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    let id = "c-1".parse().unwrap();
    let all = ContributionFilter::default;
    for filter in [
        all(),
        ContributionFilter { clause: some(), newest: true, ..all() },
        ContributionFilter { clause: some(), unanswered: true, ..all() },
        ContributionFilter { kind: Some(ContributionKind::Statement), shown: true, ..all() },
        ContributionFilter { participant: Some(3), newest: true, ..all() },
        ContributionFilter { answer: Some(3), ..all() },
        ContributionFilter { unanswered: true, ..all() },
    ] {
        for page in [Page::first(20), Page::new(Some(Cursor::at_number(5)), 20)] {
            let what = format!("{filter:?} {page:?}");
            let statement = crate::contribution::select(&id, &filter, &page).unwrap();
            assert_walks_an_index(&store, &what, statement).await;
        }
    }
}

#[tokio::test]
async fn lookups_search_and_the_check_itself_can_fail() {
    let store = Store::open("sqlite::memory:").await.unwrap();
    for statement in [
        "SELECT body FROM grants WHERE id = $1",
        "SELECT key FROM mask_keys WHERE grant_id = $1",
        "SELECT body FROM datasets WHERE id = $1",
        "SELECT account FROM tokens WHERE hash = $1",
        "SELECT account FROM sessions WHERE hash = $1",
    ] {
        let steps = steps(&store, Statement::with(statement, ["x".into()])).await;
        assert!(steps.iter().all(|step| step.starts_with("SEARCH")), "{statement}: {steps:?}");
    }
    let unindexed = Statement::new("SELECT body FROM grants WHERE state = ").bind("active");
    assert!(steps(&store, unindexed).await.iter().any(|step| step.starts_with("SCAN")));
}
