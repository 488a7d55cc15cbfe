//! One suite over both databases: whatever SQLite answers, PostgreSQL answers too. A database that cannot
//! be started is a failure, never a skip.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod answers;
mod cases;
mod cluster;
mod consultations;
mod drafts;
mod fixtures;
mod lists;
mod noise;
mod open;
mod verifications;

use cogov_store::{Store, sqlite_url};
use std::{future::Future, pin::Pin};

type Case = (&'static str, fn(Store) -> Pin<Box<dyn Future<Output = ()> + Send>>);

macro_rules! cases {
    ($($module:ident :: $name:ident),* $(,)?) => {
        &[$((stringify!($name), |store| Box::pin($module::$name(store)))),*]
    };
}

const CASES: &[Case] = cases![
    cases::parties_come_back_and_change,
    cases::accounts_are_unique_and_belong_to_a_party,
    cases::a_new_password_or_a_lock_ends_web_sessions,
    cases::tokens_and_sessions_end_when_they_say,
    cases::two_stewards_never_overwrite_each_other,
    cases::many_writers_lose_no_change,
    cases::a_version_and_its_dataset_change_together,
    cases::label_decisions_keep_their_order,
    cases::an_application_becomes_a_grant_once,
    cases::a_grant_changes_in_state_only,
    cases::rulebooks_hold_from_their_moment,
    cases::settings_are_remembered,
    answers::answers_keep_their_order_and_are_kept_together_or_not,
    answers::two_answers_at_once_never_share_a_place,
    consultations::consultations_are_made_from_the_ledger,
    consultations::votes_count_once_and_merging_loses_no_supporter,
    consultations::numbers_that_no_record_can_have_are_no_records,
    consultations::contributions_are_hidden_answered_and_counted,
    drafts::two_drafters_never_overwrite_each_other,
    drafts::a_draft_becomes_a_rulebook_once,
    drafts::pages_show_every_draft_once,
    drafts::facts_are_kept_once,
    lists::identifiers_sort_by_bytes,
    lists::pages_show_every_record_once,
    lists::grants_are_found_by_each_filter,
    lists::applications_are_found_by_each_filter,
    lists::entries_are_found_by_each_filter,
    lists::indexing_twice_changes_nothing,
    lists::a_cursor_of_another_list_is_refused,
    verifications::limits_hold_exactly_under_concurrency,
    noise::a_question_is_paid_for_once_and_its_first_answer_stays,
    noise::an_exhausted_account_refuses_and_takes_nothing,
    noise::many_clients_never_spend_more_than_there_is,
];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

#[test]
fn sqlite_keeps_the_records() {
    let folder = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        for (name, case) in CASES {
            println!("sqlite: {name}");
            let store = Store::open(&sqlite_url(&folder.path().join(format!("{name}.db")))).await.unwrap();
            case(store.clone()).await;
            store.close().await;
        }
    });
}

#[test]
fn sqlite_in_memory_keeps_the_records() {
    runtime().block_on(async {
        for (name, case) in CASES {
            println!("memory: {name}");
            case(Store::open("sqlite::memory:").await.unwrap()).await;
        }
    });
}

#[test]
fn postgres_keeps_the_records() {
    let cluster = cluster::Cluster::start();
    runtime().block_on(async {
        for (name, case) in CASES {
            println!("postgres: {name}");
            let store = Store::open(&cluster.database(name)).await.unwrap();
            case(store.clone()).await;
            store.close().await;
        }
    });
}
