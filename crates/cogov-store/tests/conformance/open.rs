//! Opening: what is refused, that nothing leaks, and that what was kept is there after a restart.

use crate::{fixtures::*, runtime};
use cogov_store::*;

#[test]
fn addresses_that_cannot_work_are_refused_without_their_password() {
    runtime().block_on(async {
        for url in [
            "postgres://user:s3cret-word@127.0.0.1:1/none",
            "postgres://user:s3cret-word@[broken/none",
            "mysql://user:s3cret-word@127.0.0.1/none",
            "sqlite://",
            "s3cret-word",
            "",
        ] {
            let refused = Store::open(url).await.unwrap_err();
            let words = format!("{refused} {refused:?}");
            assert!(!words.contains("s3cret"), "{words}");
        }
    });
}

#[test]
fn a_file_that_is_no_database_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "dear diary, ".repeat(1000);
    std::fs::write(&path, &text).unwrap();
    runtime().block_on(async {
        let refused = Store::open(&sqlite_url(&path)).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    });
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn records_outlive_a_restart_in_a_folder_with_any_name() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("数据 100% #1?");
    std::fs::create_dir(&odd).unwrap();
    let url = sqlite_url(&odd.join("records.db"));
    runtime().block_on(async {
        let store = Store::open(&url).await.unwrap();
        with_parties(&store, &["tax"]).await;
        store.close().await;
        let store = Store::open(&url).await.unwrap();
        assert_eq!(store.party(&"tax".parse().unwrap()).await.unwrap(), party("tax"));
    });
    assert!(odd.join("records.db").exists());
}
