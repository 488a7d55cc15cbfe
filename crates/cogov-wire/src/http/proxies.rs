//! Whose address a request comes from when proxies stand before the server. Only the word of a proxy that the operator
//! trusts counts, and only in the one header that the operator says it writes: anybody else can write any header, and a
//! proxy passes on what it does not write itself.

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::{self, Next};
use axum::response::Response;
use cogov_app::Network;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// Entries of a header that are looked at: more proxies than that stand in no row.
const HOPS: usize = 32;
/// The longest entry, in bytes.
const LONGEST_ENTRY: usize = 8 << 10;
/// The longest address, in bytes: of IPv6 with brackets, zone and port.
const LONGEST_ADDRESS: usize = 64;

/// The one header in which the trusted proxies say whom they speak for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProxyHeader {
    /// The one that most proxies write.
    #[default]
    #[serde(rename = "x-forwarded-for", alias = "X-Forwarded-For")]
    XForwardedFor,
    /// The one of RFC 7239.
    #[serde(rename = "forwarded", alias = "Forwarded")]
    Forwarded,
}

impl ProxyHeader {
    const fn name(self) -> &'static str {
        match self {
            ProxyHeader::XForwardedFor => "x-forwarded-for",
            ProxyHeader::Forwarded => "forwarded",
        }
    }

    /// The addresses that it names, from the last proxy's to the client's; none in the place of an entry that does not
    /// read. Several lines are one list.
    fn way(self, headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
        let read: fn(&[u8]) -> Option<IpAddr> = match self {
            ProxyHeader::XForwardedFor => listed,
            ProxyHeader::Forwarded => told,
        };
        let lines = headers.get_all(self.name()).iter().rev();
        lines.flat_map(|line| entries(line.as_bytes())).map(read)
    }
}

/// The proxies that say truly whom they speak for; none by default.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    networks: Arc<[Network]>,
    header: ProxyHeader,
}

impl TrustedProxies {
    /// The proxies of these networks, by what they write into this header.
    pub fn new(networks: impl IntoIterator<Item = Network>, header: ProxyHeader) -> Self {
        Self { networks: networks.into_iter().collect(), header }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }

    /// The client's address: the last one on the way that is no trusted proxy's, when the peer is one. Where the way
    /// ends before, or an entry does not read, the last trusted proxy that was seen stands for the client.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut hop = peer.to_canonical();
        let mut way = self.header.way(headers).take(HOPS);
        while self.trusts(hop)
            && let Some(Some(address)) = way.next()
        {
            hop = address;
        }
        Network::canonical(hop)
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

/// The entries of one line, from the last to the first.
fn entries(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut before = Some(line);
    std::iter::from_fn(move || {
        let (entry, rest) = last_entry(before?);
        before = rest;
        Some(entry)
    })
}

/// The last entry of a line, and what stands before its comma. Commas in quotes part nothing. It is read from the
/// right, so that a quote which a client left open does not hide what a proxy added.
fn last_entry(line: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut quoted = false;
    for (at, byte) in line.iter().enumerate().rev() {
        match byte {
            b'"' => quoted = !quoted || is_escaped(line.get(..at).unwrap_or_default()),
            b',' if !quoted => return (line.get(at + 1..).unwrap_or_default(), line.get(..at)),
            _ => {}
        }
    }
    (line, None)
}

/// Whether a quote behind these bytes is one of the quoted words, and does not begin them.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// An entry as text: ASCII of a length that proxies write.
fn text(entry: &[u8]) -> Option<&str> {
    let fits = entry.len() <= LONGEST_ENTRY && entry.is_ascii();
    std::str::from_utf8(entry).ok().filter(|_| fits)
}

/// The address in an entry of `X-Forwarded-For`.
fn listed(entry: &[u8]) -> Option<IpAddr> {
    node(text(entry)?)
}

/// The address in an entry of `Forwarded` (RFC 7239): what it says under `for`, once.
fn told(entry: &[u8]) -> Option<IpAddr> {
    let (mut found, mut rest) = (None, text(entry)?);
    loop {
        let (name, value, after) = pair(rest)?;
        if name.eq_ignore_ascii_case("for") && found.replace(node(&value)?).is_some() {
            return None;
        }
        match after.strip_prefix(';') {
            Some(after) => rest = after,
            None => return found.filter(|_| after.is_empty()),
        }
    }
}

/// One `name=value` of an entry, and what follows it. Nothing but a separator may follow.
fn pair(text: &str) -> Option<(&str, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let name = name.trim();
    let is_token = !name.is_empty() && !name.contains([',', ';', '"', ' ']);
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted_string(quoted)?,
        None => {
            let (value, rest) = rest.split_at(rest.find([',', ';']).unwrap_or(rest.len()));
            let unquoted = Some(value.trim_end()).filter(|value| !value.contains('"'));
            (unquoted?.to_owned(), rest)
        }
    };
    let rest = rest.trim_start();
    let ends = rest.is_empty() || rest.starts_with([',', ';']);
    (is_token && ends).then_some((name, value, rest))
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
    let text = text.trim_matches([' ', '\t']);
    if text.len() > LONGEST_ADDRESS {
        return None;
    }
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
    use axum::http::HeaderValue;

