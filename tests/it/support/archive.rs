//! Files as the programs before this one left them: elora's of two times, and gnasty's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, params};
use serde_json::json;

/// Who made the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// The first elora-chat.
    Seed,
    /// The last one, which kept its settings in the file.
    Head,
    Gnasty,
}

/// A row as its maker wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub id: String,
    pub ts: i64,
    pub platform: &'static str,
    pub username: String,
    pub text: String,
    pub emotes_json: String,
    pub raw_json: String,
    pub badges_json: String,
    pub colour: &'static str,
}

pub const ELORA: &str = "
    CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at INTEGER);
    CREATE TABLE messages (
      id TEXT PRIMARY KEY, ts INTEGER NOT NULL, username TEXT NOT NULL, platform TEXT NOT NULL, text TEXT NOT NULL,
      emotes_json TEXT NOT NULL DEFAULT '[]', raw_json TEXT, badges_json TEXT NOT NULL DEFAULT '[]'
    );
    CREATE INDEX idx_messages_ts ON messages(ts DESC);
    CREATE INDEX idx_messages_platform_ts ON messages(platform, ts DESC);
    CREATE INDEX idx_messages_user_ts ON messages(username, ts DESC);
    CREATE INDEX idx_messages_ts_id ON messages(ts DESC, id DESC);
    CREATE TABLE sessions (
      token TEXT PRIMARY KEY, service TEXT NOT NULL, data_json TEXT NOT NULL, token_expiry INTEGER NOT NULL,
      updated_at INTEGER NOT NULL
    );
    INSERT INTO migrations VALUES ('0001_init.sql', 1700000000000), ('0002_sessions.sql', 1700000000000);";

pub const HEAD: &str = "
    CREATE TABLE config_kv (
      key TEXT PRIMARY KEY, version INTEGER NOT NULL, value_json TEXT NOT NULL, updated_at INTEGER NOT NULL
    );
    INSERT INTO migrations VALUES ('0005_add_config_kv.sql', 1700000000000);";

pub const GNASTY: &str = "
    CREATE TABLE IF NOT EXISTS messages (
      id INTEGER PRIMARY KEY AUTOINCREMENT, platform TEXT NOT NULL, platform_msg_id TEXT, ts INTEGER NOT NULL,
      username TEXT NOT NULL, text TEXT NOT NULL, emotes_json TEXT NOT NULL DEFAULT '[]',
      raw_json TEXT NOT NULL DEFAULT '', badges_json TEXT NOT NULL DEFAULT '[]', colour TEXT NOT NULL DEFAULT ''
    );
    CREATE UNIQUE INDEX IF NOT EXISTS messages_uq_platform_msg ON messages(platform, platform_msg_id);
    CREATE UNIQUE INDEX IF NOT EXISTS messages_upsert_key ON messages(platform, ts, username, text);";

/// Makes the file with these rows, oldest first, and closes it.
pub fn write(path: &Path, maker: Maker, rows: &[Row]) {
    let file = make(path, maker);
    insert(&file, maker, rows);
    file.close().expect("the file is closed");
    assert!(!beside(path, "-wal").exists(), "the log is in the file");
}

/// Makes the file, and leaves it open as its maker does.
pub fn make(path: &Path, maker: Maker) -> Connection {
    let file = Connection::open(path).expect("a new file opens");
    file.busy_timeout(Duration::ZERO).expect("it waits for nobody");
    file.pragma_update(None, "journal_mode", "wal").expect("it has a log");
    let schema = match maker {
        Maker::Seed => ELORA.to_owned(),
        Maker::Head => format!("{ELORA}{HEAD}"),
        Maker::Gnasty => GNASTY.to_owned(),
    };
    file.execute_batch(&schema).expect("the schema is made");
    file
}

pub fn insert(file: &Connection, maker: Maker, rows: &[Row]) {
    let sql = match maker {
        Maker::Seed | Maker::Head => {
            "INSERT INTO messages (id, ts, platform, username, text, emotes_json, raw_json, badges_json)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        }
        Maker::Gnasty => {
            "INSERT INTO messages (platform_msg_id, ts, platform, username, text, emotes_json, raw_json, badges_json, colour)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT(platform, platform_msg_id) DO UPDATE SET ts = excluded.ts, text = excluded.text"
        }
    };
    let tx = file.unchecked_transaction().expect("nobody else writes");
    for row in rows {
        let Row { id, ts, platform, username, text, emotes_json, raw_json, badges_json, colour } = row;
        let values = params![id, ts, platform, username, text, emotes_json, raw_json, badges_json, colour];
        let count = if maker == Maker::Gnasty { 9 } else { 8 };
        let mut statement = tx.prepare_cached(sql).expect("the row fits");
        for (number, value) in values.iter().take(count).enumerate() {
            statement.raw_bind_parameter(number + 1, value).expect("it is bound");
        }
        statement.raw_execute().expect("the row is written");
    }
    tx.commit().expect("the rows are written");
}

/// Rows of two platforms, a second apart from `at` on, as this maker writes them.
pub fn rows(maker: Maker, at: i64, count: usize) -> Vec<Row> {
    (0..count).map(|n| if n % 3 == 2 { youtube(maker, at, n) } else { twitch(maker, at, n) }).collect()
}

fn twitch(maker: Maker, at: i64, n: usize) -> Row {
    let (id, ts, username) = (format!("t-{at}-{n}"), at + 1000 * n as i64, format!("Ada_{}", n % 7));
    let text = format!("hello {n} Kappa 😂 Kappa");
    let first = 6 + n.to_string().len() + 1;
    let emotes_json = json!([format!("25:{first}-{},{}-{}", first + 4, first + 8, first + 12)]).to_string();
    let (raw_json, badges_json, colour) = match maker {
        Maker::Gnasty => (String::new(), structured("twitch", "subscriber", "12"), "#CC44FF"),
        _ => (String::new(), json!(["subscriber/12"]).to_string(), ""),
    };
    Row { id, ts, platform: "Twitch", username, text, emotes_json, raw_json, badges_json, colour }
}

fn youtube(maker: Maker, at: i64, n: usize) -> Row {
    let (id, ts, username) = (format!("y-{at}-{n}"), at + 1000 * n as i64, format!("@lovelace{}", n % 5));
    let text = format!("😂 :wave: {n}");
    let emotes_json = json!([{
        "id": "UCx/wave", "name": ":wave:", "locations": [{ "start": 3, "end": 9 }],
        "images": [{ "url": "https://yt3.example/wave", "width": 24, "height": 24 }],
    }]);
    let badges_json = match maker {
        Maker::Seed => "[]".to_owned(),
        _ => structured("youtube", "moderator", ""),
    };
    Row {
        id,
        ts,
        platform: "YouTube",
        username,
        text,
        emotes_json: emotes_json.to_string(),
        raw_json: String::new(),
        badges_json,
        colour: "",
    }
}

fn structured(platform: &str, id: &str, version: &str) -> String {
    json!({ "badges": [{ "platform": platform, "id": id, "version": version }], "raw": { platform: {} } }).to_string()
}

pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
