//! The way to a file that another program writes: without a word to it, and without ever being in its way. Knows nothing
//! of rows.
//!
//! A writer that does not wait for locks must find none of ours. So a write-ahead log is read with its index opened
//! read-only: such a reader never recovers an index and never sets a mark, it only shares locks that no commit asks for.
//! A file that has no log in use, or another journal, is read without any lock, and what was read counts only if nothing
//! changed meanwhile.
//!
//! Nothing is held between two reads. A connection that stayed would keep a writer that ends from emptying its log and
//! removing it, and then whoever copies or replaces the file that a stopped program left would have half of it. A writer
//! that was killed makes its index anew when it comes back, which nobody here can disturb.
//!
//! One moment is left that cannot be closed from here: a reader that catches the index's header half written asks
//! SQLite's write lock for a microsecond. The header is 48 bytes and is copied once in a commit.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use url::Url;

use super::table::Table;

const MAGIC: &[u8] = b"SQLite format 3\0";
/// The part of the header that is read: all of it.
const HEADER: usize = 100;
/// Where a program marks its files; our mark, and the same as SQLite tells it.
const OWNER_AT: usize = 68;
const MARK: &[u8] = b"elor";
pub const OURS: i32 = i32::from_be_bytes(*b"elor");
const OUR_STORE: &str = "it is our own store; set GNASTY_SINK_SQLITE_PATH to the file that the harvester writes";

/// How long after its last change a file counts as left alone. Between the change of a log and the moment when it can be
/// read, a writer may wait for the disk.
const SETTLED: Duration = Duration::from_secs(10);

/// Held while a file is opened without SQLite, and while a purge writes. Whoever closes a file drops every lock that the
/// process has on it, also those of others here: so this is of the process, as they are.
static SOLE: Mutex<()> = Mutex::new(());

/// Page cache of the reader, in KiB: it reads each row once.
const CACHE_KIB: i64 = 1024;

/// Why a file cannot be read now, in the words that an operator is told.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("{path} is not there yet", path = .0.display())]
    Missing(PathBuf),
    #[error("{path} is not there, and cannot be made here ({cause}): the harvester has to make it", path = .path.display())]
    NotMade { path: PathBuf, cause: String },
    #[error("{path} has no table of messages yet", path = .0.display())]
    NoTable(PathBuf),
    #[error("{path} is being changed", path = .0.display())]
    Busy(PathBuf),
    #[error("{path} was left in the middle of a change: the harvester has to open it first", path = .0.display())]
    Unfinished(PathBuf),
    #[error("{path} cannot be read: {cause}", path = .path.display())]
    Denied { path: PathBuf, cause: String },
    #[error("{path} is no harvester's file: {what}", path = .path.display())]
    Foreign { path: PathBuf, what: &'static str },
    #[error("{path} cannot be read: {source}", path = .path.display())]
    Broken { path: PathBuf, source: rusqlite::Error },
}

impl Trouble {
    /// Whether it is over in a moment, so that there is nothing to tell.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    pub device: u64,
    pub inode: u64,
}

/// What a file holds at one moment: two equal ones of one file hold the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(u64);

/// How the index of the log is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    /// Read-only: nobody is ever in the writer's way.
    Aside,
    /// As everybody does: all of a process share one way, and a purge has to write.
    WithPurge,
}

/// A file that another program writes.
pub struct SharedFile {
    path: PathBuf,
    /// Our own store, or what else is none of a harvester: it is not opened again.
    foreign: Option<(Identity, &'static str)>,
}

/// What is read in one go, all of the same moment.
pub struct Moment<'a> {
    pub connection: &'a Connection,
    pub table: Table,
    pub identity: Identity,
}

/// How the file and its neighbors look.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Look {
    main: Identity,
    length: u64,
    changed_at: (i64, i64),
    log: Option<Log>,
    /// The inode of the log's index.
    index: Option<u64>,
    has_journal: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Log {
    inode: u64,
    length: u64,
    changed_at: (i64, i64),
}

impl SharedFile {
    /// Nothing is opened before something is read.
    pub fn new(path: &Path) -> Self {
        // A relative path means another file once it is part of an address.
        Self { path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()), foreign: None }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Which version is there, without opening anything. None while somebody may be writing: a commit shows in the files'
    /// times before it can be read.
    pub fn version(&self) -> Option<Version> {
        let look = look(&self.path).ok()?;
        let (seconds, nanos) = look.log.as_ref().map_or(look.changed_at, |log| log.changed_at.max(look.changed_at));
        let changed_at = Duration::new(seconds.try_into().ok()?, nanos.try_into().ok()?);
        let is_settled = SystemTime::now() > UNIX_EPOCH + changed_at + SETTLED;
        let mut version = DefaultHasher::new();
        look.hash(&mut version);
        is_settled.then(|| Version(version.finish()))
    }

