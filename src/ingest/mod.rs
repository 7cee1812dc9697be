//! Listening: what a platform's listener is, where it puts what it hears, and who restarts it.
//! Knows no platform by name and no database.

pub mod backoff;
mod each;
mod restart;
pub mod status;
pub mod supervisor;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::chat::{Channel, NewEvent};
use crate::store::Entry;

pub use crate::store::Marks;

pub use backoff::Backoff;
pub use each::{Make, supervise_each};
pub use restart::Restart;
pub use status::{Board, Condition, Oddity, SourceState, SourceStatus};
pub use supervisor::supervise;

/// One platform's listener: told which channels are wanted, it says what it hears.
///
/// It connects, joins and leaves as `wanted` changes, and returns when `stop` fires (`Ok`) or when it cannot go on. Before it
/// does, it leaves at once and puts what it has heard into the sink, however long that takes: the supervisor knows how long
/// it may.
/// It does not retry: only the supervisor does, and it calls `run` again, also after a panic; every run starts over.
/// `wanted` holds channels of its platform only; with nothing wanted it idles.
pub trait Driver: Send {
    fn run(
        &mut self,
        wanted: watch::Receiver<BTreeSet<Channel>>,
        sink: Sink,
        stop: CancellationToken,
    ) -> BoxFuture<'_, Result<(), DriverError>>;
}

/// Why a driver cannot go on, and so what happens next.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The connection is gone: try again, with backoff.
    #[error("{0}")]
    Lost(String),
    /// The platform asked for a pause of this length.
    #[error("asked to wait {} s", .0.as_secs())]
    Limited(Duration),
    /// The platform will not have us: stop and tell.
    #[error("{0}")]
    Refused(String),
}

/// Resolves when a watched value, such as the list of wanted channels, changes; never, once nobody can change it any more.
pub async fn changed<T>(watched: &mut watch::Receiver<T>) {
    if watched.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Where a driver puts what it hears. Cloning is cheap.
#[derive(Clone)]
pub struct Sink {
    queue: mpsc::Sender<Entry>,
    board: Board,
    /// Others say how the channels are doing.
    is_beside: bool,
}

/// The house is closing: nothing more is taken.
#[derive(Debug, thiserror::Error)]
#[error("the writer has stopped")]
pub struct Closed;

impl Sink {
    pub fn new(queue: mpsc::Sender<Entry>, board: Board) -> Self {
        Self { queue, board, is_beside: false }
    }

    /// The same for a driver beside those that answer for the channels: what it says of their state is not told.
    pub fn beside(self) -> Self {
        Self { is_beside: true, ..self }
    }

    /// Hands an event to the writer. Awaiting it is the back-pressure: a full queue makes the driver wait.
    pub async fn send(&self, event: NewEvent) -> Result<(), Closed> {
        self.board.heard(&event);
        self.queue.send(event.into()).await.map_err(|_| Closed)
    }

    /// The same for what was heard long ago, or before: it is no sign of life, and is not counted.
    pub async fn send_again(&self, event: NewEvent) -> Result<(), Closed> {
        self.queue.send(event.into()).await.map_err(|_| Closed)
    }

    /// Remembers how far the driver has come, once everything it has sent before is stored. The next start reads it.
    pub async fn mark(&self, name: impl Into<String>, value: impl Into<String>) -> Result<(), Closed> {
        let mark = Entry::Mark { name: name.into(), value: value.into() };
        self.queue.send(mark).await.map_err(|_| Closed)
    }

    /// Says how one channel is doing, for operators and the dashboard.
    pub fn report(&self, channel: &Channel, state: SourceState, reason: Option<&str>) {
        if !self.is_beside {
            self.board.report(channel, state, reason);
        }
    }

    /// The same of a channel that nobody asked for: the driver brings it along.
    pub fn bring(&self, channel: &Channel, state: SourceState, reason: Option<&str>) {
        self.board.bring(channel, state, reason);
    }

    /// What a driver brought along is there no more.
    pub fn forget(&self, channel: &Channel) {
        self.board.forget(channel);
    }

    /// A driver is there, and what it counts begins at 0.
    pub fn begin(&self, driver: &'static str) {
        self.board.begin(driver);
    }

    /// Counts a connection that was opened again.
    pub fn reconnected(&self, driver: &'static str) {
        self.board.reconnected(driver);
    }

    /// Counts something the platform sent that it should not have.
    pub fn odd(&self, driver: &'static str, what: Oddity) {
        self.board.odd(driver, what);
    }
}
