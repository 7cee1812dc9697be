//! `/api/feed`: hello, then everything after the cursor, once and in order, for as long as somebody reads.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::stream::{SplitStream, StreamExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Live;
use super::ask::{Ask, Query};
use super::session::{self, Gone, Outlet, RESTART, STALLED, Said};
use crate::chat::{Event, EventId};
use crate::feed::{Batch, Cursor, Missed, Seat, Topics, wire};
use crate::store::events;
use crate::web::Problem;
use crate::web::extract;

/// Longest message a viewer may send.
const LONGEST: usize = 64 * 1024;
/// A reader that takes nothing for this long is not reading.
const STALL: Duration = Duration::from_secs(10);
/// Events read from the store at once, and in one frame at most.
const PAGE: usize = 128;
/// Batches that go out in one frame at most.
const TOGETHER: usize = 4;

pub async fn open(
    State(live): State<Live>,
    extract::Query(query): extract::Query<Query>,
    asked: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let ask = query.read()?;
    let upgrade = session::upgrade(asked, LONGEST)?;
    let presence = live.stage.enter("feed socket");
    // Before the answer: what comes after it is not missed.
    let seat = live.hub.sit();
    Ok(upgrade.on_upgrade(async move |socket| {
        let _presence = presence;
        let gauge = live.metrics.clients("feed");
        gauge.inc();
        Viewer::new(live, ask, seat, socket).watch().await;
        gauge.dec();
    }))
}

struct Viewer {
    live: Live,
    ask: Ask,
    seat: Seat,
    topics: watch::Receiver<Topics>,
    out: Outlet,
    stream: SplitStream<WebSocket>,
    /// Everything up to here was sent, or was not asked for.
    position: EventId,
    quiet_until: Instant,
}

/// Why it is over.
enum End {
    Left,
    TooMuch,
    Stopping,
    Gone(Gone),
    /// The store cannot be read.
    Blind,
}

impl From<Gone> for End {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

impl Viewer {
    fn new(live: Live, ask: Ask, seat: Seat, socket: WebSocket) -> Self {
        let (sink, stream) = socket.split();
        // After taking the seat: whatever is newer than this comes to it.
        let position = live.hub.head();
        let quiet_until = Instant::now() + live.feed.keepalive;
        let topics = seat.topics.clone();
        Self { live, ask, seat, topics, out: Outlet::new(sink, STALL), stream, position, quiet_until }
    }

    async fn watch(mut self) {
        let Err(end) = self.follow().await else { return };
        match end {
            End::Left | End::Gone(Gone::Broken) => {}
            End::TooMuch => self.out.close_too_big().await,
            End::Stopping => self.out.close(RESTART, "the server stops").await,
            End::Blind => self.out.close(4001, "the store does not answer").await,
            End::Gone(Gone::Stalled) => {
                self.live.metrics.dropped("feed");
                self.out.close(STALLED, "nothing was read").await;
            }
        }
    }

    async fn follow(&mut self) -> Result<(), End> {
        self.greet().await?;
        loop {
            tokio::select! {
                biased;
                batch = self.seat.next() => self.live(batch).await?,
                changed = self.topics.changed() => {
                    if changed.is_ok() {
                        self.tell_topics().await?;
                    }
                }
                () = sleep_until(self.quiet_until) => {
                    let keepalive = wire::keepalive(&self.cursor(self.position));
                    self.send(keepalive.into()).await?;
                }
                said = session::listen(&mut self.stream) => match said {
                    Said::Something => {}
                    Said::TooMuch => return Err(End::TooMuch),
                    Said::Left => return Err(End::Left),
                },
            }
        }
    }

    /// Hello, what every newcomer is told, and what came before.
    async fn greet(&mut self) -> Result<(), End> {
        let head = self.position;
        let resumed = match &self.ask.since {
            Some(Some(cursor)) if self.is_ours(cursor) => Some(cursor.after),
            _ => None,
        };
        let first = self.cursor(resumed.unwrap_or(head));
        self.out.put(wire::hello(self.live.db.epoch(), &first, resumed.is_some()).into()).await?;
        self.tell_topics().await?;
        if let Some(after) = resumed {
            self.position = after;
            return self.catch_up(head).await;
        }
        if self.ask.since.is_some() {
            self.out.put(wire::reset().into()).await?;
        }
        let (filter, last) = (self.ask.filter.clone(), self.ask.last);
        let newest = self.live.db.read(move |connection| events::newest(connection, head, &filter, last)).await;
        let newest = newest.map_err(|_| End::Blind)?;
        self.stored(&newest, head).await
    }

