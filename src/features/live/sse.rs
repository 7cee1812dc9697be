//! Somebody who watches over Server-Sent Events: sent what is new from the hub and what was missed from the store, in
//! order and once. The cursor is the event's id, so that a browser that lost the connection goes on where it stopped.
//! What it looks like on the wire is the form's business.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

use axum::http::{HeaderMap, header};
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use rusqlite::Connection;
use tokio::time::{Instant, sleep_until};

use super::Live;
use crate::chat::{Event, EventId};
use crate::feed::{Batch, Cursor, Next, Seat, Text};

/// The name of these connections in metrics.
const KIND: &str = "sse";
/// Events read from the store at once.
const PAGE: usize = 128;

/// A wire form of the feed: what its streams are sent. A line comes with the id that it reaches to.
pub trait Form: Send + Sync + Sized + 'static {
    /// Whether topics are told.
    const TELLS_TOPICS: bool;

    /// What comes before anything new; none where the store does not answer.
    fn greet(reader: &mut Reader<Self>) -> impl Future<Output = Option<()>> + Send;

    /// The oldest events after an id that this form may show.
    fn missed(connection: &Connection, after: EventId, limit: usize) -> rusqlite::Result<Vec<Event>>;

    /// The lines of those events of a batch that come after an id.
    fn fresh(&self, batch: &Batch, after: EventId) -> Vec<(EventId, Line)>;

    /// The lines of events that were read from the store, which has nothing else up to an id.
    fn stored(&self, live: &Live, events: Vec<Event>, upto: EventId) -> Vec<(EventId, Line)>;

    /// What is said after silence.
    fn keepalive(&self, live: &Live, position: EventId) -> Line;

    /// Some of what was sent may be gone: what follows comes from the store as it is now.
    fn begin_anew(reader: &mut Reader<Self>) -> impl Future<Output = Option<()>> + Send {
        reader.catch_up()
    }
}

/// What goes out as one event, but for its id.
pub enum Line {
    Unnamed(Text),
    Named(&'static str, Text),
    /// Moves the cursor on, and is no event to anybody.
    Silent,
}

impl Line {
    fn on(self, event: sse::Event) -> sse::Event {
        match self {
            Self::Unnamed(text) => event.data(text.as_str()),
            Self::Named(name, text) => event.event(name).data(text.as_str()),
            Self::Silent => event.comment("nothing new"),
        }
    }
}

/// True for a request that wants events rather than a socket.
pub fn is_wanted(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.contains("text/event-stream") && !headers.contains_key(header::UPGRADE)
}

/// The cursor a browser comes back with. The inner none: one that cannot be ours.
pub fn last_id(headers: &HeaderMap) -> Option<Option<Cursor>> {
    let last = headers.get("last-event-id")?;
    Some(last.to_str().ok().and_then(|last| last.parse().ok()))
}

/// Answers with a stream that goes on until its reader leaves or the house closes.
pub fn open<F: Form>(form: F, live: Arc<Live>) -> Response {
    let events = stream::unfold(Reader::new(live, form), async |mut reader| {
        let event = reader.next().await?;
        Some((Ok::<_, Infallible>(event), reader))
    });
    // Proxies must pass on every event as it comes.
    let unbuffered = [("x-accel-buffering", "no"), ("cache-control", "no-store")];
    (unbuffered, Sse::new(events).keep_alive(KeepAlive::default())).into_response()
}

pub struct Reader<F> {
    pub live: Arc<Live>,
    pub form: F,
    /// Everything up to here was sent, or was not asked for.
    pub position: EventId,
    pub seat: Seat,
    /// Finished events that were not taken yet.
    ready: VecDeque<sse::Event>,
    keepalive_at: Instant,
    is_greeted: bool,
}

impl<F: Form> Reader<F> {
    fn new(live: Arc<Live>, form: F) -> Self {
        live.metrics.clients(KIND).inc();
        Self {
            position: live.hub.head(),
            seat: live.hub.sit(),
            ready: VecDeque::new(),
            keepalive_at: Instant::now() + live.feed.keepalive,
            is_greeted: false,
            live,
            form,
        }
    }

    /// The next event; none at the end, after which a browser comes back.
    async fn next(&mut self) -> Option<sse::Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if !self.is_greeted {
                self.is_greeted = true;
                F::greet(self).await?;
                continue;
            }
            tokio::select! {
                biased;
                () = self.seat.news(self.position) => self.gather().await?,
                () = sleep_until(self.keepalive_at) => {
                    let line = self.form.keepalive(&self.live, self.position);
                    self.push(self.position, line);
                }
            }
        }
    }

    /// What is new, from the hub or from the store. None at the end.
    async fn gather(&mut self) -> Option<()> {
        self.tell_topics();
        match self.seat.after(self.position) {
            Next::Batch(batch) => {
                let after = std::mem::replace(&mut self.position, batch.last());
                let lines = self.form.fresh(&batch, after);
                self.push_all(lines);
            }
            Next::Missed => self.catch_up().await?,
            Next::Purged => {
                self.seat.begin_anew();
                F::begin_anew(self).await?;
            }
            Next::Nothing => {}
            Next::Over => return None,
        }
        Some(())
    }

    pub async fn catch_up(&mut self) -> Option<()> {
        let (position, head) = (self.position, self.seat.head());
        let mut page = self.live.db.read(move |connection| F::missed(connection, position, PAGE)).await.ok()?;
        // A page that is not full has everything there was. Of what is newer than the hub's newest, the hub has not said
        // yet whether a purge comes before it.
        let newest = page.last().filter(|_| page.len() == PAGE).map_or(head, |event| event.id);
        page.truncate(page.partition_point(|event| event.id <= head));
        // A reader may name a place that was committed and is not sent yet.
        self.position = newest.min(head).max(position);
        let lines = self.form.stored(&self.live, page, self.position);
        self.push_all(lines);
        Some(())
    }

    pub fn tell_topics(&mut self) {
        let topics = self.seat.topics();
        if F::TELLS_TOPICS {
            self.ready.extend(topics.into_iter().map(|frame| sse::Event::default().data(frame.as_str())));
        }
    }

    pub fn push(&mut self, upto: EventId, line: Line) {
        self.keepalive_at = Instant::now() + self.live.feed.keepalive;
        let event = sse::Event::default().id(self.live.cursor(upto));
        self.ready.push_back(line.on(event));
    }

    /// Says something that leaves the reader's place as it is.
    pub fn push_placeless(&mut self, line: Line) {
        self.ready.push_back(line.on(sse::Event::default()));
    }

    pub fn push_all(&mut self, lines: Vec<(EventId, Line)>) {
        lines.into_iter().for_each(|(upto, line)| self.push(upto, line));
    }
}

impl<F> Drop for Reader<F> {
    fn drop(&mut self) {
        self.live.metrics.clients(KIND).dec();
    }
}
