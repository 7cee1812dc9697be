//! The sessions of an elora-chat of old, in the file it left.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, named_params};

/// More of the newest ones are not looked at: each viewer who ever signed in has left one.
const MOST: i64 = 1000;

/// A session as it lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub service: String,
    /// Its JSON.
    pub data: String,
    /// In seconds; 0 or less where nobody knew.
    pub expires_at: i64,
    pub updated_at: i64,
}

/// The sessions that have not expired: those with Twitch first, and of these the newest.
pub fn sessions(connection: &Connection, now: i64) -> rusqlite::Result<Vec<Session>> {
    let mut query = connection.prepare(
        "select service, data_json, token_expiry, updated_at from sessions
         where token_expiry > :now or token_expiry <= 0
         order by service not in ('twitch', 'service_token'), updated_at desc, service = 'twitch' limit :most",
    )?;
    query.query_map(named_params! { ":now": now, ":most": MOST }, session)?.collect()
}

/// Its columns may hold anything, whatever they are declared as.
fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    let text = |at| Ok::<_, rusqlite::Error>(row.get_ref(at)?.as_str().unwrap_or_default().to_owned());
    let number = |at| match row.get_ref(at) {
        Ok(ValueRef::Integer(number)) => number,
        _ => 0,
    };
    Ok(Session { service: text(0)?, data: text(1)?, expires_at: number(2), updated_at: number(3) })
}
