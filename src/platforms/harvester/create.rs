//! A new file for a harvester, with the table it expects: gnasty starts in either order then. Never writes over anything.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::file::beside;
use super::sql;

/// Makes the file if there is none. It appears whole, with its table, or not at all.
///
/// Its permissions are what the process's mask leaves, as for a file that the harvester makes itself: another user's
/// harvester has to write to it, if the folder's rules let it.
pub fn unless_there(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    // Of this process alone: two that start at once do not build in each other's file.
    let part = beside(path, &format!(".{}.part", std::process::id()));
    let sides = ["-wal", "-shm", "-journal"].map(|suffix| beside(&part, suffix));
    let remove = || sides.iter().chain([&part]).for_each(|file| drop(fs::remove_file(file)));
    // What a process of the same number left behind when it was killed.
    remove();
    let made = build(&part).map_err(io::Error::other).and_then(|()| fs::hard_link(&part, path));
    remove();
    match made {
        // Somebody was quicker.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// The header says that there is a log from the beginning, so that the harvester's own wish for one changes nothing.
fn build(path: &Path) -> rusqlite::Result<()> {
    let new = Connection::open(path)?;
    sql::create(&new)?;
    let mode: String = new.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    debug_assert_eq!(mode, "wal", "a file on a disk takes a log");
    // Closing as the last one moves the log into the file and removes it.
    new.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    new.close().map_err(|(_, error)| error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is there");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_new_file_appears_alone_and_one_that_is_there_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let (new, old) = (folder.path().join("new.db"), folder.path().join("deeper/old.db"));
        fs::create_dir(folder.path().join("deeper")).expect("a folder");
        fs::write(&old, "anything").expect("a file");

        unless_there(&new).expect("it is made");
        unless_there(&old).expect("it is left");

        let mut found = names(folder.path());
        found.sort();
        assert_eq!(found, ["deeper", "new.db"]);
        assert_eq!(fs::read_to_string(&old).expect("it is there"), "anything");
        let header = fs::read(&new).expect("it is there");
        assert_eq!(header[18..20], [2, 2], "it has a log");
    }
}
