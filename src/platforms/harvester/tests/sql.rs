//! What writers do with their files.

use rusqlite::Connection;

/// When the rows of the earlier elora were sent.
pub const TS: &str = "2026-01-01T00:00:00Z";

/// A row as gnasty writes it.
pub fn say(writer: &Connection, text: &str) {
    let insert = "insert into messages (platform, platform_msg_id, ts, username, text, colour)
         values ('Twitch', ?1, 1000, 'ada', ?2, '#FF0000')";
    writer.execute(insert, [format!("id-{text}").as_str(), text]).expect("the row is written");
}

/// The table of the earlier elora.
pub fn elora(writer: &Connection) {
    change(
        writer,
        "create table messages (id TEXT primary key, ts INTEGER not null, username TEXT not null, platform TEXT not null,
           text TEXT not null, emotes_json TEXT not null default '[]', raw_json TEXT,
           badges_json TEXT not null default '[]')",
    );
}

/// A row in it, with its id for a text.
pub fn in_elora(writer: &Connection, id: &str) {
    let insert = "insert into messages (id, ts, username, platform, text) values (?1, ?2, 'ada', 'Twitch', ?1)";
    writer.execute(insert, [id, TS]).expect("the row is written");
}

/// A table of the same name that has nothing to do with chat.
pub fn another_table(writer: &Connection) {
    change(writer, "create table messages (id INTEGER, body TEXT)");
}

/// Everything but the message's id becomes something else.
pub fn upsert(writer: &Connection, row_id: i64) {
    writer.execute("update messages set text = 'changed', ts = 7 where id = ?1", [row_id]).expect("it is changed");
}

pub fn make_another(writer: &Connection, row_id: i64) {
    writer.execute("update messages set platform_msg_id = 'other' where id = ?1", [row_id]).expect("it is changed");
}

/// As the last who has the file open, and so moving its log into it.
pub fn write_and_close(writer: Connection) {
    change(&writer, "delete from messages where id = 9");
    writer.close().expect("it closes in order");
}

/// Nobody else may even read.
pub fn take(writer: &Connection) {
    change(writer, "begin exclusive");
}

pub fn give_back_with_a_log(writer: &Connection) {
    change(writer, "commit; pragma journal_mode = wal");
}

fn change(writer: &Connection, sql: &str) {
    writer.execute_batch(sql).expect("nobody is in the way");
}
