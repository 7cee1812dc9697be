//! The only owner of database connections: one writer thread, a pool of readers, and the file they share.
//! Knows events and nothing about who asks for them.

pub mod alerts;
mod append;
mod backfill;
mod body;
mod checkpoint;
mod connection;
mod edit;
mod entry;
pub mod events;
pub mod foreign;
mod health;
mod job;
mod lock;
mod migrate;
mod other;
mod place;
mod pool;
mod purge;
#[cfg(test)]
mod tests;
mod writer;

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use crate::chat::EventId;
use crate::config;
use crate::telemetry::Metrics;

use health::Backlog;

pub use backfill::{Brought, as_history};
pub use entry::{Entry, Marks};
pub use health::{Health, State as HealthState};
pub use lock::{meta, set_meta};
pub use other::{Other, is_ours};
pub use purge::Purge;

/// The store was opened, and here is everything that may be done with it. Cloning is cheap.
#[derive(Clone)]
pub struct Db {
    pool: pool::Readers,
    jobs: mpsc::Sender<job::Job>,
    committed: watch::Receiver<Committed>,
    purged: watch::Receiver<EventId>,
    health: watch::Receiver<Health>,
    backlog: Backlog,
    identity: Arc<Identity>,
    synchronous: config::Synchronous,
}

/// How far the store has come.
#[derive(Debug, Clone, Copy)]
pub struct Committed {
    /// The newest id.
    pub last: EventId,
    /// When it was committed, or the store was opened.
    pub at: Instant,
}

/// Who this database is. The epoch changes when the file is replaced or restored.
#[derive(Debug)]
struct Identity {
    epoch: String,
    path: PathBuf,
    /// Of the file when it was opened.
    inode: u64,
    ephemeral: bool,
}

/// What opening gives: the handle for everyone, the queue for drivers, and the threads to wait for.
pub struct Opened {
    pub db: Db,
    /// The one queue of the writer. When its last sender is dropped, the writer drains, commits and ends.
    pub queue: mpsc::Sender<Entry>,
    pub writer: WriterThread,
}

/// The writer's thread, which ends when every queue sender is gone.
pub struct WriterThread {
    ended: oneshot::Receiver<()>,
}

impl WriterThread {
    /// Waits until everything accepted is committed and the file is closed.
    pub async fn ended(&mut self) {
        // An error means the thread is gone without saying so, which is an end too.
        let _ = (&mut self.ended).await;
    }
}

/// Why the store cannot be opened. Each has an exit code of its own.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{path} was written by a newer version (schema {found}, this program knows {known}): update elora-chat, or point ELORA_DB_PATH at another file", path = .path.display())]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("{path} is not a store of this program ({what}): point ELORA_DB_PATH at another file", path = .path.display())]
    Foreign { path: PathBuf, what: &'static str },
    #[error("{path} is not writable by uid {uid}: {cause}", path = .path.display())]
    NotWritable { path: PathBuf, uid: u32, cause: String },
    #[error("{path} is in use by another elora-chat (pid {pid}): stop that one, or give this one its own ELORA_DB_PATH", path = .path.display())]
    InUse { path: PathBuf, pid: String },
    #[error("sqlite {0} has a bug that corrupts files two connections write: 3.51.3 or newer is needed")]
    OldSqlite(String),
    #[error("{path} could not be opened", path = .path.display())]
    Sqlite { path: PathBuf, source: rusqlite::Error },
    #[error("{path} could not be opened", path = .path.display())]
    Io { path: PathBuf, source: std::io::Error },
}

/// Why a read or write did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the store is closed")]
    Closed,
    #[error("every reader was busy for {} s", pool::PATIENCE.as_secs())]
    Busy,
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
}

impl Error {
    /// Whether the machine is at fault, for the time being: the same change may succeed later.
    pub fn is_outage(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        match self {
            Self::Closed | Self::Busy => true,
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    Code::DiskFull
                        | Code::DatabaseBusy
                        | Code::DatabaseLocked
                        | Code::ReadOnly
                        | Code::SystemIoFailure
                        | Code::CannotOpen
                )
            ),
        }
    }
}

