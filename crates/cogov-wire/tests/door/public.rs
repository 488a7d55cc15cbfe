//! What anyone may fetch.

use crate::served::{bytes, problem, served};
use axum::http::{StatusCode, header};

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_can_be_fetched_by_its_tiles() {
    let served = served().await;
    served.node.app.entry(None, 0).await.unwrap();
    let checkpoint = String::from_utf8(bytes(served.get("/ledger/checkpoint").await).await).unwrap();
    let size: u64 = checkpoint.lines().nth(1).unwrap().parse().unwrap();
    assert!(size > 0 && size < 256);
    let hashes = bytes(served.get(&format!("/ledger/tile/0/000.p/{size}")).await).await;
    assert_eq!(u64::try_from(hashes.len()).unwrap(), size * 32);
    let entries = served.get(&format!("/ledger/tile/entries/000.p/{size}")).await;
    assert_eq!(entries.headers()[header::CONTENT_TYPE], "application/octet-stream");
    assert!(bytes(entries).await.len() > 100);
    let key = String::from_utf8(bytes(served.get("/ledger/key").await).await).unwrap();
    assert!(checkpoint.contains(key.split('+').next().unwrap()));
    for nothing in
        ["/ledger/tile/0/001", "/ledger/tile/9/000", "/ledger/tile/0/000.p/255", "/ledger/tile/../journal"]
    {
        problem(served.get(nothing).await, StatusCode::NOT_FOUND, "not-found").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_tells_how_it_is() {
    let served = served().await;
    assert_eq!(served.get("/healthz").await.status(), StatusCode::OK);
    assert_eq!(served.get("/readyz").await.status(), StatusCode::OK);
    served.get("/metrics").await;
    served.client().await.simple_query("SELECT count(*) FROM units").await.unwrap();
    served.query("*/*", serde_json::json!({"sql": "SELECT 1"})).await;
    let text = String::from_utf8(bytes(served.get("/metrics").await).await).unwrap();
    for line in [
        "cogov_queries_total{",
        "door=\"pg\"",
        "cogov_query_seconds_bucket",
        "cogov_ledger_entries",
        "cogov_http_requests_total{",
    ] {
        assert!(text.contains(line), "{line} is missing:\n{text}");
    }
    served.node.media.stop();
    let refused = served.query("*/*", serde_json::json!({"sql": "SELECT count(*) FROM units"})).await;
    problem(refused, StatusCode::SERVICE_UNAVAILABLE, "unavailable").await;
    problem(served.get("/readyz").await, StatusCode::SERVICE_UNAVAILABLE, "unavailable").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogue_reads_as_rdf() {
    let served = served().await;
    let turtle = bytes(served.get("/catalog.ttl").await).await;
    let triples: Vec<_> = oxttl::TurtleParser::new().for_slice(&turtle).map(Result::unwrap).collect();
    let json = bytes(served.get("/catalog.jsonld").await).await;
    let quads: Vec<_> = oxjsonld::JsonLdParser::new().for_slice(&json).map(Result::unwrap).collect();
    assert_eq!(triples.len(), quads.len());
    assert!(triples.iter().any(|t| t.object.to_string() == "<http://www.w3.org/ns/dcat#Dataset>"));
}
