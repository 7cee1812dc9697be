//! Hands the account's tokens on to programs beside this one: into the files they watch, and by a word to gnasty.
//! It asks Twitch for nothing and renews nothing.
//!
//! **What replaces what.** A token that somebody has just given (by signing in) is written everywhere. At the start there
//! is none such, and files may have been written by others meanwhile: gnasty keeps a renewed token in the very file it
//! was given. So the configured token, which nobody dates, only goes where there is no token, unless another one was
//! configured at the last start: then it is new. Without a configured one, the token that an elora-chat of old kept in
//! its file goes where there is none, and replaces what was written before it was kept. Our own listener reads the token
//! file too, finds in it what was handed on, and has nothing to do with this room.

mod pass;
mod reload;
mod sql;
mod stored;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::pass::{Outcome, Since};
use self::reload::Reload;
use crate::config::{Config, Mode, Secret, bare_token};
use crate::store::{self, Db};
use crate::web::Upstream;

/// gnasty connects again at every word, so they come no closer than this.
const PAUSE: Duration = Duration::from_millis(1500);

/// The key in `meta` under which lies, for each file, a digest of the token that was configured when it was last seen to.
const CONFIGURED: &str = "handed_on_tokens";

/// What Twitch's chat wants before an access token.
const PREFIX: &str = "oauth:";

/// An account's tokens, as somebody got them.
#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: Secret<String>,
    /// Buys new ones.
    pub refresh: Option<Secret<String>>,
}

/// Where new tokens are brought to. Cloning is cheap.
#[derive(Clone)]
pub struct Handoff(watch::Sender<Option<Tokens>>);

impl Handoff {
    /// Hands on what somebody has just been given. Only the last of several matters.
    pub fn publish(&self, tokens: Tokens) {
        self.0.send_replace(Some(tokens));
    }
}

/// Carries tokens to their files.
pub struct Courier {
    places: Vec<Place>,
    reload: Option<Reload>,
    /// When gnasty is to be told; not before a pause after the last time.
    ring_at: Option<Instant>,
    rang_at: Option<Instant>,
    handoff: Handoff,
    news: watch::Receiver<Option<Tokens>>,
    db: Db,
    configured: Option<Secret<String>>,
    /// A file that an elora-chat of old may have left.
    old: Option<PathBuf>,
}

/// A file for a token.
#[derive(Debug, Clone)]
struct Place {
    path: PathBuf,
    kind: Kind,
    /// What to do where it cannot be written.
    remedy: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Access,
    Refresh,
}

/// A token that is there at the start.
struct Found {
    tokens: Tokens,
    since: Since,
}

/// By file, of the token that was configured last.
type Digests = BTreeMap<PathBuf, String>;

impl Courier {
    pub fn new(config: &Config, db: Db, upstream: Upstream) -> Self {
        let (sender, news) = watch::channel(None);
        let is_foreign = config.store.mode == Mode::Persistent && db.path() != config.store.path;
        Self {
            places: places(config),
            reload: Reload::open(config, upstream),
            ring_at: None,
            rang_at: None,
            handoff: Handoff(sender),
            news,
            db,
            configured: config.twitch.oauth_token.as_ref().and_then(|token| bare_token(token.expose())),
            old: is_foreign.then(|| config.store.path.clone()),
        }
    }

    /// For those who get tokens.
    pub fn handoff(&self) -> Handoff {
        self.handoff.clone()
    }

    /// Hands on what is known at the start. Whoever reads the files is better started after it.
    pub async fn begin(&mut self) {
        if self.places.is_empty() {
            return;
        }
        match (self.configured.clone(), self.old.clone()) {
            (Some(token), _) => self.begin_with_configured(token).await,
            (None, Some(old)) => self.begin_with_stored(old).await,
            (None, None) => {}
        }
    }

    async fn begin_with_configured(&mut self, token: Secret<String>) {
        let digest: String = Sha256::digest(token.expose()).iter().map(|byte| format!("{byte:02x}")).collect();
        let known = self.db.read(|connection| store::meta(connection, CONFIGURED)).await.unwrap_or_default();
        let known: Digests = known.and_then(|known| serde_json::from_str(&known).ok()).unwrap_or_default();
        let is_another = |path: &PathBuf| known.get(path).is_some_and(|known| *known != digest);
        let since = |place: &Place| if is_another(&place.path) { Since::Now } else { Since::Unknown };
        let seen = self.deliver(Tokens { access: token, refresh: None }, since).await;
        let digests: Digests =
            known.clone().into_iter().chain(seen.into_iter().map(|path| (path, digest.clone()))).collect();
        if digests == known {
            return;
        }
        let text = serde_json::json!(digests).to_string();
        if let Err(error) = self.db.write(move |tx| store::set_meta(tx, CONFIGURED, &text)).await {
            tracing::warn!(%error, "it was not kept which token is configured: the next one only goes where there is none");
        }
    }

