//! Settings: flags, then `COGOV_*` variables, then a TOML file, then defaults.

use crate::cli::{Home, Serve};
use anyhow::{Context, Result, bail};
use cogov_app::Network;
use cogov_wire::{ProxyHeader, TrustedProxies};
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
};

/// Every setting, resolved.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Settings {
    /// The home folder.
    pub home: PathBuf,
    /// Address of pages and HTTP API.
    pub http: String,
    /// Address of the PostgreSQL protocol.
    pub pg: String,
    /// Address of Arrow Flight SQL.
    pub flight: String,
    /// The records' database.
    pub database_url: Option<String>,
    /// Where data files lie.
    pub storage_url: Option<String>,
    /// The ledger's name, first line of its checkpoints.
    pub origin: String,
    /// Certificate chain for the PostgreSQL protocol.
    pub tls_cert: Option<PathBuf>,
    /// Its private key.
    pub tls_key: Option<PathBuf>,
    /// The proxies before the doors of HTTP and Arrow Flight SQL whose word about a client's address counts.
    pub trusted_proxies: Option<Listed>,
    /// The one header in which they say it.
    pub proxy_header: ProxyHeader,
    /// Megabytes that all queries together may hold.
    pub memory_mb: Option<usize>,
    /// Megabytes that one query may hold.
    pub query_memory_mb: Option<usize>,
    /// Seconds that one query may take.
    pub query_seconds: Option<u64>,
}

/// Several values: a list in TOML, one text with commas between them in a flag or a variable.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Listed {
    /// With commas between them.
    Text(String),
    /// As a list.
    List(Vec<String>),
}

impl Listed {
    /// The values, without empty ones.
    fn values(&self) -> Vec<&str> {
        let all: Vec<&str> = match self {
            Listed::Text(text) => text.split(',').collect(),
            Listed::List(list) => list.iter().map(String::as_str).collect(),
        };
        all.into_iter().map(str::trim).filter(|value| !value.is_empty()).collect()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            home: PathBuf::from(".cogov"),
            http: "127.0.0.1:8080".into(),
            pg: "127.0.0.1:5433".into(),
            flight: "127.0.0.1:8815".into(),
            database_url: None,
            storage_url: None,
            origin: "cogov.local/node".into(),
            tls_cert: None,
            tls_key: None,
            trusted_proxies: None,
            proxy_header: ProxyHeader::default(),
            memory_mb: None,
            query_memory_mb: None,
            query_seconds: None,
        }
    }
}

/// What was said on the command line; what was not said is left out.
#[derive(Debug, Default, Serialize)]
struct Flags {
    #[serde(skip_serializing_if = "Option::is_none")]
    home: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pg: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flight: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    database_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    storage_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_cert: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_key: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trusted_proxies: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy_header: Option<String>,
}

impl Settings {
    /// For a command that touches a node.
    pub fn of(home: &Home) -> Result<Self> {
        Self::read(home, Flags::default())
    }

    /// For `cogov serve`.
    pub fn of_serve(serve: &Serve) -> Result<Self> {
        let flags = Flags {
            http: serve.http.clone(),
            pg: serve.pg.clone(),
            flight: serve.flight.clone(),
            tls_cert: serve.tls_cert.clone(),
            tls_key: serve.tls_key.clone(),
            trusted_proxies: serve.trusted_proxies.clone(),
            proxy_header: serve.proxy_header.clone(),
            ..Flags::default()
        };
        Self::read(&serve.home, flags)
    }

    /// The trusted proxies, with the header that they write.
    pub fn proxies(&self) -> Result<TrustedProxies> {
        Ok(TrustedProxies::new(self.proxy_networks()?, self.proxy_header))
    }

    fn proxy_networks(&self) -> Result<Vec<Network>> {
        let named = self.trusted_proxies.as_ref().map(Listed::values).unwrap_or_default();
        let read = named.into_iter().map(str::parse::<Network>);
        read.collect::<Result<_, _>>().context("COGOV_TRUSTED_PROXIES cannot be read")
    }