/// Opens or creates the store, migrates it, and starts the writer with a queue of this length.
pub fn open(config: &config::Store, queue: usize, metrics: &Metrics) -> Result<Opened, OpenError> {
    connection::assert_version()?;
    let place = place::choose(config)?;
    let lock = lock::Lock::take(&place.path)?;
    let mut connection = connection::writer(&place.path, config)?;
    migrate::run(&mut connection, &place.path)?;
    let start = connection::durably(&connection, config.synchronous, |connection| lock.reconcile(connection));
    let start = start.map_err(|source| refused(&place.path, source))?;
    let journal_mode = connection::journal_mode(&connection).map_err(|source| refused(&place.path, source))?;
    let mode = if place.ephemeral { "ephemeral" } else { "persistent" };
    tracing::info!(path = %place.path.display(), mode, journal_mode, "sqlite: opened database");
    let purged = purge::last_end(&connection).map_err(|source| refused(&place.path, source))?;

    let (committed_tx, committed) = watch::channel(Committed { last: start.last, at: Instant::now() });
    let (purged_tx, purged) = watch::channel(purged);
    let (health_tx, health) = watch::channel(Health::default());
    let (queue_tx, queue_rx) = mpsc::channel(queue);
    let backlog = Backlog::new(&queue_tx);
    let (jobs_tx, jobs_rx) = mpsc::channel(JOB_QUEUE);
    let (ended_tx, ended) = oneshot::channel();
    let pool = pool::Readers::new(&place.path, config);
    let inode = std::fs::metadata(&place.path).map_or(0, |file| file.ino());
    let identity = Arc::new(Identity { epoch: start.epoch, path: place.path, inode, ephemeral: place.ephemeral });
    writer::Writer {
        connection,
        lock,
        queue: queue_rx,
        jobs: jobs_rx,
        committed: committed_tx,
        purged: purged_tx,
        health: health_tx,
        backlog: backlog.clone(),
        metrics: metrics.clone(),
        synchronous: config.synchronous,
        identity: identity.clone(),
    }
    .start(ended_tx);
    Ok(Opened {
        db: Db { pool, jobs: jobs_tx, committed, purged, health, backlog, identity, synchronous: config.synchronous },
        queue: queue_tx,
        writer: WriterThread { ended },
    })
}

/// Closures waiting for the writer; they are rare and small.
const JOB_QUEUE: usize = 64;

impl Db {
    /// Runs a query on a read-only connection, off the async threads.
    pub async fn read<T, F>(&self, query: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.pool.read(query).await
    }

    /// Runs a change in a transaction of its own on the writer, and returns after it is committed.
    pub async fn write<T, F>(&self, change: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.ask(job::change(change, reply), answer).await
    }

    /// The same, and returns only after a power loss could not take the change away again.
    async fn write_durably<T, F>(&self, change: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.ask(job::durable(self.synchronous, change, reply), answer).await
    }

    async fn ask<T>(&self, job: job::Job, answer: oneshot::Receiver<Result<T, Error>>) -> Result<T, Error> {
        self.jobs.send(job).await.map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// The identity of this database: cursors of another one mean nothing here.
    pub fn epoch(&self) -> &str {
        &self.identity.epoch
    }

    /// How far the store has come; changes after every commit.
    pub fn committed(&self) -> watch::Receiver<Committed> {
        self.committed.clone()
    }

    /// The id below which cursors are void, because their clients may show what was purged; changes after every purge.
    pub fn purged(&self) -> watch::Receiver<EventId> {
        self.purged.clone()
    }

    /// How the writer is doing.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// Events accepted and not yet committed, and the marks that wait among them.
    pub fn queued(&self) -> usize {
        self.backlog.len()
    }

    /// Whether the file still lies where it was opened. Without it, everything seems well until the next start.
    pub async fn is_in_place(&self) -> bool {
        tokio::fs::metadata(self.path()).await.is_ok_and(|file| file.ino() == self.identity.inode)
    }

    /// The file, which may lie beside the configured path when that holds another program's data.
    pub fn path(&self) -> &Path {
        &self.identity.path
    }
}

/// Tells a store that may not be written from one that is broken.
fn refused(path: &Path, source: rusqlite::Error) -> OpenError {
    use rusqlite::ErrorCode as Code;
    match source.sqlite_error_code() {
        Some(Code::SystemIoFailure) if is_reading(&source) => OpenError::Sqlite { path: path.to_owned(), source },
        Some(Code::ReadOnly | Code::CannotOpen | Code::DiskFull | Code::PermissionDenied | Code::SystemIoFailure) => {
            OpenError::NotWritable { path: path.to_owned(), uid: place::uid(), cause: source.to_string() }
        }
        Some(Code::NotADatabase) => OpenError::Foreign { path: path.to_owned(), what: "not a SQLite file" },
        _ => OpenError::Sqlite { path: path.to_owned(), source },
    }
}

/// Whether it was reading that failed, which no right to write would mend.
fn is_reading(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ};
    let code = error.sqlite_error().map_or(0, |error| error.extended_code);
    [SQLITE_IOERR_CORRUPTFS, SQLITE_IOERR_READ, SQLITE_IOERR_SHORT_READ].contains(&code)
}
