//! Clients that mean ill or go away: nothing leaks, nothing stays behind.

use crate::common::PASSWORD;
use crate::served::{Served, code, served, served_with};
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
async fn a_revoked_grant_ends_open_cursors_and_portals() {
    let served = served().await;
    let (client, mut other) = (served.client().await, served.client().await);
    for cursor in [
        "DECLARE data CURSOR WITH HOLD FOR SELECT id FROM units ORDER BY id",
        "DECLARE names CURSOR WITH HOLD FOR SELECT relname FROM pg_catalog.pg_class",
    ] {
        client.batch_execute(cursor).await.unwrap();
    }
    client.simple_query("FETCH 2 FROM data").await.unwrap();
    let fetch = client.prepare("FETCH 2 FROM data").await.unwrap();
    assert_eq!(client.query(&fetch, &[]).await.unwrap().len(), 2);
    let transaction = other.transaction().await.unwrap();
    let portal = transaction.bind("SELECT id FROM units ORDER BY id", &[]).await.unwrap();
    assert_eq!(transaction.query_portal(&portal, 3).await.unwrap().len(), 3);
    assert_eq!(transaction.query_portal(&portal, 3).await.unwrap().len(), 3);
    let approver = served.node.actor("tax-approver").await;
    served.node.app.revoke(&approver, &served.grant, "misuse").await.unwrap();
    for cursor in ["data", "names"] {
        let fetch = format!("FETCH 1 FROM {cursor}");
        assert_eq!(code(&client.simple_query(&fetch).await.unwrap_err()), "42501", "{cursor}");
        assert_eq!(code(&client.simple_query(&fetch).await.unwrap_err()), "34000", "{cursor} is closed");
    }
    assert_eq!(code(&client.query(&fetch, &[]).await.unwrap_err()), "42501", "a fetch that was prepared");
    let error = transaction.query_portal(&portal, 3).await.unwrap_err();
    assert_eq!(code(&error), "42501");
    assert!(error.as_db_error().unwrap().detail().unwrap().contains("art-"));
}

/// A connection that has sent its start and a secret, and waits for no answer.
async fn knocked(served: &Served, secret: &str) -> TcpStream {
    let names = format!("user\0north-analyst\0database\0{}\0\0", served.grant);
    let length = |text: &str, more: usize| u32::try_from(text.len() + more).unwrap().to_be_bytes();
    let secret = format!("{secret}\0");
    let start = [&length(&names, 8)[..], &[0, 3, 0, 0], names.as_bytes()].concat();
    let password = [&b"p"[..], &length(&secret, 4), secret.as_bytes()].concat();
    let mut stream = TcpStream::connect(served.pg).await.unwrap();
    stream.write_all(&start).await.unwrap();
    // It is asked for first: `R`, eight bytes of length and kind.
    let mut asked = [0; 9];
    stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(asked, [b'R', 0, 0, 0, 8, 0, 0, 0, 3]);
    if secret.len() > 1 {
        stream.write_all(&password).await.unwrap();
    }
    stream
}

/// What the server says until it ends the connection, which it does soon.
async fn last_words(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the server waits for more");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_let_in_keeps_no_place() {
    let served = served().await;
    let mut stream = knocked(&served, "wrong-password").await;
    let words = last_words(&mut stream).await;
    assert!(words.contains("FATAL") && words.contains("28P01"), "{words}");
    for _ in 0..100 {
        // A socket that somebody still reads from takes this for ever.
        if stream.write_all(b"S\0\0\0\x04").await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server still reads from a client that it did not let in");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_messages_are_not_waited_for() {
    let served = served().await;
    for (secret, claimed) in [("", (64 << 10) + 1), (PASSWORD, (64 << 20) + 1), (PASSWORD, u32::MAX), ("", 3)]
    {
        let mut stream = knocked(&served, secret).await;
        stream.write_all(&[&b"Q"[..], &claimed.to_be_bytes()].concat()).await.unwrap();
        let words = last_words(&mut stream).await;
        assert!(words.contains("FATAL") && words.contains("08P01"), "{claimed}: {words}");
    }
    served.client().await.query("SELECT 1", &[]).await.unwrap();
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
