//! The one client for what other servers have to give: pictures, lists. It follows no redirect, keeps no cookie, and
//! carries nothing of the request it serves.

use std::time::Duration;

use axum::http::StatusCode;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};

use super::Problem;

/// A server that takes longer to be reached is away.
const CONNECT: Duration = Duration::from_secs(3);
/// Some servers refuse who does not say what it is.
const NAME: &str = concat!("elora-chat/", env!("CARGO_PKG_VERSION"));

/// Cloning is cheap, and clones share their connections.
#[derive(Debug, Clone)]
pub struct Upstream(Option<Client>);

impl Upstream {
    /// Without the system's root certificates there is no https: the log says so, and whoever needs it is told.
    pub fn new() -> Self {
        let client = Client::builder()
            .user_agent(NAME)
            .connect_timeout(CONNECT)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .build();
        let told = client.inspect_err(|error| tracing::warn!(%error, "nothing can be fetched over https"));
        Self(told.ok())
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
        let remedy = "nothing can be fetched over https here: install the system's root certificates (ca-certificates)";
        self.0.as_ref().ok_or_else(|| Problem::unavailable(remedy))
    }
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
