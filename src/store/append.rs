//! One event into the store: its channel and author, the duplicate check, and what a moderation event or an edit hits.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::{body, edit, purge};
use crate::chat::{
    Author, Channel, Cleared, Edited, EventId, Kind, Millis, NewEvent, Platform, Removed, Shared, Target,
};

/// Authors remembered between events. The rows are the truth; this only saves looking them up.
const MOST_AUTHORS: usize = 20_000;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    Stored(EventId),
    /// The platform told it before.
    Duplicate,
    /// It is from a time that was purged.
    Outdated,
}

/// The writer's memory of rows it has seen.
#[derive(Default)]
pub struct Appender {
    channels: HashMap<(Platform, String), Known>,
    authors: HashMap<(Platform, String), Known>,
    /// From when on events are taken; none until it is looked up.
    mark: Option<Millis>,
    /// The smallest id, or 0 if none is below it; none until it is looked up.
    lowest: Option<i64>,
}

/// A row as it was last written.
struct Known {
    row: i64,
    login: String,
    name: Option<String>,
}

impl Appender {
    /// Forgets everything, as a rolled-back transaction may have taken rows with it.
    pub fn forget(&mut self) {
        self.channels.clear();
        self.authors.clear();
        self.mark = None;
        self.lowest = None;
    }

    /// Somebody else has changed the store, and may have moved the mark.
    pub fn forget_mark(&mut self) {
        self.mark = None;
    }

    /// Stores one event, inside of the caller's transaction; none for one that no database can take.
    pub fn append_or_skip(&mut self, tx: &Connection, event: &NewEvent) -> rusqlite::Result<Option<Appended>> {
        match self.append(tx, event) {
            Err(error) if is_poison(&error) => {
                tracing::error!(%error, platform = %event.channel.platform, kind = event.kind.name(), "an event no database can take was left out");
                Ok(None)
            }
            appended => appended.map(Some),
        }
    }

    fn append(&mut self, tx: &Connection, event: &NewEvent) -> rusqlite::Result<Appended> {
        if when(event) < self.mark(tx)? {
            return Ok(Appended::Outdated);
        }
        let meant = match &event.kind {
            Kind::Edited(edited) => edited_message(tx, event, edited)?,
            _ => None,
        };
        // An edit is where its message is, whatever channel it was heard of in.
        let channel = match &meant {
            Some(meant) => meant.channel,
            None => self.channel(tx, &event.channel, event.backfill)?,
        };
        match &event.kind {
            Kind::Removed(removed) => self.removed(tx, event, channel, removed),
            Kind::Cleared(cleared) => self.cleared(tx, event, channel, cleared),
            Kind::Edited(edited) => self.edited(tx, event, channel, edited, meant),
            kind => {
                let author = match author_of(kind) {
                    Some(author) => self.author(tx, event, author)?,
                    None => None,
                };
                let removed_by = tombstone(tx, event, channel)?;
                self.insert(tx, event, &event.kind, channel, author, removed_by)
            }
        }
    }

    /// Says which message it changes, and is nothing new where the message reads so already.
    fn edited(
        &mut self,
        tx: &Connection,
        event: &NewEvent,
        channel: i64,
        edited: &Edited,
        meant: Option<Meant>,
    ) -> rusqlite::Result<Appended> {
        let platform = event.channel.platform.as_str();
        let Some(native_id) = edited.target.native_id.as_deref() else {
            return self.insert(tx, event, &event.kind, channel, None, None);
        };
        let key = edit::Key { platform, native_id, channel };
        let (found, author_id) = meant.map(|meant| (meant.id, meant.author_id)).unzip();
        if edit::current(tx, key, found)?.as_deref() == Some(edited.text.as_str()) {
            return Ok(Appended::Duplicate);
        }
        let author_id = author_id.flatten().or_else(|| edited.target.author_id.clone());
        let target = Target { id: found, author_id, ..edited.target.clone() };
        let kind = Kind::Edited(Edited { target, ..edited.clone() });
        let appended = self.insert(tx, event, &kind, channel, None, None)?;
        if let Appended::Stored(id) = appended {
            edit::remember(tx, key, id)?;
        }
        Ok(appended)
    }

