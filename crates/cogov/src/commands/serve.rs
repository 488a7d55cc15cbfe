//! `cogov serve`: opens the node, opens the doors, ends cleanly.

use super::node;
use crate::{
    cli::Serve,
    demo, open_files,
    settings::{Settings, address},
};
use anyhow::{Context, Result, bail};
use cogov_app::App;
use cogov_web::Site;
use cogov_wire::TrustedProxies;
use std::{fs, net::SocketAddr, path::Path, process::ExitCode, sync::Arc};
use tokio::{net::TcpListener, sync::watch};
use tokio_rustls::TlsAcceptor;

/// Serves until Ctrl-C or SIGTERM.
pub async fn run(arguments: Serve) -> Result<ExitCode> {
    let settings = Settings::of_serve(&arguments)?;
    let (http, pg) = (address(&settings.http, "COGOV_HTTP")?, address(&settings.pg, "COGOV_PG")?);
    let flight = address(&settings.flight, "COGOV_FLIGHT")?;
    let proxies = settings.proxies()?;
    open_files::allow_more();
    let tls = tls(settings.tls_cert.as_deref(), settings.tls_key.as_deref())?;
    // The doors are taken first: a port that is in use should not cost the loading of a world.
    let http = listen(http, "COGOV_HTTP", "--http").await?;
    let pg = listen(pg, "COGOV_PG", "--pg").await?;
    let flight = listen(flight, "COGOV_FLIGHT", "--flight").await?;
    let doors = Doors { http: http.local_addr()?, pg: pg.local_addr()?, flight: flight.local_addr()? };
    let app = node::open(&settings).await?;
    check_addresses(&app, arguments.demo.is_some(), &doors, tls.is_some())?;
    if let Some(folder) = &arguments.demo {
        demo::load_once(&app, folder, &settings.home).await?;
    }
    let site = Site {
        http: format!("http://{}", doors.http),
        pg: doors.pg.to_string(),
        people: arguments.demo.as_deref().map(demo::people).transpose()?.unwrap_or_default(),
    };
    let (stop, stopped) = watch::channel(false);
    let pages = tokio::spawn(serve_http(app.clone(), site, proxies.clone(), http, stopped.clone()));
    let database = tokio::spawn(cogov_wire::serve_pg(app.clone(), pg, tls, stopped.clone()));
    let flights = tokio::spawn(cogov_wire::serve_flight(app.clone(), flight, proxies, stopped));
    if let Some(folder) = &arguments.demo {
        demo::announce(&app, folder, &settings.home, &doors).await?;
    } else {
        println!("pages and HTTP API  http://{}/", doors.http);
        println!("PostgreSQL protocol {}", doors.pg);
        println!("Arrow Flight SQL    grpc://{}", doors.flight);
        println!("Ctrl-C ends the server.");
    }
    wait_for_end().await?;
    println!("ending: open requests are finished first");
    stop.send_replace(true);
    let all = async { (pages.await, database.await, flights.await) };
    let _ = tokio::time::timeout(std::time::Duration::from_secs(10), all).await;
    app.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Where the doors are.
pub struct Doors {
    /// Pages and HTTP API.
    pub http: SocketAddr,
    /// PostgreSQL protocol.
    pub pg: SocketAddr,
    /// Arrow Flight SQL.
    pub flight: SocketAddr,
}

async fn listen(address: SocketAddr, variable: &str, flag: &str) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}: choose another with {flag} or {variable}"))
}

/// Demo passwords are for loopback; passwords of the database doors never cross a network in clear. (HTTP is served
/// behind a proxy with TLS.)
fn check_addresses(app: &App, demo: bool, doors: &Doors, tls: bool) -> Result<()> {
    let all = [doors.http, doors.pg, doors.flight];
    let loopback = all.iter().all(|door| door.ip().is_loopback());
    if (demo || app.is_demo()) && !loopback {
        bail!(
            "the demo world's passwords are public, so it is served on loopback only: use 127.0.0.1 for --http, --pg and --flight"
        );
    }
    if !doors.pg.ip().is_loopback() && !tls {
        bail!(
            "passwords would cross the network in clear: set --tls-cert and --tls-key, or listen on 127.0.0.1"
        );
    }
    if !doors.flight.ip().is_loopback() {
        bail!(
            "Arrow Flight SQL has no TLS of its own, so tokens would cross the network in clear: listen on 127.0.0.1, behind a proxy with TLS"
        );
    }
    Ok(())
}

async fn serve_http(
    app: App,
    site: Site,
    proxies: TrustedProxies,
    listener: TcpListener,
    mut stopped: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let router = cogov_wire::router(app.clone()).merge(cogov_web::router(app, site));
    let router = cogov_wire::behind_proxies(router, proxies);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        })
        .await
}

async fn wait_for_end() -> Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended.context("Ctrl-C cannot be heard"),
        _ = terminate.recv() => Ok(()),
    }
}

fn tls(certificate: Option<&Path>, key: Option<&Path>) -> Result<Option<TlsAcceptor>> {
    use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
    let (certificate, key) = match (certificate, key) {
        (Some(certificate), Some(key)) => (certificate, key),
        (None, None) => return Ok(None),
        _ => bail!("TLS needs both a certificate and its key: set --tls-cert and --tls-key"),
    };
    let read = |path: &Path| fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
    let chain = CertificateDer::pem_slice_iter(&read(certificate)?).collect::<Result<Vec<_>, _>>();
    let chain = chain.with_context(|| format!("{} holds no PEM certificates", certificate.display()))?;
    let key = PrivateKeyDer::from_pem_slice(&read(key)?).context("the TLS key is no PEM private key")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("certificate and key do not fit together")?;
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
