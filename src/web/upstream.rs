//! The one client for what other servers have to give: pictures, lists. It follows no redirect, keeps no cookie, and
//! carries nothing of the request it serves.

use std::time::Duration;

use axum::http::StatusCode;
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder};
use url::Url;

use super::Problem;

/// A server that takes longer to be reached is away.
const CONNECT: Duration = Duration::from_secs(3);
/// Some servers refuse who does not say what it is.
const NAME: &str = concat!("elora-chat/", env!("CARGO_PKG_VERSION"));

/// Cloning is cheap, and clones share their connections.
#[derive(Debug, Clone)]
pub struct Upstream(Option<Client>);

impl Upstream {
    pub fn new() -> Self {
        let builder = || Client::builder().user_agent(NAME).connect_timeout(CONNECT).redirect(Policy::none());
        let client = build(|| builder().referer(false).no_proxy());
        Self(client.inspect_err(|error| tracing::error!(%error, "nothing can be fetched")).ok())
    }

    /// The address of a path below another, which may have a path of its own.
    pub fn address(base: &Url, path: &str) -> Url {
        let mut address = base.clone();
        address.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
        address
    }

    /// Asks, and reads the whole answer, which may have `most` bytes and take `patience`.
    pub async fn ask(&self, request: RequestBuilder, patience: Duration, most: usize) -> Result<Answer, Failed> {
        let lost = |error: reqwest::Error| if error.is_timeout() { Failed::Late } else { Failed::Away };
        let mut response = request.timeout(patience).send().await.map_err(lost)?;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(lost)? {
            if body.len() + piece.len() > most {
                return Err(Failed::Long(most));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status: response.status(), body })
    }

    pub fn client(&self) -> Result<&Client, Problem> {
        self.0.as_ref().ok_or_else(|| Problem::unavailable("nothing can be fetched; the server's log says why"))
    }
}

/// A client, also where the system has no root certificates: plain http works there, and https fails when it is tried.
pub fn build(builder: impl Fn() -> ClientBuilder) -> reqwest::Result<Client> {
    builder().build().or_else(|_| {
        tracing::warn!("nothing can be fetched over https: install the system's root certificates (ca-certificates)");
        builder().tls_certs_only([]).build()
    })
}

/// An answer that came whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Vec<u8>,
}

/// No answer came. The words follow the name of who was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("is away")]
    Away,
    #[error("did not answer in time")]
    Late,
    #[error("sent more than {0} bytes")]
    Long(usize),
}

impl Default for Upstream {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_below_the_one_that_is_there() {
        for (base, expected) in [
            ("http://a.test", "http://a.test/admin/config"),
            ("http://a.test/", "http://a.test/admin/config"),
            ("http://a.test:81/x/", "http://a.test:81/x/admin/config"),
            ("https://a.test/x?key=1", "https://a.test/x/admin/config?key=1"),
        ] {
            let base: Url = base.parse().expect("an address");
            assert_eq!(Upstream::address(&base, "admin/config").as_str(), expected);
        }
    }
}
