//! The pages: server-rendered HTML in English and Chinese that works without scripts, and the small
//! modules that improve it. Translation only: every use case and every rule is in `cogov-app` and below.
//!
//! [`router`] serves everything under `/` but the machine doors (`/api`, `/ledger/tile`, `/healthz` …),
//! which are `cogov-wire`'s.

mod assets;
mod failure;
mod form;
mod locale;
mod messages;
mod pages;
mod security;
mod ui;
mod uploaded;
mod view;
mod visit;

use axum::{Router, extract::DefaultBodyLimit, middleware};
use cogov_app::App;
use cogov_model::{Role, Text};
use std::sync::Arc;
use tower_http::compression::CompressionLayer;

/// The most bytes of a form; uploads have no limit of their own, since an import streams.
const FORM_BYTES: usize = 2 * 1024 * 1024;

/// A person of the demo world, as the sign-in page offers them.
#[derive(Debug, Clone)]
pub struct DemoPerson {
    /// The account.
    pub account: String,
    /// The person's name.
    pub name: Text,
    /// The password; demo passwords work on loopback only.
    pub password: String,
    /// The party's name.
    pub party: Text,
    /// What they may do.
    pub roles: Vec<Role>,
}

/// What the pages tell about the node besides its records.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// The address of the HTTP door, such as `http://127.0.0.1:8080`.
    pub http: String,
    /// The address of the PostgreSQL door, such as `127.0.0.1:5433`.
    pub pg: String,
    /// The people of the demo world; none on a real node.
    pub people: Vec<DemoPerson>,
}

/// What every handler works with.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) app: App,
    pub(crate) site: Arc<Site>,
}

/// The pages as a router. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that
/// attempts to sign in are limited by address.
pub fn router(app: App, site: Site) -> Router {
    let web = Web { app, site: Arc::new(site) };
    pages::routes()
        .fallback(failure::nothing_here)
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(middleware::from_fn_with_state(web.clone(), visit::layer))
        .layer(middleware::from_fn(security::layer))
        .route("/assets/{name}", axum::routing::get(assets::serve))
        .layer(CompressionLayer::new())
        .with_state(web)
}