    /// Reads in one short transaction. Blocks for as long as the query takes.
    pub fn read<T>(
        &mut self,
        manners: Manners,
        query: impl FnOnce(&Moment<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Trouble> {
        let before = look(&self.path)?;
        if let Some((identity, what)) = self.foreign.filter(|(identity, _)| *identity == before.main) {
            tracing::trace!(inode = identity.inode, "the file is still the one that is not read");
            return Err(Trouble::Foreign { path: self.path.clone(), what });
        }
        let found =
            if before.has_log() { self.read_log(&before, manners, query) } else { self.read_at_rest(&before, query) };
        if let Err(Trouble::Foreign { what, .. }) = &found {
            self.foreign = Some((before.main, what));
        }
        found
    }

    fn read_log<T>(
        &self,
        before: &Look,
        manners: Manners,
        query: impl FnOnce(&Moment<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Trouble> {
        let way = match manners {
            Manners::Aside => "readonly_shm=1",
            Manners::WithPurge => "readonly_shm=0",
        };
        let found = self.query(before, way, query);
        let is_same = look(&self.path).is_ok_and(|after| after.sides() == before.sides());
        if is_same { found } else { Err(Trouble::Busy(self.path.clone())) }
    }

    /// A file that nobody has open with a log: without locks.
    ///
    /// A commit makes a journal, counts itself in the header, changes other pages, and removes the journal. So the order
    /// matters: whoever finds the count, then no journal, and after the query no journal, and then the same count, has
    /// met no commit. The files' times tell less: many commits fit into one tick of them.
    fn read_at_rest<T>(
        &self,
        before: &Look,
        query: impl FnOnce(&Moment<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Trouble> {
        let header = header(&self.path)?;
        if look(&self.path)? != *before {
            return Err(Trouble::Busy(self.path.clone()));
        }
        if before.log.as_ref().is_some_and(|log| log.length > 0) {
            return Err(Trouble::Unfinished(self.path.clone()));
        }
        if before.has_journal {
            return Err(Trouble::Busy(self.path.clone()));
        }
        let found = self.query(before, "immutable=1", query);
        let is_same = look(&self.path)? == *before && self::header(&self.path)? == header;
        if is_same { found } else { Err(Trouble::Busy(self.path.clone())) }
    }

    fn query<T>(
        &self,
        look: &Look,
        way: &str,
        query: impl FnOnce(&Moment<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Trouble> {
        let read = || {
            let connection = connect(&self.path, way)?;
            let connection = Transaction::new_unchecked(&connection, TransactionBehavior::Deferred)?;
            if connection.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0))? == OURS {
                return Ok(Err(Trouble::Foreign { path: self.path.clone(), what: OUR_STORE }));
            }
            let Some(table) = Table::find(&connection)? else {
                return Ok(Err(Trouble::NoTable(self.path.clone())));
            };
            query(&Moment { connection: &connection, table, identity: look.main }).map(Ok)
        };
        read().unwrap_or_else(|source| Err(self.refused(source)))
    }

    fn refused(&self, source: rusqlite::Error) -> Trouble {
        let path = self.path.clone();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                Trouble::Busy(path)
            }
            // The index is half made, or its maker is gone: the next writer makes it.
            Some(ErrorCode::ReadOnly) => Trouble::Busy(path),
            Some(ErrorCode::NotADatabase) => Trouble::Foreign { path, what: "it is not a SQLite file" },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Trouble::Denied { path, cause: source.to_string() }
            }
            _ => Trouble::Broken { path, source },
        }
    }
}

impl Look {
    fn has_log(&self) -> bool {
        self.log.is_some() && self.index.is_some()
    }

    /// The files by their inodes: others under the same names are another database.
    fn sides(&self) -> (Identity, Option<u64>, Option<u64>) {
        (self.main, self.log.as_ref().map(|log| log.inode), self.index)
    }
}

fn connect(path: &Path, way: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut address = Url::from_file_path(path).map_err(|()| rusqlite::Error::InvalidPath(path.to_owned()))?;
    address.set_query(Some(way));
    let connection = Connection::open_with_flags(address.as_str(), flags)?;
    connection.busy_timeout(Duration::ZERO)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}

/// Looks without opening: closing a file would drop every lock this process has on it.
fn look(path: &Path) -> Result<Look, Trouble> {
    let main = fs::metadata(path).map_err(|error| denied(path, &error))?;
    if !main.is_file() {
        return Err(Trouble::Foreign { path: path.to_owned(), what: "it is not a file" });
    }
    let side = |suffix| fs::metadata(beside(path, suffix)).ok();
    Ok(Look {
        main: Identity { device: main.dev(), inode: main.ino() },
        length: main.len(),
        changed_at: (main.mtime(), main.mtime_nsec()),
        log: side("-wal").map(|log| Log {
            inode: log.ino(),
            length: log.len(),
            changed_at: (log.mtime(), log.mtime_nsec()),
        }),
        index: side("-shm").map(|index| index.ino()),
        has_journal: side("-journal").is_some_and(|journal| journal.len() > 0),
    })
}

/// The beginning of a file that has no log, and so no lock of ours.
fn header(path: &Path) -> Result<[u8; HEADER], Trouble> {
    let mut header = [0; HEADER];
    let _sole = sole();
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Ok(()) if header[OWNER_AT..].starts_with(MARK) => {
            Err(Trouble::Foreign { path: path.to_owned(), what: OUR_STORE })
        }
        Ok(()) if header.starts_with(MAGIC) => Ok(header),
        // Somebody has just made it.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && header == [0; HEADER] => {
            Err(Trouble::NoTable(path.to_owned()))
        }
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(denied(path, &error)),
        _ => Err(Trouble::Foreign { path: path.to_owned(), what: "it is not a SQLite file" }),
    }
}

fn denied(path: &Path, error: &io::Error) -> Trouble {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound => Trouble::Missing(path),
        _ => Trouble::Denied { path, cause: error.to_string() },
    }
}

/// Nobody here opens a file past SQLite as long as this is kept.
pub fn sole() -> MutexGuard<'static, ()> {
    SOLE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
