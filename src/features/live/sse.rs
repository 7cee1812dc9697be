//! `/api/feed` for whoever asks for `text/event-stream`: the frames of the socket as Server-Sent Events. The cursor is
//! the event's id, so that a browser that lost the connection goes on where it stopped.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::time::{Instant, sleep_until};

use super::Live;
use super::ask::Ask;
use super::feed::{Start, start};
use super::watcher::Form;
use crate::chat::EventId;
use crate::feed::{Next, Seat, Text, wire};
use crate::store::events;

/// The name of these connections in metrics.
const KIND: &str = "sse";
/// Events read from the store at once.
const PAGE: usize = 128;

/// True for a request that wants events rather than a socket.
pub fn is_wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.contains("text/event-stream") && !headers.contains_key(header::UPGRADE)
}

/// Answers with everything after the cursor of `Last-Event-ID`, or what the query asks for.
pub fn open(live: Arc<Live>, mut ask: Ask, headers: &HeaderMap) -> Response {
    if let Some(last) = headers.get("last-event-id") {
        ask.since = Some(last.to_str().ok().and_then(|last| last.parse().ok()));
    }
    let reader = Reader::new(live, ask);
    let events = stream::unfold(reader, async |mut reader| {
        let event = reader.next().await?;
        Some((Ok::<_, Infallible>(event), reader))
    });
    // Proxies must pass on every event as it comes.
    let unbuffered = [("x-accel-buffering", "no"), ("cache-control", "no-store")];
    (unbuffered, Sse::new(events).keep_alive(KeepAlive::default())).into_response()
}

struct Reader {
    live: Arc<Live>,
    ask: Ask,
    seat: Seat,
    position: EventId,
    /// Finished events that were not taken yet.
    ready: VecDeque<Event>,
    keepalive_at: Instant,
    is_greeted: bool,
}

impl Reader {
    fn new(live: Arc<Live>, ask: Ask) -> Self {
        live.metrics.clients(KIND).inc();
        Self {
            position: live.hub.head(),
            seat: live.hub.sit(),
            ready: VecDeque::new(),
            keepalive_at: Instant::now() + live.feed.keepalive,
            is_greeted: false,
            live,
            ask,
        }
    }

    /// The next event; none at the end, after which a browser comes back.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if !self.is_greeted {
                self.is_greeted = true;
                self.greet().await?;
                continue;
            }
            tokio::select! {
                biased;
                () = self.seat.news(self.position) => self.gather().await?,
                () = sleep_until(self.keepalive_at) => {
                    let cursor = self.live.cursor(self.position);
                    self.push(self.position, &wire::keepalive(&cursor));
                }
            }
        }
    }

    async fn greet(&mut self) -> Option<()> {
        let head = self.position;
        let Start { after, hello, is_reset } = start(&self.live, &self.ask, head);
        self.push(after.unwrap_or(head), &hello);
        self.tell_topics();
        if let Some(after) = after {
            self.position = after;
            return Some(());
        }
        if is_reset {
            self.push(head, &wire::reset());
        }
        let (filter, last) = (self.ask.filter.clone(), self.ask.last);
        let newest = self.live.db.read(move |connection| events::newest(connection, head, &filter, last)).await;
        let frames = self.ask.stored(&self.live, newest.ok()?, head);
        frames.into_iter().for_each(|(upto, frame)| self.push(upto, &frame));
        Some(())
    }

    /// What is new, from the hub or from the store. None at the end.
    async fn gather(&mut self) -> Option<()> {
        self.tell_topics();
        match self.seat.after(self.position) {
            Next::Batch(batch) => {
                let after = std::mem::replace(&mut self.position, batch.last());
                let frames: Vec<Text> = self.ask.fresh(&batch, after).collect();
                frames.into_iter().for_each(|frame| self.push(batch.last(), &frame));
            }
            Next::Missed => {
                let position = self.position;
                let page = self.live.db.read(move |connection| events::after(connection, position, PAGE)).await.ok()?;
                let upto = page.last().map_or(self.seat.head(), |event| event.id);
                self.position = upto;
                let frames = self.ask.stored(&self.live, page, upto);
                frames.into_iter().for_each(|(upto, frame)| self.push(upto, &frame));
            }
            Next::Nothing => {}
            Next::Over => return None,
        }
        Some(())
    }

    fn tell_topics(&mut self) {
        let topics = self.seat.topics();
        self.ready.extend(topics.into_iter().map(|frame| Event::default().data(frame.as_str())));
    }

    fn push(&mut self, upto: EventId, frame: &str) {
        self.keepalive_at = Instant::now() + self.live.feed.keepalive;
        self.ready.push_back(Event::default().id(self.live.cursor(upto)).data(frame));
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.live.metrics.clients(KIND).dec();
    }
}
