//! Which addresses a request may be sent to, and which pages may send it. Decides; does not answer.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use axum::http::uri::Uri;
use axum::http::{HeaderMap, header};

use super::cors::Grant;
use crate::config::{Current, Http, Origin, Settings};

/// The addresses of this server, and the foreign pages it trusts.
#[derive(Debug)]
pub struct Hosts {
    names: BTreeSet<String>,
    settings: Current,
    /// The public address, whose pages are our own whatever host a proxy forwards.
    deployed: Option<Origin>,
}

/// Where a request was sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// In lower case; an IPv6 address in brackets.
    name: String,
    port: Option<u16>,
    is_address: bool,
}

/// The same for one request: settings that change meanwhile are for the next one.
#[derive(Debug)]
pub struct Now<'a> {
    hosts: &'a Hosts,
    settings: Arc<Settings>,
}

/// Who sends a request, as far as its `Origin` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// No page is named: OBS, curl, or a page of ours that reads.
    Unnamed,
    /// A page of ours, or one that is listed.
    Friend,
    /// A page that is let in because every page is.
    Anybody,
    /// A page that may not open sockets or change anything.
    Foreign,
}

impl Hosts {
    pub fn new(http: &Http, settings: Current) -> Self {
        let deployed = http.deployed_url.as_ref().and_then(|url| url.origin().ascii_serialization().parse().ok());
        Self { names: http.host_names(), settings, deployed }
    }

    pub fn now(&self) -> Now<'_> {
        Now { hosts: self, settings: self.settings.now() }
    }
}

impl Now<'_> {
    /// The host of a request if it is one of ours. The error is what it called us, if that can be said at all.
    ///
    /// A browser that was told by a stranger's DNS that we are `evil.test` still says `Host: evil.test`.
    pub fn check_host(&self, uri: &Uri, headers: &HeaderMap) -> Result<Host, Option<String>> {
        let mut said = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (said.next(), said.next()) else { return Err(None) };
        let host = Host::parse(host.to_str().map_err(|_| None)?).ok_or(None)?;
        // An absolute request target is obeyed by some proxies, so it must be ours too.
        let target = uri.authority().map(|authority| Host::parse(authority.as_str()).ok_or(None)).transpose()?;
        for name in target.iter().chain([&host]) {
            if !self.knows(name) {
                return Err(Some(name.name.clone()));
            }
        }
        Ok(host)
    }

    fn knows(&self, host: &Host) -> bool {
        host.is_address
            || host.name == "localhost"
            || self.hosts.names.contains(&host.name)
            || self.settings.names_host(&host.name)
    }

    pub fn sender(&self, host: &Host, headers: &HeaderMap) -> Sender {
        let mut said = headers.get_all(header::ORIGIN).iter();
        let origin = match (said.next(), said.next()) {
            (None, _) => return Sender::Unnamed,
            (Some(origin), None) => origin.to_str().ok().and_then(parse_origin),
            _ => None,
        };
        let allowed = &self.settings.allowed_origins;
        let is_friend = |origin: &Origin| {
            allowed.list.contains(origin) || self.hosts.deployed.as_ref() == Some(origin) || self.is_own(host, origin)
        };
        match origin.is_some_and(|origin| is_friend(&origin)) {
            true => Sender::Friend,
            false if allowed.any => Sender::Anybody,
            false => Sender::Foreign,
        }
    }

    /// What the page that sends a request may read. None for a foreign one, and where no page is named.
    pub fn grant(&self, sender: Sender, headers: &HeaderMap) -> Option<Grant> {
        let origin = headers.get(header::ORIGIN).filter(|_| sender != Sender::Foreign)?;
        let is_any = self.settings.allowed_origins.any;
        Some(if is_any { Grant::Everybody } else { Grant::Page(origin.clone()) })
    }

    /// Whether there are pages of other origins that may read what others may not.
    pub fn differs_by_page(&self) -> bool {
        let allowed = &self.settings.allowed_origins;
        !allowed.any && (!allowed.list.is_empty() || self.hosts.deployed.is_some())
    }

    /// The page came from the very address it sends to.
    fn is_own(&self, host: &Host, origin: &Origin) -> bool {
        let usual = if origin.scheme == "https" { 443 } else { 80 };
        let same = origin.host == host.name && origin.port == host.port.unwrap_or(usual);
        // Where https is known to be the way in, a plain page of the same name is somebody in between.
        let secure =
            self.hosts.deployed.as_ref().filter(|deployed| deployed.host == origin.host && deployed.scheme == "https");
        same && (secure.is_none() || origin.scheme == "https")
    }

    /// What pages may connect to: the address they came by, and the public one.
    pub fn socket_sources(&self, host: &Host) -> String {
        let here = host.to_string();
        let deployed = self.hosts.deployed.as_ref().map(|origin| origin.to_string().replacen("http", "ws", 1));
        let deployed = deployed.map_or_else(String::new, |source| format!(" {source}"));
        format!("ws://{here} wss://{here}{deployed}")
    }
}