    /// Marks the message, now or when it comes.
    fn removed(
        &mut self,
        tx: &Connection,
        event: &NewEvent,
        channel: i64,
        removed: &Removed,
    ) -> rusqlite::Result<Appended> {
        let platform = event.channel.platform.as_str();
        let Some(native_id) = removed.target.native_id.as_deref() else {
            return self.insert(tx, event, &event.kind, channel, None, None);
        };
        let found = find(tx, platform, native_id, channel)?;
        let (found, author_id) = found.unzip();
        let author_id = author_id.flatten().or_else(|| removed.target.author_id.clone());
        let target = Target { id: found, author_id, ..removed.target.clone() };
        let appended = self.insert(tx, event, &Kind::Removed(Removed { target }), channel, None, None)?;
        let Appended::Stored(id) = appended else { return Ok(appended) };
        tx.prepare_cached(
            "insert into removals (platform, native_id, channel_id, event_id) values (:platform, :native_id, :channel, :event)
             on conflict do nothing",
        )?
        .execute(named_params! { ":platform": platform, ":native_id": native_id, ":channel": channel, ":event": id.0 })?;
        if let Some(target) = found {
            tx.prepare_cached("update events set removed_by = :event where id = :target and removed_by is null")?
                .execute(named_params! { ":event": id.0, ":target": target.0 })?;
        }
        // Its copies in the other rooms of a shared session go with it, if it was typed where it was deleted.
        tx.prepare_cached(
            "update events set removed_by = :event
             where platform = :platform and source_id = :native_id and removed_by is null
             and source_channel = (select native_id from channels where id = :channel)",
        )?
        .execute(
            named_params! { ":event": id.0, ":platform": platform, ":native_id": native_id, ":channel": channel },
        )?;
        Ok(appended)
    }

    /// Moves the line before which an author's messages, or everybody's, are gone.
    fn cleared(
        &mut self,
        tx: &Connection,
        event: &NewEvent,
        channel: i64,
        cleared: &Cleared,
    ) -> rusqlite::Result<Appended> {
        let platform = &event.channel.platform;
        let mut target = cleared.target.clone();
        if let (None, Some(login)) = (&target.author_id, &target.author_login) {
            target.author_id = id_of(tx, platform, login)?;
        }
        let author = match (&target.author_id, &target.author_login) {
            (Some(id), login) => {
                let login = login.as_deref().unwrap_or(id);
                Some(self.person(tx, event, id, login, login)?)
            }
            // Somebody who never said a word here.
            (None, Some(_)) => None,
            (None, None) => Some(EVERYBODY),
        };
        let column = author.filter(|author| *author != EVERYBODY);
        let kind = Kind::Cleared(Cleared { target, ..cleared.clone() });
        let appended = self.insert(tx, event, &kind, channel, column, None)?;
        let (Appended::Stored(id), Some(author)) = (appended, author) else { return Ok(appended) };
        tx.prepare_cached(
            "insert into clears (channel_id, author_id, until, event_id) values (:channel, :author, :until, :event)
             on conflict (channel_id, author_id) do update set until = excluded.until, event_id = excluded.event_id
             where excluded.until > until",
        )?
        .execute(
            named_params! { ":channel": channel, ":author": author, ":until": event.sent_at().0, ":event": id.0 },
        )?;
        Ok(appended)
    }

    fn mark(&mut self, tx: &Connection) -> rusqlite::Result<Millis> {
        if let Some(mark) = self.mark {
            return Ok(mark);
        }
        let mark = purge::mark(tx)?;
        self.mark = Some(mark);
        Ok(mark)
    }

    fn channel(&mut self, tx: &Connection, channel: &Channel, is_history: bool) -> rusqlite::Result<i64> {
        let key = (channel.platform.clone(), channel.key().to_owned());
        if let Some(known) = self.channels.get(&key)
            && (is_history || (known.login == channel.login && (channel.name.is_none() || known.name == channel.name)))
        {
            return Ok(known.row);
        }
        let sql = if is_history { CHANNEL_OF_OLD } else { CHANNEL };
        let values = params![key.0.as_str(), key.1, channel.id, channel.login, channel.name];
        let known = tx.prepare_cached(sql)?.query_row(values, Known::read)?;
        let row = known.row;
        self.channels.insert(key, known);
        Ok(row)
    }

    fn author(&mut self, tx: &Connection, event: &NewEvent, author: &Author) -> rusqlite::Result<Option<i64>> {
        let Some(id) = &author.id else { return Ok(None) };
        self.person(tx, event, id, &author.login, &author.name).map(Some)
    }

    fn person(
        &mut self,
        tx: &Connection,
        event: &NewEvent,
        id: &str,
        login: &str,
        name: &str,
    ) -> rusqlite::Result<i64> {
        let key = (event.channel.platform.clone(), id.to_owned());
        if let Some(known) = self.authors.get(&key)
            && (event.backfill || (known.login == login && known.name.as_deref() == Some(name)))
        {
            return Ok(known.row);
        }
        let sql = if event.backfill { AUTHOR_OF_OLD } else { AUTHOR };
        let known = tx.prepare_cached(sql)?.query_row(params![key.0.as_str(), id, login, name], Known::read)?;
        let row = known.row;
        if self.authors.len() >= MOST_AUTHORS {
            self.authors.clear();
        }
        self.authors.insert(key, known);
        Ok(row)
    }

