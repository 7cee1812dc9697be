//! The web's own queries: sessions. Only digests go in and out.

use rusqlite::{Connection, OptionalExtension as _, Result, named_params};

use crate::chat::Millis;

/// A session as it is kept.
pub struct Session {
    pub owner_digest: Vec<u8>,
    pub expires_at: i64,
}

/// Keeps a new session, and takes this chance to forget those that ended.
pub fn add_session(tx: &Connection, token: &[u8], owner: &[u8], now: Millis, expires_at: i64) -> Result<()> {
    tx.prepare_cached("delete from sessions where expires_at <= :now or owner_digest <> :owner")?
        .execute(named_params! { ":now": now.0, ":owner": owner })?;
    tx.prepare_cached(
        "insert into sessions (token_digest, owner_digest, created_at, expires_at)
         values (:token, :owner, :now, :expires_at)",
    )?
    .execute(named_params! { ":token": token, ":owner": owner, ":now": now.0, ":expires_at": expires_at })?;
    Ok(())
}

pub fn session(connection: &Connection, token: &[u8]) -> Result<Option<Session>> {
    connection
        .prepare_cached("select owner_digest, expires_at from sessions where token_digest = :token")?
        .query_row(named_params! { ":token": token }, |row| {
            Ok(Session { owner_digest: row.get(0)?, expires_at: row.get(1)? })
        })
        .optional()
}

pub fn end_session(tx: &Connection, token: &[u8]) -> Result<()> {
    tx.prepare_cached("delete from sessions where token_digest = :token")?
        .execute(named_params! { ":token": token })?;
    Ok(())
}

/// Writes one row, to see whether rows can be written.
pub fn probe(tx: &Connection, now: Millis) -> Result<()> {
    tx.prepare_cached("insert or replace into meta (key, value) values ('probed_at', :now)")?
        .execute(named_params! { ":now": now.0.to_string() })?;
    Ok(())
}
