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

/// Empties the log, if no reader is in the way.
pub fn truncate(connection: &Connection) {
    checkpoint(connection, "truncate");
}

fn checkpoint(connection: &Connection, mode: &str) {
    let done = connection.query_row(&format!("pragma wal_checkpoint({mode})"), [], |row| row.get::<_, i64>(0));
    if let Err(error) = done {
        tracing::debug!(%error, mode, "the log stays as it is until the next attempt");
    }
}
