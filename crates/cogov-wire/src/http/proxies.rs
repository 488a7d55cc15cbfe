//! Whose address a request comes from when proxies stand before the server. Only the word of a proxy that the operator
//! trusts counts: anybody else can write any header.

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use cogov_app::Network;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// The header that most proxies write.
const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies that say truly whom they speak for; none by default.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[Network]>);

impl FromIterator<Network> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

impl TrustedProxies {
    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// The client's address: the last one in `X-Forwarded-For` or `Forwarded` that is no trusted proxy's, when the peer
    /// is one. The peer's when the header does not read, or when both headers are there and name different clients: a
    /// proxy writes one of the two and may pass the other on as a client made it up.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let listed = headers.contains_key(X_FORWARDED_FOR).then(|| self.last(x_forwarded_for(headers)));
        let told = headers.contains_key(header::FORWARDED).then(|| self.last(forwarded(headers)));
        match (listed, told) {
            (Some(Some(client)), None) | (None, Some(Some(client))) => client,
            (Some(Some(listed)), Some(Some(told))) if listed == told => listed,
            _ => peer,
        }
    }

    /// The last address of a way that is no trusted proxy's; the first one when all are. None when an address is met
    /// before that does not read.
    fn last(&self, way: Vec<Option<IpAddr>>) -> Option<IpAddr> {
        let mut client = None;
        for address in way.into_iter().rev() {
            let address = address?;
            client = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        client
    }
}

/// Puts the client's address in the place of the peer's, for everything that a router serves.
pub fn behind_proxies(router: Router, proxies: TrustedProxies) -> Router {
    router.layer(middleware::from_fn_with_state(proxies, name_client))
}

async fn name_client(State(proxies): State<TrustedProxies>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
    if let Some(peer) = peer {
        let client = proxies.client(peer.ip(), request.headers());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client, peer.port())));
    }
    next.run(request).await
}

/// The addresses of `X-Forwarded-For`, from the client's to the last proxy's.
fn x_forwarded_for(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(X_FORWARDED_FOR).iter().map(HeaderValue::to_str);
    lines.flat_map(|line| line.unwrap_or_default().split(',').map(node)).collect()
}

/// The addresses of `Forwarded` (RFC 7239), in the same order. A line that does not read stands as one address that does
/// not.
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let lines = headers.get_all(header::FORWARDED).iter().map(HeaderValue::to_str);
    lines.flat_map(|line| line.ok().and_then(elements).unwrap_or_else(|| vec![None])).collect()
}

/// What the elements of one line say under `for`.
fn elements(line: &str) -> Option<Vec<Option<IpAddr>>> {
    let (mut found, mut rest) = (Vec::new(), line);
    loop {
        let (mut client, mut named) = (None, 0);
        loop {
            let (name, value, after) = pair(rest)?;
            if name.eq_ignore_ascii_case("for") {
                (client, named) = (node(&value), named + 1);
            }
            match after.strip_prefix(';') {
                Some(after) => rest = after,
                None => {
                    rest = after;
                    break;
                }
            }
        }
        found.push(client.filter(|_| named == 1));
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => return rest.is_empty().then_some(found),
        }
    }
}

/// One `name=value` of an element, and what follows it. Nothing but a separator may follow, so that a quote which a client
/// left open does not hide what a proxy added.
fn pair(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let name = name.trim();
    let is_token = !name.is_empty() && !name.contains([',', ';', '"', ' ']);
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted_string(quoted)?,
        None => {
            let (value, rest) = rest.split_at(rest.find([',', ';']).unwrap_or(rest.len()));
            (value.trim_end().to_owned(), rest)
        }
    };
    let rest = rest.trim_start();
    let ends = rest.is_empty() || rest.starts_with([',', ';']);
    (is_token && ends && !value.contains('"')).then_some((name, value, rest))
}

/// A quoted value behind its first quote, and what follows its last one.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            _ => value.push(character),
        }
    }
    None
}

