//! The little of Twitch's API that this room asks: who is watched most just now. It speaks for an application, not for
//! a person, and keeps its token only in memory.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use url::{Url, form_urlencoded};

use crate::config::{self, Secret};
use crate::web::Upstream;
use crate::web::upstream::{Answer, Failed};

/// Each of the one to four questions behind an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Ten streams take about five thousand.
const MOST_BYTES: usize = 256 * 1024;
/// A token is not used when it is about to expire on the way.
const MARGIN: Duration = Duration::from_secs(60);
/// Streams that are asked for.
const COUNT: usize = 10;

pub struct Helix {
    upstream: Upstream,
    api: Url,
    id: Url,
    client_id: Option<String>,
    client_secret: Option<Secret<String>>,
    token: Mutex<Option<Token>>,
}

/// A live stream, as clients of old know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stream {
    pub login: String,
    pub display_name: String,
    pub viewer_count: u64,
    pub url: String,
}

/// Why there is no answer. It names no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("asking Twitch needs an application: set TWITCH_OAUTH_CLIENT_ID and TWITCH_OAUTH_CLIENT_SECRET")]
    Unconfigured,
    #[error("Twitch refuses TWITCH_OAUTH_CLIENT_ID or TWITCH_OAUTH_CLIENT_SECRET ({0}): renew them")]
    Refused(u16),
    #[error("Twitch {0}")]
    Failed(String),
}

#[derive(Clone)]
struct Token {
    secret: Secret<String>,
    until: Instant,
}

#[derive(Deserialize)]
struct NewToken {
    access_token: Secret<String>,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    user_login: String,
    user_name: String,
    viewer_count: u64,
}

impl Helix {
    pub fn new(config: &config::Twitch, upstream: Upstream) -> Self {
        Self {
            upstream,
            api: config.api_url.clone(),
            id: config.id_url.clone(),
            client_id: config.client_id.clone(),
            client_secret: config.client_secret.clone(),
            token: Mutex::default(),
        }
    }

    /// The streams with the most viewers, most first.
    pub async fn top(&self) -> Result<Vec<Stream>, Error> {
        let (Some(id), Some(secret)) = (&self.client_id, &self.client_secret) else { return Err(Error::Unconfigured) };
        let client = self.upstream.client().map_err(|problem| Error::Failed(problem.detail().to_owned()))?;
        let mut answer = self.streams(client, id, secret).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            // The token may have been taken back before its time; a new one is tried once.
            self.keep(None);
            answer = self.streams(client, id, secret).await?;
        }
        match answer.status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => {
                self.keep(None);
                return Err(Error::Refused(401));
            }
            status => return Err(Error::Failed(format!("answered {}", status.as_u16()))),
        }
        let page: Page = parsed(&answer)?;
        Ok(page.data.into_iter().filter_map(Row::stream).take(COUNT).collect())
    }

    async fn streams(&self, client: &Client, id: &str, secret: &Secret<String>) -> Result<Answer, Error> {
        let token = self.token(client, id, secret).await?;
        let mut address = Upstream::address(&self.api, "helix/streams");
        address.set_query(Some(&format!("first={COUNT}")));
        let request = client.get(address).header("Client-Id", id).bearer_auth(token.expose());
        Ok(self.upstream.ask(request, PATIENCE, MOST_BYTES).await?)
    }

    /// The token that is kept, or a new one.
    async fn token(&self, client: &Client, id: &str, secret: &Secret<String>) -> Result<Secret<String>, Error> {
        let kept = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(token) = kept.filter(|token| token.is_good(Instant::now())) {
            return Ok(token.secret);
        }
        let form = [("client_id", id), ("client_secret", secret.expose()), ("grant_type", "client_credentials")];
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = client.post(Upstream::address(&self.id, "oauth2/token")).body(form);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let asked = Instant::now();
        let answer = self.upstream.ask(request, PATIENCE, MOST_BYTES).await?;
        match answer.status.as_u16() {
            200 => {}
            status @ 400..=403 => return Err(Error::Refused(status)),
            status => return Err(Error::Failed(format!("answered {status}"))),
        }
        let NewToken { access_token, expires_in } = parsed(&answer)?;
        let until = asked + Duration::from_secs(expires_in.min(u32::MAX.into()));
        self.keep(Some(Token { secret: access_token.clone(), until }));
        Ok(access_token)
    }

    fn keep(&self, token: Option<Token>) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }
}

impl Token {
    fn is_good(&self, now: Instant) -> bool {
        self.until.saturating_duration_since(now) > MARGIN
    }
}

impl Row {
    /// None for a login that is none, which would make an address of something else.
    fn stream(self) -> Option<Stream> {
        let is_login = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
        let good = !self.user_login.is_empty() && self.user_login.bytes().all(is_login);
        good.then(|| Stream {
            url: format!("https://www.twitch.tv/{}", self.user_login),
            display_name: if self.user_name.is_empty() { self.user_login.clone() } else { self.user_name },
            viewer_count: self.viewer_count,
            login: self.user_login,
        })
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed.to_string())
    }
}

fn parsed<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, Error> {
    serde_json::from_slice(&answer.body).map_err(|_| Error::Failed("sent something else than was asked for".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_used_until_a_minute_before_its_end() {
        let now = Instant::now();
        let token = |seconds| Token { secret: Secret::new("x".to_owned()), until: now + Duration::from_secs(seconds) };

        assert!(token(61).is_good(now));
        assert!(!token(60).is_good(now));
        assert!(!token(0).is_good(now + Duration::from_secs(5)));
    }

    #[test]
    fn only_logins_become_addresses() {
        let row = |login: &str| Row { user_login: login.to_owned(), user_name: String::new(), viewer_count: 1 };

        let stream = row("some_body9").stream().expect("a login");
        assert_eq!(
            (stream.display_name.as_str(), stream.url.as_str()),
            ("some_body9", "https://www.twitch.tv/some_body9")
        );
        for other in ["", "a/b", "a?b", "../x", "a b", "é"] {
            assert_eq!(row(other).stream(), None, "{other}");
        }
    }
}
