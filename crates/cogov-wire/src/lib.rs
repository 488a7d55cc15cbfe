//! The doors: the PostgreSQL protocol, the HTTP API, the public ledger and catalogue. Translation only:
//! what may leave is decided by `cogov_app` and the engine behind it.

mod flight;
mod http;
mod metrics;
mod pg;
mod public;

pub use flight::serve_flight;
pub use http::{ProxyHeader, TrustedProxies, behind_proxies, router};
pub use pg::serve_pg;
