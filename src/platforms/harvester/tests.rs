//! What is read of a file, in whichever state its writer left it. How a writer fares beside the reader is tested with a
//! second process.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::file::{Manners, Moment, SharedFile, Trouble};
use super::{create, sql};

const ELORA: &str = "create table messages (id TEXT primary key, ts INTEGER not null, username TEXT not null,
    platform TEXT not null, text TEXT not null, emotes_json TEXT not null default '[]', raw_json TEXT,
    badges_json TEXT not null default '[]')";
const OF_GNASTY: &str = "insert into messages (platform, platform_msg_id, ts, username, text, colour)
    values ('Twitch', ?1, 1000, 'ada', ?2, '#FF0000')";

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

fn say(writer: &Connection, text: &str) {
    writer.execute(OF_GNASTY, [format!("id-{text}").as_str(), text]).expect("the row is written");
}

fn texts(path: &Path) -> Result<Vec<String>, Trouble> {
    read(&mut SharedFile::new(path))
}

fn read(file: &mut SharedFile) -> Result<Vec<String>, Trouble> {
    file.read(Manners::Aside, |moment| Ok(sql::after(moment, 0, 100)?.into_iter().map(|line| line.text).collect()))
}

fn all<T>(path: &Path, query: impl FnOnce(&Moment<'_>) -> rusqlite::Result<T>) -> T {
    SharedFile::new(path).read(Manners::Aside, query).expect("it is read")
}

#[test]
fn rows_are_read_in_both_directions_and_counted() {
    let folder = Folder::new();
    let _writer = folder.gnasty(&["one", "two", "three"]);

    let (after, before, count, newest) = all(&folder.file(), |moment| {
        let newest = sql::newest(moment)?.map(|place| place.row_id);
        Ok((sql::after(moment, 1, 10)?, sql::before(moment, 3, 10)?, sql::count(moment, 2)?, newest))
    });

    let texts = |lines: &[sql::Line]| lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
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
    writer.execute_batch(ELORA).expect("the table is made");
    let insert = "insert into messages (id, ts, username, platform, text) values ('u-1', '2026-01-01T00:00:00Z', 'ada', 'Twitch', 'hi')";
    writer.execute(insert, []).expect("the row is written");

    let lines = all(&folder.file(), |moment| sql::after(moment, 0, 10));

    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].native_id.as_deref(), Some("u-1"));
    assert_eq!((lines[0].ts.as_str(), lines[0].raw_json.as_str()), ("2026-01-01T00:00:00Z", ""));
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

    drop(Connection::open(folder.file()).and_then(|writer| writer.execute("delete from messages where id = 9", [])));
    assert_eq!(folder.names(), ["chat.db"], "the last writer closed it in order");
    assert_eq!(texts(&folder.file()).expect("a log that was closed in order"), ["one"]);
    assert_eq!(folder.names(), ["chat.db"]);
}

#[test]
fn a_reader_that_stays_sees_what_a_new_writer_says() {
    let folder = Folder::new();
    let writer = folder.gnasty(&["one"]);
    let mut reader = SharedFile::new(&folder.file());
    assert_eq!(read(&mut reader).expect("it is read"), ["one"]);

    drop(writer);
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
    writer.execute_batch(ELORA).expect("the table is made");
    let mut reader = SharedFile::new(&folder.file());
    let insert = "insert into messages (id, ts, username, platform, text) values (?1, 1, 'ada', 'Twitch', ?1)";
    writer.execute(insert, ["one"]).expect("the row is written");

    assert_eq!(read(&mut reader).expect("it is read"), ["one"]);
    writer.execute_batch("begin exclusive").expect("the reader holds nothing");
    writer.execute(insert, ["two"]).expect("the row is written");
    assert!(matches!(read(&mut reader), Err(Trouble::Busy(_))), "it is being changed");
    writer.execute_batch("commit; pragma journal_mode = wal").expect("the reader holds nothing");
    writer.execute(insert, ["three"]).expect("the row is written");

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
    writer.execute_batch("create table messages (id INTEGER, body TEXT)").expect("the table is made");
    assert!(matches!(texts(&folder.file()), Err(Trouble::NoTable(_))));
    assert!(matches!(texts(folder.0.path()), Err(Trouble::Foreign { .. })));
}

#[test]
fn a_version_is_another_after_every_change_and_only_then() {
    let folder = Folder::new();
    let writer = folder.gnasty(&["one"]);
    let mut reader = SharedFile::new(&folder.file());
    let mut version = || reader.read(Manners::Aside, |moment| Ok(moment.version)).expect("it is read");

    let first = version();
    assert_eq!(version(), first);
    say(&writer, "two");
    assert_ne!(version(), first);
}

#[test]
fn a_row_is_known_again_by_what_no_upsert_changes() {
    let folder = Folder::new();
    let writer = folder.gnasty(&["one", "two"]);
    let place = || all(&folder.file(), |moment| sql::at(moment, 2)).expect("the row is there");
    let before = place();

    writer.execute("update messages set text = 'changed', ts = 7 where id = 2", []).expect("it is changed");
    assert_eq!(place().print, before.print);
    writer.execute("update messages set platform_msg_id = 'other' where id = 2", []).expect("it is changed");
    assert_ne!(place().print, before.print);
}
