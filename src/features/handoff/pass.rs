//! A file with one token, as harvesters read it: it changes whole or not at all, is its owner's alone, and never becomes
//! empty. Nothing but a token is ever replaced.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::config::{Secret, bare_token};

/// A token is a few dozen characters; what is longer is no token file.
const LONGEST: u64 = 4096;
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Since when a token is good, which decides what it may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Somebody has just given it: it replaces every other.
    Now,
    /// It replaces what was written before.
    Time(SystemTime),
    /// Nobody knows: it only goes where there is none.
    Unknown,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Written,
    /// The file says so already.
    Same,
    /// Another token stands there, and stays.
    Stays,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path} {what}", path = .path.display())]
    Odd { path: PathBuf, what: &'static str },
    #[error("{path}: {source}", path = .path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// Sees to it that the file at `path` has this token, after `prefix`.
pub fn hand_on(path: &Path, prefix: &str, token: &Secret<String>, since: Since) -> Result<Outcome, Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    match standing(path)? {
        Some(standing) if standing.token.as_ref() == Some(token) => return Ok(Outcome::Same),
        Some(Standing { token: None, .. }) => {
            return Err(Error::Odd { path: path.to_owned(), what: "holds something else than a token" });
        }
        Some(standing) if !standing.gives_way(since) => return Ok(Outcome::Stays),
        _ => {}
    }
    refuse_odd(path)?;
    replace(path, format!("{prefix}{}\n", token.expose()).as_bytes()).map_err(failed)?;
    Ok(Outcome::Written)
}

/// What a file says now.
struct Standing {
    /// None where it is more than a token, or something else.
    token: Option<Secret<String>>,
    changed: Option<SystemTime>,
}

impl Standing {
    fn gives_way(&self, since: Since) -> bool {
        match (since, self.changed) {
            (Since::Now, _) | (Since::Time(_), None) => true,
            (Since::Time(since), Some(changed)) => changed < since,
            (Since::Unknown, _) => false,
        }
    }
}

/// None where there is no file, or only blanks in it.
fn standing(path: &Path) -> Result<Option<Standing>, Error> {
    let failed = |source| Error::Io { path: path.to_owned(), source };
    // Opening a pipe would wait for somebody to write into it.
    let metadata = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Err(Error::Odd { path: path.to_owned(), what: "is no file" }),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LONGEST).read_to_end(&mut bytes)).map_err(failed)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if text.trim().is_empty() {
        return Ok(None);
    }
    let token = bare_token(&text).filter(|_| text.split_whitespace().count() == 1);
    Ok(Some(Standing { token, changed: metadata.modified().ok() }))
}

/// A rename would put a file in the place of a link or a device, which nobody asked for.
fn refuse_odd(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_symlink() => Err(Error::Odd { path: path.to_owned(), what: "is a link" }),
        Ok(there) if !there.is_file() => Err(Error::Odd { path: path.to_owned(), what: "is no file" }),
        _ => Ok(()),
    }
}

/// A reader finds the old content or the new one, whole, also after a power loss.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or(io::Error::new(ErrorKind::InvalidInput, "no file's name"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    let mut draft = std::ffi::OsString::from(".");
    draft.push(name);
    draft.push(".tmp");
    let draft = folder.join(draft);
    // One that was left behind, or put there by somebody else: it is taken away, never written through.
    let _ = fs::remove_file(&draft);
    let written = write(&draft, content).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    } else {
        // Some file systems cannot; the name is then as durable as they make it.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    written
}

fn write(draft: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(draft)?;
    file.write_all(content)?;
    file.sync_all()
}
