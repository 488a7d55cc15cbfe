//! Who calls, and at which grant: from the headers of a request.

use super::fault;
use crate::http::TrustedProxies;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use cogov_app::{Actor, App, AppError, Door, GrantSession};
use cogov_model::{GrantId, Locale};
use std::net::{IpAddr, Ipv4Addr};
use tonic::metadata::MetadataMap;
use tonic::{Request, Status};

/// What machine tokens begin with; any other bearer token is one that a handshake gave.
const MACHINE: &str = "cogov_";
/// The header that names the grant.
const GRANT: &str = "cogov-grant";

/// A caller who has proved who they are, with the language they are answered in.
pub(super) struct Caller {
    pub actor: Actor,
    pub locale: Locale,
    /// The grant that they named.
    grant: Option<GrantId>,
}

enum Proof<'a> {
    Bearer(&'a str),
    Basic(String, String),
}

impl Caller {
    /// Reads the headers and checks the proof in them.
    pub(super) async fn of<T>(
        app: &App,
        proxies: &TrustedProxies,
        request: &Request<T>,
    ) -> Result<Self, Status> {
        let from = source(proxies, request);
        let headers = request.metadata();
        let actor = match proof(headers)? {
            Proof::Bearer(token) => bearer(app, token, from).await,
            Proof::Basic(account, secret) => app.authenticate(&account, &secret, from).await,
        };
        let spoken =
            text(headers, "accept-language").and_then(|tags| tags.split([',', ';']).next()?.parse().ok());
        let actor = actor.map_err(|error| {
            crate::metrics::sign_in(Door::Flight, error.code());
            fault::status(&error, spoken.unwrap_or_default())
        })?;
        let grant = match text(headers, GRANT) {
            None => None,
            Some(id) => Some(GrantId::new(id).map_err(|error| {
                Status::invalid_argument(format!("the header {GRANT} does not name a grant: {error}"))
            })?),
        };
        Ok(Self { locale: spoken.unwrap_or(actor.locale), actor, grant })
    }

    /// A failure in the caller's language.
    pub(super) fn failed(&self, error: &AppError) -> Status {
        fault::status(error, self.locale)
    }

    /// The caller at the grant that they named, or at the only one of their party that is in force.
    pub(super) async fn session(&self, app: &App) -> Result<GrantSession, Status> {
        let grant = match &self.grant {
            Some(grant) => grant.clone(),
            None => {
                let mut grants = self.grants(app).await?;
                match (grants.pop(), grants.pop()) {
                    (Some(only), None) => only,
                    _ => {
                        return Err(Status::invalid_argument(format!(
                            "name the grant in the header {GRANT}: your party has none or several in force"
                        )));
                    }
                }
            }
        };
        app.grant_session(&self.actor, &grant).await.map_err(|error| self.failed(&error))
    }

    /// The named grant, or all of the caller's party that are in force: the catalogs.
    pub(super) async fn grants(&self, app: &App) -> Result<Vec<GrantId>, Status> {
        if let Some(grant) = &self.grant {
            return Ok(vec![grant.clone()]);
        }
        let cards = app.grants(&self.actor).await.map_err(|error| self.failed(&error))?;
        Ok(cards.into_iter().filter(|card| card.state == "active").map(|card| card.grant.id).collect())
    }
}

/// Account and secret → a bearer token that lasts as long as a web session, or the machine's token that was given.
pub(super) async fn handshake<T>(
    app: &App,
    proxies: &TrustedProxies,
    request: &Request<T>,
) -> Result<String, Status> {
    let from = source(proxies, request);
    let Proof::Basic(account, secret) = proof(request.metadata())? else {
        return Err(Status::unauthenticated(
            "a handshake takes account and password (Basic), or account and token",
        ));
    };
    let failed = |error: AppError| {
        crate::metrics::sign_in(Door::Flight, error.code());
        fault::status(&error, Locale::En)
    };
    if secret.starts_with(MACHINE) {
        app.authenticate(&account, &secret, from).await.map_err(failed)?;
        return Ok(secret);
    }
    Ok(app.sign_in(&account, &secret, from).await.map_err(failed)?.session)
}

async fn bearer(app: &App, token: &str, from: IpAddr) -> Result<Actor, AppError> {
    if token.starts_with(MACHINE) {
        return app.bearer(token, from).await;
    }
    app.session(token).await?.map(|signed| signed.actor).ok_or(AppError::NotSignedIn)
}

/// The address that failed sign-ins count against: of the connection, or of whom a trusted proxy speaks for. What gRPC
/// calls metadata are the headers of HTTP.
fn source<T>(proxies: &TrustedProxies, request: &Request<T>) -> IpAddr {
    let peer = request.remote_addr().map(|address| address.ip());
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| proxies.client(peer, request.metadata().as_ref()))
}

fn text<'a>(headers: &'a MetadataMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim).filter(|text| !text.is_empty())
}

fn proof(headers: &MetadataMap) -> Result<Proof<'_>, Status> {
    let unreadable = || {
        Status::unauthenticated(
            "send the header authorization: “Bearer <token>”, or Basic with account and password",
        )
    };
    let (scheme, given) =
        text(headers, "authorization").and_then(|v| v.split_once(' ')).ok_or_else(unreadable)?;
    let given = given.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Ok(Proof::Bearer(given)),
        "basic" => {
            // Some clients leave the padding out.
            let decoded = STANDARD_NO_PAD.decode(given.trim_end_matches('='));
            let decoded = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let pair = decoded.as_deref().and_then(|text| text.split_once(':'));
            let (account, secret) = pair.ok_or_else(unreadable)?;
            Ok(Proof::Basic(account.to_owned(), secret.to_owned()))
        }
        _ => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::ProxyHeader;
    use cogov_app::Network;
    use tonic::metadata::MetadataValue;
    use tonic::transport::server::TcpConnectInfo;

    fn seen(peer: Option<&str>) -> String {
        let mut request = Request::new(());
        let said = [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=6.6.6.6")];
        for (name, value) in said {
            request.metadata_mut().insert(name, MetadataValue::from_static(value));
        }
        if let Some(peer) = peer {
            let remote_addr = Some(peer.parse().unwrap());
            request.extensions_mut().insert(TcpConnectInfo { local_addr: None, remote_addr });
        }
        let network: Network = "10.0.0.0/8".parse().unwrap();
        source(&TrustedProxies::new([network], ProxyHeader::XForwardedFor), &request).to_string()
    }

    #[test]
    fn trusted_proxies_say_who_the_client_is_as_over_http() {
        assert_eq!(seen(Some("10.0.0.1:4711")), "203.0.113.9");
        assert_eq!(seen(Some("[::ffff:10.0.0.1]:4711")), "203.0.113.9");
        assert_eq!(seen(Some("192.0.2.1:4711")), "192.0.2.1", "a stranger");
        assert_eq!(seen(None), "0.0.0.0");
    }
}
