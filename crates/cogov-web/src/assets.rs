//! Style sheet and modules, built by npm into `web/dist` and embedded; names carry the content's hash.

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;
use std::{collections::BTreeMap, sync::LazyLock};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Built;

static MANIFEST: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    Built::get("manifest.json").and_then(|file| serde_json::from_slice(&file.data).ok()).unwrap_or_default()
});

/// The path under which a built asset is served, such as `/assets/main.0123456789ab.css`.
pub fn path(name: &str) -> String {
    format!("/assets/{}", MANIFEST.get(name).map_or(name, String::as_str))
}

/// `GET /assets/{name}`: the bytes, for a year, since another content has another name.
pub async fn serve(Path(name): Path<String>) -> Response {
    let Some(file) = Built::get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, file.data).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_hashes_and_point_to_files() {
        for name in ["main.css", "mark.svg"] {
            let path = path(name);
            assert!(Built::get(path.trim_start_matches("/assets/")).is_some(), "{path}");
            assert_ne!(path, format!("/assets/{name}"));
        }
    }
}