    fn insert(
        &mut self,
        tx: &Connection,
        event: &NewEvent,
        kind: &Kind,
        channel: i64,
        author: Option<i64>,
        removed_by: Option<i64>,
    ) -> rusqlite::Result<Appended> {
        let id = if event.backfill { Some(self.lowest(tx)? - 1) } else { None };
        let appended = insert(tx, event, kind, id, [Some(channel), author, removed_by])?;
        if let (Appended::Stored(EventId(stored)), Some(_)) = (appended, id) {
            self.lowest = Some(stored);
        }
        Ok(appended)
    }

    /// The smallest id there is, or 0: what everybody's first cursor is.
    fn lowest(&mut self, tx: &Connection) -> rusqlite::Result<i64> {
        if let Some(lowest) = self.lowest {
            return Ok(lowest);
        }
        let lowest: Option<i64> = tx.prepare_cached("select min(id) from events")?.query_row([], |row| row.get(0))?;
        let lowest = lowest.unwrap_or(0).min(0);
        self.lowest = Some(lowest);
        Ok(lowest)
    }
}

impl Known {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { row: row.get(0)?, login: row.get(1)?, name: row.get(2)? })
    }
}

const CHANNEL: &str = "insert into channels (platform, key, native_id, login, name) values (?1, ?2, ?3, ?4, ?5)
     on conflict (workspace_id, platform, key) do update
     set login = excluded.login, name = coalesce(excluded.name, name)
     returning id, login, name";

/// History knows older names than those we have.
const CHANNEL_OF_OLD: &str = "insert into channels (platform, key, native_id, login, name) values (?1, ?2, ?3, ?4, ?5)
     on conflict (workspace_id, platform, key) do update set name = coalesce(name, excluded.name)
     returning id, login, name";

const AUTHOR: &str = "insert into authors (platform, native_id, login, name) values (?1, ?2, ?3, ?4)
     on conflict (workspace_id, platform, native_id) do update set login = excluded.login, name = excluded.name
     returning id, login, name";

const AUTHOR_OF_OLD: &str = "insert into authors (platform, native_id, login, name) values (?1, ?2, ?3, ?4)
     on conflict (workspace_id, platform, native_id) do update set name = name
     returning id, login, name";

/// True for what would fail however often it is tried: the event is at fault, not the disk.
fn is_poison(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(code) => {
            matches!(code, Code::ConstraintViolation | Code::TooBig | Code::TypeMismatch | Code::ParameterOutOfRange)
        }
        None => matches!(error, rusqlite::Error::ToSqlConversionFailure(_)),
    }
}

/// The time that the mark is compared with: what a purge goes by, too. Moderation holds whatever nonsense its stamp is.
fn when(event: &NewEvent) -> Millis {
    match event.kind {
        Kind::Removed(_) | Kind::Cleared(_) => event.sent_at(),
        _ => event.happened_at(),
    }
}

/// The author row that stands for the whole chat; real rows count from 1.
const EVERYBODY: i64 = 0;

/// The platform's id of the person who last went by this login. Reads every author: platforms hardly ever leave the id out.
fn id_of(tx: &Connection, platform: &Platform, login: &str) -> rusqlite::Result<Option<String>> {
    tx.prepare_cached("select native_id from authors where platform = ?1 and login = ?2 order by id desc limit 1")?
        .query_row(params![platform.as_str(), login], |row| row.get(0))
        .optional()
}

fn author_of(kind: &Kind) -> Option<&Author> {
    match kind {
        Kind::Message(message) => Some(&message.author),
        Kind::Alert(alert) => alert.author.as_ref(),
        _ => None,
    }
}

/// By the table's whole key: a platform may have removed thousands, and every message asks.
const REMOVAL: &str = "select event_id from removals
     where platform = :platform and native_id = :native_id and channel_id = :channel";

const REMOVAL_OF_SOURCE: &str = "select min(r.event_id) from channels c cross join removals r
     on r.platform = :platform and r.native_id = :native_id and r.channel_id = c.id
     where c.platform = :platform and c.native_id = :channel";

/// The removal that came before its message: of itself, or of what it is a copy of.
fn tombstone(tx: &Connection, event: &NewEvent, channel: i64) -> rusqlite::Result<Option<i64>> {
    let (Kind::Message(_) | Kind::Alert(_), Some(native_id)) = (&event.kind, &event.native_id) else {
        return Ok(None);
    };
    let platform = event.channel.platform.as_str();
    let key = named_params! { ":platform": platform, ":native_id": native_id, ":channel": channel };
    let own = tx.prepare_cached(REMOVAL)?.query_row(key, |row| row.get(0)).optional()?;
    let Some(Shared { source_id, channel_id }) = event.shared.as_ref().filter(|_| own.is_none()) else {
        return Ok(own);
    };
    let key = named_params! { ":platform": platform, ":native_id": source_id, ":channel": channel_id };
    tx.prepare_cached(REMOVAL_OF_SOURCE)?.query_row(key, |row| row.get(0))
}

