//! The owner's purge in a harvester's file: the one thing that is ever changed there. A little at a time, so that the
//! writer, which may not wait for locks, hardly ever meets one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, MAIN_DB, OpenFlags};
use tokio::sync::watch;

use super::file::{OURS, beside, sole};
use super::sql::{self, Dated};
use crate::chat::Millis;

/// How long the write lock is held at most: deleting ends early enough for the commit.
const LONGEST: Duration = Duration::from_millis(5);
const DELETING: Duration = Duration::from_millis(2);
/// Between two transactions.
const PAUSE: Duration = Duration::from_millis(100);
/// Attempts after a failure that is no busy file, each after twice the pause of the one before: half a minute in all.
const MOST_FAILURES: u32 = 7;
/// Rows in one transaction, to begin with and at most.
const FIRST: usize = 16;
const MOST: usize = 512;
/// Rows looked at before some of them are deleted.
const PAGE: u32 = 5_000;

/// Whether a purge is under way, for everybody of this process who reads the file: all have to open it in one way.
/// Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct Purging(Arc<watch::Sender<usize>>);

/// Counted as long as it lives.
struct Turn(Purging);

/// Why a file keeps what it has.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("it may not be written: {0}")]
    Denied(String),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("it broke off: {0}")]
    Broken(String),
}

impl Purging {
    pub fn is_under_way(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Wakes when one begins or ends.
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.0.subscribe()
    }

    fn take_turn(&self) -> Turn {
        self.0.send_modify(|count| *count += 1);
        Turn(self.clone())
    }

    /// Deletes every row from before a time, and tells how many went. Takes as long as it takes; nothing is lost if it is
    /// dropped, but that the rest is left.
    pub async fn purge(&self, path: PathBuf, before: Millis) -> Result<u64, Refused> {
        let _turn = self.take_turn();
        let mut broom = Broom { path, before, found: Vec::new(), looked_up_to: i64::MIN, most: FIRST };
        let (mut deleted, mut failures) = (0, 0);
        loop {
            let (back, swept) = blocking(broom).await?;
            broom = back;
            let pause = match swept {
                Ok(Swept::Some(rows)) => {
                    (deleted, failures) = (deleted + rows, 0);
                    PAUSE
                }
                Ok(Swept::Busy) => PAUSE,
                Ok(Swept::All) => return Ok(deleted),
                // A disk may fail for a moment.
                Err(Refused::Sqlite(error)) if failures < MOST_FAILURES => {
                    tracing::debug!(%error, "harvester: a purge tries again");
                    failures += 1;
                    PAUSE * 2_u32.pow(failures)
                }
                Err(error) => return Err(error),
            };
            tokio::time::sleep(pause).await;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

async fn blocking(mut broom: Broom) -> Result<(Broom, Result<Swept, Refused>), Refused> {
    let sweep = move || {
        let swept = broom.sweep();
        (broom, swept)
    };
    tokio::task::spawn_blocking(sweep).await.map_err(|error| Refused::Broken(error.to_string()))
}

enum Swept {
    Some(u64),
    /// Somebody else was writing.
    Busy,
    All,
}

struct Broom {
    path: PathBuf,
    before: Millis,
    /// Rows to delete, with their times as they stand there.
    found: Vec<Dated>,
    looked_up_to: i64,
    most: usize,
}

impl Broom {
    /// One transaction at most.
    fn sweep(&mut self) -> Result<Swept, Refused> {
        match self.try_sweep() {
            Err(Refused::Sqlite(error)) if is_busy(&error) => Ok(Swept::Busy),
            swept => swept,
        }
    }

    /// On a connection of its own: the writer may end between two of them, and its log with it.
    fn try_sweep(&mut self) -> Result<Swept, Refused> {
        // A file that is gone holds nothing.
        if !self.path.exists() {
            return Ok(Swept::All);
        }
        let _sole = sole();
        let connection = connect(&self.path)?;
        // What to delete is found before the lock is taken.
        while self.found.is_empty() {
            let Some((last, old)) = sql::old_rows(&connection, self.before, self.looked_up_to, PAGE)? else {
                return Ok(Swept::All);
            };
            (self.looked_up_to, self.found) = (last, old);
        }
        let from = self.found.len() - self.most.min(self.found.len());
        let (done, held) = delete(&connection, &self.found[from..])?;
        self.found.truncate(self.found.len() - done.looked_at);
        self.most = if held > LONGEST / 2 { done.looked_at.div_ceil(2) } else { (self.most * 2).min(MOST) };
        tracing::debug!(rows = done.deleted, held_us = held.as_micros(), "harvester: rows were purged");
        Ok(Swept::Some(done.deleted))
    }
}

struct Deleted {
    looked_at: usize,
    deleted: u64,
}

/// Deletes the last of these rows in one transaction, and tells how long it held the lock.
fn delete(connection: &Connection, rows: &[Dated]) -> rusqlite::Result<(Deleted, Duration)> {
    let mut done = Deleted { looked_at: 0, deleted: 0 };
    sql::begin(connection)?;
    let begun = Instant::now();
    let mut deleting = rows.iter().rev().take_while(|_| begun.elapsed() < DELETING);
    let deleted = deleting.try_for_each(|(row_id, ts)| {
        done.deleted += sql::delete(connection, *row_id, ts)?;
        done.looked_at += 1;
        Ok(())
    });
    sql::end(connection, deleted)?;
    Ok((done, begun.elapsed()))
}

fn connect(path: &Path) -> Result<Connection, Refused> {
    // It must not make the file anew.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    if connection.is_readonly(MAIN_DB)? {
        return Err(Refused::Denied("the file or its folder is read-only for this user".to_owned()));
    }
    // The configuration may have come to name another file since the purge was asked for.
    if connection.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0))? == OURS {
        return Err(Refused::Denied("it is a store of this program".to_owned()));
    }
    // A log in use is the writer's to move into the file; where there is none, none is left behind.
    let is_in_use = beside(path, "-wal").exists();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, is_in_use)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// Over in a moment: another writes, or reads it in another way.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::ReadOnly | ErrorCode::SchemaChanged)
    )
}
