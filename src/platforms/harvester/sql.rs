//! Everything that is asked of a harvester's file. Its columns may hold anything, whatever they are declared as.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use super::file::Moment;
use super::table::{Id, Table};
use crate::chat::Millis;
use crate::dialects::stamp;

/// A column longer than this is not read, in bytes: no chat says so much, and many rows are in memory at once.
const LONGEST: usize = 1024 * 1024;

/// A row as it lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub row_id: i64,
    pub platform: String,
    /// The platform's id of the message, or the table's own where that is a text.
    pub native_id: Option<String>,
    /// As it was written: milliseconds, seconds, or words.
    pub ts: String,
    pub username: String,
    pub text: String,
    pub emotes_json: String,
    pub raw_json: String,
    pub badges_json: String,
    pub color: String,
}

/// Which row it is, by what it says: a number is given to another row once rows are counted anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub row_id: i64,
    /// A digest of what a row keeps as long as it is the same message.
    pub print: u64,
    /// As it was written.
    pub ts: String,
}

/// The columns of `messages` with their declared types; none without such a table.
pub fn columns(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let mut query = connection.prepare_cached(
        "select info.name, info.type from sqlite_schema as tables, pragma_table_info('messages') as info
         where tables.type = 'table' and tables.name = 'messages'",
    )?;
    query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The rows after one, oldest first.
pub fn after(moment: &Moment<'_>, row_id: i64, most: u32) -> rusqlite::Result<Vec<Line>> {
    lines(moment, "rowid > :row_id order by rowid", row_id, most)
}

/// The rows before one, newest first.
pub fn before(moment: &Moment<'_>, row_id: i64, most: u32) -> rusqlite::Result<Vec<Line>> {
    lines(moment, "rowid < :row_id order by rowid desc", row_id, most)
}

/// One row, if it is there.
pub fn one(moment: &Moment<'_>, row_id: i64) -> rusqlite::Result<Option<Line>> {
    Ok(lines(moment, "rowid = :row_id", row_id, 1)?.pop())
}

/// How many rows there are up to one.
pub fn count(moment: &Moment<'_>, up_to: i64) -> rusqlite::Result<i64> {
    let mut query = moment.connection.prepare_cached("select count(*) from messages where rowid <= :up_to")?;
    query.query_row(named_params! { ":up_to": up_to }, |row| row.get(0))
}

/// The newest row; none in an empty table.
pub fn newest(moment: &Moment<'_>) -> rusqlite::Result<Option<Place>> {
    place(moment, "order by rowid desc limit 1", i64::MAX)
}

/// The row of this number, if there is one.
pub fn at(moment: &Moment<'_>, row_id: i64) -> rusqlite::Result<Option<Place>> {
    place(moment, "and rowid = :row_id", row_id)
}

/// Digests of what the newest rows say, newest first.
pub fn digests(moment: &Moment<'_>, most: u32) -> rusqlite::Result<Vec<(i64, u64)>> {
    let mut query =
        moment.connection.prepare_cached("select rowid, text from messages order by rowid desc limit :most")?;
    let digest = |row: &Row<'_>| Ok((row.get(0)?, digest(&text(row.get_ref(1)?))));
    query.query_map(named_params! { ":most": most }, digest)?.collect()
}

/// What a text comes to. It is kept nowhere.
fn digest(text: &str) -> u64 {
    let mut digest = DefaultHasher::new();
    text.hash(&mut digest);
    digest.finish()
}

impl Line {
    pub fn digest(&self) -> u64 {
        digest(&self.text)
    }

    pub fn place(&self) -> Place {
        let id = self.native_id.as_deref().unwrap_or_default();
        let print = print(&self.platform, id, &self.ts, &self.username);
        Place { row_id: self.row_id, print, ts: self.ts.clone() }
    }
}

fn place(moment: &Moment<'_>, which: &str, row_id: i64) -> rusqlite::Result<Option<Place>> {
    let id = native_id(&moment.table);
    let sql = format!("select rowid, ts, platform, {id}, username from messages where rowid <= :row_id {which}");
    let mut query = moment.connection.prepare_cached(&sql)?;
    let place = |row: &Row<'_>| {
        let column = |at| row.get_ref(at).map(text);
        let ts = column(1)?;
        let print = print(&column(2)?, &column(3)?, &ts, &column(4)?);
        Ok(Place { row_id: row.get(0)?, print, ts })
    };
    query.query_row(named_params! { ":row_id": row_id }, place).optional()
}

