//! Who calls: a bearer token, or an account with its password or token by HTTP Basic.

use super::{Problem, json, problem::preferred};
use axum::extract::{ConnectInfo, FromRequestParts, OptionalFromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cogov_app::{Actor, App, AppError, Door, Network};
use cogov_model::Locale;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// A caller that has proved who they are, with the language they are answered in.
pub(super) struct Caller {
    pub actor: Actor,
    pub locale: Locale,
    /// The network address that they call from.
    pub from: IpAddr,
}

impl Caller {
    /// A failure in the caller's language.
    pub(super) fn failed(&self, error: AppError) -> Problem {
        Problem::from(error).in_language(self.locale)
    }
}

enum Proof {
    Bearer(String),
    Basic { account: String, secret: String },
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let given = proof(&parts.headers)?;
        let failed = |error: AppError| {
            crate::metrics::sign_in(Door::Http, error.code());
            Problem::from(error).for_request(&parts.headers)
        };
        let Some(given) = given else { return Err(failed(AppError::NotSignedIn)) };
        let from = source(parts);
        let actor = match given {
            Proof::Bearer(token) => app.bearer(&token, from).await,
            Proof::Basic { account, secret } => app.authenticate(&account, &secret, from).await,
        };
        let actor = actor.map_err(failed)?;
        let locale = match parts.headers.contains_key(header::ACCEPT_LANGUAGE) {
            true => preferred(&parts.headers),
            false => actor.locale,
        };
        Ok(Self { actor, locale, from })
    }
}

/// A caller who may also be nobody: but a proof that is given must hold.
impl OptionalFromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Problem> {
        if !parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(None);
        }
        <Caller as FromRequestParts<App>>::from_request_parts(parts, app).await.map(Some)
    }
}

/// The address that limits count against: of the connection, or what a trusted proxy put in its place; never of a header
/// that anybody can write.
fn source(parts: &Parts) -> IpAddr {
    let from = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    from.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| Network::canonical(address.ip()))
}

fn proof(headers: &HeaderMap) -> Result<Option<Proof>, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let unreadable = || {
        let problem = Problem::new(
            StatusCode::UNAUTHORIZED,
            "not-signed-in",
            "The Authorization header does not read: send “Bearer <token>”, or Basic with account and password.",
            "无法读取 Authorization 请求头：请发送“Bearer <令牌>”，或以 Basic 方式提供账号和口令。",
        );
        problem.for_request(headers)
    };
    let (scheme, given) =
        value.to_str().ok().and_then(|text| text.trim().split_once(' ')).ok_or_else(unreadable)?;
    let given = given.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" => Ok(Some(Proof::Bearer(given.to_owned()))),
        "basic" => {
            let decoded = STANDARD.decode(given).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let (account, secret) =
                decoded.as_deref().and_then(|text| text.split_once(':')).ok_or_else(unreadable)?;
            Ok(Some(Proof::Basic { account: account.to_owned(), secret: secret.to_owned() }))
        }
        _ => Err(unreadable()),
    }
}

/// Who the caller is.
pub(super) async fn me(State(_): State<App>, caller: Caller) -> Response {
    let actor = &caller.actor;
    json(json!({
        "account": actor.account,
        "name": actor.name,
        "party": actor.party,
        "roles": actor.roles,
        "locale": actor.locale,
    }))
}
