//! The owner's token: a file beside the store that only its owner can read.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::digest::{Digest, secret};
use crate::config;

const NAME: &str = "owner.token";
/// Shorter than this can be guessed, so it is not taken for a token.
const SHORTEST: usize = 32;

/// Where the token of a store lies. A temporary store has none of its own, so the configured place counts too.
pub fn path(store: &config::Store) -> PathBuf {
    store.path.with_file_name(NAME)
}

/// The token in the file; none if there is no file.
pub fn read(path: &Path) -> io::Result<Option<String>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let path = path.display();
            let problem = format!(
                "{path} cannot be read ({error}): give it to the user who runs this, or delete it and start the server to have a new one made"
            );
            return Err(io::Error::new(error.kind(), problem));
        }
    };
    let token = text.trim();
    if token.len() < SHORTEST || !token.bytes().all(|b| b.is_ascii_graphic()) {
        let problem = format!("{} holds no token: make a new one with `elora-chat token --rotate`", path.display());
        return Err(io::Error::new(ErrorKind::InvalidData, problem));
    }
    Ok(Some(token.to_owned()))
}

/// Replaces the token at once: a reader finds the old one or the new one, whole.
pub fn rotate(path: &Path) -> io::Result<String> {
    let token = secret();
    let draft = path.with_extension(format!("{}.tmp", std::process::id()));
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = writeln!(file, "{token}").and_then(|()| file.sync_all()).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written.map(|()| token)
}

/// The token as the server knows it: by its digest, and always the one that is in the file now.
#[derive(Debug)]
pub struct Key {
    /// None while the token is in memory alone.
    path: Option<PathBuf>,
    known: Mutex<Known>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    digest: Option<Digest>,
    /// What the file looked like: its number and when it was changed.
    stamp: Option<(u64, i64, i64)>,
}

impl Key {
    /// Reads the token, or makes one. Where nothing can be written, it lasts as long as the server.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let (token, path) = match read(&path)? {
            Some(token) => {
                keep_private(&path);
                (token, Some(path))
            }
            None => match make_folder(&path).and_then(|()| rotate(&path)) {
                Ok(token) => (token, Some(path)),
                Err(error) => {
                    let path = path.display();
                    tracing::warn!(%path, %error, "the owner's token cannot be kept: only the printed link signs in");
                    (secret(), None)
                }
            },
        };
        let stamp = path.as_deref().and_then(stamp);
        let known = Known { digest: Some(Digest::of(&token)), stamp };
        Ok(Self { path, known: Mutex::new(known) })
    }

    /// The digest of the token that is valid now. None while the file is away or broken: then nobody is the owner.
    ///
    /// Another process may change the file, so it is looked at every time: a few microseconds when somebody signs.
    pub fn digest(&self) -> Option<Digest> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = self.path.as_deref() else { return known.digest };
        let stamp = stamp(path);
        if stamp != known.stamp || stamp.is_none() {
            known.stamp = stamp;
            known.digest = match read(path) {
                Ok(token) => token.as_deref().map(Digest::of),
                Err(error) => {
                    tracing::warn!(%error, "the owner's token cannot be read: nobody can sign in");
                    None
                }
            };
            tracing::info!(valid = known.digest.is_some(), "the owner's token changed: older sessions have ended");
        }
        known.digest
    }
}

/// The folder is the store's, which is there already unless the store is a temporary one.
fn make_folder(path: &Path) -> io::Result<()> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(Ok(()), fs::create_dir_all)
}

fn stamp(path: &Path) -> Option<(u64, i64, i64)> {
    fs::metadata(path).ok().map(|file| (file.ino(), file.mtime(), file.mtime_nsec()))
}

/// A token that others can read is a token that others have.
fn keep_private(path: &Path) {
    let is_open = File::open(path).and_then(|file| file.metadata()).is_ok_and(|file| file.mode() & 0o077 != 0);
    if is_open {
        let closed = fs::set_permissions(path, Permissions::from_mode(0o600)).is_ok();
        tracing::warn!(path = %path.display(), closed, "others could read the owner's token: consider `elora-chat token --rotate`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(NAME);
        (folder, path)
    }

    #[test]
    fn a_token_is_made_once_and_is_private() {
        let (_folder, path) = place();

        let first = Key::open(path.clone()).expect("the folder is writable").digest();
        let again = Key::open(path.clone()).expect("the folder is writable").digest();

        assert!(first.is_some());
        assert_eq!(first, again);
        assert_eq!(fs::metadata(&path).expect("the file is there").mode() & 0o777, 0o600);
        let token = read(&path).expect("the file is good").expect("the file is there");
        assert_eq!(first, Some(Digest::of(&token)));
    }

    #[test]
    fn a_rotated_token_replaces_the_old_one_in_a_running_server() {
        let (_folder, path) = place();
        let key = Key::open(path.clone()).expect("the folder is writable");
        let old = key.digest();

        let token = rotate(&path).expect("the folder is writable");

        assert_eq!(key.digest(), Some(Digest::of(&token)));
        assert_ne!(key.digest(), old);
    }

    #[test]
    fn without_its_file_no_token_is_valid() {
        let (_folder, path) = place();
        let key = Key::open(path.clone()).expect("the folder is writable");

        fs::remove_file(&path).expect("the file is there");

        assert_eq!(key.digest(), None);
    }

    #[test]
    fn what_could_be_guessed_is_no_token() {
        let (_folder, path) = place();
        for text in ["", "secret", "two words of which none is long enough", &"\u{e9}".repeat(40)] {
            fs::write(&path, text).expect("the folder is writable");
            assert!(read(&path).is_err(), "{text:?}");
            assert!(Key::open(path.clone()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_token_that_others_could_read_is_closed() {
        let (_folder, path) = place();
        fs::write(&path, "x".repeat(64)).expect("the folder is writable");
        fs::set_permissions(&path, Permissions::from_mode(0o644)).expect("the file is ours");

        Key::open(path.clone()).expect("the token is good");

        assert_eq!(fs::metadata(&path).expect("the file is there").mode() & 0o777, 0o600);
    }

    #[test]
    fn a_token_that_cannot_be_read_is_named_with_the_remedy() {
        let (_folder, path) = place();
        fs::create_dir(&path).expect("the folder is writable");

        let error = Key::open(path.clone()).expect_err("a folder is no token").to_string();

        assert!(error.contains(&path.display().to_string()) && error.contains("delete it"), "{error}");
    }
}
