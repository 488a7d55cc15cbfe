//! The simple protocol.

use crate::served::{ROWS, code, served};
use tokio_postgres::SimpleQueryMessage;

fn texts(messages: &[SimpleQueryMessage]) -> Vec<Vec<Option<String>>> {
    messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|place| row.get(place).map(str::to_owned)).collect())
            }
            _ => None,
        })
        .collect()
}

fn one(messages: &[SimpleQueryMessage]) -> String {
    texts(messages)[0][0].clone().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_grant_answers_and_nothing_else_does() {
    let served = served().await;
    let client = served.client().await;
    let rows = client.simple_query("SELECT id, name, wage FROM units ORDER BY id LIMIT 2").await.unwrap();
    assert_eq!(texts(&rows).len(), 2);
    let count = client.simple_query("SELECT count(*) FROM tax.units").await.unwrap();
    assert_eq!(one(&count), ROWS.to_string());
    for (sql, expected) in [
        ("SELEC 1", "42601"),
        ("SELECT * FROM nothing", "42P01"),
        ("SELECT nothing FROM units", "42703"),
        ("EXPLAIN SELECT 1", "0A000"),
        ("DELETE FROM units", "0A000"),
        ("COPY units TO STDOUT", "0A000"),
        ("SELECT $1", "42P02"),
        ("SHOW nothing", "42704"),
        ("SET nothing = 1", "42704"),
    ] {
        let error = client.simple_query(sql).await.unwrap_err();
        assert_eq!(code(&error), expected, "{sql}: {error:?}");
    }
    assert_eq!(one(&client.simple_query("SELECT 1").await.unwrap()), "1", "the connection lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_statements_run_in_order_until_one_fails() {
    let served = served().await;
    let client = served.client().await;
    let all = client.simple_query("SELECT 1; -- two;\nSELECT ';' ;; SHOW server_version").await.unwrap();
    assert_eq!(texts(&all).len(), 3);
    assert!(client.simple_query(" ; ").await.unwrap().is_empty() || client.is_closed().eq(&false));
    let error = client.simple_query("SELECT 1; SELECT broken; SELECT 2").await.unwrap_err();
    assert_eq!(code(&error), "42703");
    assert_eq!(one(&client.simple_query("SELECT 3").await.unwrap()), "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_followed_though_they_change_nothing() {
    let served = served().await;
    let client = served.client().await;
    client.batch_execute("BEGIN").await.unwrap();
    client.batch_execute("SAVEPOINT a").await.unwrap();
    assert!(client.batch_execute("SELECT broken").await.is_err());
    let error = client.simple_query("SELECT 1").await.unwrap_err();
    assert_eq!(code(&error), "25P02");
    client.batch_execute("ROLLBACK TO SAVEPOINT a").await.unwrap();
    assert_eq!(one(&client.simple_query("SELECT 1").await.unwrap()), "1");
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(code(&client.batch_execute("SAVEPOINT b").await.unwrap_err()), "25P01");
    client.batch_execute("BEGIN; SELECT 1; ROLLBACK").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_set_shown_and_reset() {
    let served = served().await;
    let client = served.client().await;
    client.batch_execute("SET application_name TO 'my report'").await.unwrap();
    assert_eq!(one(&client.simple_query("SHOW application_name").await.unwrap()), "my report");
    client.batch_execute("RESET ALL").await.unwrap();
    assert_eq!(one(&client.simple_query("SHOW application_name").await.unwrap()), "");
    assert_eq!(one(&client.simple_query("show standard_conforming_strings").await.unwrap()), "on");
    assert_eq!(
        one(&client.simple_query("SHOW TRANSACTION ISOLATION LEVEL").await.unwrap()),
        "read committed"
    );
    client.batch_execute("SET statement_timeout = '50ms'").await.unwrap();
    let slow = "SELECT count(*) FROM units a, units b, units c, units d, units e, units f, units g, units h, units i";
    assert_eq!(code(&client.simple_query(slow).await.unwrap_err()), "57014");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_holds_the_grant_alone() {
    let served = served().await;
    let client = served.client().await;
    assert!(
        one(&client.simple_query("select pg_catalog.version()").await.unwrap()).starts_with("PostgreSQL 15")
    );
    assert_eq!(one(&client.simple_query("SELECT current_database()").await.unwrap()), served.grant.as_str());
    let columns = client
        .simple_query("SELECT table_schema, table_name, column_name FROM information_schema.columns ORDER BY ordinal_position")
        .await
        .unwrap();
    let names: Vec<_> = texts(&columns).into_iter().map(|row| row[2].clone().unwrap()).collect();
    assert_eq!(names, ["id", "region", "name", "wage"]);
    let mixed = "SELECT id FROM tax.units, pg_catalog.pg_class";
    assert!(client.simple_query(mixed).await.is_err(), "catalogue and data do not meet");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_tells_its_decision() {
    let served = served().await;
    let client = served.client().await;
    let before = served.node.app.ledger_size();
    client.simple_query("SELECT count(*) FROM units").await.unwrap();
    let entry = served.node.app.entry(None, before).await.unwrap().entry;
    assert_eq!(entry.kind, cogov_model::EntryKind::Decision);
    assert_eq!(entry.facts["door"], "pg");
    let release = served.node.app.entry(None, before + 1).await.unwrap().entry;
    assert_eq!(release.facts["rows"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_is_deeper_than_the_stack() {
    let served = served().await;
    let client = served.client().await;
    let declare = "DECLARE a CURSOR WITH HOLD FOR ";
    let chain = |length: usize| format!("SELECT 1{}", "+1".repeat(length));
    for (sql, expected) in [
        (format!("{}SELECT 1", declare.repeat(8_000)), "42601"),
        (format!("{declare}/* one */ declare b CURSOR WITH HOLD FOR SELECT 1"), "42601"),
        (format!("{declare}{}", chain(30_000)), "54001"),
        (chain(30_000), "54001"),
        (format!("{} FROM pg_class", chain(500)), "54001"),
        (format!("SELECT 1 -- {}", "x".repeat(300_000)), "54001"),
    ] {
        let begin = &sql[..50];
        assert_eq!(code(&client.simple_query(&sql).await.unwrap_err()), expected, "{begin}");
        assert_eq!(code(&client.prepare(&sql).await.unwrap_err()), expected, "{begin}");
    }
    assert_eq!(one(&client.simple_query("SELECT 1").await.unwrap()), "1", "the connection lives on");
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_give_rows_in_portions() {
    let served = served().await;
    let client = served.client().await;
    assert_eq!(code(&client.batch_execute("DECLARE c CURSOR FOR SELECT 1").await.unwrap_err()), "25P01");
    client
        .batch_execute("BEGIN; DECLARE \"my c\" NO SCROLL CURSOR FOR SELECT id FROM units ORDER BY id")
        .await
        .unwrap();
    assert_eq!(
        code(&client.batch_execute("SAVEPOINT s; DECLARE \"my c\" CURSOR FOR SELECT 1").await.unwrap_err()),
        "42P03"
    );
    client.batch_execute("ROLLBACK TO s").await.unwrap();
    let mut seen = Vec::new();
    for (fetch, rows) in [
        ("FETCH 3 FROM \"my c\"", 3),
        ("FETCH \"my c\"", 1),
        ("FETCH FORWARD ALL IN \"my c\"", 6),
        ("FETCH 5 \"my c\"", 0),
    ] {
        let found = texts(&client.simple_query(fetch).await.unwrap());
        assert_eq!(found.len(), rows, "{fetch}");
        seen.extend(found.into_iter().map(|row| row[0].clone().unwrap()));
    }
    assert_eq!(seen, (0..10).map(|n| (n * 20).to_string()).collect::<Vec<_>>());
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(code(&client.batch_execute("FETCH 1 FROM \"my c\"").await.unwrap_err()), "34000");
    client.batch_execute("DECLARE held CURSOR WITH HOLD FOR SELECT 1").await.unwrap();
    assert_eq!(one(&client.simple_query("FETCH 1 FROM held").await.unwrap()), "1");
    client.batch_execute("CLOSE held").await.unwrap();
    assert_eq!(code(&client.batch_execute("CLOSE held").await.unwrap_err()), "34000");
}
