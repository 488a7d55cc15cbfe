//! The HTTP API.

use crate::served::{ROWS, Served, bytes, json, problem, served};
use arrow::ipc::reader::StreamReader;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::json;

const SQL: &str = "SELECT id, name, wage FROM units ORDER BY id";

#[tokio::test(flavor = "multi_thread")]
async fn a_query_comes_in_three_formats_and_they_agree() {
    let served = served().await;
    let response = served.query("application/json", json!({"sql": SQL})).await;
    assert_eq!(response.status(), StatusCode::OK);
    let decision: u64 = response.headers()["cogov-decision"].to_str().unwrap().parse().unwrap();
    assert_eq!(response.headers()["cogov-grade"].to_str().unwrap().split('-').next().unwrap(), "general");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let body = json(response).await;
    assert_eq!(body["decision"], decision);
    assert_eq!(body["row_count"], ROWS);
    assert_eq!(body["columns"][0]["name"], "id");
    assert_eq!(body["rows"][1][0], 20);
    assert!(!body["clauses"].as_array().unwrap().is_empty());
    let csv = String::from_utf8(bytes(served.query("text/csv", json!({"sql": SQL})).await).await).unwrap();
    let mut lines = csv.lines();
    assert_eq!(lines.next().unwrap(), "id,name,wage");
    for (line, row) in lines.zip(body["rows"].as_array().unwrap()) {
        assert_eq!(line, format!("{},{},{}", row[0], row[1].as_str().unwrap(), row[2]));
    }
    let arrow = bytes(served.query("application/vnd.apache.arrow.stream", json!({"sql": SQL})).await).await;
    let rows: usize =
        StreamReader::try_new(arrow.as_slice(), None).unwrap().map(|b| b.unwrap().num_rows()).sum();
    assert_eq!(i64::try_from(rows).unwrap(), ROWS);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_and_explanations() {
    let served = served().await;
    let body = json!({"sql": "SELECT id FROM units WHERE id > $1 AND name LIKE $2", "params": [100, "P%"]});
    assert_eq!(json(served.query("*/*", body).await).await["row_count"], 4);
    let path = format!("/api/v1/grants/{}/explain", served.grant);
    let before = served.node.app.ledger_size();
    let explain = served.signed("POST", &path).body(Body::from(json!({"sql": SQL}).to_string())).unwrap();
    let explained = json(served.http(explain).await).await;
    assert_eq!(explained["columns"].as_array().unwrap().len(), 3);
    assert!(explained.get("rows").is_none());
    assert_eq!(served.node.app.ledger_size(), before, "an explanation releases nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_fails_is_a_problem_document() {
    let served = served().await;
    let path = format!("/api/v1/grants/{}/query", served.grant);
    let post = |body: String| served.signed("POST", &path).body(Body::from(body)).unwrap();
    let ask = |sql: &str| post(json!({"sql": sql}).to_string());
    problem(served.http(ask("SELEC 1")).await, StatusCode::BAD_REQUEST, "query").await;
    let missing =
        problem(served.http(ask("SELECT x FROM units")).await, StatusCode::BAD_REQUEST, "query").await;
    assert_eq!(missing["sqlstate"], "42703");
    problem(served.http(post("{".into())).await, StatusCode::BAD_REQUEST, "unreadable-body").await;
    problem(
        served.http(post(r#"{"sql":"SELECT 1","x":1}"#.into())).await,
        StatusCode::BAD_REQUEST,
        "unreadable-body",
    )
    .await;
    problem(
        served.http(post(r#"{"sql":"SELECT $1","params":[[1]]}"#.into())).await,
        StatusCode::BAD_REQUEST,
        "unreadable-body",
    )
    .await;
    let long = json!({"sql": "x".repeat(3 << 20)}).to_string();
    problem(served.http(post(long)).await, StatusCode::PAYLOAD_TOO_LARGE, "body-too-large").await;
    let unsigned = Request::post(&path).header(header::CONTENT_TYPE, "application/json");
    let unsigned = unsigned.body(Body::from("{}")).unwrap();
    let response = served.http(unsigned).await;
    assert!(response.headers().contains_key(header::WWW_AUTHENTICATE));
    problem(response, StatusCode::UNAUTHORIZED, "not-signed-in").await;
    let form = Request::post(&path).header(
        header::AUTHORIZATION,
        served.signed("GET", "/").headers_ref().unwrap()[header::AUTHORIZATION].clone(),
    );
    let form = form.header(header::CONTENT_TYPE, "text/plain").body(Body::from("SELECT 1")).unwrap();
    problem(served.http(form).await, StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type").await;
    problem(
        served.query("image/png", json!({"sql": SQL})).await,
        StatusCode::NOT_ACCEPTABLE,
        "not-acceptable",
    )
    .await;
    problem(served.get("/api/v2/nothing").await, StatusCode::NOT_FOUND, "no-such-path").await;
    let deleted = served.signed("DELETE", "/api/v1/grants").body(Body::empty()).unwrap();
    let response = served.http(deleted).await;
    assert!(response.headers().contains_key(header::ALLOW));
    problem(response, StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed").await;
    let bad = served.get("/api/v1/ledger/entries?from=yesterday").await;
    problem(bad, StatusCode::BAD_REQUEST, "unreadable-search").await;
    problem(
        served.get("/api/v1/ledger/entries?kind=nothing").await,
        StatusCode::BAD_REQUEST,
        "unreadable-search",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_name_their_clauses_in_the_language_asked_for() {
    let served = served().await;
    let approver = served.node.actor("tax-approver").await;
    served.node.app.revoke(&approver, &served.grant, "misuse").await.unwrap();
    let path = format!("/api/v1/grants/{}/query", served.grant);
    let ask = served.signed("POST", &path).header(header::ACCEPT_LANGUAGE, "zh-CN");
    let refused = served.http(ask.body(Body::from(json!({"sql": SQL}).to_string())).unwrap()).await;
    let body = problem(refused, StatusCode::FORBIDDEN, "refused").await;
    assert!(!body["clauses"].as_array().unwrap().is_empty());
    assert!(body["decision"].is_u64());
    assert_eq!(body["reason"], body["reasons"]["zh-Hans"]);
    assert_ne!(body["reasons"]["zh-Hans"], body["reasons"]["en"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_datasets_and_the_ledger_can_be_browsed() {
    let served = served().await;
    let signed = |path: &str| served.signed("GET", path).body(Body::empty()).unwrap();
    let grants = json(served.http(signed("/api/v1/grants")).await).await;
    assert_eq!(grants["items"][0]["id"], served.grant.as_str());
    let grant = json(served.http(signed(&format!("/api/v1/grants/{}", served.grant))).await).await;
    assert_eq!(grant["tables"][0]["columns"].as_array().unwrap().len(), 4);
    assert_eq!(json(served.http(signed("/api/v1/me")).await).await["account"], "north-analyst");
    let others = served.signed_as("tax-analyst", "GET", &format!("/api/v1/grants/{}", served.grant));
    problem(served.http(others.body(Body::empty()).unwrap()).await, StatusCode::NOT_FOUND, "not-found").await;
    let found = json(served.get("/api/v1/datasets?words=tax").await).await;
    assert_eq!(found["total"], 1);
    assert_eq!(json(served.get("/api/v1/datasets/tax").await).await["id"], "tax");
    problem(served.get("/api/v1/datasets/none").await, StatusCode::NOT_FOUND, "not-found").await;
    let entries = listed(&served, "/api/v1/ledger/entries?limit=2").await;
    assert_eq!(entries["items"].as_array().unwrap().len(), 2);
    let next = entries["next"].as_str().unwrap();
    let more = listed(&served, &format!("/api/v1/ledger/entries?limit=2&after={next}")).await;
    assert_ne!(more["items"][0]["index"], entries["items"][0]["index"]);
    let entry = json(served.get("/api/v1/ledger/entries/0").await).await;
    assert_eq!(entry["index"], 0);
    assert!(entry["proof"]["root"].is_string());
    problem(served.get("/api/v1/ledger/entries/99999").await, StatusCode::NOT_FOUND, "not-found").await;
}

/// The index over the ledger follows it a moment later.
async fn listed(served: &Served, path: &str) -> serde_json::Value {
    for _ in 0..50 {
        let found = json(served.get(path).await).await;
        if found["items"].as_array().is_some_and(|items| items.len() >= 2) {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the index does not follow the ledger");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_walks_its_way_over_http() {
    let served = served().await;
    let draft = served.node.draft();
    let body = json!({
        "provider": draft.provider, "columns": draft.columns, "scope": draft.scope, "purpose": draft.purpose,
        "form": draft.form, "lane": draft.lane, "days": 30,
    });
    let send = |account: &str, path: &str, body: &serde_json::Value| {
        served.signed_as(account, "POST", path).body(Body::from(body.to_string())).unwrap()
    };
    let previewed =
        json(served.http(send("north-requester", "/api/v1/applications/preview", &body)).await).await;
    assert_eq!(previewed["columns"].as_array().unwrap().len(), 4);
    let made = served.http(send("north-requester", "/api/v1/applications", &body)).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let place = made.headers()[header::LOCATION].to_str().unwrap().to_owned();
    let acts = format!("{place}/acts");
    let agree = json!({"act": "approve-as-head"});
    assert_eq!(served.http(send("north-head", &acts, &agree)).await.status(), StatusCode::OK);
    let missing = json!({"act": "ask-for-more", "words": "the act's number"});
    assert_eq!(served.http(send("tax-approver", &acts, &missing)).await.status(), StatusCode::OK);
    let page = served.signed_as("north-requester", "GET", &place).body(Body::empty()).unwrap();
    let page = json(served.http(page).await).await;
    assert_eq!(page["application"]["state"], "awaiting-supplement");
    assert!(page["may"].as_array().unwrap().contains(&json!("supply")));
    let unknown = json!({"act": "bribe"});
    problem(
        served.http(send("tax-approver", &acts, &unknown)).await,
        StatusCode::BAD_REQUEST,
        "unreadable-body",
    )
    .await;
    let inbox =
        served.signed_as("north-requester", "GET", "/api/v1/applications").body(Body::empty()).unwrap();
    assert!(!json(served.http(inbox).await).await["items"].as_array().unwrap().is_empty());
}
