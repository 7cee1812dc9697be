//! What a message reads after its newest edit.

use rusqlite::{Connection, OptionalExtension as _, named_params};

use crate::chat::EventId;

/// A message as its platform names it.
#[derive(Clone, Copy)]
pub struct Key<'a> {
    pub platform: &'a str,
    pub native_id: &'a str,
    pub channel: i64,
}

const NEWEST: &str = "select e.text from edits k join events e on e.id = k.event_id
     where k.platform = :platform and k.native_id = :native_id and k.channel_id = :channel";

/// The text that is shown now: of the newest edit, or the message's own. None where neither is here.
pub fn current(tx: &Connection, key: Key<'_>, message: Option<EventId>) -> rusqlite::Result<Option<String>> {
    let values = named_params! { ":platform": key.platform, ":native_id": key.native_id, ":channel": key.channel };
    let edited = tx.prepare_cached(NEWEST)?.query_row(values, |row| row.get(0)).optional()?;
    let (None, Some(EventId(id))) = (&edited, message) else { return Ok(edited.flatten()) };
    tx.prepare_cached("select text from events where id = :id")?
        .query_row(named_params! { ":id": id }, |row| row.get(0))
}

/// Remembers the newest edit, whichever comes last: history is brought in newest first.
pub fn remember(tx: &Connection, key: Key<'_>, EventId(event): EventId) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "insert into edits (platform, native_id, channel_id, event_id) values (:platform, :native_id, :channel, :event)
         on conflict do update set event_id = excluded.event_id where excluded.event_id > event_id",
    )?
    .execute(named_params! {
        ":platform": key.platform, ":native_id": key.native_id, ":channel": key.channel, ":event": event,
    })?;
    Ok(())
}

/// The edit is about to go, and leaves nothing behind if it is the newest.
pub fn forget(tx: &Connection, key: Key<'_>, EventId(event): EventId) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "delete from edits where platform = :platform and native_id = :native_id and channel_id = :channel
         and event_id = :event",
    )?
    .execute(named_params! {
        ":platform": key.platform, ":native_id": key.native_id, ":channel": key.channel, ":event": event,
    })?;
    Ok(())
}
