//! Deleting everything from before a time, for good: a little at a time, so that chat goes on, and to the end, however
//! often it is cut short. Knows no request and no viewer.
//!
//! First a mark is laid, and from then on the writer takes nothing older, so that a backlog brings nothing back. At the
//! end an id is left out: cursors below it belong to clients that may still show what is gone.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, Row, named_params};

use tokio::sync::oneshot;

use super::{Db, Error, body, checkpoint, edit, job, lock};
use crate::chat::event::BOGUS_MS;
use crate::chat::{EventId, Kind, Millis};

/// Rows deleted in one transaction at most, and how long that may take before the commit, which takes as long again:
/// chat waits for it.
const MOST_PER_CHUNK: usize = 256;
const LONGEST_CHUNK: Duration = Duration::from_millis(4);
/// Chunks after which the log is copied into the file: each leaves some 1 MiB there, as the platforms' ids lie all over
/// their index.
const COPY_EVERY: u64 = 8;
/// The longest pause after a chunk.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// Keys in `meta`: from which time on events are taken, the id below which cursors are void, and, with what it deletes
/// in the key itself, each purge that is under way.
const MARK: &str = "purged_before";
const END: &str = "purged_end";
const UNDER_WAY: &str = "purge:";
/// Keys of the same that are under way in a harvester's file, which is read and refilled as our store is.
const SHARED: &str = "purge_shared:";

/// Everything from before a time, of what was there when the purge was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purge {
    before: Millis,
    up_to: EventId,
}

/// What one transaction deleted.
struct Chunk {
    rows: usize,
    messages: u64,
}

/// A row that is about to go.
struct Doomed {
    id: i64,
    platform: String,
    kind: String,
    channel: i64,
    /// Of removals and edits alone.
    body: Option<String>,
}

/// Where a clear lies that no event tells of any more.
struct Stale {
    channel: i64,
    author: i64,
    event: i64,
}

impl Db {
    /// Lays the mark. From then on nothing from before that time is taken, and the purge is sure to be finished: if it
    /// is not carried out now, [`Db::unfinished_purges`] has it at the next start. So has
    /// [`Db::unfinished_shared_purges`], if a harvester's file is to be purged as well.
    pub async fn begin_purge(&self, before: Millis, is_shared: bool) -> Result<Purge, Error> {
        let begin = move |tx: &Connection| {
            if is_shared {
                lock::set_meta(tx, &format!("{SHARED}{}", before.0), "")?;
            }
            begin(tx, before, Millis::now())
        };
        self.write_durably(begin).await
    }

    /// Up to which times a harvester's file is still to be purged.
    pub async fn unfinished_shared_purges(&self) -> Result<Vec<Millis>, Error> {
        self.read(shared).await
    }

    /// A harvester's file has nothing from before this time any more.
    pub async fn end_shared_purge(&self, before: Millis) -> Result<(), Error> {
        let key = format!("{SHARED}{}", before.0);
        self.write(move |tx| forget_key(tx, &key)).await
    }

    /// Deletes every event that a purge means, and returns how many of them were messages.
    pub async fn purge(&self, purge: Purge) -> Result<u64, Error> {
        self.carry_out(purge, false).await
    }

    /// What an earlier run has begun to delete.
    pub async fn unfinished_purges(&self) -> Result<Vec<Purge>, Error> {
        self.read(under_way).await
    }

    /// Deletes what is left.
    pub async fn finish_purge(&self, purge: Purge) -> Result<u64, Error> {
        self.carry_out(purge, true).await
    }

    async fn carry_out(&self, purge: Purge, is_resumed: bool) -> Result<u64, Error> {
        let (mut messages, mut chunks, mut has_deleted) = (0, 0_u64, is_resumed);
        loop {
            let begun = Instant::now();
            let chunk = self.write(move |tx| delete_some(tx, purge)).await?;
            if chunk.rows == 0 {
                break;
            }
            (messages, has_deleted) = (messages + chunk.messages, true);
            // Half of the time is others'.
            let pause = begun.elapsed().min(LONGEST_PAUSE);
            self.aside(checkpoint::sync).await?;
            tokio::time::sleep(pause).await;
            chunks += 1;
            if chunks % COPY_EVERY == 0 {
                self.empty_log().await?;
            }
        }
        if !has_deleted {
            self.write(move |tx| forget(tx, purge)).await?;
            return Ok(0);
        }
        self.drop_clears(purge).await?;
        self.write(move |tx| end(tx, purge)).await?;
        Ok(messages)
    }

