//! What the writer's queue carries. Everything in it reaches the store in the order in which it was put there.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::{Db, Error, lock};
use crate::chat::NewEvent;

/// One thing for the writer.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are events, which a box would only slow down")]
pub enum Entry {
    Event(NewEvent),
    /// How far somebody who reads has come. It is committed with the events that were put in before it, or after them: a
    /// mark never claims what is not stored.
    Mark {
        name: String,
        value: String,
    },
}

impl Entry {
    /// The event, if it is one.
    pub fn into_event(self) -> Option<NewEvent> {
        match self {
            Self::Event(event) => Some(event),
            Self::Mark { .. } => None,
        }
    }
}

impl From<NewEvent> for Entry {
    fn from(event: NewEvent) -> Self {
        Self::Event(event)
    }
}

/// Marks by name, as they were when they were read.
pub type Marks = BTreeMap<String, String>;

/// Where marks lie among what else `meta` holds; the character after the colon is a semicolon.
const PREFIX: &str = "mark:";
const ALL: &str = "select key, value from meta where key >= 'mark:' and key < 'mark;'";

impl Db {
    /// How far everybody who leaves marks has come, by name.
    pub async fn marks(&self) -> Result<Marks, Error> {
        self.read(all).await
    }
}

fn all(connection: &Connection) -> rusqlite::Result<Marks> {
    let mut query = connection.prepare_cached(ALL)?;
    let rows = query.query_map([], |row| {
        let key: String = row.get(0)?;
        Ok((key[PREFIX.len()..].to_owned(), row.get(1)?))
    })?;
    rows.collect()
}

/// Remembers how far somebody has come, inside of the caller's transaction.
pub fn set(tx: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    lock::set_meta(tx, &format!("{PREFIX}{name}"), value)
}