    fn read(home: &Home, flags: Flags) -> Result<Self> {
        let flags = Flags {
            home: home.home.clone(),
            database_url: home.database_url.clone(),
            storage_url: home.storage_url.clone(),
            ..flags
        };
        let outer = Figment::from(Serialized::defaults(Settings::default()))
            .merge(Env::prefixed("COGOV_"))
            .merge(Serialized::defaults(&flags));
        let folder: PathBuf = outer.extract_inner("home").context("COGOV_HOME is no path")?;
        if let Some(config) = &home.config
            && !config.exists()
        {
            bail!("there is no settings file {}", config.display());
        }
        let file = home.config.clone().unwrap_or_else(|| folder.join("cogov.toml"));
        Figment::from(Serialized::defaults(Settings::default()))
            .merge(Toml::file(file))
            .merge(Env::prefixed("COGOV_"))
            .merge(Serialized::defaults(&flags))
            .extract()
            .context("a setting cannot be read")
    }
}

/// An address of a door.
pub fn address(text: &str, setting: &str) -> Result<SocketAddr> {
    let found = text.to_socket_addrs().ok().and_then(|mut all| all.next());
    found.with_context(|| {
        format!("{setting} is {text:?}, which is no address: write host:port, such as 127.0.0.1:8080")
    })
}

/// Logs go to the standard error; `RUST_LOG` chooses what.
pub fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        tracing_subscriber::EnvFilter::new("warn,cogov=info,cogov_app=info,cogov_wire=info")
    });
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(listed: Option<Listed>) -> Result<Vec<String>> {
        let settings = Settings { trusted_proxies: listed, ..Settings::default() };
        Ok(settings.proxy_networks()?.iter().map(Network::to_string).collect())
    }

    #[test]
    fn trusted_proxies_are_a_list_or_one_text_and_none_by_default() {
        assert!(proxies(None).unwrap().is_empty());
        let text = Listed::Text("127.0.0.1, 2001:db8::/32,".to_owned());
        assert_eq!(proxies(Some(text)).unwrap(), ["127.0.0.1/32", "2001:db8::/32"]);
        let list = Listed::List(vec!["10.0.0.0/8".to_owned()]);
        assert_eq!(proxies(Some(list)).unwrap(), ["10.0.0.0/8"]);
        let wrong = proxies(Some(Listed::Text("proxy.example".to_owned()))).unwrap_err();
        assert!(format!("{wrong:#}").contains("proxy.example"), "{wrong:#}");
    }

    #[test]
    fn trusted_proxies_read_from_toml_in_both_ways() {
        for value in ["\"10.0.0.0/8, ::1\"", "[\"10.0.0.0/8\", \"::1\"]"] {
            let toml = format!("trusted_proxies = {value}");
            let settings: Settings = Figment::from(Serialized::defaults(Settings::default()))
                .merge(Toml::string(&toml))
                .extract()
                .unwrap();
            assert_eq!(settings.proxy_networks().unwrap().len(), 2, "{toml}");
        }
    }

    #[test]
    fn the_proxies_header_is_one_of_two() {
        let read = |toml: &str| {
            let all = Figment::from(Serialized::defaults(Settings::default())).merge(Toml::string(toml));
            all.extract::<Settings>().map(|settings| settings.proxy_header).map_err(|error| error.to_string())
        };
        assert_eq!(read("").unwrap(), ProxyHeader::XForwardedFor);
        assert_eq!(read("proxy_header = \"forwarded\"").unwrap(), ProxyHeader::Forwarded);
        assert_eq!(read("proxy_header = \"X-Forwarded-For\"").unwrap(), ProxyHeader::XForwardedFor);
        let wrong = read("proxy_header = \"x-real-ip\"").unwrap_err();
        assert!(wrong.contains("x-real-ip") && wrong.contains("forwarded"), "{wrong}");
    }

    #[test]
    fn a_flag_names_the_proxies_header() {
        let flags = Flags { proxy_header: Some("forwarded".to_owned()), ..Flags::default() };
        let defaults = Figment::from(Serialized::defaults(Settings::default()));
        let settings: Settings = defaults.merge(Serialized::defaults(&flags)).extract().unwrap();
        assert_eq!(settings.proxy_header, ProxyHeader::Forwarded);
    }
}