    const LISTED: &str = "x-forwarded-for";
    const TOLD: &str = "forwarded";

    fn client(header: ProxyHeader, peer: &str, headers: &[(&'static str, &str)]) -> String {
        let networks: [Network; 2] = ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        let mut map = HeaderMap::new();
        for &(name, value) in headers {
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        TrustedProxies::new(networks, header).client(peer.parse().unwrap(), &map).to_string()
    }

    fn by_list(value: &str) -> String {
        client(ProxyHeader::XForwardedFor, "10.0.0.1", &[(LISTED, value)])
    }

    fn by_word(value: &str) -> String {
        client(ProxyHeader::Forwarded, "10.0.0.1", &[(TOLD, value)])
    }

    #[test]
    fn only_trusted_proxies_say_who_the_client_is() {
        let seen = |peer, headers: &[(&'static str, &str)]| client(ProxyHeader::XForwardedFor, peer, headers);
        let said = [(LISTED, "203.0.113.9")];
        assert_eq!(seen("192.0.2.1", &said), "192.0.2.1", "a stranger");
        assert_eq!(seen("::ffff:192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(seen("10.0.0.1", &said), "203.0.113.9");
        assert_eq!(seen("::ffff:10.0.0.1", &said), "203.0.113.9", "a proxy over a socket of both families");
        assert_eq!(seen("::1", &said), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
        let none = TrustedProxies::default();
        assert_eq!(none.client("127.0.0.1".parse().unwrap(), &HeaderMap::new()).to_string(), "127.0.0.1");
    }

    #[test]
    fn the_other_header_is_not_read() {
        let both = [(LISTED, "203.0.113.9"), (TOLD, "for=198.51.100.7")];
        assert_eq!(client(ProxyHeader::XForwardedFor, "10.0.0.1", &both), "203.0.113.9");
        assert_eq!(client(ProxyHeader::Forwarded, "10.0.0.1", &both), "198.51.100.7");
        let made_up = [(LISTED, "203.0.113.9"), (TOLD, "nonsense")];
        assert_eq!(client(ProxyHeader::XForwardedFor, "10.0.0.1", &made_up), "203.0.113.9");
        assert_eq!(client(ProxyHeader::XForwardedFor, "10.0.0.1", &[(TOLD, "for=6.6.6.6")]), "10.0.0.1");
        assert_eq!(client(ProxyHeader::Forwarded, "10.0.0.1", &[(LISTED, "6.6.6.6")]), "10.0.0.1");
        assert_eq!(ProxyHeader::default(), ProxyHeader::XForwardedFor);
    }

    #[test]
    fn the_last_address_that_is_no_proxys_counts() {
        assert_eq!(by_list("6.6.6.6, 203.0.113.9, 10.1.1.1"), "203.0.113.9", "the first is made up");
        assert_eq!(by_list("nonsense, 203.0.113.9"), "203.0.113.9");
        assert_eq!(by_list("\"\u{e9}, 203.0.113.9,\t10.1.1.1"), "203.0.113.9");
        assert_eq!(by_list("203.0.113.9:4711"), "203.0.113.9");
        assert_eq!(by_list("2001:db8::9"), "2001:db8::9");
        assert_eq!(by_list("[2001:db8::9]:4711"), "2001:db8::9");
        assert_eq!(by_list("::ffff:203.0.113.9"), "203.0.113.9");
        assert_eq!(by_list("10.2.2.2, 10.1.1.1"), "10.2.2.2", "a client among the proxies");
    }

    #[test]
    fn lines_are_joined_in_their_order() {
        for (header, name, [first, last]) in [
            (ProxyHeader::XForwardedFor, LISTED, ["6.6.6.6, 203.0.113.9", "10.2.2.2, 10.1.1.1"]),
            (ProxyHeader::Forwarded, TOLD, ["for=6.6.6.6, for=203.0.113.9", "for=10.2.2.2, for=10.1.1.1"]),
        ] {
            assert_eq!(client(header, "10.0.0.1", &[(name, first), (name, last)]), "203.0.113.9", "{name}");
        }
        let lines = [(LISTED, "6.6.6.6"), (LISTED, "203.0.113.9")];
        assert_eq!(client(ProxyHeader::XForwardedFor, "10.0.0.1", &lines), "203.0.113.9", "one was added");
    }

    #[test]
    fn nat64_gives_clients_their_ipv4_address_and_no_trust() {
        assert_eq!(by_list("64:ff9b::203.0.113.9"), "203.0.113.9");
        assert_eq!(by_list("6.6.6.6, 64:ff9b::10.0.0.1"), "10.0.0.1", "it is not asked whom it speaks for");
        let said = [(LISTED, "6.6.6.6")];
        assert_eq!(client(ProxyHeader::XForwardedFor, "64:ff9b::10.0.0.1", &said), "10.0.0.1");
        assert_eq!(client(ProxyHeader::XForwardedFor, "64:ff9b::203.0.113.9", &said), "203.0.113.9");
    }

    #[test]
    fn forwarded_reads_with_quotes_ports_and_other_pairs() {
        assert_eq!(by_word("for=203.0.113.9"), "203.0.113.9");
        assert_eq!(by_word("For=6.6.6.6, by=10.0.0.1;FOR=203.0.113.9;proto=https"), "203.0.113.9");
        assert_eq!(by_word("for=\"[2001:db8::9]:4711\";host=\"a,b;c\""), "2001:db8::9");
        assert_eq!(by_word("for=203.0.113.9;host=\"a\\\",b\""), "203.0.113.9", "a quote in quotes");
        assert_eq!(by_word("for=203.0.113.9;host=\"a,\\\\\""), "203.0.113.9", "a backslash in quotes");
        assert_eq!(by_word("for=203.0.113.9 , for=10.1.1.1"), "203.0.113.9");
        assert_eq!(by_word("for=\"203.0.\\113.9\""), "203.0.113.9", "a quoted pair");
    }

    #[test]
    fn quotes_of_a_client_do_not_hide_what_a_proxy_adds() {
        for made_up in ["for=6.6.6.6;a=\"", "\"", "a=\"\\", "a=\"b\\\"", "\"\\\"\"", "\u{e9}", ""] {
            for added in ["for=203.0.113.9", "for=\"203.0.113.9:80\"", "by=\"_a,b\";for=203.0.113.9"] {
                assert_eq!(by_word(&format!("{made_up}, {added}")), "203.0.113.9", "{made_up} {added}");
            }
        }
    }

    #[test]
    fn what_does_not_read_counts_for_the_last_proxy() {
        for value in ["", "nonsense", "203.0.113.9, ", "6.6.6.6, unknown", "6.6.6.6, 10.1.1", "010.1.1.1"] {
            assert_eq!(by_list(value), "10.0.0.1", "{value:?}");
        }
        assert_eq!(by_list("203.0.113.9, unknown, 10.1.1.1"), "10.1.1.1", "the last that was seen");
        assert_eq!(by_list("203.0.113.9, \u{e9}, 10.1.1.1"), "10.1.1.1");
        for value in [
            "",
            "for",
            "for=",
            "for=unknown",
            "for=_hidden",
            "by=203.0.113.9",
            "for=203.0.113.9;for=6.6.6.6",
            "for=203.0.113.9;",
            "for=203.0.113.9,",
            "for=6.6.6.6 for=203.0.113.9",
            "for=\"6.6.6.6\" for=203.0.113.9",
        ] {
            assert_eq!(by_word(value), "10.0.0.1", "{value:?}");
        }
        assert_eq!(by_word("for=203.0.113.9, for=unknown, for=10.1.1.1"), "10.1.1.1");
    }

    #[test]
    fn long_headers_are_not_read_to_their_end() {
        let proxies = |count| format!("203.0.113.9{}", ", 10.1.1.1".repeat(count));
        assert_eq!(by_list(&proxies(HOPS - 1)), "203.0.113.9");
        assert_eq!(by_list(&proxies(HOPS)), "10.1.1.1");
        assert_eq!(by_list(&format!("203.0.113.9{}", " ".repeat(LONGEST_ENTRY))), "10.0.0.1");
        assert_eq!(by_list(&format!("[{}1]", "0".repeat(LONGEST_ADDRESS))), "10.0.0.1");
        let host = "a".repeat(LONGEST_ENTRY);
        assert_eq!(by_word(&format!("for=203.0.113.9;host={host}")), "10.0.0.1");
    }

    #[tokio::test]
    async fn handlers_see_the_client_in_the_place_of_the_peer() {
        use tower::ServiceExt as _;
        let seen = |ConnectInfo(from): ConnectInfo<SocketAddr>| async move { from.to_string() };
        let router = Router::new().route("/", axum::routing::get(seen));
        let network: Network = "10.0.0.0/8".parse().unwrap();
        let mut request = Request::new(axum::body::Body::empty());
        request.headers_mut().insert(LISTED, HeaderValue::from_static("203.0.113.9"));
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4711))));
        let served = behind_proxies(router, TrustedProxies::new([network], ProxyHeader::default()));
        let response = served.oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&body), "203.0.113.9:4711");
    }
}
