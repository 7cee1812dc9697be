//! One look into a file that another program may be writing: without a lock that it could meet, and leaving nothing behind.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Error, OpenFlags};
use url::Url;

use super::place::beside;

/// How long the index of a log may be half made before the look is given up.
const PATIENCE: Duration = Duration::from_millis(200);

/// Asks the file at `path` once. An answer from the middle of a change is possible, and an error then.
pub fn glance<T>(path: &Path, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let path = std::path::absolute(path).map_err(|_| Error::InvalidPath(path.to_owned()))?;
    let mut address = Url::from_file_path(&path).map_err(|()| Error::InvalidPath(path.clone()))?;
    let has_log = fs::metadata(beside(&path, "-wal")).is_ok_and(|log| log.len() > 0);
    // With the log's index read-only, no recovery is begun and no mark is set; without a log, not even a lock is taken.
    address.set_query(Some(if has_log { "readonly_shm=1" } else { "immutable=1" }));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(address.as_str(), flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    query(&connection)
}
