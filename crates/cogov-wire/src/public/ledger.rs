//! The ledger's public bytes: `checkpoint`, `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`, `key`.

use crate::http::Problem;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use cogov_app::App;

/// A whole tile never changes.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// The newest bytes change every second.
const NEVER: &str = "no-store";

pub(super) async fn checkpoint(State(app): State<App>) -> Response {
    serve(&app, "checkpoint".to_owned(), "text/plain; charset=utf-8", NEVER).await
}

pub(super) async fn key(State(app): State<App>) -> Response {
    serve(&app, "key".to_owned(), "text/plain; charset=utf-8", "public, max-age=3600").await
}

pub(super) async fn tile(State(app): State<App>, Path(tile): Path<String>) -> Response {
    let cache = if tile.contains(".p/") { NEVER } else { FOREVER };
    serve(&app, format!("tile/{tile}"), "application/octet-stream", cache).await
}

async fn serve(app: &App, path: String, kind: &'static str, cache: &'static str) -> Response {
    let app = app.clone();
    // Tiles are read from disk.
    let found = tokio::task::spawn_blocking(move || app.ledger_file(&path)).await;
    match found {
        Ok(Ok(Some(bytes))) => {
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::CACHE_CONTROL, cache),
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (headers, bytes).into_response()
        }
        Ok(Ok(None)) => Problem::missing().into_response(),
        Ok(Err(error)) => Problem::from(error).into_response(),
        Err(_) => Problem::internal().into_response(),
    }
}
