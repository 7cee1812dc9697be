//! What the small commands need to talk to a running server: its address, and the owner's token when it is ours.

use std::future::Future;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use reqwest::Response;
use url::{Host, Url};

use crate::config::Config;
use crate::web::{key, upstream};

/// A server on the same machine that takes longer is not well.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the server is: the address given, or the one it is configured to listen on.
pub fn base(given: Option<&Url>, config: &Config) -> Url {
    given.cloned().unwrap_or_else(|| {
        let here = format!("http://{}", reachable(config.http.addr));
        Url::parse(&here).expect("a socket address makes an address")
    })
}

/// An address that listens everywhere is reached on loopback.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

/// The owner's token, if there is one and the address is this machine's or the configured one. Nobody else gets it.
pub fn token(base: &Url, config: &Config) -> anyhow::Result<Option<String>> {
    let is_ours = match base.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback() || IpAddr::V4(ip) == config.http.addr.ip(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || IpAddr::V6(ip) == config.http.addr.ip(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if is_ours { Ok(key::read(&key::path(&config.store))?) } else { Ok(None) }
}

/// A line on stdout. Whoever read it may have gone, which is no failure.
pub fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A client that goes straight to the server: a proxy of the environment has no business on this machine.
pub fn http() -> anyhow::Result<reqwest::Client> {
    Ok(upstream::build(|| reqwest::Client::builder().no_proxy().timeout(PATIENCE))?)
}

/// Waits for the answer of a command.
pub fn wait<T>(answer: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("no runtime")?.block_on(answer)
}

/// What a refusal says, in its own words.
pub async fn refusal(response: Response) -> anyhow::Error {
    let status = response.status();
    let body = response.bytes().await.unwrap_or_default();
    anyhow::anyhow!("the server answered {status}: {}", detail(&body))
}

/// The sentence of a problem document, or the text itself.
pub fn detail(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let problem: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let detail = problem.and_then(|problem| problem["detail"].as_str().map(str::to_owned));
    crate::telemetry::escape(detail.as_deref().unwrap_or(text.trim())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(addr: &str) -> Config {
        let mut config = Config::default();
        config.http.addr = addr.parse().expect("an address");
        config
    }

    #[test]
    fn a_server_that_listens_everywhere_is_reached_on_loopback() {
        let here = |addr| base(None, &config(addr)).to_string();

        assert_eq!(here("0.0.0.0:8080"), "http://127.0.0.1:8080/");
        assert_eq!(here("[::]:8080"), "http://[::1]:8080/");
        assert_eq!(here("10.0.0.7:81"), "http://10.0.0.7:81/");
    }

    #[test]
    fn the_token_goes_to_nobody_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = config("10.0.0.7:8080");
        config.store.path = folder.path().join("elora.db");
        key::rotate(&key::path(&config.store)).expect("the folder is writable");
        let sent = |url: &str| token(&url.parse().expect("an address"), &config).expect("the token is good").is_some();

        for ours in ["http://127.0.0.1:1", "http://localhost", "http://[::1]:8080", "http://10.0.0.7:9"] {
            assert!(sent(ours), "{ours}");
        }
        for other in
            ["http://10.0.0.8:8080", "https://chat.test", "http://localhost.evil.test", "http://127.0.0.1.x.test"]
        {
            assert!(!sent(other), "{other}");
        }
    }
}