/// What a browser sends is always in the one canonical spelling; anything else is a trick.
fn parse_origin(text: &str) -> Option<Origin> {
    text.parse().ok().filter(|origin: &Origin| origin.to_string() == text)
}

impl Host {
    /// Strict: a name or an address, and perhaps a port.
    fn parse(text: &str) -> Option<Self> {
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once(']')?;
                let address: Ipv6Addr = address.parse().ok()?;
                (format!("[{address}]"), if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
            }
            None => match text.split_once(':') {
                Some((name, port)) => (name.to_ascii_lowercase(), Some(port)),
                None => (text.to_ascii_lowercase(), None),
            },
        };
        let digits = |port: &str| port.bytes().all(|b| b.is_ascii_digit()).then(|| port.parse().ok()).flatten();
        let port = match port {
            Some(port) => Some(digits(port)?),
            None => None,
        };
        let is_address = name.starts_with('[') || name.parse::<Ipv4Addr>().is_ok();
        let name = name.strip_suffix('.').map(str::to_owned).unwrap_or(name);
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        (is_address || is_name).then_some(Self { name, port, is_address })
    }
}

/// As in a URL.
impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::config::{Config, Settings};

    fn hosts() -> Hosts {
        hosts_of(Http {
            hosts: vec!["elora".parse().expect("a good name")],
            deployed_url: "https://chat.example.com/x".parse().ok(),
            allowed_origins: "https://friend.test, http://dev.test:5173".to_owned().try_into().expect("good origins"),
            ..Http::default()
        })
    }

    fn hosts_of(http: Http) -> Hosts {
        let config = Config { http, ..Config::default() };
        Hosts::new(&config.http, Current::fixed(Settings::of(&config)))
    }

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_bytes(text.as_bytes()).expect("a header's value");
        pairs.iter().map(|(name, text)| (name.clone(), value(text))).collect()
    }

    fn is_ours(target: &str, host: &str) -> bool {
        let uri: Uri = target.parse().expect("a request target");
        hosts().now().check_host(&uri, &headers(&[(header::HOST, host)])).is_ok()
    }

    #[test]
    fn a_request_must_be_addressed_to_us() {
        for ours in [
            "127.0.0.1:8080",
            "127.0.0.1",
            "192.168.1.20:8080",
            "[::1]:8080",
            "[fe80::1]",
            "localhost",
            "LOCALHOST:1",
            "localhost.:8080",
            "elora:8080",
            "Elora",
            "chat.example.com",
            "chat.example.com:443",
            "friend.test",
            "dev.test:8080",
        ] {
            assert!(is_ours("/", ours), "{ours}");
        }
        for other in [
            "evil.test",
            "evil.test:8080",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "evil.test.",
            "",
            "127.1",
            "0x7f.1",
            "2130706433",
            "127.0.0.1:",
            "127.0.0.1:99999",
            "127.0.0.1:80:80",
            "127.0.0.1:+80",
            "evil.test@127.0.0.1",
            "127.0.0.1@evil.test",
            "localhost,evil.test",
            "localhost evil.test",
            "[::1",
            "::1",
            "[::1]evil.test",
            "[fe80::1%25eth0]",
            "chat.example.com.evil.test",
            "xchat.example.com",
            ".",
            "chat_example.com",
            "localhost/",
            "localhost#",
            "l\u{f6}calhost",
            "xn--lcalhost-n4a",
        ] {
            assert!(!is_ours("/", other), "{other}");
        }
        assert!(is_ours("http://localhost/x", "localhost"));
        assert!(!is_ours("http://evil.test/x", "localhost"));
        let two = headers(&[(header::HOST, "localhost")]).into_iter().chain(headers(&[(header::HOST, "evil.test")]));
        let mut both = HeaderMap::new();
        two.for_each(|(_, value)| {
            both.append(header::HOST, value);
        });
        assert!(hosts().now().check_host(&Uri::from_static("/"), &both).is_err());
        assert!(hosts().now().check_host(&Uri::from_static("/"), &HeaderMap::new()).is_err());
    }

    fn may_send(host: &str, origin: &str) -> bool {
        let headers = headers(&[(header::HOST, host), (header::ORIGIN, origin)]);
        let host = hosts().now().check_host(&Uri::from_static("/"), &headers).expect("a host of ours");
        hosts().now().sender(&host, &headers) == Sender::Friend
    }

    #[test]
    fn our_own_pages_and_trusted_ones_may_send() {
        for (host, origin) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("localhost:8080", "http://localhost:8080"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("elora", "http://elora"),
            ("elora", "https://elora"),
            ("elora:443", "https://elora"),
            ("chat.example.com", "https://chat.example.com"),
            // A proxy that ends TLS keeps the host, and so its port.
            ("localhost:8080", "https://localhost:8080"),
            // A stock nginx forwards its upstream's address as the host.
            ("127.0.0.1:8080", "https://chat.example.com"),
            ("127.0.0.1:8080", "https://friend.test"),
            ("127.0.0.1:8080", "http://dev.test:5173"),
        ] {
            assert!(may_send(host, origin), "{origin} to {host}");
        }
        let localhost = Host::parse("localhost").expect("a host");
        assert_eq!(hosts().now().sender(&localhost, &HeaderMap::new()), Sender::Unnamed);
    }

    /// Ways to look like a friend. Each is sent to `localhost:8080` and to the public name.
    const TRICKS: [&str; 47] = [
        "null",
        "",
        " ",
        "file://",
        "about:blank",
        "data:",
        "javascript:alert(1)",
        "http://",
        "https://",
        "http:",
        "localhost:8080",
        "//localhost:8080",
        "http://localhost",
        "http://localhost:8081",
        "http://localhost:80800",
        "http://localhost:",
        "http://localhost:8080/",
        "http://localhost:8080/x",
        "http://localhost:8080?x",
        "http://localhost:8080#x",
        "http://localhost:8080@evil.test",
        "http://evil.test@localhost:8080",
        "http://localhost:8080.evil.test",
        "http://localhost.evil.test:8080",
        "http://evil-localhost:8080",
        "http://xlocalhost:8080",
        "http://localhost.:8080",
        "HTTP://localhost:8080",
        "http://LOCALHOST:8080",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://127.1:8080",
        "http://2130706433:8080",
        "http://localhost:8080 http://evil.test",
        "http://evil.test, http://localhost:8080",
        "http://chat.example.com",
        "http://chat.example.com:443",
        "https://chat.example.com:8443",
        "https://chat.example.com:443",
        "https://evilchat.example.com",
        "https://chat.example.com.evil.test",
        "https://chat.example.co",
        "https://chat-example.com",
        "https://fr\u{456}end.test",
        "https://friend.test.evil",
        "http://friend.test",
        "ws://localhost:8080",
    ];

    #[test]
    fn no_trick_makes_a_foreign_page_ours() {
        for trick in TRICKS {
            assert!(!may_send("localhost:8080", trick), "{trick:?}");
            assert!(!may_send("chat.example.com", trick), "{trick:?}");
        }
        let mut twice = headers(&[(header::HOST, "localhost"), (header::ORIGIN, "http://localhost")]);
        twice.append(header::ORIGIN, HeaderValue::from_static("http://evil.test"));
        assert_eq!(hosts().now().sender(&Host::parse("localhost").expect("a host"), &twice), Sender::Foreign);
    }

    #[test]
    fn a_star_lets_every_page_in_and_makes_none_a_friend() {
        let http =
            Http { allowed_origins: "*, https://friend.test".to_owned().try_into().expect("good"), ..Http::default() };
        let (hosts, localhost) = (hosts_of(http), Host::parse("localhost:8080").expect("a host"));

        for (origin, sender) in [
            ("https://anything.test", Sender::Anybody),
            ("null", Sender::Anybody),
            ("https://friend.test", Sender::Friend),
            ("http://localhost:8080", Sender::Friend),
        ] {
            assert_eq!(hosts.now().sender(&localhost, &headers(&[(header::ORIGIN, origin)])), sender, "{origin}");
        }
    }

    #[test]
    fn pages_may_connect_to_where_they_came_from_and_to_the_public_address() {
        let host = Host::parse("127.0.0.1:8080").expect("a host");

        let sources = hosts().now().socket_sources(&host);

        assert_eq!(sources, "ws://127.0.0.1:8080 wss://127.0.0.1:8080 wss://chat.example.com");
    }
}
