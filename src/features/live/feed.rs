//! `/api/feed`: hello, then everything after the cursor, once and in order, for as long as somebody reads.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::response::Response;
use tokio::time::{Instant, sleep_until};

use super::Live;
use super::ask::{Ask, Query};
use super::socket::{self, Gone, RESTART, STALLED, Said, Socket};
use crate::chat::{Event, EventId};
use crate::feed::{Batch, Cursor, Next, Seat, Text, wire};
use crate::stages::Presence;
use crate::store::events;
use crate::web::Problem;
use crate::web::extract;

/// Longest message a viewer may send.
const LONGEST: usize = 64 * 1024;
/// A reader that takes nothing for this long is not reading.
const STALL: Duration = Duration::from_secs(10);
/// Events read from the store at once.
const PAGE: usize = 128;
/// Of these in one frame, and in one write, at most: some 20 KiB, which every viewer keeps room for.
const PER_FRAME: usize = 16;
/// Frames that go out in one write at most.
const TOGETHER: usize = 16;
/// The store does not answer: come back with your cursor.
const BLIND: u16 = 4001;
/// The name of this socket in metrics.
const KIND: &str = "feed";
/// Pings that may stay unanswered before a viewer counts as gone: its machine may have lost the network without a word.
const PINGS: u32 = 3;

pub async fn open(
    State(live): State<Arc<Live>>,
    extract::Query(query): extract::Query<Query>,
    asked: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let ask = query.read()?;
    let upgrade = socket::upgrade(asked, LONGEST)?;
    // Before the answer: what comes after it is not missed.
    let arrival = Box::new(Arrival {
        position: live.hub.head(),
        seat: live.hub.sit(),
        presence: live.stage.enter("feed socket"),
        live,
        ask,
    });
    Ok(upgrade.on_upgrade(move |socket| Viewer::new(*arrival, socket).watch()))
}

/// Somebody at the door. It and the viewer are in boxes: thousands may watch for hours, and a task keeps room for
/// everything that was ever moved through it.
struct Arrival {
    live: Arc<Live>,
    ask: Ask,
    seat: Seat,
    position: EventId,
    presence: Presence,
}

struct Viewer {
    live: Arc<Live>,
    ask: Ask,
    seat: Seat,
    socket: Socket,
    _presence: Presence,
    /// Everything up to here was sent, or was not asked for.
    position: EventId,
    /// When it has to hear from us again.
    quiet_until: Instant,
    ping_at: Instant,
    /// When it counts as gone, unless we hear from it.
    silent_until: Instant,
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.live.metrics.clients(KIND).dec();
    }
}

/// Why it is over.
enum End {
    Left,
    /// It has not answered for too long.
    Silent,
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
    fn new(arrival: Arrival, socket: WebSocket) -> Box<Self> {
        let Arrival { live, ask, seat, position, presence } = arrival;
        let (now, every) = (Instant::now(), live.feed.keepalive);
        live.metrics.clients(KIND).inc();
        Box::new(Self {
            quiet_until: now + every,
            ping_at: now + every,
            silent_until: now + every * PINGS,
            live,
            ask,
            seat,
            socket: Socket::new(socket, STALL),
            position,
            _presence: presence,
        })
    }

    async fn watch(mut self: Box<Self>) {
        let Err(end) = self.follow().await else { return };
        match end {
            End::Left | End::Gone(Gone::Broken) => {}
            End::Silent => self.socket.close(STALLED, "no ping was answered").await,
            End::TooMuch => self.socket.close_too_big().await,
            End::Stopping => self.socket.close(RESTART, "the server stops").await,
            End::Blind => self.socket.close(BLIND, "the store does not answer").await,
            End::Gone(Gone::Stalled) => {
                self.live.metrics.dropped(KIND);
                self.socket.close(STALLED, "nothing was read").await;
            }
        }
    }

    async fn follow(&mut self) -> Result<(), End> {
        Box::pin(self.greet()).await?;
        // One alarm for all three times, set anew only when it rings: they move with every frame.
        let alarm = sleep_until(self.next_alarm());
        tokio::pin!(alarm);
        loop {
            tokio::select! {
                biased;
                () = self.seat.news(self.position) => self.pass_on().await?,
                () = &mut alarm => {
                    self.keep_alive(Instant::now()).await?;
                    alarm.as_mut().reset(self.next_alarm());
                }
                said = self.socket.listen() => match said {
                    Said::Something => self.silent_until = Instant::now() + self.live.feed.keepalive * PINGS,
                    Said::TooMuch => return Err(End::TooMuch),
                    Said::Left => return Err(End::Left),
                },
            }
        }
    }

    fn next_alarm(&self) -> Instant {
        self.quiet_until.min(self.ping_at).min(self.silent_until)
    }

