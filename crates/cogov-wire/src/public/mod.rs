//! What anyone may fetch: the ledger by C2SP tlog-tiles, the catalogue in DCAT, the node's health and figures.

mod dcat;
mod ledger;
mod write;

use crate::http::Problem;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cogov_app::App;

pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/ledger/checkpoint", get(ledger::checkpoint))
        .route("/ledger/key", get(ledger::key))
        .route("/ledger/tile/{*tile}", get(ledger::tile))
        .route("/catalog.ttl", get(dcat::turtle))
        .route("/catalog.jsonld", get(dcat::json_ld))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(app)
}

/// Whether records and ledger can be written: for load balancers.
async fn ready(State(app): State<App>, headers: HeaderMap) -> Response {
    match app.ready().await {
        Ok(()) => ([(header::CACHE_CONTROL, "no-store")], "ready\n").into_response(),
        Err(error) => Problem::from(error).for_request(&headers).into_response(),
    }
}

async fn metrics(State(app): State<App>) -> Response {
    let Some(handle) = crate::metrics::handle() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    // Entries far beyond 2^53 would lose their last digits here and nowhere else.
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float by definition")]
    metrics::gauge!("cogov_ledger_entries").set(app.ledger_size() as f64);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render()).into_response()
}
