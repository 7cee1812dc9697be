//! What is read of a file, in whichever state its writer left it. How a writer fares beside the reader is tested with a
//! second process.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use self::sql::{elora, in_elora, say};
use super::file::{Manners, Moment, SharedFile, Trouble};
use super::{create, sql as queries};

mod sql;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("chat.db")
    }

    /// A file as gnasty has it, with these texts in it and its writer.
    fn gnasty(&self, texts: &[&str]) -> Connection {
        create::unless_there(&self.file()).expect("the file is made");
        let writer = Connection::open(self.file()).expect("the file opens");
        texts.iter().for_each(|text| say(&writer, text));
        writer
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("the folder is there");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn texts(path: &Path) -> Result<Vec<String>, Trouble> {
    read(&mut SharedFile::new(path))
}

fn read(file: &mut SharedFile) -> Result<Vec<String>, Trouble> {
    file.read(Manners::Aside, |moment| Ok(queries::after(moment, 0, 100)?.into_iter().map(|line| line.text).collect()))
}

fn all<T>(path: &Path, query: impl FnOnce(&Moment<'_>) -> rusqlite::Result<T>) -> T {
    SharedFile::new(path).read(Manners::Aside, query).expect("it is read")
}

#[test]
fn rows_are_read_in_both_directions_and_counted() {
    let folder = Folder::new();
    let _writer = folder.gnasty(&["one", "two", "three"]);

    let (after, before, count, newest) = all(&folder.file(), |moment| {
        let newest = queries::newest(moment)?.map(|place| place.row_id);
        Ok((queries::after(moment, 1, 10)?, queries::before(moment, 3, 10)?, queries::count(moment, 2)?, newest))
    });

    let texts = |lines: &[queries::Line]| lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&after), ["two", "three"]);
    assert_eq!(texts(&before), ["two", "one"]);
    assert_eq!((count, newest), (2, Some(3)));
    assert_eq!(after[0].native_id.as_deref(), Some("id-two"));
    assert_eq!((after[0].ts.as_str(), after[0].color.as_str()), ("1000", "#FF0000"));
}

#[test]
fn the_table_of_the_earlier_elora_is_read_by_its_own_ids() {
    let folder = Folder::new();
    let writer = Connection::open(folder.file()).expect("a new file");
    elora(&writer);
    in_elora(&writer, "u-1");

    let lines = all(&folder.file(), |moment| queries::after(moment, 0, 10));

    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].native_id.as_deref(), Some("u-1"));
    assert_eq!((lines[0].ts.as_str(), lines[0].raw_json.as_str()), (sql::TS, ""));
}

#[test]
fn a_file_is_read_in_every_state_and_left_as_it_is() {
    let folder = Folder::new();
    assert!(matches!(texts(&folder.file()), Err(Trouble::Missing(_))));
    let writer = folder.gnasty(&[]);
    assert_eq!(texts(&folder.file()).expect("a new file"), [""; 0]);
    say(&writer, "one");

    let mut reader = SharedFile::new(&folder.file());
    assert_eq!(read(&mut reader).expect("a log in use"), ["one"]);
    let rest = folder.names();
    writer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).expect("it is taken");
    drop(writer);
    assert_eq!(read(&mut reader).expect("a log nobody closed"), ["one"]);
    drop(reader);
    assert_eq!(texts(&folder.file()).expect("a log nobody closed, from the start"), ["one"]);
    assert_eq!(folder.names(), rest);

    sql::write_and_close(Connection::open(folder.file()).expect("it opens again"));
    assert_eq!(folder.names(), ["chat.db"], "the last writer closed it in order");
    assert_eq!(texts(&folder.file()).expect("a log that was closed in order"), ["one"]);
    assert_eq!(folder.names(), ["chat.db"]);
}

