//! `/api/feed`: hello, then everything after the cursor, once and in order; over a socket, or as Server-Sent Events
//! for whoever asks for `text/event-stream`.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use rusqlite::Connection;

use super::ask::{Ask, Query};
use super::watcher::{End, Form, Pace, Watcher, admit};
use super::{Live, socket, sse};
use crate::chat::{Event, EventId};
use crate::feed::{Batch, Cursor, Seat, Text, wire};
use crate::store::events;
use crate::web::Problem;
use crate::web::extract;
use crate::web::layers::Correlation;

/// Longest message a viewer may send.
const LONGEST: usize = 64 * 1024;
/// A reader that takes nothing for this long is not reading.
const STALL: Duration = Duration::from_secs(10);
/// Pings that may stay unanswered.
const PINGS: u32 = 3;
/// Events from the store in one frame, and in one write, at most: some 20 KiB, which every viewer keeps room for.
const PER_FRAME: usize = 16;

pub async fn open(
    State(live): State<Arc<Live>>,
    Extension(corr): Extension<Correlation>,
    extract::Query(query): extract::Query<Query>,
    headers: HeaderMap,
    asked: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let mut ask = query.read()?;
    if sse::is_wanted(&headers) {
        ask.since = sse::last_id(&headers).or(ask.since);
        return Ok(sse::open(ask, live));
    }
    let upgrade = socket::upgrade(asked, LONGEST)?;
    Ok(admit(ask, live, upgrade, corr))
}

impl Form for Ask {
    const KIND: &'static str = "feed";
    const NAME: &'static str = "feed socket";
    const TELLS_TOPICS: bool = true;
    const ONLY_WHEN_QUIET: bool = true;

    fn pace(live: &Live) -> Pace {
        let every = live.feed.keepalive;
        Pace { keepalive: every, ping: every, silence: every * PINGS, stall: STALL }
    }

    /// Hello, what every newcomer is told, and what came before.
    async fn greet(watcher: &mut Watcher<Self>) -> Result<(), End> {
        let head = watcher.position;
        let Start { after, hello, is_reset } = start(&watcher.live, &watcher.form, &watcher.seat, head);
        watcher.socket.put(hello).await?;
        watcher.flush().await?;
        watcher.tell_topics().await?;
        if let Some(after) = after {
            watcher.position = after;
            return watcher.catch_up().await;
        }
        if is_reset {
            watcher.socket.put(wire::reset().into()).await?;
        }
        send_newest(watcher, head).await?;
        watcher.flush().await?;
        Ok(())
    }

    fn fresh<'a>(&'a self, batch: &'a Batch, after: EventId) -> impl Iterator<Item = Text> + Send + 'a {
        // After reading the store, what comes from the hub may be known in part.
        batch.frame(move |event| event.id > after && self.filter.passes(event)).into_iter()
    }

    fn stored(&self, live: &Live, events: Vec<Event>, upto: EventId) -> Vec<(EventId, Text)> {
        let asked: Vec<Event> = events.into_iter().filter(|event| self.filter.passes(event)).collect();
        let Some(newest) = asked.last().map(|event| event.id) else { return Vec::new() };
        let frame = |events: &[Event]| {
            let last = events.last().map(|event| event.id).filter(|last| *last != newest).unwrap_or(upto);
            let texts: Vec<String> = events.iter().map(wire::event).collect();
            live.forms.serialized.again.inc_by(events.len() as u64);
            (last, wire::events(&live.cursor(last), texts.iter().map(String::as_str)).into())
        };
        asked.chunks(PER_FRAME).map(frame).collect()
    }

    fn keepalive(&self, live: &Live, position: EventId) -> Text {
        wire::keepalive(&live.cursor(position)).into()
    }

    async fn begin_anew(watcher: &mut Watcher<Self>) -> Result<(), End> {
        let position = watcher.position;
        watcher.socket.put(wire::reset().into()).await?;
        send_newest(watcher, position).await?;
        // However few it wants to see again, what it was not sent yet is not among them.
        watcher.catch_up().await?;
        // Where nothing is left to send, this alone tells the new cursor.
        watcher.socket.put(watcher.form.keepalive(&watcher.live, watcher.position)).await?;
        watcher.flush().await?;
        Ok(())
    }
}

