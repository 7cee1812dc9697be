//! Moving the write-ahead log into the file, off the writer's thread.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use rusqlite::Connection;

use super::place;

/// How often the log is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// A log shorter than this is left alone: 4 MiB are a thousand pages.
const WORTH_IT: u64 = 4 * 1024 * 1024;

/// A log longer than this is emptied by the writer itself; the rest is already in the file by then.
const LONG: u64 = 64 * 1024 * 1024;

/// Commits between two looks of the writer at the log's length.
pub const LOOK_EVERY: u64 = 64;

/// Ends the checkpoint thread when dropped, and waits for it.
pub struct Checkpoints {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic there is already in the log.
            let _ = thread.join();
        }
    }
}

/// Starts the thread that copies the log into the file while nobody waits for it.
pub fn start(path: PathBuf) -> Checkpoints {
    let (stop, stopped) = mpsc::channel::<()>();
    let run = move || {
        let mut connection = None;
        while stopped.recv_timeout(EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
            if log_length(&path) < WORTH_IT {
                continue;
            }
            if connection.is_none() {
                connection = Connection::open(&path).ok();
            }
            if let Some(connection) = &connection {
                checkpoint(connection, "passive");
            }
        }
    };
    let thread = std::thread::Builder::new().name("checkpoint".to_owned()).spawn(run).ok();
    Checkpoints { stop: Some(stop), thread }
}

pub fn log_is_long(path: &Path) -> bool {
    log_length(path) > LONG
}

/// Bytes in the write-ahead log.
pub fn log_length(path: &Path) -> u64 {
    std::fs::metadata(place::beside(path, "-wal")).map_or(0, |log| log.len())
}

/// Puts on disk what the log holds by now. Nobody locks the log's file, so that another handle of it does no harm.
pub fn sync(path: &Path) {
    let synced = std::fs::File::open(place::beside(path, "-wal")).and_then(|log| log.sync_data());
    if let Err(error) = synced {
        tracing::debug!(%error, "the log is put on disk by the next heartbeat");
    }
}

/// Copies the log into the file beside the writer, and then what came meanwhile, so that next to nothing is left.
pub fn copy(path: &Path) {
    match Connection::open(path) {
        Ok(connection) => (0..2).for_each(|_| checkpoint(&connection, "passive")),
        Err(error) => tracing::debug!(%error, "the log stays as it is until the next attempt"),
    }
}

/// Empties the log if no reader is in the way: the writer has no time to wait for one.
pub fn truncate(connection: &Connection) {
    empty(connection, "truncate");
}

/// The same, but the log's file keeps its length: it will be filled again at once.
pub fn restart(connection: &Connection) {
    empty(connection, "restart");
}

fn empty(connection: &Connection, mode: &str) {
    let patience = connection.pragma_query_value(None, "busy_timeout", |row| row.get::<_, i64>(0));
    let hurried = connection.pragma_update(None, "busy_timeout", 0);
    checkpoint(connection, mode);
    let restored = patience.and_then(|patience| connection.pragma_update(None, "busy_timeout", patience));
    report(mode, hurried.and(restored));
}

fn checkpoint(connection: &Connection, mode: &str) {
    report(mode, connection.query_row(&format!("pragma wal_checkpoint({mode})"), [], |_| Ok(())));
}

fn report(mode: &str, done: rusqlite::Result<()>) {
    if let Err(error) = done {
        tracing::debug!(%error, mode, "the log stays as it is until the next attempt");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::config;
    use crate::store::connection;

    #[test]
    fn emptying_the_log_waits_for_no_reader_and_changes_wait_as_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("elora.db");
        let config = config::Store::default();
        let store = connection::writer(&path, &config).expect("a new store opens");
        store.execute_batch("create table words (word text)").expect("the store takes it");
        let reader = Connection::open(&path).expect("the store opens twice");
        reader.execute_batch("begin; select * from words").expect("the reader reads");
        store.execute_batch("insert into words values ('hello')").expect("the store takes it");

        let begun = Instant::now();
        truncate(&store);

        assert!(begun.elapsed() < config.busy_timeout / 2, "it took {} ms", begun.elapsed().as_millis());
        assert!(log_length(&path) > 0);
        let patience = store.pragma_query_value(None, "busy_timeout", |row| row.get::<_, i64>(0));
        assert_eq!(patience, Ok(5_000));
        reader.execute_batch("rollback").expect("the reader is done");
        truncate(&store);
        assert_eq!(log_length(&path), 0);
    }
}
