//! The door of Arrow Flight SQL.

use crate::common::PASSWORD;
use crate::served::{ROWS, Served, served};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{CommandGetDbSchemas, CommandGetTables};
use arrow_flight::{FlightInfo, error::FlightError};
use cogov_app::Network;
use cogov_wire::{ProxyHeader, TrustedProxies};
use futures::TryStreamExt;
use tokio::sync::watch;
use tonic::transport::{Channel, Endpoint};

type Client = FlightSqlServiceClient<Channel>;

struct Flights {
    served: Served,
    client: Client,
    stop: watch::Sender<bool>,
}

/// A door, and the analyst's client at it.
async fn flights() -> Flights {
    flights_behind(TrustedProxies::default()).await
}

async fn flights_behind(proxies: TrustedProxies) -> Flights {
    let served = served().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(cogov_wire::serve_flight(served.node.app.clone(), listener, proxies, stopped));
    let channel = Endpoint::new(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut client = FlightSqlServiceClient::new(channel);
    client.handshake("north-analyst", PASSWORD).await.unwrap();
    client.set_header("cogov-grant", served.grant.as_str());
    Flights { served, client, stop }
}

async fn fetch(client: &mut Client, info: FlightInfo) -> Result<Vec<RecordBatch>, FlightError> {
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let rows = client.do_get(ticket).await.map_err(|error| FlightError::protocol(error.to_string()))?;
    rows.try_collect().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_answered_as_at_the_other_doors() {
    let mut flights = flights().await;
    let info = flights.client.execute("SELECT id, wage FROM units ORDER BY id".into(), None).await.unwrap();
    let schema = info.clone().try_decode_schema().unwrap();
    assert_eq!(schema.fields().len(), 2);
    let size = flights.served.node.app.ledger_size();
    let rows = fetch(&mut flights.client, info).await.unwrap();
    let ids: Vec<i64> =
        rows.iter().flat_map(|b| b.column(0).as_primitive::<Int64Type>().values().to_vec()).collect();
    assert_eq!(ids.len() as i64, ROWS);
    assert_eq!(ids[1], 20);
    assert_eq!(flights.served.node.app.ledger_size(), size + 2, "a decision and a release");
    let entry = flights.served.node.app.entry(None, size).await.unwrap().entry;
    assert_eq!(entry.facts.get("door").map(String::as_str), Some("flight"));
    flights.stop.send_replace(true);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_their_clauses_and_strangers_find_nothing() {
    let mut flights = flights().await;
    let wrong =
        flights.client.execute("SELECT nothing FROM units".into(), None).await.unwrap_err().to_string();
    assert!(wrong.contains("nothing") && !wrong.contains("wage"), "{wrong}");
    flights.client.set_header("cogov-grant", "g-none");
    let missing = flights.client.execute("SELECT 1".into(), None).await.unwrap_err().to_string();
    assert!(missing.contains("g-none"), "{missing}");
    flights.client.set_token("no-such-session".into());
    let stranger = flights.client.execute("SELECT 1".into(), None).await.unwrap_err().to_string();
    assert!(stranger.to_lowercase().contains("sign in"), "{stranger}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_of_a_proxy_does_not_use_up_the_attempts_of_another() {
    let loopback: Network = "127.0.0.1".parse().unwrap();
    let mut flights = flights_behind(TrustedProxies::new([loopback], ProxyHeader::XForwardedFor)).await;
    flights.client.set_token("cogov_no-such-token".into());
    let mut answers = Vec::new();
    for (client, attempts) in [("203.0.113.9", 20), ("198.51.100.7", 1)] {
        flights.client.set_header("x-forwarded-for", client);
        for _ in 0..attempts {
            let refused = flights.client.execute("SELECT 1".into(), None).await.unwrap_err();
            answers.push(refused.to_string());
        }
    }
    assert!(answers[0].contains("Sign in"), "{}", answers[0]);
    assert!(answers[19].contains("Too many"), "the first client waits: {}", answers[19]);
    assert!(answers[20].contains("Sign in"), "the second one does not: {}", answers[20]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_is_the_grant() {
    let mut flights = flights().await;
    let info = flights.client.get_catalogs().await.unwrap();
    let catalogs = fetch(&mut flights.client, info).await.unwrap();
    assert_eq!(catalogs[0].column(0).as_string::<i32>().value(0), flights.served.grant.as_str());
    let all = CommandGetDbSchemas { catalog: None, db_schema_filter_pattern: None };
    let info = flights.client.get_db_schemas(all).await.unwrap();
    let schemas = fetch(&mut flights.client, info).await.unwrap();
    assert_eq!(schemas[0].column(1).as_string::<i32>().value(0), "tax");
    let all = CommandGetTables { include_schema: true, ..CommandGetTables::default() };
    let info = flights.client.get_tables(all).await.unwrap();
    let tables = fetch(&mut flights.client, info).await.unwrap();
    assert_eq!((tables[0].num_rows(), tables[0].column(2).as_string::<i32>().value(0)), (1, "units"));
    let other = CommandGetTables { catalog: Some("other".into()), ..CommandGetTables::default() };
    let info = flights.client.get_tables(other).await.unwrap();
    let none = fetch(&mut flights.client, info).await.unwrap();
    assert_eq!(none.iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prepared_statement_is_bound_again_and_decided_anew() {
    let mut flights = flights().await;
    let sql = "SELECT count(*) AS n FROM units WHERE id >= $1";
    let mut prepared = flights.client.prepare(sql.into(), None).await.unwrap();
    assert_eq!(prepared.parameter_schema().unwrap().fields().len(), 1);
    for (from, expected) in [(100_i64, 5), (0, ROWS), (1000, 0)] {
        let column = std::sync::Arc::new(arrow::array::Int64Array::from(vec![from]));
        let batch = RecordBatch::try_from_iter([("$1", column as arrow::array::ArrayRef)]).unwrap();
        prepared.set_parameters(batch).unwrap();
        let info = prepared.execute().await.unwrap();
        let rows = fetch(&mut flights.client, info).await.unwrap();
        assert_eq!(rows[0].column(0).as_primitive::<Int64Type>().value(0), expected);
    }
    prepared.close().await.unwrap();
}
