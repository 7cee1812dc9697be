//! The table of messages as it is found: gnasty's, the earlier elora's with texts for ids, or one in between. Knows which
//! columns there are, and nothing of what they hold.

use rusqlite::Connection;

use super::sql;

/// Which columns a table of messages has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub id: Id,
    pub has_platform_id: bool,
    pub has_emotes: bool,
    pub has_raw: bool,
    pub has_badges: bool,
    pub has_color: bool,
}

/// What a row's `id` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Id {
    /// A number that SQLite counts up, as in gnasty's.
    Number,
    /// The message's own, as in elora's.
    Text,
    /// There is none.
    Absent,
}

/// Without these a row says nothing.
const NEEDED: [&str; 4] = ["platform", "ts", "username", "text"];

impl Table {
    /// None where there is no such table, or one that nobody could read messages from.
    pub fn find(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let columns = sql::columns(connection)?;
        let kind =
            |name: &str| columns.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, kind)| kind);
        if !NEEDED.iter().all(|name| kind(name).is_some()) {
            return Ok(None);
        }
        let id = match kind("id") {
            Some(kind) if kind.to_ascii_uppercase().contains("INT") => Id::Number,
            Some(_) => Id::Text,
            None => Id::Absent,
        };
        let has = |name: &str| kind(name).is_some();
        Ok(Some(Self {
            id,
            has_platform_id: has("platform_msg_id"),
            has_emotes: has("emotes_json"),
            has_raw: has("raw_json"),
            has_badges: has("badges_json"),
            has_color: has("colour"),
        }))
    }
}
