//! Consultations over HTTP: reading, joining, speaking, voting, open data.

use crate::served::{Served, bytes, json, problem, served};
use axum::body::Body;
use axum::http::{StatusCode, header};
use cogov_app::{NewConsultation, split_clauses};
use cogov_model::{Clock, ConsultationId, ParticipantClass, SystemClock, Text};
use serde_json::{Value, json};

async fn opened(served: &Served) -> ConsultationId {
    let now = SystemClock.now();
    let new = NewConsultation {
        title: Text::same("Ten or twenty?"),
        summary: Text::same("About statistics."),
        clauses: split_clauses("## One {#art-1}\nTen.\n", "").unwrap(),
        draft: None,
        opens: now.plus_millis(-1),
        closes: now.plus_days(1),
        questions: vec![],
        invited: vec![ParticipantClass::Official],
    };
    served.node.app.open_consultation(&served.node.actor("tax-head").await, new).await.unwrap()
}

async fn send(served: &Served, account: &str, path: &str, body: Value) -> axum::response::Response {
    let request = served.signed_as(account, "POST", path).body(Body::from(body.to_string())).unwrap();
    served.http(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_joins_speaks_and_votes_over_http() {
    let served = served().await;
    let id = opened(&served).await;
    let path = format!("/api/v1/consultations/{id}");
    let listed = json(served.get("/api/v1/consultations").await).await;
    assert_eq!((listed["items"][0]["state"].as_str(), listed["next"].is_null()), (Some("open"), true));
    let shown = json(served.get(&path).await).await;
    assert_eq!(shown["clauses"][0]["anchor"], "art-1");
    assert!(shown["me"].is_null());
    let vote = json!({"statement": 0, "vote": "agree"});
    let unjoined = send(&served, "north-analyst", &format!("{path}/votes"), vote.clone()).await;
    problem(unjoined, StatusCode::CONFLICT, "conflict").await;
    let class = json!({"class": "official"});
    let joined = json(send(&served, "north-analyst", &format!("{path}/participants"), class).await).await;
    assert_eq!((joined["me"]["verified"].as_bool(), joined["me"]["number"].as_u64()), (Some(true), Some(0)));
    let statement = json!({"kind": "statement", "words": "Ten is enough."});
    let made = send(&served, "north-analyst", &format!("{path}/contributions"), statement).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let long = json!({"kind": "statement", "words": "x".repeat(300)});
    let refused = send(&served, "north-analyst", &format!("{path}/contributions"), long).await;
    assert_eq!(problem(refused, StatusCode::UNPROCESSABLE_ENTITY, "invalid").await["field"], "words");
    let next = served.signed("GET", &format!("{path}/next")).body(Body::empty()).unwrap();
    assert_eq!(json(served.http(next).await).await["statement"]["number"], 0);
    let voted = json(send(&served, "north-analyst", &format!("{path}/votes"), vote).await).await;
    let receipt = json(served.get(voted["ledger"].as_str().unwrap()).await).await;
    assert_eq!(receipt["entry"]["kind"], "vote");
    assert!(receipt["entry"]["facts"].get("account").is_none());
    let list = json(served.get(&format!("{path}/contributions?kind=statement&newest=true")).await).await;
    assert_eq!(
        (list["items"][0]["tally"]["agree"].as_u64(), list["items"][0]["mine"].as_bool()),
        (Some(1), Some(false))
    );
    let beyond = json!({"statement": u64::MAX, "vote": "agree"});
    let none = send(&served, "north-analyst", &format!("{path}/votes"), beyond).await;
    problem(none, StatusCode::CONFLICT, "conflict").await;
    for path in ["consultations/99999999999999999999", "ledger/entries/99999999999999999999"] {
        problem(served.get(&format!("/api/v1/{path}")).await, StatusCode::NOT_FOUND, "not-found").await;
    }
    let entry = served.get(&format!("/api/v1/ledger/entries/{}", u64::MAX)).await;
    problem(entry, StatusCode::NOT_FOUND, "not-found").await;
    let bad = served.get(&format!("{path}/contributions?kind=song")).await;
    problem(bad, StatusCode::BAD_REQUEST, "unreadable-search").await;
    problem(served.get("/api/v1/consultations/none").await, StatusCode::NOT_FOUND, "not-found").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_data_has_the_shapes_that_polis_exports() {
    let served = served().await;
    let id = opened(&served).await;
    let path = format!("/api/v1/consultations/{id}");
    for account in ["north-analyst", "tax-analyst"] {
        send(&served, account, &format!("{path}/participants"), json!({"class": "official"})).await;
    }
    let statement = json!({"kind": "statement", "words": "A, \"quoted\" one\nin two lines"});
    send(&served, "north-analyst", &format!("{path}/contributions"), statement).await;
    for (account, vote) in [("north-analyst", "agree"), ("tax-analyst", "disagree"), ("tax-analyst", "pass")]
    {
        send(&served, account, &format!("{path}/votes"), json!({"statement": 0, "vote": vote})).await;
    }
    let head = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    let mut files = Vec::new();
    for file in ["votes.csv", "comments.csv", "participants-votes.csv", "summary.csv"] {
        let response = served.get(&format!("{path}/{file}")).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/csv; charset=utf-8", "{file}");
        files.push(String::from_utf8(bytes(response).await).unwrap());
    }
    assert_eq!(head(&files[0]), "timestamp,datetime,comment-id,voter-id,vote");
    assert_eq!(files[0].lines().count(), 4, "every vote as it was cast");
    assert_eq!(
        head(&files[1]),
        "timestamp,datetime,comment-id,author-id,agrees,disagrees,moderated,comment-body"
    );
    assert!(files[1].contains(",0,0,1,0,1,\"A, \"\"quoted\"\" one\nin two lines\"\r\n"), "{}", files[1]);
    assert_eq!(head(&files[2]), "participant,group-id,n-comments,n-votes,n-agree,n-disagree,0");
    assert!(files[2].contains("\r\n0,,1,1,1,0,1\r\n1,,0,1,0,0,0\r\n"), "{}", files[2]);
    assert!(files[3].starts_with("topic,Ten or twenty?\r\nurl,") && files[3].contains("\r\nvoters,2\r\n"));
    problem(served.get(&format!("{path}/secrets.csv")).await, StatusCode::NOT_FOUND, "not-found").await;
}
