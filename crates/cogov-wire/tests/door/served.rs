//! A node behind both doors, on ports of its own.

use crate::common::{Node, PASSWORD, node};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use cogov_model::GrantId;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::sync::watch;
use tokio_postgres::{Client, Config, NoTls};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// What the analyst's grant shows: ten rows of region 6.
pub const ROWS: i64 = 10;

pub struct Served {
    pub node: Node,
    pub grant: GrantId,
    pub pg: SocketAddr,
    stop: watch::Sender<bool>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

pub async fn served() -> Served {
    served_with(None).await
}

pub async fn served_with(tls: Option<TlsAcceptor>) -> Served {
    let node = node().await;
    node.publish().await;
    let grant = node.grant().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let pg = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(cogov_wire::serve_pg(node.app.clone(), listener, tls, stopped));
    Served { node, grant, pg, stop }
}

impl Served {
    pub fn config(&self, user: &str, password: &str, grant: &str) -> Config {
        let mut config = Config::new();
        config.host("127.0.0.1").port(self.pg.port()).user(user).password(password).dbname(grant);
        config
    }

    /// The analyst's connection.
    pub async fn client(&self) -> Client {
        self.try_client("north-analyst", PASSWORD, self.grant.as_str()).await.unwrap()
    }

    /// The analyst's connection, and the task that holds its socket. Dropping the client waits for answers that are
    /// due; aborting the task closes the socket at once, as a killed program does.
    pub async fn client_to_cut(&self) -> (Client, tokio::task::JoinHandle<()>) {
        let config = self.config("north-analyst", PASSWORD, self.grant.as_str());
        let (client, connection) = config.connect(NoTls).await.unwrap();
        (client, tokio::spawn(async move { drop(connection.await) }))
    }

    pub async fn try_client(
        &self,
        user: &str,
        password: &str,
        grant: &str,
    ) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = self.config(user, password, grant).connect(NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub async fn http(&self, request: Request<Body>) -> Response {
        cogov_wire::router(self.node.app.clone()).oneshot(request).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Response {
        self.http(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// A query of the analyst, in the format asked for.
    pub async fn query(&self, accept: &str, body: Value) -> Response {
        let path = format!("/api/v1/grants/{}/query", self.grant);
        self.http(
            self.signed("POST", &path)
                .header(header::ACCEPT, accept)
                .body(Body::from(body.to_string()))
                .unwrap(),
        )
        .await
    }

    /// A request of the analyst.
    pub fn signed(&self, method: &str, path: &str) -> axum::http::request::Builder {
        self.signed_as("north-analyst", method, path)
    }

    pub fn signed_as(&self, account: &str, method: &str, path: &str) -> axum::http::request::Builder {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let secret = STANDARD.encode(format!("{account}:{PASSWORD}"));
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Basic {secret}"))
            .header(header::CONTENT_TYPE, "application/json")
    }
}

pub async fn bytes(response: Response) -> Vec<u8> {
    axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()
}

pub async fn json(response: Response) -> Value {
    serde_json::from_slice(&bytes(response).await).unwrap()
}

/// A problem document of this status and code.
pub async fn problem(response: Response, status: StatusCode, code: &str) -> Value {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let body = json(response).await;
    assert_eq!(body["type"], format!("urn:cogov:problem:{code}"), "{body}");
    assert_eq!(body["status"], status.as_u16());
    assert!(!body["detail"].as_str().unwrap().is_empty());
    body
}

pub fn code(error: &tokio_postgres::Error) -> String {
    error.code().map(|code| code.code().to_owned()).unwrap_or_else(|| panic!("no SQLSTATE: {error}"))
}
