//! One server per store: a locked file beside it, which also remembers how far the ids had come.
//!
//! It is what tells a restored file from our own: the lock file lies outside of the backup, so a store whose ids
//! end before what the lock file remembers was put back, and gets a new epoch.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, named_params};
use serde::{Deserialize, Serialize};

use super::{OpenError, place};
use crate::chat::EventId;

/// How far ids skip after an unclean start: more than a power loss can take with it, so that an id
/// once shown never comes again.
const SKIP: i64 = 10_000;

pub struct Lock {
    file: File,
    path: PathBuf,
    memory: Memory,
}

/// What the lock file remembers.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Memory {
    pid: u32,
    #[serde(default)]
    epoch: String,
    #[serde(default)]
    last_id: i64,
}

/// Where the store goes on.
pub struct Start {
    pub epoch: String,
    pub last: EventId,
}

impl Lock {
    /// Takes the store for this process. Dropping the lock, or dying, frees it.
    pub fn take(store: &Path) -> Result<Self, OpenError> {
        let path = place::beside(store, ".lock");
        let denied = |source| place::denied(&path, source);
        let mut file =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path).map_err(denied)?;
        let mut text = String::new();
        let _ = file.read_to_string(&mut text);
        let memory: Memory = serde_json::from_str(&text).unwrap_or_default();
        if file.try_lock().is_err() {
            let pid = if memory.pid == 0 { "unknown".to_owned() } else { memory.pid.to_string() };
            return Err(OpenError::InUse { path: store.to_owned(), pid });
        }
        let mut lock = Self { file, path: store.to_owned(), memory };
        lock.memory.pid = std::process::id();
        lock.save();
        Ok(lock)
    }

    /// Settles the epoch and the next id, and marks the store as open. The caller sees to it that the mark is on disk
    /// before the first id is given away: it is what keeps ids from coming again.
    pub fn reconcile(&self, connection: &Connection) -> rusqlite::Result<Start> {
        let inode = std::fs::metadata(&self.path).map_or(0, |file| file.ino()).to_string();
        let last = last_id(connection)?;
        let known = meta(connection, "epoch")?;
        let moved = meta(connection, "inode")?.is_some_and(|was| was != inode);
        let restored = known.as_deref() == Some(self.memory.epoch.as_str()) && self.memory.last_id > last;
        let epoch = match known {
            Some(epoch) if !moved && !restored => epoch,
            Some(_) => {
                tracing::warn!(
                    moved,
                    restored,
                    "the store was replaced or restored: cursors handed out before are void"
                );
                new_epoch()
            }
            None => new_epoch(),
        };
        let tx = connection.unchecked_transaction()?;
        let last = if meta(&tx, "clean")?.as_deref() == Some("0") { skip(&tx, SKIP)? } else { last };
        set_meta(&tx, "epoch", &epoch)?;
        set_meta(&tx, "inode", &inode)?;
        set_meta(&tx, "clean", "0")?;
        tx.commit()?;
        Ok(Start { epoch, last: EventId(last) })
    }

    /// Remembers how far the ids have come.
    pub fn remember(&mut self, epoch: &str, last: EventId) {
        epoch.clone_into(&mut self.memory.epoch);
        self.memory.last_id = last.0;
        self.save();
    }

    /// Best effort: what is not remembered only costs the recognition of a restored file.
    fn save(&mut self) {
        let Ok(text) = serde_json::to_string(&self.memory) else { return };
        let saved = self
            .file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.write_all(text.as_bytes()))
            .and_then(|()| self.file.set_len(text.len() as u64));
        if let Err(error) = saved {
            tracing::debug!(%error, "the lock file could not be written");
        }
    }
}

/// Marks the end of an orderly run.
pub fn mark_clean(connection: &Connection) -> rusqlite::Result<()> {
    set_meta(connection, "clean", "1")
}

fn new_epoch() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// The newest id that was given away or left out.
pub fn last_id(connection: &Connection) -> rusqlite::Result<i64> {
    let last = connection.query_row("select seq from sqlite_sequence where name = 'events'", [], |row| row.get(0));
    Ok(last.optional()?.unwrap_or(0))
}

/// Leaves so many ids out, and returns the last of them.
pub fn skip(connection: &Connection, count: i64) -> rusqlite::Result<i64> {
    let next = last_id(connection)? + count;
    let changed = connection
        .execute("update sqlite_sequence set seq = :next where name = 'events'", named_params! { ":next": next })?;
    if changed == 0 {
        connection.execute(
            "insert into sqlite_sequence (name, seq) values ('events', :next)",
            named_params! { ":next": next },
        )?;
    }
    Ok(next)
}

pub fn meta(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("select value from meta where key = :key", named_params! { ":key": key }, |row| row.get(0))
        .optional()
}

pub fn set_meta(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("insert into meta (key, value) values (:key, :value) on conflict (key) do update set value = excluded.value")?
        .execute(named_params! { ":key": key, ":value": value })?;
    Ok(())
}