    async fn keep_alive(&mut self, now: Instant) -> Result<(), End> {
        if self.silent_until <= now {
            return Err(End::Silent);
        }
        if self.ping_at <= now {
            self.ping_at = now + self.live.feed.keepalive;
            self.socket.ping().await?;
        }
        if self.quiet_until <= now {
            self.quiet_until = now + self.live.feed.keepalive;
            let keepalive = wire::keepalive(&self.cursor(self.position));
            self.socket.put(keepalive.into()).await?;
        }
        self.socket.flush().await?;
        Ok(())
    }

    /// Hello, what every newcomer is told, and what came before.
    async fn greet(&mut self) -> Result<(), End> {
        let head = self.position;
        let resumed = match &self.ask.since {
            Some(Some(cursor)) if self.is_ours(cursor) => Some(cursor.after),
            _ => None,
        };
        let first = self.cursor(resumed.unwrap_or(head));
        self.socket.put(wire::hello(self.live.db.epoch(), &first, resumed.is_some()).into()).await?;
        self.flush().await?;
        self.tell_topics().await?;
        if let Some(after) = resumed {
            self.position = after;
            return self.catch_up().await;
        }
        if self.ask.since.is_some() {
            self.socket.put(wire::reset().into()).await?;
        }
        let (filter, last) = (self.ask.filter.clone(), self.ask.last);
        let newest = self.live.db.read(move |connection| events::newest(connection, head, &filter, last)).await;
        let newest = newest.map_err(|_| End::Blind)?;
        self.stored(&newest, head).await
    }

    /// A cursor of this database, at or below its newest event.
    fn is_ours(&self, cursor: &Cursor) -> bool {
        let highest = self.live.db.committed().borrow().last.max(self.seat.head());
        cursor.epoch == self.live.db.epoch() && cursor.after <= highest
    }

    /// Sends from the store what was sent to others meanwhile.
    async fn catch_up(&mut self) -> Result<(), End> {
        let head = self.seat.head();
        while self.position < head {
            let position = self.position;
            let page = self.live.db.read(move |connection| events::after(connection, position, PAGE)).await;
            let page = page.map_err(|_| End::Blind)?;
            // Ids may be left out, after a crash for instance.
            let last = page.last().map_or(head, |event| event.id);
            let asked: Vec<Event> = page.into_iter().filter(|event| self.ask.filter.passes(event)).collect();
            self.stored(&asked, last).await?;
        }
        Ok(())
    }

    async fn stored(&mut self, events: &[Event], upto: EventId) -> Result<(), End> {
        self.position = upto;
        for some in events.chunks(PER_FRAME) {
            let frame = self.serialize(some, upto);
            self.socket.put(frame).await?;
            self.flush().await?;
        }
        Ok(())
    }

    fn serialize(&self, events: &[Event], upto: EventId) -> Text {
        let texts: Vec<String> = events.iter().map(wire::event).collect();
        let last = events.last().map_or(upto, |event| event.id);
        wire::events(&self.cursor(last), texts.iter().map(String::as_str)).into()
    }

    /// Everything that is there goes out in one write.
    async fn pass_on(&mut self) -> Result<(), End> {
        self.tell_topics().await?;
        let mut newest = None;
        for _ in 0..TOGETHER {
            match self.seat.after(self.position) {
                Next::Batch(batch) => {
                    if self.fresh(&batch).await? {
                        newest = Some(batch.committed_at());
                    }
                }
                Next::Missed => Box::pin(self.catch_up()).await?,
                Next::Over => return Err(End::Stopping),
                Next::Nothing => break,
            }
        }
        if let Some(committed_at) = newest {
            let now = self.flush().await?;
            self.live.metrics.delivery_seconds.observe(now.into_std().duration_since(committed_at).as_secs_f64());
        }
        Ok(())
    }

    /// True if any of it was asked for.
    async fn fresh(&mut self, batch: &Batch) -> Result<bool, End> {
        // After reading the store, what comes from the hub may be known in part.
        let after = self.position;
        let passes = |event: &Event| event.id > after && self.ask.filter.passes(event);
        let frame = batch.frame(passes);
        self.position = batch.last();
        let Some(frame) = frame else { return Ok(false) };
        self.socket.put(frame).await?;
        Ok(true)
    }

    async fn tell_topics(&mut self) -> Result<(), End> {
        let topics = self.seat.topics();
        if topics.is_empty() {
            return Ok(());
        }
        for frame in topics {
            self.socket.put(frame).await?;
        }
        self.flush().await?;
        Ok(())
    }

    /// Sends what was put, at the time that is returned.
    async fn flush(&mut self) -> Result<Instant, End> {
        self.socket.flush().await?;
        let now = Instant::now();
        self.quiet_until = now + self.live.feed.keepalive;
        Ok(now)
    }

    fn cursor(&self, after: EventId) -> String {
        Cursor { epoch: self.live.db.epoch().to_owned(), after }.to_string()
    }
}
