//! The HTTP API: JSON in and out, problem documents (RFC 9457) for everything that is refused.

mod applications;
mod auth;
mod consultations;
mod datasets;
mod entries;
mod extract;
mod extracts;
mod format;
mod grants;
mod problem;
mod proxies;
mod query;
mod receipts;
mod verify;

pub(crate) use problem::Problem;
pub use proxies::{ProxyHeader, TrustedProxies, behind_proxies};

use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use cogov_app::App;
use tower_http::catch_panic::CatchPanicLayer;

/// The longest body of a request, in bytes: a statement of 1 MB and its parameters fit.
const MAX_BODY: usize = 2 << 20;
/// The interface as a document. A test holds it equal to [`routes`].
const OPENAPI: &str = include_str!("openapi.json");

/// The HTTP API, the public ledger, the catalogue in DCAT, and the node's health.
pub fn router(app: App) -> Router {
    // Counting begins with the first router, not with the first look at the counts.
    crate::metrics::handle();
    let api = routes().into_iter().fold(Router::new(), |router, (path, methods)| router.route(path, methods));
    let api = api
        .fallback(|| async { Problem::no_path() })
        .method_not_allowed_fallback(|| async { Problem::no_method() })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(|_| Problem::internal().into_response()))
        .layer(middleware::from_fn(guard))
        .with_state(app.clone());
    Router::new().nest("/api", api).merge(crate::public::router(app))
}

/// Every path of the API below `/api`, with its methods.
fn routes() -> Vec<(&'static str, MethodRouter<App>)> {
    vec![
        ("/openapi.json", get(openapi)),
        ("/v1/me", get(auth::me)),
        ("/v1/grants", get(grants::list)),
        ("/v1/grants/{id}", get(grants::show)),
        ("/v1/grants/{id}/query", post(query::answer)),
        ("/v1/grants/{id}/explain", post(query::explain)),
        ("/v1/grants/{id}/verify", post(verify::ask)),
        ("/v1/grants/{id}/extract", post(extracts::file)),
        ("/v1/extracts/{decision}", get(extracts::record)),
        ("/v1/receipts/check", post(receipts::check)),
        ("/v1/datasets", get(datasets::search)),
        ("/v1/datasets/{id}", get(datasets::show)),
        ("/v1/applications", get(applications::list).post(applications::create)),
        ("/v1/applications/preview", post(applications::preview)),
        ("/v1/applications/{id}", get(applications::show)),
        ("/v1/applications/{id}/acts", post(applications::act)),
        ("/v1/consultations", get(consultations::list)),
        ("/v1/consultations/{id}", get(consultations::show)),
        ("/v1/consultations/{id}/participants", post(consultations::join)),
        (
            "/v1/consultations/{id}/contributions",
            get(consultations::contributions).post(consultations::contribute),
        ),
        ("/v1/consultations/{id}/votes", post(consultations::vote)),
        ("/v1/consultations/{id}/next", get(consultations::next)),
        ("/v1/consultations/{id}/{file}", get(consultations::data)),
        ("/v1/ledger/entries", get(entries::list)),
        ("/v1/ledger/entries/{index}", get(entries::show)),
    ]
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], OPENAPI)
        .into_response()
}

/// Counts requests, and keeps answers out of caches and out of guesses about their type.
async fn guard(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let method = known(request.method());
    let mut response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("cogov_http_requests_total", "method" => method, "path" => path, "status" => status)
        .increment(1);
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A method's name, or one name for all that clients may invent.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// A JSON answer.
fn json(value: serde_json::Value) -> Response {
    Json(value).into_response()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use std::collections::BTreeSet;

    fn allowed(methods: &MethodRouter<App>) -> BTreeSet<&'static str> {
        // A method router prints which methods it serves; nothing else tells.
        let printed = format!("{methods:?}");
        ["get", "post", "put", "delete", "patch"]
            .into_iter()
            .filter(|method| {
                let after = printed.split(&format!(" {method}: ")).nth(1);
                after.is_some_and(|rest| !rest.starts_with("None"))
            })
            .collect()
    }

    #[test]
    fn the_document_and_the_router_are_equal() {
        let document: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        assert_eq!(document["openapi"], "3.1.0");
        let documented: BTreeSet<(String, String)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(path, _)| path.starts_with("/api"))
            .flat_map(|(path, item)| {
                let methods = item.as_object().unwrap().keys().filter(|key| *key != "parameters");
                methods.map(|method| (path.clone(), method.clone())).collect::<Vec<_>>()
            })
            .collect();
        let served: BTreeSet<(String, String)> = routes()
            .iter()
            .flat_map(|(path, methods)| {
                allowed(methods).into_iter().map(move |m| (format!("/api{path}"), m.to_owned()))
            })
            .collect();
        assert_eq!(documented, served);
    }

    #[test]
    fn every_reference_in_the_document_leads_somewhere() {
        let document: serde_json::Value = serde_json::from_str(OPENAPI).unwrap();
        let mut open = vec![&document];
        let mut references = 0;
        while let Some(value) = open.pop() {
            match value {
                serde_json::Value::Object(map) => {
                    if let Some(reference) = map.get("$ref").and_then(|r| r.as_str()) {
                        let pointer = reference.strip_prefix('#').unwrap();
                        assert!(document.pointer(pointer).is_some(), "{reference}");
                        references += 1;
                    }
                    open.extend(map.values());
                }
                serde_json::Value::Array(list) => open.extend(list),
                _ => {}
            }
        }
        assert!(references > 10);
    }
}
