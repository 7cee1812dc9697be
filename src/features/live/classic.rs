//! `/ws/chat`: one message a frame, in the envelope that clients of old know.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until};

use super::Live;
use super::socket::{self, Gone, RESTART, STALLED, Said, Socket};
use crate::chat::EventId;
use crate::feed::{Batch, Missed, Parcel, Seat, classic};
use crate::store::events;
use crate::web::Problem;
use crate::web::extract;

const KEEPALIVE: &str = "__keepalive__";
/// Events read from the store at once by a client that fell behind.
const PAGE: usize = 256;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    source: String,
}

pub async fn open(
    State(live): State<Live>,
    extract::Query(query): extract::Query<Query>,
    asked: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = socket::upgrade(asked, live.socket.max_message_bytes)?;
    let presence = live.stage.enter("classic socket");
    // Before the answer: what comes after it is not missed.
    let place = (live.hub.sit(), live.hub.head());
    Ok(upgrade.on_upgrade(async move |socket| {
        let _presence = presence;
        let gauge = live.metrics.clients("classic");
        gauge.inc();
        Client::new(live, &query, place, socket).watch().await;
        gauge.dec();
    }))
}

struct Client {
    live: Live,
    /// In lower case; empty for every platform.
    source: String,
    seat: Seat,
    socket: Socket,
    position: EventId,
    ping_at: Instant,
    /// When the client counts as gone unless it gives a sign of life.
    silent_until: Instant,
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
    fn new(live: Live, query: &Query, (seat, position): (Seat, EventId), socket: WebSocket) -> Self {
        let now = Instant::now();
        Self {
            source: query.source.trim().to_lowercase(),
            seat,
            socket: Socket::new(socket, live.socket.write_deadline),
            position,
            ping_at: now + live.socket.ping_interval,
            silent_until: now + live.socket.pong_wait,
            live,
        }
    }

    async fn watch(mut self) {
        let Err(end) = self.follow().await else { return };
        match end {
            End::Left | End::Gone(Gone::Broken) => {}
            End::TooMuch => self.socket.close_too_big().await,
            End::Stopping => self.socket.close(RESTART, "the server stops").await,
            End::Gone(Gone::Stalled) => {
                self.live.metrics.dropped("classic");
                self.socket.close(STALLED, "nothing was read").await;
            }
        }
    }

    async fn follow(&mut self) -> Result<(), End> {
        loop {
            tokio::select! {
                biased;
                parcel = self.seat.next() => self.pass_on(parcel).await?,
                () = sleep_until(self.ping_at) => {
                    self.ping_at = Instant::now() + self.live.socket.ping_interval;
                    self.socket.put(Bytes::from_static(KEEPALIVE.as_bytes())).await?;
                    self.socket.ping().await?;
                    self.socket.flush().await?;
                }
                () = sleep_until(self.silent_until) => return Err(End::Left),
                said = self.socket.listen() => match said {
                    Said::Something => self.silent_until = Instant::now() + self.live.socket.pong_wait,
                    Said::TooMuch => return Err(End::TooMuch),
                    Said::Left => return Err(End::Left),
                },
            }
        }
    }

    async fn pass_on(&mut self, first: Result<Parcel, Missed>) -> Result<(), End> {
        let mut next = Some(first);
        while let Some(parcel) = next {
            match parcel {
                Ok(Parcel::Events(batch)) => self.fresh(&batch).await?,
                // This socket has no frame for it.
                Ok(Parcel::State(_)) => {}
                Ok(Parcel::Closed) => {
                    self.catch_up().await?;
                    return Err(End::Stopping);
                }
                Err(Missed) => self.catch_up().await?,
            }
            next = self.seat.try_next();
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
        let head = self.live.hub.head();
        while self.position < head {
            let position = self.position;
            let page = self.live.db.read(move |connection| events::after(connection, position, PAGE)).await;
            // A client of this socket has no cursor to come back with: it goes on with what is new.
            let Ok(page) = page else { break };
            let Some(last) = page.last().map(|event| event.id) else { break };
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
