//! Another store of this program, such as a backup, which is only read.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{OpenError, connection, events, foreign, migrate, place, refused};
use crate::chat::{Event, EventId};
use crate::config;

/// An open store that is not the one that is written.
pub struct Other {
    connection: Connection,
    path: PathBuf,
    total: u64,
}

impl Other {
    /// Opens a file that has our mark. Nothing beside it is made, unless a server has it open.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let sqlite = |source| refused(path, source);
        // Without a log nobody has written since it was closed, and a read-only folder is no hindrance.
        let way = if foreign::has_log(path) { None } else { Some(foreign::AT_REST) };
        let connection = foreign::connect(path, way).map_err(sqlite)?;
        migrate::assert_known(&connection, path)?;
        connection::prepare_reader(&connection, &config::Store::default()).map_err(sqlite)?;
        let total = connection.query_row("select count(*) from events", [], |row| row.get::<_, i64>(0));
        let total = u64::try_from(total.map_err(sqlite)?).unwrap_or(0);
        Ok(Self { connection, path: path.to_owned(), total })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many events there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Events below an id, newest first.
    pub fn before(&self, id: EventId, limit: usize) -> Result<Vec<Event>, OpenError> {
        events::before(&self.connection, id, limit).map_err(|source| refused(&self.path, source))
    }
}

/// Whether a file with SQLite's header has our mark.
pub fn is_ours(header: &[u8]) -> bool {
    place::has_mark(header)
}