/// Names the workspace so that the index of the platform's ids serves it.
const FIND: &str = "select e.id, a.native_id from events e left join authors a on a.id = e.author_id
     where e.workspace_id = 1 and e.platform = :platform and e.kind in ('message', 'alert')
     and e.native_id = :native_id and e.channel_id = :channel";

/// The event a removal means, and its author: what carries that id in that channel.
fn find(
    tx: &Connection,
    platform: &str,
    native_id: &str,
    channel: i64,
) -> rusqlite::Result<Option<(EventId, Option<String>)>> {
    tx.prepare_cached(FIND)?
        .query_row(named_params! { ":platform": platform, ":native_id": native_id, ":channel": channel }, |row| {
            Ok((EventId(row.get(0)?), row.get(1)?))
        })
        .optional()
}

/// The message that an edit means.
struct Meant {
    id: EventId,
    author_id: Option<String>,
    channel: i64,
}

/// By the platform's id alone: whoever tells of an edit may not know the channel.
const FIND_ANYWHERE: &str =
    "select e.id, a.native_id, e.channel_id from events e left join authors a on a.id = e.author_id
     where e.workspace_id = 1 and e.platform = :platform and e.kind in ('message', 'alert')
     and e.native_id = :native_id order by e.kind desc limit 1";

fn edited_message(tx: &Connection, event: &NewEvent, edited: &Edited) -> rusqlite::Result<Option<Meant>> {
    let Some(native_id) = edited.target.native_id.as_deref() else { return Ok(None) };
    let key = named_params! { ":platform": event.channel.platform.as_str(), ":native_id": native_id };
    tx.prepare_cached(FIND_ANYWHERE)?
        .query_row(key, |row| Ok(Meant { id: EventId(row.get(0)?), author_id: row.get(1)?, channel: row.get(2)? }))
        .optional()
}

fn insert(
    tx: &Connection,
    event: &NewEvent,
    kind: &Kind,
    id: Option<i64>,
    [channel, author, removed_by]: [Option<i64>; 3],
) -> rusqlite::Result<Appended> {
    let (text, body) = body::encode(kind);
    let shared = event.shared.as_ref();
    let changed = tx
        .prepare_cached(
            "insert into events (platform, kind, native_id, channel_id, author_id, at, received_at, source_id,
             source_channel, text, body, removed_by, alert, id)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) on conflict do nothing",
        )?
        .execute(params![
            event.channel.platform.as_str(),
            kind.name(),
            event.native_id.as_deref().filter(|id| !id.is_empty()),
            channel,
            author,
            event.happened_at().0,
            event.received_at.0,
            shared.map(|shared| &shared.source_id),
            shared.map(|shared| &shared.channel_id),
            text,
            body,
            removed_by,
            kind.alert(),
            id,
        ])?;
    Ok(if changed == 0 { Appended::Duplicate } else { Appended::Stored(EventId(tx.last_insert_rowid())) })
}

#[cfg(test)]
mod tests {
    use rusqlite::params_from_iter;

    use super::*;
    use crate::config;
    use crate::store::{connection, migrate};

    /// How SQLite goes about a query.
    fn steps(store: &Connection, query: &str) -> Vec<String> {
        let mut plan = store.prepare(&format!("explain query plan {query}")).expect("the query fits the schema");
        let values = vec![""; plan.parameter_count()];
        let steps = plan.query_map(params_from_iter(values), |row| row.get(3)).expect("the plan is told");
        steps.collect::<Result<_, _>>().expect("every step is text")
    }

    #[test]
    fn a_removal_and_what_it_means_are_found_by_their_keys() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("elora.db");
        let mut store = connection::writer(&path, &config::Store::default()).expect("a new store opens");
        migrate::run(&mut store, &path).expect("the schema is made");

        for query in [FIND, FIND_ANYWHERE] {
            let found = steps(&store, query);
            let index = "INDEX events_native (workspace_id=? AND platform=? AND kind=? AND native_id=?)";
            assert!(found[0].contains(index), "{found:?}");
        }
        for query in [REMOVAL, REMOVAL_OF_SOURCE] {
            let found = steps(&store, query);
            let key = "USING PRIMARY KEY (platform=? AND native_id=? AND channel_id=?)";
            assert!(found.last().is_some_and(|step| step.contains(key)), "{found:?}");
        }
    }
}