async fn send_newest(watcher: &mut Watcher<Ask>, head: EventId) -> Result<(), End> {
    let (filter, last) = (watcher.form.filter.clone(), watcher.form.last);
    let newest = watcher.live.db.read(move |connection| events::newest(connection, head, &filter, last)).await;
    watcher.send_stored(newest.map_err(|_| End::Blind)?, head).await
}

/// The frames of the socket, each an event without a name.
impl sse::Form for Ask {
    const TELLS_TOPICS: bool = true;

    async fn greet(reader: &mut sse::Reader<Self>) -> Option<()> {
        let head = reader.position;
        let Start { after, hello, is_reset } = start(&reader.live, &reader.form, &reader.seat, head);
        reader.push(after.unwrap_or(head), sse::Line::Unnamed(hello));
        reader.tell_topics();
        if let Some(after) = after {
            reader.position = after;
            return Some(());
        }
        if is_reset {
            reader.push(head, sse::Line::Unnamed(wire::reset().into()));
        }
        tell_newest(reader, head).await
    }

    fn missed(connection: &Connection, after: EventId, limit: usize) -> rusqlite::Result<Vec<Event>> {
        events::after(connection, after, limit)
    }

    fn fresh(&self, batch: &Batch, after: EventId) -> Vec<(EventId, sse::Line)> {
        Form::fresh(self, batch, after).map(|frame| (batch.last(), sse::Line::Unnamed(frame))).collect()
    }

    fn stored(&self, live: &Live, events: Vec<Event>, upto: EventId) -> Vec<(EventId, sse::Line)> {
        Form::stored(self, live, events, upto)
            .into_iter()
            .map(|(upto, frame)| (upto, sse::Line::Unnamed(frame)))
            .collect()
    }

    fn keepalive(&self, live: &Live, position: EventId) -> sse::Line {
        sse::Line::Unnamed(Form::keepalive(self, live, position))
    }

    async fn begin_anew(reader: &mut sse::Reader<Self>) -> Option<()> {
        // A connection that is lost here must not be resumed behind what still follows.
        reader.push_placeless(sse::Line::Unnamed(wire::reset().into()));
        tell_newest(reader, reader.position).await?;
        reader.catch_up().await?;
        let place = sse::Form::keepalive(&reader.form, &reader.live, reader.position);
        reader.push(reader.position, place);
        Some(())
    }
}

async fn tell_newest(reader: &mut sse::Reader<Ask>, head: EventId) -> Option<()> {
    let (filter, last) = (reader.form.filter.clone(), reader.form.last);
    let newest = reader.live.db.read(move |connection| events::newest(connection, head, &filter, last)).await;
    let lines = sse::Form::stored(&reader.form, &reader.live, newest.ok()?, head);
    reader.push_all(lines);
    Some(())
}

/// How a feed begins.
struct Start {
    /// The place it resumes from; none where it begins with the newest.
    after: Option<EventId>,
    hello: Text,
    /// The cursor that was given means nothing here.
    is_reset: bool,
}

/// Where a feed begins that everything up to `head` was sent to others of.
fn start(live: &Live, ask: &Ask, seat: &Seat, head: EventId) -> Start {
    // Whoever comes with a place from before a purge may show what is gone.
    let after = place(live, ask.since.as_ref(), head).filter(|after| *after >= seat.purged());
    let hello = wire::hello(live.db.epoch(), &live.cursor(after.unwrap_or(head)), after.is_some()).into();
    Start { after, hello, is_reset: ask.since.is_some() && after.is_none() }
}

/// The place that a cursor names: one of this database, at or below its newest event.
pub fn place(live: &Live, since: Option<&Option<Cursor>>, head: EventId) -> Option<EventId> {
    let highest = live.db.committed().borrow().last.max(head);
    let is_ours = |cursor: &&Cursor| cursor.epoch == live.db.epoch() && cursor.after <= highest;
    since.into_iter().flatten().find(is_ours).map(|cursor| cursor.after)
}
