//! Where the server listens, who may read, and which addresses are its own.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::Url;

use super::value;

const PORT: u16 = 8080;

const NO_PATTERN: &str =
    "only a bare `*` is a wildcard, for every page; name each origin in full, as https://chat.example.com";
const OPEN_LOCAL: &str = "ELORA_OPEN_LOCAL=1: every program on this machine may change things. With a proxy in front, \
    every visitor comes from this machine, so everybody may, unless the proxy adds X-Forwarded-For: do not use both";
/// What to say where every page is let in.
pub const ANY_ORIGIN: &str =
    "ELORA_WS_ALLOWED_ORIGINS=*: any web page that a reader opens may connect here and read along";
const PUBLIC_READ: &str =
    "ELORA_PUBLIC_READ=1: everybody who reaches this listener may read chat, /configz and /metrics";

/// The listener and its guard.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub struct Http {
    #[serde(deserialize_with = "value::parsed")]
    pub addr: SocketAddr,
    /// Requests on a loopback listener may change things without showing the owner's token, unless a page sends them that
    /// is neither our own nor listed.
    #[serde(deserialize_with = "value::flag")]
    pub open_local: bool,
    /// Everybody who reaches the listener may read chat, also off loopback.
    #[serde(deserialize_with = "value::flag")]
    pub public_read: bool,
    /// Host names that requests may use, besides IP addresses and `localhost`.
    #[serde(deserialize_with = "value::list")]
    pub hosts: Vec<HostName>,
    pub allowed_origins: Origins,
    /// The address people reach this server by, when a proxy stands in front.
    #[serde(deserialize_with = "value::web_address", serialize_with = "value::as_address")]
    pub deployed_url: Option<Url>,
    #[serde(deserialize_with = "value::web_address", serialize_with = "value::as_address")]
    pub api_base: Option<Url>,
    #[serde(deserialize_with = "value::socket_address", serialize_with = "value::as_address")]
    pub ws_url: Option<Url>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            addr: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT),
            open_local: false,
            public_read: false,
            hosts: Vec::new(),
            allowed_origins: Origins::default(),
            deployed_url: None,
            api_base: None,
            ws_url: None,
        }
    }
}

impl Http {
    /// True when only programs on this machine can connect.
    pub fn is_loopback(&self) -> bool {
        self.addr.ip().to_canonical().is_loopback()
    }

    /// What is worth saying about the doors that were opened.
    pub fn remarks(&self) -> impl Iterator<Item = &'static str> {
        let said = [
            (self.open_local, OPEN_LOCAL),
            (self.allowed_origins.any, ANY_ORIGIN),
            (self.public_read && !self.is_loopback(), PUBLIC_READ),
        ];
        said.into_iter().filter_map(|(holds, text)| holds.then_some(text))
    }

    /// Every host name that a request may be addressed to whatever the settings, besides IP addresses and `localhost`.
    pub fn host_names(&self) -> BTreeSet<String> {
        let deployed = self.deployed_url.as_ref().and_then(Url::host_str).map(str::to_ascii_lowercase);
        self.hosts.iter().map(|host| host.0.clone()).chain(deployed).collect()
    }
}

/// A host name without a port, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct HostName(pub String);

impl FromStr for HostName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const REMEDY: &str = "not a host name: write names such as chat.example.com, without scheme, port or path";
        let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
        let valid = !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
            && !name.split('.').any(str::is_empty);
        if valid { Ok(Self(name)) } else { Err(REMEDY) }
    }
}

/// The pages of other origins that may open sockets here and change things.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Origins {
    /// `*` was given: any page may, but for what is open to programs on this machine.
    pub any: bool,
    pub list: Vec<Origin>,
}

impl Origins {
    /// Each page once, in the order given.
    pub fn read<'a>(items: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let mut origins = Self::default();
        for item in items {
            if item == "*" {
                origins.any = true;
                continue;
            }
            if item.contains('*') {
                return Err(format!("`{item}` would match no page: {NO_PATTERN}"));
            }
            let origin: Origin = item.parse().map_err(|error| format!("`{item}` is {error}"))?;
            if !origins.list.contains(&origin) {
                origins.list.push(origin);
            }
        }
        Ok(origins)
    }
}

impl TryFrom<String> for Origins {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::read(value::items(&text))
    }
}

/// A page's origin as browsers send it: scheme, host and port, all of them known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    pub scheme: String,
    pub host: String,
    pub port: u16,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an origin: write it as https://chat.example.com, without a path")]
pub struct BadOrigin;

impl FromStr for Origin {
    type Err = BadOrigin;

    /// Strict, because it also reads what strangers send: nothing but `http(s)://host[:port]`.
    fn from_str(text: &str) -> Result<Self, BadOrigin> {
        let (_, rest) = text.split_once("://").ok_or(BadOrigin)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // The URL parser would quietly forgive these; a browser never sends them.
        if rest.is_empty() || rest.contains(|c: char| matches!(c, '/' | '\\' | '?' | '#' | '@' | '%') || c <= ' ') {
            return Err(BadOrigin);
        }
        let url = Url::parse(text).map_err(|_| BadOrigin)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BadOrigin);
        }
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return Err(BadOrigin) };
        Ok(Self { scheme: url.scheme().to_owned(), host: host.to_owned(), port })
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let usual = matches!((self.scheme.as_str(), self.port), ("http", 80) | ("https", 443));
        write!(f, "{}://{}", self.scheme, self.host)?;
        if usual { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl Serialize for Origin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        value::parsed(deserializer)
    }
}
