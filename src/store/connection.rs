//! How a connection is opened: versions, pragmas.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{OpenError, place, refused};
use crate::config::{self, Synchronous};

/// The first version without the bug that corrupts a file when a writer and a checkpoint meet.
const OLDEST_SQLITE: i32 = 3_051_003;

/// Page cache of one reader, in KiB.
const READER_CACHE_KIB: i64 = 8 * 1024;

pub fn assert_version() -> Result<(), OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite(rusqlite::version().to_owned()));
    }
    Ok(())
}

/// The one connection that writes. It never checkpoints by itself.
pub fn writer(path: &Path, config: &config::Store) -> Result<Connection, OpenError> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(config.busy_timeout)?;
        place::mark(&connection)?;
        connection.pragma_update(None, "journal_mode", &config.journal_mode)?;
        connection.pragma_update(None, "synchronous", config.synchronous.as_str())?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        keep_plans(&connection)?;
        extras(&connection, config)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    open().map_err(|source| refused(path, source))
}

/// The mode the file is in, which need not be the one that was asked for.
pub fn journal_mode(connection: &Connection) -> rusqlite::Result<String> {
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    Ok(mode.to_uppercase())
}

/// Makes a change that a power loss cannot take once this returns, nor anything that was committed before it.
pub fn durably<T>(
    connection: &Connection,
    usual: Synchronous,
    change: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    connection.pragma_update(None, "synchronous", Synchronous::Full.as_str())?;
    let changed = change(connection);
    connection.pragma_update(None, "synchronous", usual.as_str())?;
    changed
}

/// What every reader gets before its first query.
pub fn prepare_reader(connection: &Connection, config: &config::Store) -> rusqlite::Result<()> {
    connection.busy_timeout(config.busy_timeout)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    keep_plans(connection)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

pub fn reader_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Without this a kept statement is planned anew whenever one of its values changes, which is every time.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// The operator's own pragmas, for the writer alone.
fn extras(connection: &Connection, config: &config::Store) -> rusqlite::Result<()> {
    for config::Pragma { name, value, .. } in &config.pragmas_extra {
        connection.pragma_update(None, name, value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_durable_change_waits_for_the_disk_and_later_ones_do_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = writer(&folder.path().join("elora.db"), &config::Store::default()).expect("a new store opens");
        let level = |store: &Connection| store.pragma_query_value(None, "synchronous", |row| row.get::<_, i64>(0));

        let within = durably(&store, Synchronous::Normal, level).expect("the pragma can be read");
        let refused = durably(&store, Synchronous::Normal, |store| store.execute_batch("no change at all"));

        assert_eq!(within, 2);
        assert!(refused.is_err());
        assert_eq!(level(&store), Ok(1));
    }
}
