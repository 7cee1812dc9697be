//! The way to a file that another program writes: without a word to it, and without ever being in its way. Knows nothing
//! of rows.
//!
//! A writer that does not wait for locks must find none of ours. So a write-ahead log is read with its index opened
//! read-only: such a reader never recovers an index and never sets a mark, it only shares locks that no commit asks for.
//! It stays connected between two reads, so that a writer that was killed finds its index valid when it comes back. A
//! file that has no log in use, or another journal, is read without any lock, and what was read counts only if nothing
//! changed meanwhile.
//!
//! One moment is left that cannot be closed from here: a reader that catches the index's header half written asks
//! SQLite's write lock for a microsecond. The header is 48 bytes and is copied once in a commit.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use url::Url;

use super::table::Table;

const MAGIC: &[u8] = b"SQLite format 3\0";
/// The part of the header that is read: up to the change counter.
const HEADER: usize = 28;
/// Where the header says whether there is a write-ahead log, and what it then says.
const READ_VERSION_AT: usize = 19;
const HAS_LOG: u8 = 2;
const COUNTER_AT: usize = 24;

/// Page cache of the reader, in KiB: it reads each row once.
const CACHE_KIB: i64 = 1024;

/// Why a file cannot be read now, in the words that an operator is told.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error("{path} is not there yet", path = .0.display())]
    Missing(PathBuf),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub device: u64,
    pub inode: u64,
}

/// What a file holds at one moment. Two equal ones of one file hold the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(u64, i64);

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
    held: Option<Held>,
    /// Of the log, counted so that versions of two connections differ.
    openings: u64,
}

/// What is read in one go, all of the same moment.
pub struct Moment<'a> {
    pub connection: &'a Connection,
    pub table: Table,
    pub identity: Identity,
    pub version: Version,
}

struct Held {
    connection: Connection,
    sides: Sides,
    manners: Manners,
}

/// The files by their inodes: others under the same names are another database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sides {
    main: Identity,
    log: u64,
    index: u64,
}

/// How the file and its neighbors look.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    main: Identity,
    length: u64,
    changed_at: (i64, i64),
    log: Option<(u64, u64)>,
    index: Option<u64>,
    has_journal: bool,
}

