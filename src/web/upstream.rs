//! The one client for what other servers have to give: pictures, lists. It follows no redirect, keeps no cookie, and
//! carries nothing of the request it serves.

use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;

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

    pub fn client(&self) -> Result<&Client, Problem> {
        let remedy = "nothing can be fetched over https here: install the system's root certificates (ca-certificates)";
        self.0.as_ref().ok_or_else(|| Problem::unavailable(remedy))
    }
}

impl Default for Upstream {
    fn default() -> Self {
        Self::new()
    }
}