    /// Deleting and bringing in fill the log many times faster than chat does. It is copied here, or the writer would have
    /// to one day, while chat waits.
    pub(super) async fn empty_log(&self) -> Result<(), Error> {
        self.aside(checkpoint::copy).await?;
        let (reply, answer) = oneshot::channel();
        self.ask(job::bare(checkpoint::restart, reply), answer).await
    }

    /// Work on the store's files, on neither the writer's thread nor an async one.
    async fn aside(&self, work: fn(&Path)) -> Result<(), Error> {
        let path = self.path().to_owned();
        tokio::task::spawn_blocking(move || work(&path)).await.map_err(|_| Error::Closed)
    }

    async fn drop_clears(&self, purge: Purge) -> Result<(), Error> {
        let mut stale = self.read(move |connection| stale_clears(connection, purge)).await?;
        while !stale.is_empty() {
            let some = stale.split_off(stale.len().saturating_sub(MOST_PER_CHUNK));
            self.write(move |tx| some.iter().try_for_each(|clear| drop_clear(tx, clear))).await?;
        }
        Ok(())
    }
}

/// From which time on events are taken.
pub fn mark(connection: &Connection) -> rusqlite::Result<Millis> {
    Ok(Millis(number(connection, MARK)?.unwrap_or(i64::MIN)))
}

/// The id below which cursors are void.
pub fn last_end(connection: &Connection) -> rusqlite::Result<EventId> {
    Ok(EventId(number(connection, END)?.unwrap_or(0)))
}

fn number(connection: &Connection, key: &str) -> rusqlite::Result<Option<i64>> {
    Ok(lock::meta(connection, key)?.and_then(|text| text.parse().ok()))
}

/// Lays the mark, and notes what is to be done. What is yet to come is nobody's backlog, so the mark is never ahead of
/// the clock.
fn begin(tx: &Connection, before: Millis, now: Millis) -> rusqlite::Result<Purge> {
    let purge = Purge { before, up_to: EventId(lock::last_id(tx)?) };
    lock::set_meta(tx, MARK, &mark(tx)?.max(before.min(now)).0.to_string())?;
    lock::set_meta(tx, &purge.key(), "")?;
    Ok(purge)
}

impl Purge {
    fn key(self) -> String {
        format!("{UNDER_WAY}{}:{}", self.before.0, self.up_to.0)
    }

    fn parse(key: &str) -> Option<Self> {
        let (before, up_to) = key.strip_prefix(UNDER_WAY)?.split_once(':')?;
        Some(Self { before: Millis(before.parse().ok()?), up_to: EventId(up_to.parse().ok()?) })
    }

    /// Whether everything that the other deletes is among what this one does.
    fn covers(self, other: Self) -> bool {
        other.before <= self.before && other.up_to <= self.up_to
    }
}

fn under_way(connection: &Connection) -> rusqlite::Result<Vec<Purge>> {
    // Right after a colon comes a semicolon.
    let mut keys = connection.prepare_cached("select key from meta where key >= 'purge:' and key < 'purge;'")?;
    let keys = keys.query_map([], |row| row.get::<_, String>(0))?;
    keys.filter_map(|key| key.map(|key| Purge::parse(&key)).transpose()).collect()
}

fn shared(connection: &Connection) -> rusqlite::Result<Vec<Millis>> {
    let mut keys =
        connection.prepare_cached("select key from meta where key >= 'purge_shared:' and key < 'purge_shared;'")?;
    let keys = keys.query_map([], |row| row.get::<_, String>(0))?;
    let before = |key: String| key.strip_prefix(SHARED).and_then(|before| before.parse().ok()).map(Millis);
    keys.filter_map(|key| key.map(before).transpose()).collect()
}

fn delete_some(tx: &Connection, purge: Purge) -> rusqlite::Result<Chunk> {
    let begun = Instant::now();
    let mut chunk = Chunk { rows: 0, messages: 0 };
    let mut delete = tx.prepare_cached("delete from events where id = :id")?;
    for doomed in oldest(tx, purge)? {
        match doomed.kind.as_str() {
            "removed" => drop_removal(tx, &doomed)?,
            "edited" => drop_edit(tx, &doomed)?,
            _ => {}
        }
        delete.execute(named_params! { ":id": doomed.id })?;
        chunk.rows += 1;
        chunk.messages += u64::from(doomed.kind == "message");
        if begun.elapsed() >= LONGEST_CHUNK {
            break;
        }
    }
    Ok(chunk)
}

