//! Clients that mean ill or go away: nothing leaks, nothing stays behind.

use crate::common::PASSWORD;
use crate::served::{code, served, served_with};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_enters_without_account_and_grant() {
    let served = served().await;
    let grant = served.grant.as_str();
    for (user, password, database, expected) in [
        ("north-analyst", "wrong-password", grant, "28P01"),
        ("nobody", PASSWORD, grant, "28P01"),
        ("north-analyst", PASSWORD, "no-such-grant", "3D000"),
        ("north-analyst", PASSWORD, "Not An Id", "3D000"),
        ("tax-analyst", PASSWORD, grant, "3D000"),
        ("north-steward", PASSWORD, grant, "42501"),
    ] {
        let error = served.try_client(user, password, database).await.map(|_| ()).unwrap_err();
        assert_eq!(code(&error), expected, "{user} {database}");
    }
    let missing = served.try_client("tax-analyst", PASSWORD, "grant-none").await.map(|_| ()).unwrap_err();
    let others = served.try_client("tax-analyst", PASSWORD, grant).await.map(|_| ()).unwrap_err();
    let words = |error: &tokio_postgres::Error| {
        error.as_db_error().unwrap().message().replace(grant, "G").replace("grant-none", "G")
    };
    assert_eq!(words(&missing), words(&others), "another party's grant shows that it exists");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_a_password_too() {
    let served = served().await;
    let actor = served.node.actor("north-analyst").await;
    let token = served.node.app.new_token(&actor, "script", 1).await.unwrap();
    let client = served.try_client("north-analyst", &token, served.grant.as_str()).await.unwrap();
    assert_eq!(client.query("SELECT 1", &[]).await.unwrap().len(), 1);
    assert!(served.try_client("tax-analyst", &token, served.grant.as_str()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_ends_the_connection_and_not_the_server() {
    let served = served().await;
    for garbage in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xff; 64],
        vec![0, 0, 0, 4],
        vec![0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0],
        vec![0, 0, 0, 8, 0, 3, 0, 0],
    ] {
        let mut stream = TcpStream::connect(served.pg).await.unwrap();
        stream.write_all(&garbage).await.unwrap();
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "the server waits for more of {garbage:?}");
    }
    served.client().await.query("SELECT 1", &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_ends_its_query() {
    let served = served().await;
    let (client, socket) = served.client_to_cut().await;
    let before = served.node.app.ledger_size();
    let slow = "SELECT count(*) FROM units a, units b, units c, units d, units e, units f, units g, units h, units i, units j";
    let query = tokio::spawn(async move { client.simple_query(slow).await.map(|_| ()) });
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if served.node.app.ledger_size() > before {
            break;
        }
    }
    assert_eq!(served.node.app.ledger_size(), before + 1, "the query was decided and runs");
    socket.abort();
    assert!(query.await.unwrap().is_err(), "its socket was closed");
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if served.node.app.ledger_size() > before + 1 {
            let release = served.node.app.entry(None, before + 1).await.unwrap().entry;
            assert_eq!((release.facts["rows"].as_str(), release.facts["ended"].as_str()), ("0", "cut"));
            return;
        }
    }
    panic!("the query of a client that went away still runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_slowly_holds_the_query_back() {
    let served = served().await;
    let (client, socket) = served.client_to_cut().await;
    let before = served.node.app.ledger_size();
    // A hundred million rows: far more than any buffer, if somebody buffered them.
    let long = "SELECT a.id, b.name, c.name, d.name FROM units a, units b, units c, units d, units e, units f, units g, units h";
    let rows = client.query_raw(long, Vec::<i64>::new()).await.unwrap();
    let mut rows = Box::pin(rows);
    use futures::StreamExt;
    assert!(rows.next().await.unwrap().is_ok());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(served.node.app.ledger_size(), before + 1, "nothing was released to the end");
    socket.abort();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if served.node.app.ledger_size() > before + 1 {
            let release = served.node.app.entry(None, before + 1).await.unwrap().entry;
            assert_eq!(release.facts["ended"], "cut");
            return;
        }
    }
    panic!("the query of a client that went away still runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_grant_ends_at_the_next_statement() {
    let served = served().await;
    let client = served.client().await;
    let statement = client.prepare("SELECT count(*) FROM units").await.unwrap();
    client.query(&statement, &[]).await.unwrap();
    let approver = served.node.actor("tax-approver").await;
    served.node.app.revoke(&approver, &served.grant, "misuse").await.unwrap();
    let error = client.query(&statement, &[]).await.unwrap_err();
    assert_eq!(code(&error), "42501");
    assert!(error.as_db_error().unwrap().detail().unwrap().contains("art-"));
    assert_eq!(code(&client.simple_query("SELECT 1 FROM pg_class").await.unwrap_err()), "42501");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_says_goodbye() {
    let served = served().await;
    let client = served.client().await;
    served.stop();
    for _ in 0..100 {
        if client.is_closed() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("an idle connection outlives the server");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_certificate_says_no_to_tls() {
    let served = served_with(None).await;
    let mut stream = TcpStream::connect(served.pg).await.unwrap();
    stream.write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]).await.unwrap();
    let mut answer = [0; 1];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"N");
}
