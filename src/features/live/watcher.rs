//! Somebody who watches: sent what is new from the hub and what was missed from the store, in order and once, for as
//! long as they read. What it looks like on the wire is the form's business.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::future::poll_immediate;
use tokio::time::{Instant, sleep_until};

use super::Live;
use super::socket::{BLIND, Gone, HURRY, RESTART, STALLED, Said, Socket};
use crate::chat::{Event, EventId};
use crate::feed::{Batch, Next, Seat, Text};
use crate::stages::Presence;
use crate::store::events;
use crate::web::layers::Correlation;

/// Events read from the store at once.
const PAGE: usize = 128;
/// Batches that go out in one write at most.
const TOGETHER: usize = 16;
/// Messages of a client that are read at once at most.
const GLANCE: usize = 64;

/// A wire form of the feed: what its sockets are sent.
pub trait Form: Send + Sync + Sized + 'static {
    /// The name of these sockets in metrics.
    const KIND: &'static str;
    /// Who is named when one of them holds up the end.
    const NAME: &'static str;
    /// Whether topics are told.
    const TELLS_TOPICS: bool;
    /// Whether a keepalive is sent only after silence.
    const ONLY_WHEN_QUIET: bool;

    fn pace(live: &Live) -> Pace;

    /// What comes before anything new.
    fn greet(watcher: &mut Watcher<Self>) -> impl Future<Output = Result<(), End>> + Send;

    /// The frames of those events of a batch that come after an id.
    fn fresh<'a>(&'a self, batch: &'a Batch, after: EventId) -> impl Iterator<Item = Text> + Send + 'a;

    /// The frames of events that were read from the store, which has nothing else up to an id; each with the id that it
    /// reaches to.
    fn stored(&self, live: &Live, events: Vec<Event>, upto: EventId) -> Vec<(EventId, Text)>;

    fn keepalive(&self, live: &Live, position: EventId) -> Text;

    /// Some of what was sent may be gone: what follows comes from the store as it is now.
    fn begin_anew(watcher: &mut Watcher<Self>) -> impl Future<Output = Result<(), End>> + Send;
}

/// The times of one kind of socket.
pub struct Pace {
    pub keepalive: Duration,
    pub ping: Duration,
    /// Without a sign of life for this long, a client counts as gone: its machine may have lost the network.
    pub silence: Duration,
    /// A client that takes nothing of what is written for this long is not reading.
    pub stall: Duration,
}

/// Somebody at the door. It and the watcher are in boxes: thousands may watch for hours, and a task keeps room for
/// everything that was ever moved through it.
struct Arrival<F> {
    form: F,
    pace: Pace,
    live: Arc<Live>,
    seat: Seat,
    position: EventId,
    corr: String,
    presence: Presence,
}

pub struct Watcher<F: Form> {
    pub form: F,
    pub live: Arc<Live>,
    pub seat: Seat,
    pub socket: Socket,
    /// Everything up to here was sent, or was not asked for.
    pub position: EventId,
    pub pace: Pace,
    keepalive_at: Instant,
    ping_at: Instant,
    /// When it counts as gone, unless we hear from it.
    silent_until: Instant,
    /// Set when the house closes.
    hurry_until: Option<Instant>,
    corr: String,
    _presence: Presence,
}

/// Why it is over.
#[derive(Debug)]
pub enum End {
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

/// Takes a seat, and answers with a socket that is served until its end. The seat comes first: whatever is sent after
/// the answer is not missed.
pub fn admit<F: Form>(form: F, live: Arc<Live>, upgrade: WebSocketUpgrade, corr: Correlation) -> Response {
    let arrival = Box::new(Arrival {
        form,
        pace: F::pace(&live),
        position: live.hub.head(),
        seat: live.hub.sit(),
        presence: live.stage.enter(F::NAME),
        live,
        corr: corr.0,
    });
    upgrade.on_upgrade(move |socket| Watcher::new(*arrival, socket).watch())
}

impl<F: Form> Watcher<F> {
    fn new(arrival: Arrival<F>, socket: WebSocket) -> Box<Self> {
        let Arrival { form, pace, live, seat, position, corr, presence } = arrival;
        let now = Instant::now();
        live.metrics.clients(F::KIND).inc();
        tracing::debug!(corr, kind = F::KIND, "a socket was opened");
        Box::new(Self {
            form,
            seat,
            socket: Socket::new(socket, pace.stall, live.stage.stop.clone()),
            position,
            keepalive_at: now + pace.keepalive,
            ping_at: now + pace.ping,
            silent_until: now + pace.silence,
            hurry_until: None,
            pace,
            live,
            corr,
            _presence: presence,
        })
    }

    async fn watch(mut self: Box<Self>) {
        let Err(end) = self.follow().await else { return };
        tracing::debug!(corr = self.corr, kind = F::KIND, ?end, "a socket has ended");
        match end {
            End::Left => self.socket.part().await,
            End::Gone(Gone::Broken) => {}
            End::Silent => self.socket.close(STALLED, "no ping was answered").await,
            End::TooMuch => self.socket.close_too_big().await,
            End::Stopping => self.socket.close(RESTART, "the server stops").await,
            End::Blind => self.socket.close(BLIND, "the store does not answer").await,
            End::Gone(Gone::Stalled) => {
                self.live.metrics.dropped(F::KIND);
                self.socket.close(STALLED, "nothing was read").await;
            }
        }
    }