impl SharedFile {
    /// Nothing is opened before something is read.
    pub fn new(path: &Path) -> Self {
        // A relative path means another file once it is part of an address.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self { path, held: None, openings: 0 }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads in one short transaction. Blocks for as long as the query takes.
    pub fn read<T>(
        &mut self,
        manners: Manners,
        query: impl FnOnce(&Moment<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Trouble> {
        let look = look(&self.path)?;
        let sides = look.sides();
        self.held = self.held.take().filter(|held| Some(held.sides) == sides && held.manners == manners);
        if self.held.is_none() {
            let header = header(&self.path)?;
            let Some(sides) = sides.filter(|_| header[READ_VERSION_AT] == HAS_LOG) else {
                return self.read_at_rest(&look, &header, query);
            };
            let connection = self.open(manners)?;
            self.held = Some(Held { connection, sides, manners });
            self.openings += 1;
        }
        let found = match &self.held {
            Some(held) => self.read_log(held, query),
            None => return Err(Trouble::Busy(self.path.clone())),
        };
        let is_same = self::look(&self.path).is_ok_and(|after| after.sides() == sides);
        if !is_same || matches!(found, Err(Trouble::Broken { .. } | Trouble::Unfinished(_))) {
            self.held = None;
        }
        if is_same { found } else { Err(Trouble::Busy(self.path.clone())) }
    }

    /// Lets go of the file. The next read opens it anew.
    pub fn close(&mut self) {
        self.held = None;
    }

    fn read_log<T>(&self, held: &Held, query: impl FnOnce(&Moment<'_>) -> rusqlite::Result<T>) -> Result<T, Trouble> {
        let read = || {
            let connection = Transaction::new_unchecked(&held.connection, TransactionBehavior::Deferred)?;
            let table = Table::find(&connection)?;
            let version = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
            let version = Version(self.openings, version);
            let moment = |table| Moment { connection: &connection, table, identity: held.sides.main, version };
            table.map(|table| query(&moment(table))).transpose()
        };
        self.told(read())
    }

    /// A file that nobody has open with a log: without locks, and for one read only.
    fn read_at_rest<T>(
        &self,
        before: &Look,
        header: &[u8; HEADER],
        query: impl FnOnce(&Moment<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Trouble> {
        let busy = || Trouble::Busy(self.path.clone());
        if header[READ_VERSION_AT] == HAS_LOG && before.log_length() > 0 {
            return Err(Trouble::Unfinished(self.path.clone()));
        }
        if before.has_journal {
            return Err(busy());
        }
        let counter = u32::from_be_bytes([0, 1, 2, 3].map(|at| header[COUNTER_AT + at]));
        let (seconds, nanos) = before.changed_at;
        let version = Version(seconds.unsigned_abs() << 30 | nanos.unsigned_abs(), i64::from(counter));
        let read = || {
            let connection = connect(&self.path, "immutable=1")?;
            let table = Table::find(&connection)?;
            let moment = |table| Moment { connection: &connection, table, identity: before.main, version };
            table.map(|table| query(&moment(table))).transpose()
        };
        let found = self.told(read());
        let is_same = look(&self.path)? == *before && self::header(&self.path)? == *header;
        if is_same { found } else { Err(busy()) }
    }

    fn open(&self, manners: Manners) -> Result<Connection, Trouble> {
        let way = match manners {
            Manners::Aside => "readonly_shm=1",
            Manners::WithPurge => "readonly_shm=0",
        };
        connect(&self.path, way).map_err(|source| self.refused(source))
    }

    fn told<T>(&self, found: rusqlite::Result<Option<T>>) -> Result<T, Trouble> {
        match found {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(Trouble::NoTable(self.path.clone())),
            Err(source) => Err(self.refused(source)),
        }
    }

    fn refused(&self, source: rusqlite::Error) -> Trouble {
        let path = self.path.clone();
        match source.sqlite_error_code() {
            // The index is half made, or its maker is gone: the next writer makes it.
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                Trouble::Busy(path)
            }
            Some(ErrorCode::ReadOnly) => Trouble::Unfinished(path),
            Some(ErrorCode::NotADatabase) => Trouble::Foreign { path, what: "it is not a SQLite file" },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                Trouble::Denied { path, cause: source.to_string() }
            }
            _ => Trouble::Broken { path, source },
        }
    }
}

impl Look {
    fn log_length(&self) -> u64 {
        self.log.map_or(0, |(_, length)| length)
    }

    /// None where no log is in use.
    fn sides(&self) -> Option<Sides> {
        let ((log, _), index) = self.log.zip(self.index)?;
        Some(Sides { main: self.main, log, index })
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
        log: side("-wal").map(|log| (log.ino(), log.len())),
        index: side("-shm").map(|index| index.ino()),
        has_journal: side("-journal").is_some_and(|journal| journal.len() > 0),
    })
}

/// The beginning of a file that no connection of ours is open to.
fn header(path: &Path) -> Result<[u8; HEADER], Trouble> {
    let mut header = [0; HEADER];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Ok(()) if header.starts_with(MAGIC) => Ok(header),
        Ok(()) => Err(Trouble::Foreign { path: path.to_owned(), what: "it is not a SQLite file" }),
        // Somebody has just made it.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Trouble::NoTable(path.to_owned())),
        Err(error) => Err(denied(path, &error)),
    }
}

fn denied(path: &Path, error: &io::Error) -> Trouble {
    let path = path.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound => Trouble::Missing(path),
        _ => Trouble::Denied { path, cause: error.to_string() },
    }
}

pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
