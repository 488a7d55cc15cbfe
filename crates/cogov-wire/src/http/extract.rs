//! Bodies, paths and searches of requests, each with a problem document when it does not read.

use super::Problem;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;
use std::str::FromStr;

/// A JSON body.
pub(super) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let kind =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let is_json =
            kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json");
        if !is_json {
            let problem = Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Send JSON, with the header Content-Type: application/json.",
                "请发送 JSON，并附请求头 Content-Type: application/json。",
            );
            return Err(problem.for_request(&headers));
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| unread(&error).for_request(&headers))?;
        serde_json::from_slice(&bytes).map(Body).map_err(|error| {
            let problem = Problem::new(
                StatusCode::BAD_REQUEST,
                "unreadable-body",
                format!("The body does not read: {error}."),
                format!("请求体无法解析（第 {} 行第 {} 列）。", error.line(), error.column()),
            );
            problem.for_request(&headers)
        })
    }
}

fn unread(error: &BytesRejection) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            "The body is longer than 2 MB: send less, or pass long lists as parameters.",
            "请求体超过 2 MB：请减少内容，或将长列表作为参数传递。",
        );
    }
    Problem::new(
        StatusCode::BAD_REQUEST,
        "unreadable-body",
        "The body did not arrive whole.",
        "请求体未完整送达。",
    )
}

/// One identifier in the path. One that cannot be an identifier is one that does not exist.
pub(super) struct Id<T>(pub T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let found = text.ok().and_then(|Path(text)| text.parse().ok());
        found.map(Id).ok_or_else(|| Problem::missing().for_request(&parts.headers))
    }
}

/// The part of the address after `?`.
pub(super) struct Search<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Search<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        found.map(|Query(found)| Search(found)).map_err(|error| {
            let problem = Problem::new(
                StatusCode::BAD_REQUEST,
                "unreadable-search",
                format!("The search does not read: {}.", error.body_text()),
                "查询条件无法解析。",
            );
            problem.for_request(&parts.headers)
        })
    }
}
