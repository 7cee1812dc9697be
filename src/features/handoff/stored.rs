//! The token that an elora-chat of old kept, from the sessions in its file. Read only.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::sql::{self, Session};
use super::{Found, Since, Tokens};
use crate::chat::Millis;
use crate::config::bare_token;
use crate::store::foreign;

/// The service of the one session that was the program's own, not a viewer's.
const OWN: &str = "service_token";

/// The newest token that has not expired; none where there is none, or nobody can read it.
pub fn newest(path: &Path) -> Option<Found> {
    let now = Millis::now().0 / 1000;
    let sessions = foreign::glance(path, |connection| sql::sessions(connection, now));
    let sessions = sessions.inspect_err(|error| {
        // Most files have no such table.
        tracing::debug!(%error, path = %path.display(), "no session can be read there");
    });
    sessions.ok()?.iter().find_map(|session| found(session, now))
}

fn found(session: &Session, now: i64) -> Option<Found> {
    let data: Value = serde_json::from_str(&session.data).ok()?;
    if data["token_expiry"].as_i64().is_some_and(|expiry| expiry > 0 && expiry <= now) {
        return None;
    }
    let own = || if session.service == OWN { data["access_token"].as_str() } else { None };
    let twitch = &data["providers"]["twitch"];
    let shapes = [data["twitch_token"].as_str(), twitch["access_token"].as_str(), twitch["token"].as_str(), own()];
    let access = shapes.into_iter().flatten().find_map(bare_token)?;
    let refresh = data["refresh_token"].as_str().and_then(bare_token);
    let updated = Duration::from_secs(u64::try_from(session.updated_at).unwrap_or(0));
    Some(Found { tokens: Tokens { access, refresh }, since: Since::Time(SystemTime::UNIX_EPOCH + updated) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;

    fn token(service: &str, data: &str) -> Option<(String, Option<String>)> {
        let session = Session { service: service.to_owned(), data: data.to_owned(), expires_at: 0, updated_at: 5 };
        let found = found(&session, NOW)?;
        Some((found.tokens.access.expose().clone(), found.tokens.refresh.map(|token| token.expose().clone())))
    }

    #[test]
    fn a_token_is_found_in_every_shape_of_a_session() {
        let alone = |token: &str| Some((token.to_owned(), None));

        assert_eq!(
            token("twitch", r#"{"twitch_token":"a","refresh_token":"r"}"#),
            Some(("a".to_owned(), Some("r".to_owned())))
        );
        assert_eq!(token("twitch", r#"{"providers":{"twitch":{"access_token":"b","token":"c"}}}"#), alone("b"));
        assert_eq!(token("twitch", r#"{"twitch_token":"","providers":{"twitch":{"token":"oauth:c"}}}"#), alone("c"));
        assert_eq!(token("service_token", r#"{"access_token":"d","refresh_token":""}"#), alone("d"));
        assert_eq!(token("oauth", r#"{"state":"valid","access_token":"d"}"#), None);
        assert_eq!(token("twitch", "{}"), None);
        assert_eq!(token("twitch", r#"{"twitch_token":"#), None);
    }

    #[test]
    fn a_token_that_says_it_has_expired_is_none() {
        assert_eq!(token("twitch", r#"{"twitch_token":"a","token_expiry":999999}"#), None);
        assert!(token("twitch", r#"{"twitch_token":"a","token_expiry":1000001}"#).is_some());
        assert!(token("twitch", r#"{"twitch_token":"a","token_expiry":0}"#).is_some());
    }
}
