//! Reading events back: what follows a cursor, the newest, and pages of history. Whether an event is removed is
//! reckoned here, at reading, so that every reader sees what moderation has done since.

use rusqlite::{Connection, OptionalExtension as _, Row, named_params, types::Value};

use super::body;
use crate::chat::event::BOGUS_MS;
use crate::chat::{Alert, Channel, Event, EventId, Kind, Message, Millis, Platform, Shared, State};

/// What `last=n` looks through at most: a filter that fits nothing must not read a season of chat.
const DEEPEST: i64 = 200_000;

/// Which events somebody asked for. Nothing named means everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub platforms: Vec<String>,
    /// Platform and the channel's id or login, in lower case.
    pub channels: Vec<(String, String)>,
    pub kinds: Vec<String>,
}

/// Kinds that change what was sent before: they pass every filter of kinds.
const CHANGING: [&str; 3] = ["removed", "cleared", "edited"];

impl Filter {
    pub fn passes(&self, event: &Event) -> bool {
        self.admits(&event.channel, event.kind.name())
    }

    /// Whether an event of this kind in this channel was asked for.
    pub fn admits(&self, channel: &Channel, kind: &str) -> bool {
        let platform = channel.platform.as_str();
        let named = |(of, key): &(String, String)| {
            of == platform && (*key == channel.login || Some(key.as_str()) == channel.id.as_deref())
        };
        (self.platforms.is_empty() || self.platforms.iter().any(|one| one == platform))
            && (self.kinds.is_empty() || CHANGING.contains(&kind) || self.kinds.iter().any(|one| one == kind))
            && (self.channels.is_empty() || self.channels.iter().any(named))
    }

    fn is_everything(&self) -> bool {
        self.platforms.is_empty() && self.channels.is_empty() && self.kinds.is_empty()
    }
}

/// A page of history: messages only, newest first.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pub since: Option<Millis>,
    pub before: Option<Millis>,
    /// With `before`: also those of that very time with a smaller id.
    pub before_id: Option<i64>,
    pub limit: usize,
}

/// The newest messages by id, as they came; what was removed is among them, without its text.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub platform: Option<String>,
    pub after: Option<Millis>,
    pub before: Option<Millis>,
    pub limit: usize,
}

/// The columns of [`read`].
fn columns() -> String {
    format!(
        "select e.id, e.platform, e.kind, e.native_id, e.at, e.received_at, e.source_id, e.source_channel, e.text,
         e.body, c.native_id, c.login, c.name, {} as is_removed
         from events e join channels c on c.id = e.channel_id",
        is_removed()
    )
}

/// A message is removed by a deletion, or by a clear of its author or of the whole channel at or after the time it was
/// sent.
pub(super) fn is_removed() -> String {
    let sent = format!("case when abs(e.at - e.received_at) > {BOGUS_MS} then e.received_at else e.at end");
    format!(
        "(e.removed_by is not null or (e.kind = 'message' and exists (
           select 1 from clears k where k.channel_id = e.channel_id and k.author_id in (0, coalesce(e.author_id, 0))
           and k.until >= {sent})))"
    )
}

/// The event with an id.
pub(super) fn one(connection: &Connection, id: EventId) -> rusqlite::Result<Option<Event>> {
    let sql = format!("{} where e.id = :id", columns());
    connection.prepare_cached(&sql)?.query_row(named_params! { ":id": id.0 }, read).optional()
}

/// Everything after an id, in order.
pub fn after(connection: &Connection, id: EventId, limit: usize) -> rusqlite::Result<Vec<Event>> {
    let sql = format!("{} where e.id > :id order by e.id limit :limit", columns());
    let mut query = connection.prepare_cached(&sql)?;
    query.query_map(named_params! { ":id": id.0, ":limit": rows(limit) }, read)?.collect()
}

/// Everything before an id, newest first.
pub fn before(connection: &Connection, id: EventId, limit: usize) -> rusqlite::Result<Vec<Event>> {
    let sql = format!("{} where e.id < :id order by e.id desc limit :limit", columns());
    let mut query = connection.prepare_cached(&sql)?;
    query.query_map(named_params! { ":id": id.0, ":limit": rows(limit) }, read)?.collect()
}

/// The newest that a filter passes up to an id, oldest first.
pub fn newest(connection: &Connection, up_to: EventId, filter: &Filter, count: usize) -> rusqlite::Result<Vec<Event>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let sql = format!("{} where e.id <= :up_to and e.id > :floor order by e.id desc", columns());
    let mut query = connection.prepare_cached(&sql)?;
    // Below 1 lies what was brought in later, which nobody was ever sent.
    let floor = if filter.is_everything() { 0 } else { (up_to.0 - DEEPEST).max(0) };
    let mut rows = query.query(named_params! { ":up_to": up_to.0, ":floor": floor })?;
    let mut found = Vec::with_capacity(count);
    while let Some(row) = rows.next()? {
        let channel = channel(row)?;
        if filter.admits(&channel, &row.get::<_, String>(2)?) {
            found.push(read(row)?);
            if found.len() == count {
                break;
            }
        }
    }
    found.reverse();
    Ok(found)
}