/// A digest that is the same in every version of this program: it is kept (FNV-1a). An upsert may change everything but
/// the message's id.
fn print(platform: &str, id: &str, ts: &str, username: &str) -> u64 {
    let parts = if id.is_empty() { [platform, ts, username] } else { [platform, id, ""] };
    // What ends a part is no text.
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |print, byte| (print ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn lines(moment: &Moment<'_>, which: &str, row_id: i64, most: u32) -> rusqlite::Result<Vec<Line>> {
    let table = &moment.table;
    let column = |has: bool, name: &'static str| if has { name } else { "''" };
    let sql = format!(
        "select rowid, platform, {}, ts, username, text, {}, {}, {}, {} from messages where {which} limit :most",
        native_id(table),
        column(table.has_emotes, "emotes_json"),
        column(table.has_raw, "raw_json"),
        column(table.has_badges, "badges_json"),
        column(table.has_color, "colour"),
    );
    let mut query = moment.connection.prepare_cached(&sql)?;
    query.query_map(named_params! { ":row_id": row_id, ":most": most }, line)?.collect()
}

fn native_id(table: &Table) -> &'static str {
    match table.id {
        _ if table.has_platform_id => "platform_msg_id",
        Id::Text => "id",
        Id::Number | Id::Absent => "null",
    }
}

fn line(row: &Row<'_>) -> rusqlite::Result<Line> {
    let text = |at| row.get_ref(at).map(text);
    Ok(Line {
        row_id: row.get(0)?,
        platform: text(1)?,
        native_id: Some(text(2)?).filter(|id| !id.is_empty()),
        ts: text(3)?,
        username: text(4)?,
        text: text(5)?,
        emotes_json: text(6)?,
        raw_json: text(7)?,
        badges_json: text(8)?,
        color: text(9)?,
    })
}

/// Whatever a column holds, as text; nothing for what is too long.
fn text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) if bytes.len() > LONGEST => String::new(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Exactly what gnasty makes, so that it finds nothing to bring forward: it compares the types as they are spelled.
pub fn create(new: &Connection) -> rusqlite::Result<()> {
    new.execute_batch(
        "begin;
         create table messages (
           id INTEGER primary key autoincrement,
           platform TEXT not null,
           platform_msg_id TEXT,
           ts INTEGER not null,
           username TEXT not null,
           text TEXT not null,
           emotes_json TEXT not null default '[]',
           raw_json TEXT not null default '',
           badges_json TEXT not null default '[]',
           colour TEXT not null default ''
         );
         create unique index messages_uq_platform_msg on messages (platform, platform_msg_id);
         create unique index messages_upsert_key on messages (platform, ts, username, text);
         commit;",
    )
}

/// A row's number and its time, as it stands there.
pub type Dated = (i64, Value);

/// Of the next rows after one, the last, and those that were sent before a time. None after the last row.
pub fn old_rows(
    connection: &Connection,
    before: Millis,
    row_id: i64,
    most: u32,
) -> rusqlite::Result<Option<(i64, Vec<Dated>)>> {
    let mut query =
        connection.prepare_cached("select rowid, ts from messages where rowid > :row_id order by rowid limit :most")?;
    let rows =
        query.query_map(named_params! { ":row_id": row_id, ":most": most }, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut rows = rows.collect::<rusqlite::Result<Vec<Dated>>>()?;
    let Some((last, _)) = rows.last() else { return Ok(None) };
    let last = *last;
    rows.retain(|(_, ts)| stamp::of_text(&text(ts.into())).is_some_and(|ts| ts < before));
    Ok(Some((last, rows)))
}

/// Deletes a row that still has this time.
pub fn delete(connection: &Connection, row_id: i64, ts: &Value) -> rusqlite::Result<u64> {
    let mut delete = connection.prepare_cached("delete from messages where rowid = :row_id and ts is :ts")?;
    delete.execute(named_params! { ":row_id": row_id, ":ts": ts }).map(|rows| rows as u64)
}

/// Takes the write lock, or fails at once.
pub fn begin(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("begin immediate")
}

/// Ends what was begun; nothing of it stays if that fails.
pub fn end(connection: &Connection, done: rusqlite::Result<()>) -> rusqlite::Result<()> {
    let ended = done.and_then(|()| connection.execute_batch("commit"));
    if ended.is_err() {
        // A failed rollback leaves nothing to roll back.
        let _ = connection.execute_batch("rollback");
    }
    ended
}