    /// A cursor of this database, at or below its newest event.
    fn is_ours(&self, cursor: &Cursor) -> bool {
        let highest = (*self.live.db.committed().borrow()).max(self.live.hub.head());
        cursor.epoch == self.live.db.epoch() && cursor.after <= highest
    }

    /// Sends from the store what lies between the position and `head`.
    async fn catch_up(&mut self, head: EventId) -> Result<(), End> {
        while self.position < head {
            let position = self.position;
            let page = self.live.db.read(move |connection| events::after(connection, position, PAGE)).await;
            let page = page.map_err(|_| End::Blind)?;
            let Some(last) = page.last().map(|event| event.id) else { break };
            let asked: Vec<Event> = page.into_iter().filter(|event| self.ask.filter.passes(event)).collect();
            self.stored(&asked, last).await?;
        }
        self.out.flush().await?;
        Ok(())
    }

    async fn stored(&mut self, events: &[Event], upto: EventId) -> Result<(), End> {
        self.position = upto;
        for some in events.chunks(PAGE) {
            let frame = self.serialize(some, upto);
            self.send(frame).await?;
        }
        self.out.flush().await?;
        Ok(())
    }

    fn serialize(&self, events: &[Event], upto: EventId) -> Bytes {
        let texts: Vec<String> = events.iter().map(wire::event).collect();
        let last = events.last().map_or(upto, |event| event.id);
        wire::events(&self.cursor(last), texts.iter().map(String::as_bytes)).into()
    }

    async fn live(&mut self, first: Result<Batch, Missed>) -> Result<(), End> {
        let mut batches = Vec::new();
        let mut next = Some(first);
        let mut missed = None;
        while let Some(batch) = next {
            match batch {
                Ok(batch) => batches.push(batch),
                Err(reason) => missed = Some(reason),
            }
            next = if missed.is_none() && batches.len() < TOGETHER { self.seat.try_next() } else { None };
        }
        self.fresh(&batches).await?;
        match missed {
            None => Ok(()),
            Some(Missed::Some) => self.catch_up(self.live.hub.head()).await,
            Some(Missed::Closed) => {
                self.catch_up(self.live.hub.head()).await?;
                Err(End::Stopping)
            }
        }
    }

    /// Everything that is there goes out in one frame and one write.
    async fn fresh(&mut self, batches: &[Batch]) -> Result<(), End> {
        let Some((last, frame)) = self.join(batches) else { return Ok(()) };
        self.position = last;
        match frame {
            Some(frame) => self.send(frame).await,
            None => Ok(()),
        }
    }

    /// The newest id of what is new, and one frame of what was asked for, joined from the shared bytes.
    fn join(&self, batches: &[Batch]) -> Option<(EventId, Option<Bytes>)> {
        let new = || batches.iter().flat_map(|batch| batch.iter()).filter(|frame| frame.id() > self.position);
        let last = new().last()?.id();
        let mut asked =
            new().filter(|frame| self.ask.filter.passes(&frame.event)).map(|frame| &frame.feed()[..]).peekable();
        let frame = asked.peek().is_some().then(|| wire::events(&self.cursor(last), asked).into());
        Some((last, frame))
    }

    async fn tell_topics(&mut self) -> Result<(), End> {
        let topics = self.topics.borrow_and_update().clone();
        for (topic, data) in topics {
            self.out.put(wire::state(topic, &data).into()).await?;
        }
        self.quiet_until = Instant::now() + self.live.feed.keepalive;
        self.out.flush().await?;
        Ok(())
    }

    async fn send(&mut self, frame: Bytes) -> Result<(), End> {
        self.quiet_until = Instant::now() + self.live.feed.keepalive;
        self.out.put(frame).await?;
        self.out.flush().await?;
        Ok(())
    }

    fn cursor(&self, after: EventId) -> String {
        Cursor { epoch: self.live.db.epoch().to_owned(), after }.to_string()
    }
}
