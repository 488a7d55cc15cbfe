//! One visit of one page: who, in which language, from where. Read once, before the handler.

use crate::{
    Web,
    failure::{self, Failure},
    locale,
    ui::{Ui, Viewer},
};
use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, header, request::Parts},
    middleware::Next,
    response::Response,
};
use cogov_app::{Actor, App, SignedIn};
use cogov_model::Locale;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::Deref,
    sync::Arc,
};

/// The session's cookie.
pub const SESSION: &str = "cogov_session";
/// The cookie that the sign-in form's token must equal.
pub const BEFORE_SESSION: &str = "cogov_before";

/// What a handler knows about the visit.
pub struct VisitParts {
    /// The use cases.
    pub app: App,
    /// The node and its routes.
    pub web: Web,
    /// Language, viewer and token for the page.
    pub ui: Ui,
    /// The session, when signed in.
    pub signed: Option<SignedIn>,
    /// The token of the sign-in form, when it has been handed out.
    pub before: Option<String>,
    /// Where the visit comes from: the connection's other end, or the client that a trusted proxy speaks for.
    pub from: IpAddr,
    /// Whether cookies must only travel over TLS: everywhere but on loopback.
    pub secure: bool,
}

/// A visit, cheap to hand over.
#[derive(Clone)]
pub struct Visit(Arc<VisitParts>);

impl Deref for Visit {
    type Target = VisitParts;
    fn deref(&self) -> &VisitParts {
        &self.0
    }
}

impl Visit {
    /// The signed-in person.
    ///
    /// # Errors
    /// Leads to the sign-in page when nobody is.
    pub fn actor(&self) -> Result<&Actor, Failure> {
        self.signed.as_ref().map(|signed| &signed.actor).ok_or_else(|| Failure::sign_in(&self.ui.path))
    }

    /// The signed-in person, or nobody.
    pub fn viewer(&self) -> Option<&Actor> {
        self.signed.as_ref().map(|signed| &signed.actor)
    }

    /// The page's words.
    pub fn ui(&self) -> Ui {
        self.ui.clone()
    }

    /// A `Set-Cookie` value. An empty value removes the cookie.
    pub fn cookie(&self, name: &str, value: &str, days: u32) -> String {
        let age = if value.is_empty() { 0 } else { u64::from(days) * 86_400 };
        let secure = if self.secure { "; Secure" } else { "" };
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={age}{secure}")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Visit>().cloned().ok_or_else(|| Failure::broken("a page without its visit"))
    }
}

/// Reads the visit, lets the handler answer, and shows a failure as a page in the visitor's language.
pub async fn layer(State(web): State<Web>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let asked = query_value(parts.uri.query().unwrap_or_default(), "lang");
    let (visit, failed) = read(web, &parts, asked.as_deref()).await;
    let mut response = match failed {
        Some(failure) => failure::page(&visit, failure),
        None => {
            parts.extensions.insert(visit.clone());
            let mut response = next.run(Request::from_parts(parts, body)).await;
            match response.extensions_mut().remove::<Failure>() {
                Some(failure) => failure::page(&visit, failure),
                None => response,
            }
        }
    };
    if asked.is_some()
        && let Ok(value) = HeaderValue::from_str(&visit.cookie(locale::COOKIE, visit.ui.locale.tag(), 366))
    {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

async fn read(web: Web, parts: &Parts, asked: Option<&str>) -> (Visit, Option<Failure>) {
    let headers = &parts.headers;
    let session = cookie(headers, SESSION);
    let (signed, failed) = match session {
        None => (None, None),
        Some(session) => match web.app.session(&session).await {
            Ok(signed) => (signed, None),
            Err(error) => (None, Some(Failure::from(error))),
        },
    };
    let accept = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let locale = locale::choose(asked, cookie(headers, locale::COOKIE).as_deref(), accept);
    let from = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_canonical());
    let visit = Visit(Arc::new(VisitParts {
        app: web.app.clone(),
        ui: ui(&web, locale, signed.as_ref(), without_lang(&parts.uri)),
        before: cookie(headers, BEFORE_SESSION),
        from: from.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        secure: !is_loopback(headers),
        signed,
        web,
    }));
    (visit, failed)
}

fn ui(web: &Web, locale: Locale, signed: Option<&SignedIn>, path: String) -> Ui {
    let viewer = signed.map(|signed| Viewer {
        name: signed.actor.name.clone(),
        party: signed.actor.party.name.get(locale).to_owned(),
        roles: signed.actor.roles.clone(),
    });
    let csrf = signed.map(|signed| signed.csrf.clone()).unwrap_or_default();
    Ui { locale, viewer, csrf, path, demo: web.app.is_demo() }
}

/// Whether the browser speaks to this machine under a loopback name.
fn is_loopback(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A cookie's value.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value.to_owned())
}

fn query_value(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn without_lang(uri: &axum::http::Uri) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        if name != "lang" {
            query.append_pair(&name, &value);
        }
    }
    let query = query.finish();
    if query.is_empty() { uri.path().to_owned() } else { format!("{}?{query}", uri.path()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn cookies_and_hosts_are_read() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "a=1; cogov_session=x=y; b=".parse().unwrap());
        assert_eq!(cookie(&headers, SESSION).as_deref(), Some("x=y"));
        assert_eq!(cookie(&headers, "b"), None);
        for (host, loopback) in
            [("127.0.0.1:8080", true), ("[::1]:80", true), ("localhost", true), ("example.org", false)]
        {
            headers.insert(header::HOST, host.parse().unwrap());
            assert_eq!(is_loopback(&headers), loopback, "{host}");
        }
        assert_eq!(without_lang(&"/c?words=a&lang=zh".parse().unwrap()), "/c?words=a");
    }
}