/// One page of history, with one more than asked for if there is more.
pub fn page(connection: &Connection, page: &Page) -> rusqlite::Result<Vec<Event>> {
    let mut sql = format!("{} where e.kind = 'message'", columns());
    let mut values: Vec<(&str, Value)> = vec![(":limit", Value::from(rows(page.limit + 1)))];
    if let Some(since) = page.since {
        sql += " and e.at >= :since";
        values.push((":since", since.0.into()));
    }
    if let Some(before) = page.before {
        sql += " and (e.at < :before or (e.at = :before and e.id < :before_id))";
        values.push((":before", before.0.into()));
        values.push((":before_id", page.before_id.unwrap_or(i64::MIN).into()));
    }
    sql += " and not is_removed order by e.at desc, e.id desc limit :limit";
    all(connection, &sql, &values)
}

/// The newest messages that are asked for, by id.
pub fn messages(connection: &Connection, asked: &Rows) -> rusqlite::Result<Vec<Event>> {
    let mut sql = format!("{} where e.kind = 'message'", columns());
    let mut values: Vec<(&str, Value)> = vec![(":limit", Value::from(rows(asked.limit)))];
    let platform = asked.platform.clone().map(Value::from);
    let bounds = [
        (":platform", " and e.platform = :platform", platform),
        (":after", " and e.at > :after", asked.after.map(|at| at.0.into())),
        (":before", " and e.at < :before", asked.before.map(|at| at.0.into())),
    ];
    for (name, bound, value) in bounds {
        if let Some(value) = value {
            sql += bound;
            values.push((name, value));
        }
    }
    sql += " order by e.id desc limit :limit";
    all(connection, &sql, &values)
}

fn all(connection: &Connection, sql: &str, values: &[(&str, Value)]) -> rusqlite::Result<Vec<Event>> {
    let mut query = connection.prepare_cached(sql)?;
    let values: Vec<(&str, &dyn rusqlite::ToSql)> =
        values.iter().map(|(name, value)| (*name, value as &dyn rusqlite::ToSql)).collect();
    query.query_map(&values[..], read)?.collect()
}

pub(super) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Event> {
    let kind: String = row.get(2)?;
    let body: String = row.get(9)?;
    let shared = match (row.get::<_, Option<String>>(6)?, row.get(7)?) {
        (Some(source_id), Some(channel_id)) => Some(Shared { source_id, channel_id }),
        _ => None,
    };
    let is_removed: bool = row.get(13)?;
    let kind = body::decode(&kind, row.get(8)?, &body);
    Ok(Event {
        id: EventId(row.get(0)?),
        channel: channel(row)?,
        native_id: row.get(3)?,
        at: Millis(row.get(4)?),
        received_at: Millis(row.get(5)?),
        shared,
        state: if is_removed { State::Removed } else { State::Visible },
        kind: if is_removed { bereft(kind) } else { kind },
    })
}

fn channel(row: &Row<'_>) -> rusqlite::Result<Channel> {
    let platform: String = row.get(1)?;
    let platform = Platform::new(&platform)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error)))?;
    Ok(Channel { platform, id: row.get(10)?, login: row.get(11)?, name: row.get(12)? })
}

/// What is left of an event that was taken away: who and where, and nothing of what was said.
fn bereft(kind: Kind) -> Kind {
    match kind {
        Kind::Message(message) => Kind::Message(Message {
            author: message.author,
            text: String::new(),
            fragments: Vec::new(),
            reply: None,
            money: None,
            bits: None,
            flags: Vec::new(),
        }),
        Kind::Alert(alert) => Kind::Alert(Alert {
            text: String::new(),
            fragments: Vec::new(),
            system_text: String::new(),
            money: None,
            bits: None,
            flags: Vec::new(),
            ..alert
        }),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::StatementStatus;

    use super::*;
    use crate::config;
    use crate::store::{connection, migrate};

    #[test]
    fn a_query_is_planned_once_however_often_it_is_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("elora.db");
        let config = config::Store::default();
        let mut store = connection::writer(&path, &config).expect("a new store opens");
        migrate::run(&mut store, &path).expect("the schema is made");
        connection::prepare_reader(&store, &config).expect("a reader is set up");

        for id in 0..3 {
            after(&store, EventId(id), 10).expect("the query runs");
        }

        let sql = format!("{} where e.id > :id order by e.id limit :limit", columns());
        let query = store.prepare_cached(&sql).expect("the statement is kept");
        assert_eq!(query.get_status(StatementStatus::Run), 3);
        assert_eq!(query.get_status(StatementStatus::RePrepare), 0);
    }
}
