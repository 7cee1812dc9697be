//! Files that are only read, another program's for instance: without a lock that it could meet, and leaving nothing behind.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Error, OpenFlags};
use url::Url;

use super::place::beside;

/// Reads a file as it lies there: without a lock, and without files beside it. Right only where no log is in use.
pub(super) const AT_REST: &str = "immutable=1";

/// How long the index of a log may be half made before the look is given up.
const PATIENCE: Duration = Duration::from_millis(200);

/// Asks the file at `path` once. An answer from the middle of a change is possible, and an error then.
pub fn glance<T>(path: &Path, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    // With the log's index read-only, no recovery is begun and no mark is set.
    let connection = connect(path, if has_log(path) { Some("readonly_shm=1") } else { Some(AT_REST) })?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    query(&connection)
}

/// Whether some of what the file says stands in its log.
pub(super) fn has_log(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0)
}

/// Opens a file that is only read, in a way that SQLite knows by an address's query.
pub(super) fn connect(path: &Path, way: Option<&str>) -> rusqlite::Result<Connection> {
    let path = std::path::absolute(path).map_err(|_| Error::InvalidPath(path.to_owned()))?;
    let mut address = Url::from_file_path(&path).map_err(|()| Error::InvalidPath(path.clone()))?;
    address.set_query(way);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(address.as_str(), flags)
}
