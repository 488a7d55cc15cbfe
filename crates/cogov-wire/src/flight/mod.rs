//! Arrow Flight SQL: a grant is a catalog.
//!
//! The caller comes with a bearer token (a machine's, or the one that a handshake with account and password gave) and
//! names the grant in the header `cogov-grant`; a party with one grant in force may leave it out. No policy lives here:
//! every statement goes to [`cogov_app::App`], as at every other door.
#![allow(clippy::result_large_err, reason = "gRPC's own error type, which its traits want by value")]

mod caller;
mod fault;
mod names;
mod params;
mod rows;
mod service;
mod statements;

use crate::http::TrustedProxies;
use arrow_flight::flight_service_server::FlightServiceServer;
use cogov_app::App;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// Requests of one connection at a time.
const REQUESTS: usize = 32;
/// How often a silent connection is asked whether it is still there.
const ALIVE_EVERY: Duration = Duration::from_secs(30);
/// How long it may take to answer that.
const ALIVE_WITHIN: Duration = Duration::from_secs(20);
/// How long open streams may go on when the server ends.
const FAREWELL: Duration = Duration::from_secs(5);

/// Serves Flight SQL until `shutdown` turns true; then open streams are finished, or cut after five seconds.
pub async fn serve_flight(
    app: App,
    listener: TcpListener,
    proxies: TrustedProxies,
    mut shutdown: watch::Receiver<bool>,
) {
    let service = FlightServiceServer::new(service::Door::new(app, proxies));
    let mut ends = shutdown.clone();
    let server = Server::builder()
        .concurrency_limit_per_connection(REQUESTS)
        .http2_keepalive_interval(Some(ALIVE_EVERY))
        .http2_keepalive_timeout(Some(ALIVE_WITHIN))
        .tcp_nodelay(true)
        .add_service(service)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), async move {
            drop(ends.wait_for(|stop| *stop).await);
        });
    let cut = async {
        drop(shutdown.wait_for(|stop| *stop).await);
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        served = server => {
            if let Err(error) = served {
                tracing::error!(%error, "the door of Flight SQL is shut");
            }
        }
        () = cut => tracing::info!("Flight streams that did not end by themselves were cut"),
    }
}
