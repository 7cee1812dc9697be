//! `/ws/chat`: one message a frame, in the envelope that clients of old know.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use super::Live;
use super::socket::{self, Gone, RESTART, STALLED, Said, Socket};
use crate::chat::EventId;
use crate::feed::{Batch, Next, Seat, classic};
use crate::stages::Presence;
use crate::store::events;
use crate::web::Problem;
use crate::web::extract;

/// The name of this socket in metrics.
const KIND: &str = "classic";
const KEEPALIVE: &str = "__keepalive__";
/// Events read from the store at once by a client that fell behind.
const PAGE: usize = 256;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    source: String,
}

pub async fn open(
    State(live): State<Arc<Live>>,
    extract::Query(query): extract::Query<Query>,
    asked: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = socket::upgrade(asked, live.socket.max_message_bytes)?;
    // Before the answer: what comes after it is not missed.
    let arrival = Box::new(Arrival {
        source: query.source.trim().to_lowercase(),
        position: live.hub.head(),
        seat: live.hub.sit(),
        presence: live.stage.enter("classic socket"),
        live,
    });
    Ok(upgrade.on_upgrade(move |socket| Client::new(*arrival, socket).watch()))
}

/// Somebody at the door.
struct Arrival {
    live: Arc<Live>,
    source: String,
    seat: Seat,
    position: EventId,
    presence: Presence,
}

struct Client {
    live: Arc<Live>,
    /// In lower case; empty for every platform.
    source: String,
    seat: Seat,
    socket: Socket,
    position: EventId,
    ping_at: Instant,
    /// When the client counts as gone unless it gives a sign of life.
    silent_until: Instant,
    _presence: Presence,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.live.metrics.clients(KIND).dec();
    }
}

enum End {
    Left,
    TooMuch,
    Stopping,
    Gone(Gone),
}

impl From<Gone> for End {
    fn from(gone: Gone) -> Self {
        Self::Gone(gone)
    }
}

impl Client {
    fn new(arrival: Arrival, socket: WebSocket) -> Box<Self> {
        let Arrival { live, source, seat, position, presence } = arrival;
        let now = Instant::now();
        live.metrics.clients(KIND).inc();
        Box::new(Self {
            source,
            seat,
            socket: Socket::new(socket, live.socket.write_deadline),
            position,
            ping_at: now + live.socket.ping_interval,
            silent_until: now + live.socket.pong_wait,
            live,
            _presence: presence,
        })
    }

    async fn watch(mut self: Box<Self>) {
        let Err(end) = self.follow().await else { return };
        match end {
            End::Left | End::Gone(Gone::Broken) => {}
            End::TooMuch => self.socket.close_too_big().await,
            End::Stopping => self.socket.close(RESTART, "the server stops").await,
            End::Gone(Gone::Stalled) => {
                self.live.metrics.dropped(KIND);
                self.socket.close(STALLED, "nothing was read").await;
            }
        }
    }

    async fn follow(&mut self) -> Result<(), End> {
        // Set anew only when it rings: what it waits for moves with every sign of life.
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
                    Said::Something => self.silent_until = Instant::now() + self.live.socket.pong_wait,
                    Said::TooMuch => return Err(End::TooMuch),
                    Said::Left => return Err(End::Left),
                },
            }
        }
    }

    fn next_alarm(&self) -> Instant {
        self.ping_at.min(self.silent_until)
    }

    async fn keep_alive(&mut self, now: Instant) -> Result<(), End> {
        if self.silent_until <= now {
            return Err(End::Left);
        }
        if self.ping_at <= now {
            self.ping_at = now + self.live.socket.ping_interval;
            self.socket.put(KEEPALIVE.into()).await?;
            self.socket.ping().await?;
            self.socket.flush().await?;
        }
        Ok(())
    }

    async fn pass_on(&mut self) -> Result<(), End> {
        // This socket has no frame for them.
        self.seat.topics();
        loop {
            match self.seat.after(self.position) {
                Next::Batch(batch) => self.fresh(&batch).await?,
                Next::Missed => Box::pin(self.catch_up()).await?,
                Next::Over => return Err(End::Stopping),
                Next::Nothing => break,
            }
        }
        self.socket.flush().await?;
        Ok(())
    }

    async fn fresh(&mut self, batch: &Batch) -> Result<(), End> {
        for frame in batch.frames().iter().filter(|frame| frame.id() > self.position) {
            if self.wants(frame.platform().as_str())
                && let Some(text) = frame.classic()
            {
                self.socket.put(text.clone()).await?;
            }
        }
        self.position = self.position.max(batch.last());
        Ok(())
    }

    /// Reads from the store what the hub no longer has.
    async fn catch_up(&mut self) -> Result<(), End> {
        let head = self.seat.head();
        while self.position < head {
            let position = self.position;
            let page = self.live.db.read(move |connection| events::after(connection, position, PAGE)).await;
            // A client of this socket has no cursor to come back with: it goes on with what is new.
            let page = page.unwrap_or_default();
            let last = page.last().map_or(head, |event| event.id);
            for event in &page {
                if self.wants(event.channel.platform.as_str())
                    && let Some(text) = classic::message(event, self.live.forms.classic)
                {
                    self.socket.put(text.into()).await?;
                }
            }
            self.socket.flush().await?;
            self.position = last;
        }
        Ok(())
    }

    fn wants(&self, platform: &str) -> bool {
        self.source.is_empty() || self.source == platform
    }
}
