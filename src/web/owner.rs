//! Who is the owner: a browser with a session, or a program that shows the owner's token.
//! Knows who somebody is, not what they may do.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};

use super::Problem;
use super::digest::{Digest, secret};
use super::key::{self, Key};
use super::sql;
use crate::chat::Millis;
use crate::config;
use crate::store::Db;

pub const COOKIE: &str = "session_token";
/// A browser stays signed in for a season.
pub const SESSION_LENGTH: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// A link that nobody used by then was forgotten, or is in a log that somebody else reads.
const LINK_LENGTH: Duration = Duration::from_secs(60 * 60);
/// Links that wait to be used; a new one drives out the oldest.
const MOST_LINKS: usize = 8;

/// How somebody showed who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    Guest,
    /// A browser that followed a one-time link.
    Cookie,
    /// A program that knows the owner's token.
    Bearer,
}

impl Identity {
    pub fn is_owner(self) -> bool {
        self != Self::Guest
    }
}

/// The owner's token, sessions and one-time links. Cloning is cheap.
#[derive(Clone)]
pub struct Owner(Arc<Inner>);

struct Inner {
    key: Key,
    db: Db,
    links: Mutex<VecDeque<Link>>,
}

struct Link {
    code: Digest,
    until: Instant,
}

impl Owner {
    /// Reads the owner's token beside the store, or makes one.
    pub fn open(store: &config::Store, db: Db) -> io::Result<Self> {
        let key = Key::open(key::path(store))?;
        Ok(Self(Arc::new(Inner { key, db, links: Mutex::default() })))
    }

    /// A new code for `/login?code=`, good for one use.
    pub fn new_code(&self) -> String {
        let code = secret();
        let mut links = self.links();
        links.truncate(MOST_LINKS - 1);
        links.push_front(Link { code: Digest::of(&code), until: Instant::now() + LINK_LENGTH });
        code
    }

    /// Uses up a code. True if it was good.
    pub fn redeem(&self, code: &str) -> bool {
        let code = Digest::of(code);
        let now = Instant::now();
        let mut links = self.links();
        links.retain(|link| link.until > now);
        let known = links.len();
        links.retain(|link| link.code != code);
        links.len() < known
    }

    /// Who sent these headers.
    pub async fn identify(&self, headers: &HeaderMap) -> Result<Identity, Problem> {
        let (bearer, cookie) = (bearer(headers), cookie(headers));
        if bearer.is_none() && cookie.is_none() {
            return Ok(Identity::Guest);
        }
        let Some(owner) = self.0.key.digest() else { return Ok(Identity::Guest) };
        if bearer.is_some_and(|token| Digest::of(token) == owner) {
            return Ok(Identity::Bearer);
        }
        let Some(token) = cookie else { return Ok(Identity::Guest) };
        let session = self.0.db.read(move |connection| sql::session(connection, token.as_bytes())).await?;
        let is_good = session
            .is_some_and(|session| session.owner_digest == owner.as_bytes() && session.expires_at > Millis::now().0);
        Ok(if is_good { Identity::Cookie } else { Identity::Guest })
    }

    /// Opens a session and returns what its cookie holds.
    pub async fn sign_in(&self) -> Result<String, Problem> {
        let owner = self.0.key.digest().ok_or_else(|| Problem::unavailable("the owner's token is not readable"))?;
        let token = secret();
        let digest = Digest::of(&token);
        let now = Millis::now();
        let expires_at = now.0 + i64::try_from(SESSION_LENGTH.as_millis()).unwrap_or(i64::MAX / 2);
        let add = move |tx: &_| sql::add_session(tx, digest.as_bytes(), owner.as_bytes(), now, expires_at);
        self.0.db.write(add).await?;
        tracing::info!("a browser signed in");
        Ok(token)
    }

    /// Ends the session of these headers, if there is one. Who has none writes nothing.
    pub async fn sign_out(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(token) = cookie(headers) else { return Ok(()) };
        let known = self.0.db.read(move |connection| sql::session(connection, token.as_bytes())).await?;
        if known.is_some() {
            self.0.db.write(move |tx| sql::end_session(tx, token.as_bytes())).await?;
        }
        Ok(())
    }

    fn links(&self) -> std::sync::MutexGuard<'_, VecDeque<Link>> {
        self.0.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a session's cookie came along, be it a good one or not.
pub fn has_session(headers: &HeaderMap) -> bool {
    cookie(headers).is_some()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The digest of what the session's cookie holds.
fn cookie(headers: &HeaderMap) -> Option<Digest> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, token)| Digest::of(token))
}
