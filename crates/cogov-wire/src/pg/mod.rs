//! The PostgreSQL protocol (version 3): a grant is a database.
//!
//! The user is the account, the password its password or a machine's token, the database the grant's id.
//! No policy lives here: every statement goes to [`cogov_app::App`], to the catalogue made of the grant's
//! names, or is about the connection itself (`BEGIN`, `SET`, `SHOW` …).
//!
//! Passwords are asked for in clear, because accounts and tokens are kept as hashes that SCRAM cannot use.
//! So a client that is not on loopback must come with TLS before it is asked.

mod connection;
mod cursor;
mod encode;
mod extended;
mod fault;
mod interrupt;
mod local;
mod params;
mod receive;
mod session;
mod settings;
mod simple;
mod split;
mod standing;
mod startup;
mod statement;

use cogov_app::App;
use pgwire::api::{ConnectionManager, RandomPidSecretKeyGenerator};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// The version of PostgreSQL whose protocol and catalogue are spoken.
pub(crate) const SERVER_VERSION: &str = "15.0";

/// What a connection may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections at a time; further ones are told so.
    pub connections: usize,
    /// From the first byte to the end of sign-in.
    pub startup: Duration,
    /// Between two statements.
    pub idle: Duration,
    /// How long a client may take no byte while rows wait for it.
    pub stall: Duration,
    /// How long connections may go on when the server ends.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            startup: Duration::from_secs(30),
            idle: Duration::from_secs(30 * 60),
            stall: Duration::from_secs(60),
            farewell: Duration::from_secs(5),
        }
    }
}

/// What all connections share.
pub(crate) struct Shared {
    app: App,
    limits: Limits,
    tls: Option<TlsAcceptor>,
    connections: Arc<ConnectionManager>,
    keys: RandomPidSecretKeyGenerator,
}

/// Serves the PostgreSQL protocol until `shutdown` turns true; then ends open connections at their next
/// statement, or after five seconds.
pub async fn serve_pg(
    app: App,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shutdown: watch::Receiver<bool>,
) {
    serve(app, listener, tls, shutdown, Limits::default()).await;
}

pub(crate) async fn serve(
    app: App,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    shutdown: watch::Receiver<bool>,
    limits: Limits,
) {
    let shared = Arc::new(Shared {
        app,
        limits,
        tls,
        connections: Arc::new(ConnectionManager::new()),
        keys: RandomPidSecretKeyGenerator::default(),
    });
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut open = JoinSet::new();
    let mut ends = shutdown.clone();
    loop {
        tokio::select! {
            () = ending(&mut ends) => break,
            Some(_) = open.join_next(), if !open.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => admit(&shared, &places, &mut open, stream, from, &shutdown),
                Err(error) => {
                    // Out of descriptors, mostly: wait for some to come back rather than spin.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop(listener);
    let all = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.farewell, all).await.is_err() {
        tracing::info!("connections that did not end by themselves were cut");
    }
}

/// Waits until the server ends.
async fn ending(shutdown: &mut watch::Receiver<bool>) {
    // Whoever could say so is gone: then it ends too.
    drop(shutdown.wait_for(|stop| *stop).await);
}

fn admit(
    shared: &Arc<Shared>,
    places: &Arc<Semaphore>,
    open: &mut JoinSet<()>,
    stream: TcpStream,
    from: SocketAddr,
    shutdown: &watch::Receiver<bool>,
) {
    // Refusals too need a place, or a flood of them would take every descriptor.
    if open.len() > shared.limits.connections.saturating_mul(2) {
        return;
    }
    let place = places.clone().try_acquire_owned().ok();
    let (shared, shutdown) = (shared.clone(), shutdown.clone());
    open.spawn(async move {
        let full = place.is_none();
        metrics::gauge!("cogov_pg_connections").increment(1.0);
        if let Err(error) = connection::serve(shared, stream, full, shutdown).await {
            tracing::debug!(%error, %from, "a connection ended badly");
        }
        metrics::gauge!("cogov_pg_connections").decrement(1.0);
        drop(place);
    });
}