    async fn follow(&mut self) -> Result<(), End> {
        Box::pin(F::greet(self)).await?;
        // One alarm for all times, set anew only when it rings: they move with every frame.
        let alarm = sleep_until(self.next_alarm());
        tokio::pin!(alarm);
        loop {
            tokio::select! {
                // What a client said comes before the verdict that it is silent.
                biased;
                () = self.seat.news(self.position) => self.pass_on().await?,
                said = self.socket.listen() => self.hear(&said)?,
                () = &mut alarm => {
                    self.keep_alive(Instant::now()).await?;
                    alarm.as_mut().reset(self.next_alarm());
                }
            }
        }
    }

    fn next_alarm(&self) -> Instant {
        self.keepalive_at.min(self.ping_at).min(self.silent_until)
    }

    async fn keep_alive(&mut self, now: Instant) -> Result<(), End> {
        if self.silent_until <= now {
            return Err(End::Silent);
        }
        if self.keepalive_at <= now {
            self.keepalive_at = now + self.pace.keepalive;
            self.socket.put(self.form.keepalive(&self.live, self.position)).await?;
        }
        if self.ping_at <= now {
            self.ping_at = now + self.pace.ping;
            self.socket.ping().await?;
        }
        self.socket.flush().await?;
        Ok(())
    }

    fn hear(&mut self, said: &Said) -> Result<(), End> {
        match said {
            Said::Something => {
                self.silent_until = Instant::now() + self.pace.silence;
                Ok(())
            }
            Said::TooMuch => Err(End::TooMuch),
            Said::Left => Err(End::Left),
        }
    }

    /// What must not wait until a long way is caught up: the client's own words, its keepalives, the house's end.
    async fn attend(&mut self) -> Result<(), End> {
        for _ in 0..GLANCE {
            match poll_immediate(self.socket.listen()).await {
                Some(said) => self.hear(&said)?,
                None => break,
            }
        }
        let now = Instant::now();
        if self.next_alarm() <= now {
            self.keep_alive(now).await?;
        }
        if self.live.stage.stop.is_cancelled() && *self.hurry_until.get_or_insert(now + HURRY) <= now {
            return Err(End::Stopping);
        }
        Ok(())
    }

    /// Everything that is there goes out in one write.
    async fn pass_on(&mut self) -> Result<(), End> {
        self.tell_topics().await?;
        let mut newest = None;
        for left in (0..TOGETHER).rev() {
            match self.seat.after(self.position) {
                Next::Batch(batch) => {
                    let after = std::mem::replace(&mut self.position, batch.last());
                    for frame in self.form.fresh(&batch, after) {
                        self.socket.put(frame).await?;
                        newest = Some(batch.committed_at());
                    }
                }
                Next::Missed => Box::pin(self.catch_up()).await?,
                Next::Purged => {
                    self.seat.begin_anew();
                    Box::pin(F::begin_anew(self)).await?;
                }
                Next::Over => return Err(End::Stopping),
                Next::Nothing => break,
            }
            if left == 0 {
                Box::pin(self.attend()).await?;
            }
        }
        if let Some(committed_at) = newest {
            let now = self.flush().await?;
            self.live.metrics.delivery_seconds.observe(now.into_std().duration_since(committed_at).as_secs_f64());
        }
        Ok(())
    }

    pub async fn tell_topics(&mut self) -> Result<(), End> {
        let topics = self.seat.topics();
        if !F::TELLS_TOPICS || topics.is_empty() {
            return Ok(());
        }
        for frame in topics {
            self.socket.put(frame).await?;
        }
        // They carry no cursor, and so do not stand for a keepalive.
        self.socket.flush().await?;
        Ok(())
    }

    /// Sends from the store what was sent to others meanwhile.
    pub async fn catch_up(&mut self) -> Result<(), End> {
        let head = self.seat.head();
        while self.position < head && !self.seat.is_purged() {
            let position = self.position;
            let page = self.live.db.read(move |connection| events::after(connection, position, PAGE)).await;
            let mut page = page.map_err(|_| End::Blind)?;
            // Of what is newer, the hub has not said yet whether a purge comes before it.
            page.truncate(page.partition_point(|event| event.id <= head));
            // Ids may be left out, after a crash for instance.
            let upto = page.last().map_or(head, |event| event.id);
            self.send_stored(page, upto).await?;
            self.attend().await?;
        }
        Ok(())
    }

    pub async fn send_stored(&mut self, events: Vec<Event>, upto: EventId) -> Result<(), End> {
        for (_, frame) in self.form.stored(&self.live, events, upto) {
            self.socket.put(frame).await?;
            self.flush().await?;
        }
        self.position = upto;
        Ok(())
    }

    /// Sends what was put, at the time that is returned.
    pub async fn flush(&mut self) -> Result<Instant, End> {
        let was_read = self.socket.flush().await?;
        let now = Instant::now();
        if F::ONLY_WHEN_QUIET {
            self.keepalive_at = now + self.pace.keepalive;
        }
        if was_read {
            self.silent_until = now + self.pace.silence;
        }
        Ok(now)
    }
}

impl<F: Form> Drop for Watcher<F> {
    fn drop(&mut self) {
        self.live.metrics.clients(F::KIND).dec();
    }
}