/// An address as proxies write it: alone, in brackets, or with its port.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let address = match bracketed {
        Some(address) => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip())),
    };
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn client(peer: &str, headers: &[(&'static str, &'static str)]) -> String {
        let networks: [Network; 2] = ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        let proxies = TrustedProxies::from_iter(networks);
        let mut map = HeaderMap::new();
        for &(name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        proxies.client(peer.parse().unwrap(), &map).to_string()
    }

    const LISTED: &str = "x-forwarded-for";
    const TOLD: &str = "forwarded";

    #[test]
    fn only_trusted_proxies_say_who_the_client_is() {
        let said = [(LISTED, "203.0.113.9")];
        assert_eq!(client("192.0.2.1", &said), "192.0.2.1", "a stranger");
        assert_eq!(client("::ffff:192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &said), "203.0.113.9");
        assert_eq!(client("::ffff:10.0.0.1", &said), "203.0.113.9", "a proxy over a socket of both families");
        assert_eq!(client("::1", &said), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        let none = TrustedProxies::default();
        assert_eq!(none.client("127.0.0.1".parse().unwrap(), &HeaderMap::new()).to_string(), "127.0.0.1");
    }

    #[test]
    fn the_last_address_that_is_no_proxys_counts() {
        let listed = |value| client("10.0.0.1", &[(LISTED, value)]);
        assert_eq!(listed("6.6.6.6, 203.0.113.9, 10.1.1.1"), "203.0.113.9", "the first is the client's word");
        assert_eq!(listed("nonsense, 203.0.113.9"), "203.0.113.9");
        assert_eq!(listed("203.0.113.9:4711"), "203.0.113.9");
        assert_eq!(listed("2001:db8::9"), "2001:db8::9");
        assert_eq!(listed("[2001:db8::9]:4711"), "2001:db8::9");
        assert_eq!(listed("::ffff:203.0.113.9"), "203.0.113.9");
        assert_eq!(listed("10.2.2.2, 10.1.1.1"), "10.2.2.2", "a client among the proxies");
        let lines = [(LISTED, "6.6.6.6"), (LISTED, "203.0.113.9")];
        assert_eq!(client("10.0.0.1", &lines), "203.0.113.9", "a line that a proxy added");
    }

    #[test]
    fn forwarded_reads_with_quotes_ports_and_other_pairs() {
        let told = |value| client("10.0.0.1", &[(TOLD, value)]);
        assert_eq!(told("for=203.0.113.9"), "203.0.113.9");
        assert_eq!(told("For=6.6.6.6, by=10.0.0.1;FOR=203.0.113.9;proto=https"), "203.0.113.9");
        assert_eq!(told("for=\"[2001:db8::9]:4711\";host=\"a,b;c\""), "2001:db8::9");
        assert_eq!(told("for=203.0.113.9 , for=10.1.1.1"), "203.0.113.9");
        assert_eq!(told("for=\"203.0.\\113.9\""), "203.0.113.9", "a quoted pair");
    }

    #[test]
    fn what_does_not_read_counts_for_the_proxy() {
        for value in ["", "nonsense", "203.0.113.9, ", "203.0.113.9, unknown", "203.0.113.9, 10.1.1"] {
            assert_eq!(client("10.0.0.1", &[(LISTED, value)]), "10.0.0.1", "{value:?}");
        }
        for value in [
            "",
            "for",
            "for=",
            "for=unknown",
            "for=_hidden",
            "by=203.0.113.9",
            "for=203.0.113.9;for=6.6.6.6",
            "for=203.0.113.9,",
            "for=6.6.6.6;a=\", for=203.0.113.9",
            "for=6.6.6.6;a=\", for=\"[2001:db8::9]\"",
            "for=6.6.6.6 for=203.0.113.9",
        ] {
            assert_eq!(client("10.0.0.1", &[(TOLD, value)]), "10.0.0.1", "{value:?}");
        }
    }

    #[test]
    fn two_headers_that_disagree_count_for_the_proxy() {
        let both = |listed, told| client("10.0.0.1", &[(LISTED, listed), (TOLD, told)]);
        assert_eq!(both("203.0.113.9", "for=203.0.113.9"), "203.0.113.9");
        assert_eq!(both("203.0.113.9", "for=6.6.6.6"), "10.0.0.1");
        assert_eq!(both("203.0.113.9", "nonsense"), "10.0.0.1");
    }

    #[tokio::test]
    async fn handlers_see_the_client_in_the_place_of_the_peer() {
        use tower::ServiceExt as _;
        let seen = |ConnectInfo(from): ConnectInfo<SocketAddr>| async move { from.to_string() };
        let router = Router::new().route("/", axum::routing::get(seen));
        let network: Network = "10.0.0.0/8".parse().unwrap();
        let mut request = Request::new(axum::body::Body::empty());
        request.headers_mut().insert(X_FORWARDED_FOR, HeaderValue::from_static("203.0.113.9"));
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4711))));
        let served = behind_proxies(router, TrustedProxies::from_iter([network]));
        let response = served.oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&body), "203.0.113.9:4711");
    }
}