#[test]
fn the_index_of_a_writer_that_was_killed_is_left_for_the_next_one_to_make() {
    let folder = Folder::new();
    let writer = folder.gnasty(&["one"]);
    writer.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).expect("it is taken");
    drop(writer);
    let index = File::options().append(true).open(folder.0.path().join("chat.db-shm")).expect("it is left behind");
    let earlier = SystemTime::now() - Duration::from_secs(60);
    index.set_modified(earlier).expect("its time can be set");

    assert_eq!(texts(&folder.file()).expect("it is read"), ["one"]);

    let changed_at = index.metadata().and_then(|index| index.modified()).expect("it has a time");
    assert_eq!(changed_at, earlier, "whoever makes it keeps a writer out meanwhile");
}

#[test]
fn a_reader_that_stays_sees_what_a_new_writer_says() {
    let folder = Folder::new();
    let writer = folder.gnasty(&["one"]);
    let mut reader = SharedFile::new(&folder.file());
    assert_eq!(read(&mut reader).expect("it is read"), ["one"]);

    drop(writer);
    assert_eq!(folder.names(), ["chat.db"], "nothing kept it from closing in order");
    let writer = Connection::open(folder.file()).expect("it opens again");
    say(&writer, "two");

    assert_eq!(read(&mut reader).expect("it is read"), ["one", "two"]);
    std::fs::remove_file(folder.file()).expect("it is removed");
    assert!(matches!(read(&mut reader), Err(Trouble::Missing(_))));
}

#[test]
fn a_file_with_another_journal_is_read_without_a_lock() {
    let folder = Folder::new();
    let writer = Connection::open(folder.file()).expect("a new file");
    elora(&writer);
    let mut reader = SharedFile::new(&folder.file());
    in_elora(&writer, "one");

    assert_eq!(read(&mut reader).expect("it is read"), ["one"]);
    sql::take(&writer);
    in_elora(&writer, "two");
    assert!(matches!(read(&mut reader), Err(Trouble::Busy(_))), "it is being changed");
    sql::give_back_with_a_log(&writer);
    in_elora(&writer, "three");

    assert_eq!(read(&mut reader).expect("it is read"), ["one", "two", "three"]);
}

#[test]
fn what_is_no_harvesters_file_is_told() {
    let folder = Folder::new();
    std::fs::write(folder.file(), "nothing of the sort, but long enough to be one").expect("a file");
    assert!(matches!(texts(&folder.file()), Err(Trouble::Foreign { .. })));
    std::fs::write(folder.file(), "").expect("a file");
    assert!(matches!(texts(&folder.file()), Err(Trouble::NoTable(_))));
    let writer = Connection::open(folder.file()).expect("a new file");
    sql::another_table(&writer);
    assert!(matches!(texts(&folder.file()), Err(Trouble::NoTable(_))));
    assert!(matches!(texts(folder.0.path()), Err(Trouble::Foreign { .. })));
}

#[test]
fn a_version_is_told_of_a_file_that_is_left_alone() {
    let folder = Folder::new();
    let writer = folder.gnasty(&["one"]);
    let reader = SharedFile::new(&folder.file());
    assert_eq!(reader.version(), None, "it has just been written");

    let earlier = SystemTime::now() - Duration::from_secs(60);
    let rest = |name: &str| {
        let file = File::options().append(true).open(folder.0.path().join(name)).expect("it is there");
        file.set_modified(earlier).expect("its time can be set");
    };
    drop(writer);
    rest("chat.db");

    let version = reader.version();
    assert!(version.is_some() && reader.version() == version);
}

#[test]
fn a_row_is_known_again_by_what_no_upsert_changes() {
    let folder = Folder::new();
    let writer = folder.gnasty(&["one", "two"]);
    let place = || all(&folder.file(), |moment| queries::at(moment, 2)).expect("the row is there");
    let before = place();

    sql::upsert(&writer, 2);
    assert_eq!(place().print, before.print);
    sql::make_another(&writer, 2);
    assert_ne!(place().print, before.print);
}