fn oldest(tx: &Connection, purge: Purge) -> rusqlite::Result<Vec<Doomed>> {
    let mut query = tx.prepare_cached(
        "select id, platform, kind, channel_id, case when kind in ('removed', 'edited') then body end
         from events indexed by events_at where at < :before and id <= :up_to order by at limit :most",
    )?;
    let most = i64::try_from(MOST_PER_CHUNK).unwrap_or(i64::MAX);
    let bounds = named_params! { ":before": purge.before.0, ":up_to": purge.up_to.0, ":most": most };
    query.query_map(bounds, doomed)?.collect()
}

fn doomed(row: &Row<'_>) -> rusqlite::Result<Doomed> {
    let (id, platform, kind) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(Doomed { id, platform, kind, channel: row.get(3)?, body: row.get(4)? })
}

/// What it removed is older still, and so gone or not taken any more.
fn drop_removal(tx: &Connection, removal: &Doomed) -> rusqlite::Result<()> {
    let body = removal.body.as_deref().unwrap_or_default();
    let Kind::Removed(removed) = body::decode(&removal.kind, None, body) else { return Ok(()) };
    tx.prepare_cached(
        "delete from removals where platform = :platform and native_id = :native_id and channel_id = :channel
         and event_id = :event",
    )?
    .execute(named_params! {
        ":platform": removal.platform,
        ":native_id": removed.target.native_id,
        ":channel": removal.channel,
        ":event": removal.id,
    })?;
    Ok(())
}

/// What it changed is older still, and so gone.
fn drop_edit(tx: &Connection, doomed: &Doomed) -> rusqlite::Result<()> {
    let body = doomed.body.as_deref().unwrap_or_default();
    let Kind::Edited(edited) = body::decode(&doomed.kind, None, body) else { return Ok(()) };
    let Some(native_id) = edited.target.native_id.as_deref() else { return Ok(()) };
    edit::forget(tx, edit::Key { platform: &doomed.platform, native_id, channel: doomed.channel }, EventId(doomed.id))
}

/// The clears of the purged time that hit nothing any more. A message that is left may have come before a clear all the
/// same, if the platform dated it in the future: from the first such on, clears stay, or its text would come back.
fn stale_clears(connection: &Connection, purge: Purge) -> rusqlite::Result<Vec<Stale>> {
    let bounds = named_params! { ":before": purge.before.0, ":up_to": purge.up_to.0 };
    let last: Option<i64> = connection
        .prepare_cached("select max(event_id) from clears where until < :before and event_id <= :up_to")?
        .query_row(bounds, |row| row.get(0))?;
    let Some(last) = last else { return Ok(Vec::new()) };
    let odd = connection
        .prepare_cached("select id from events where id < :last and at - received_at > :bogus order by id limit 1")?
        .query_row(named_params! { ":last": last, ":bogus": BOGUS_MS }, |row| row.get(0))
        .optional()?;
    let mut query = connection.prepare_cached(
        "select channel_id, author_id, event_id from clears where until < :before and event_id < :end
         and not exists (select 1 from events where id = clears.event_id)",
    )?;
    let bounds = named_params! { ":before": purge.before.0, ":end": odd.unwrap_or(last + 1) };
    query.query_map(bounds, stale)?.collect()
}

fn stale(row: &Row<'_>) -> rusqlite::Result<Stale> {
    Ok(Stale { channel: row.get(0)?, author: row.get(1)?, event: row.get(2)? })
}

fn drop_clear(tx: &Connection, clear: &Stale) -> rusqlite::Result<()> {
    tx.prepare_cached("delete from clears where channel_id = :channel and author_id = :author and event_id = :event")?
        .execute(named_params! { ":channel": clear.channel, ":author": clear.author, ":event": clear.event })?;
    Ok(())
}

/// Leaves an id out, so that whoever was told of the end can be known by it.
fn end(tx: &Connection, purge: Purge) -> rusqlite::Result<()> {
    let end = lock::skip(tx, 1)?;
    lock::set_meta(tx, END, &end.to_string())?;
    for done in under_way(tx)?.into_iter().filter(|other| purge.covers(*other)) {
        forget(tx, done)?;
    }
    Ok(())
}

fn forget(tx: &Connection, purge: Purge) -> rusqlite::Result<()> {
    forget_key(tx, &purge.key())
}

fn forget_key(tx: &Connection, key: &str) -> rusqlite::Result<()> {
    tx.prepare_cached("delete from meta where key = :key")?.execute(named_params! { ":key": key })?;
    Ok(())
}
