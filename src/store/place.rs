//! Which file is ours: the configured one, a temporary one, or one beside another program's data.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{OpenError, foreign};
use crate::config::{self, Mode};

/// `elor` in ASCII: marks the header of every file we make (SQLite's application id, offset 68).
pub const APPLICATION_ID: i32 = 0x656c_6f72;
const HEADER: usize = 100;
const APPLICATION_ID_AT: usize = 68;
const MAGIC: &[u8] = b"SQLite format 3\0";

#[derive(Debug)]
pub struct Place {
    pub path: PathBuf,
    pub ephemeral: bool,
}

/// Finds or makes the file, touching no byte of one that is not ours.
pub fn choose(config: &config::Store) -> Result<Place, OpenError> {
    if config.mode == Mode::Ephemeral {
        let path = private_folder()?.join("elora.db");
        claim(&path)?;
        return Ok(Place { path, ephemeral: true });
    }
    let path = config.path.clone();
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|source| denied(folder, source))?;
    }
    let path = match owner(&path) {
        Ok(Owner::Us) if config.is_shared => {
            tracing::warn!(path = %path.display(), "our own store lies where a harvester's file is looked for, and nothing is read there: set GNASTY_SINK_SQLITE_PATH to the file that the harvester writes");
            path
        }
        Ok(Owner::Us) => path,
        // Whatever is there, or will be, is the harvester's.
        Ok(_) | Err(OpenError::Foreign { .. }) if config.is_shared => next_to(&path)?,
        Ok(Owner::Nobody) => path,
        Ok(Owner::Harvester) => next_to(&path)?,
        Err(error) => return Err(error),
    };
    claim(&path)?;
    Ok(Place { path, ephemeral: false })
}

/// Where our store lies when the configured file is another program's.
fn next_to(path: &Path) -> Result<PathBuf, OpenError> {
    let ours = path.with_extension("events.db");
    tracing::info!(theirs = %path.display(), ours = %ours.display(), "the configured file belongs to a harvester: keeping our store beside it");
    match owner(&ours)? {
        Owner::Nobody | Owner::Us => Ok(ours),
        Owner::Harvester => Err(OpenError::Foreign { path: ours, what: "a harvester's file" }),
    }
}

/// A new folder that nobody else can look into, or can have put anything in before.
fn private_folder() -> Result<PathBuf, OpenError> {
    let folder = std::env::temp_dir().join(format!("elora-chat-{}", uuid::Uuid::new_v4().simple()));
    fs::DirBuilder::new().mode(0o700).create(&folder).map_err(|source| denied(&folder, source))?;
    Ok(folder)
}

/// Removes a temporary store with its side files and the folder that was made for it, and nothing else.
pub fn remove(path: &Path) {
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm"), beside(path, ".lock")] {
        let _ = fs::remove_file(file);
    }
    if let Some(folder) = path.parent() {
        let _ = fs::remove_dir(folder);
    }
}

pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The user this process runs as, for messages about permissions.
pub fn uid() -> u32 {
    fs::metadata("/proc/self").map_or(0, |process| process.uid())
}

pub fn denied(path: &Path, source: io::Error) -> OpenError {
    use io::ErrorKind as Kind;
    let path = path.to_owned();
    match source.kind() {
        Kind::PermissionDenied
        | Kind::ReadOnlyFilesystem
        | Kind::StorageFull
        | Kind::NotADirectory
        | Kind::AlreadyExists => OpenError::NotWritable { path, uid: uid(), cause: source.to_string() },
        _ => OpenError::Io { path, source },
    }
}

enum Owner {
    Nobody,
    Us,
    /// A gnasty-style file with a `messages` table.
    Harvester,
}

fn owner(path: &Path) -> Result<Owner, OpenError> {
    let has_wal = fs::metadata(beside(path, "-wal")).is_ok_and(|wal| wal.len() > 0);
    let Some(header) = header(path)? else {
        return Ok(if has_wal { Owner::Harvester } else { Owner::Nobody });
    };
    let foreign = |what| Err(OpenError::Foreign { path: path.to_owned(), what });
    if header.len() < HEADER || !header.starts_with(MAGIC) {
        return foreign("not a SQLite file");
    }
    if has_mark(&header) {
        return Ok(Owner::Us);
    }
    // A file in use keeps its newest pages in the write-ahead log, which must not be opened to look.
    if has_wal || has_messages(path) { Ok(Owner::Harvester) } else { foreign("another program's SQLite file") }
}

/// Whether the header of a SQLite file says that we made it.
pub fn has_mark(header: &[u8]) -> bool {
    header.get(APPLICATION_ID_AT..APPLICATION_ID_AT + 4) == Some(&APPLICATION_ID.to_be_bytes())
}

fn header(path: &Path) -> Result<Option<Vec<u8>>, OpenError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(denied(path, error)),
    };
    let mut header = Vec::with_capacity(HEADER);
    file.take(HEADER as u64).read_to_end(&mut header).map_err(|source| denied(path, source))?;
    Ok(if header.is_empty() { None } else { Some(header) })
}

/// Looks without locks and without creating side files.
fn has_messages(path: &Path) -> bool {
    let found = foreign::connect(path, Some(foreign::AT_REST)).and_then(|connection| {
        connection.query_row(
            "select count(*) from sqlite_master where type = 'table' and name = 'messages'",
            [],
            |row| row.get::<_, i64>(0),
        )
    });
    found.is_ok_and(|count| count > 0)
}

/// Proves that the file can be written, and marks a new one as ours before anything else is in it.
fn claim(path: &Path) -> Result<(), OpenError> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let length = file.and_then(|file| file.metadata()).map_err(|source| denied(path, source))?.len();
    if length > 0 {
        return Ok(());
    }
    // Outside the write-ahead log, so that the mark is on disk from the first moment.
    let marked = Connection::open(path).and_then(|new| mark(&new));
    marked.map_err(|source| super::refused(path, source))
}

/// Writes our mark where it is missing: SQLite takes it back if the process was killed while it was written.
pub fn mark(connection: &Connection) -> rusqlite::Result<()> {
    let found: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if found == APPLICATION_ID {
        return Ok(());
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}