    async fn begin_with_stored(&mut self, old: PathBuf) {
        if let Ok(Some(Found { tokens, since })) = spawn_blocking(move || stored::newest(&old)).await {
            self.deliver(tokens, |_| since).await;
        }
    }

    /// Hands on what is published, until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let ring_at = self.ring_at;
            tokio::select! {
                () = stop.cancelled() => return,
                // It never ends: the sender is ours too.
                Ok(()) = self.news.changed() => self.hand_on_news().await,
                () = async { sleep_until(ring_at.unwrap_or_else(Instant::now)).await }, if ring_at.is_some() => {
                    let Some(()) = stop.run_until_cancelled(self.ring()).await else { return };
                }
            }
        }
    }

    async fn hand_on_news(&mut self) {
        let Some(tokens) = self.news.borrow_and_update().clone() else { return };
        self.deliver(tokens, |_| Since::Now).await;
        if self.reload.as_ref().is_some_and(|reload| reload.is_named) {
            self.ring_soon();
        }
    }

    async fn ring(&mut self) {
        (self.ring_at, self.rang_at) = (None, Some(Instant::now()));
        if let Some(reload) = &self.reload {
            reload.ring().await;
        }
    }

    fn ring_soon(&mut self) {
        let now = Instant::now();
        let earliest = self.rang_at.map_or(now, |last| now.max(last + PAUSE));
        if self.reload.is_some() {
            self.ring_at.get_or_insert(earliest);
        }
    }

    /// Sees to every file, and gives those that it went well with.
    async fn deliver(&mut self, tokens: Tokens, since: impl Fn(&Place) -> Since) -> Vec<PathBuf> {
        let places: Vec<_> = self.places.iter().map(|place| (place.clone(), since(place))).collect();
        let work = move || places.into_iter().filter_map(|(place, since)| place.hand_on(&tokens, since)).collect();
        let seen: Vec<(PathBuf, Outcome)> = spawn_blocking(work).await.unwrap_or_default();
        if seen.iter().any(|(_, outcome)| *outcome == Outcome::Written) {
            self.ring_soon();
        }
        seen.into_iter().map(|(path, _)| path).collect()
    }
}

impl Place {
    /// None where there is nothing for this file, or where it could not be done, which is told.
    fn hand_on(self, tokens: &Tokens, since: Since) -> Option<(PathBuf, Outcome)> {
        let Self { path, kind, remedy } = self;
        let (prefix, token) = match kind {
            Kind::Access => (PREFIX, Some(&tokens.access)),
            Kind::Refresh => ("", tokens.refresh.as_ref()),
        };
        let Some(token) = bare_token(token?.expose()) else {
            tracing::warn!(path = %path.display(), "what was given is no token: the file stays as it is");
            return None;
        };
        let outcome = pass::hand_on(&path, prefix, &token, since).inspect_err(|error| {
            tracing::warn!(%error, "a token was not handed on: {remedy}");
        });
        match outcome.as_ref().ok()? {
            Outcome::Written => tracing::info!(path = %path.display(), "a token was handed on"),
            Outcome::Same => {}
            Outcome::Stays => tracing::info!(
                path = %path.display(),
                "another token stands there and stays: to have this one written, delete that file and start again"
            ),
        }
        Some((path, outcome.ok()?))
    }
}

/// The files that get tokens, each once.
fn places(config: &Config) -> Vec<Place> {
    let mut places = Vec::new();
    if let Some(path) = config.twitch.token_file.clone() {
        places.push(Place {
            path,
            kind: Kind::Access,
            remedy: "set ELORA_TWITCH_TOKEN_FILE to a token file that this user may write",
        });
    }
    if let Some(files) = config.pass_files() {
        let remedy = "set ELORA_DATA_DIR to a folder that this user may write, or ELORA_TWITCH_WRITE_GNASTY_TOKENS=0";
        let files = [(files.access, Kind::Access), (files.refresh, Kind::Refresh)];
        let files = files.map(|(path, kind)| Place { path, kind, remedy });
        let is_named = |place: &Place| config.twitch.token_file.as_ref() == Some(&place.path);
        places.extend(files.into_iter().filter(|place| !is_named(place)));
    }
    places
}
