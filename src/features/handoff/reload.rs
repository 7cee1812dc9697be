//! Telling a harvester that its token files are new. It reads them by itself sooner or later; this makes it sooner.

use std::time::Duration;

use url::Url;

use crate::config::Config;
use crate::web::Upstream;

/// Where gnasty listens for it, under its base.
const ROUTE: &str = "admin/twitch/reload";
const PATIENCE: Duration = Duration::from_secs(3);
/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
/// From here on a status is a refusal.
const REFUSED: u16 = 400;

/// Who is told.
pub struct Reload {
    upstream: Upstream,
    target: Url,
    /// Named for this alone: it is told of every sign-in, whether or not a file changed.
    pub is_named: bool,
}

impl Reload {
    /// None where nobody was named.
    pub fn open(config: &Config, upstream: Upstream) -> Option<Self> {
        if !config.handoff.write_tokens {
            return None;
        }
        let named = config.handoff.reload_url.clone();
        let is_named = named.is_some();
        let under_base = || config.gnasty.admin_base.as_ref().map(|base| Upstream::address(base, ROUTE));
        Some(Self { upstream, target: named.or_else(under_base)?, is_named })
    }

    /// Tells it once. That it is away costs nothing: it looks by itself.
    pub async fn ring(&self) {
        // The rest of the address may hold a password.
        let target = self.target.origin().ascii_serialization();
        match self.ask().await {
            Ok(()) => tracing::info!(target, "the harvester was told of its new token"),
            Err(problem) => tracing::warn!(
                target,
                "the harvester was not told of its new token, and finds it when it looks: it {problem}"
            ),
        }
    }

    async fn ask(&self) -> Result<(), String> {
        let client = self.upstream.client().map_err(|problem| problem.detail().to_owned())?;
        let request = client.post(self.target.clone());
        let answer = self.upstream.ask(request, PATIENCE, LONGEST_ANSWER).await.map_err(|failed| failed.to_string())?;
        // What it says besides may quote a token.
        let status = answer.status.as_u16();
        if status < REFUSED { Ok(()) } else { Err(format!("answered {status}")) }
    }
}
