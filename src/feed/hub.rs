//! Where the tailer puts what it read and every socket takes it from. Frames are shared: a clone is a count.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::{classic, wire};
use crate::chat::{Event, EventId, Kind, Platform};
use crate::telemetry::Serialized;

/// Batches kept for sockets that are a little behind. Who is further behind reads the store.
const KEPT_BATCHES: usize = 24;
/// Events in one batch at most. Together with the above it bounds what is kept in memory.
pub(super) const MOST_PER_BATCH: usize = 64;

/// One event, and its bytes in every form that somebody has asked for.
#[derive(Debug)]
pub struct Frame {
    pub event: Event,
    forms: Forms,
    feed: OnceLock<Bytes>,
    classic: OnceLock<Option<Bytes>>,
}

/// How events are turned into bytes, and the counters of how often that happened.
#[derive(Debug, Clone)]
pub struct Forms {
    pub classic: classic::Style,
    pub serialized: Serialized,
}

/// Events committed one after another.
pub type Batch = Arc<[Frame]>;

/// The last word on each topic that has no place in the order, such as how the sources do.
pub type Topics = BTreeMap<&'static str, Bytes>;

impl Frame {
    pub fn new(event: Event, forms: &Forms) -> Self {
        Self { event, forms: forms.clone(), feed: OnceLock::new(), classic: OnceLock::new() }
    }

    pub fn id(&self) -> EventId {
        self.event.id
    }

    pub fn platform(&self) -> &Platform {
        &self.event.channel.platform
    }

    pub fn is_message(&self) -> bool {
        matches!(self.event.kind, Kind::Message(_))
    }

    /// The event as one JSON object of `/api/feed`.
    pub fn feed(&self) -> &Bytes {
        self.feed.get_or_init(|| {
            self.forms.serialized.feed.inc();
            wire::event(&self.event).into()
        })
    }

    /// The text frame of the classic socket; none where it shows nothing.
    pub fn classic(&self) -> Option<&Bytes> {
        let made = self.classic.get_or_init(|| {
            let text = classic::message(&self.event, self.forms.classic)?;
            self.forms.serialized.classic.inc();
            Some(text.into())
        });
        made.as_ref()
    }
}

/// The one place of exchange. Cloning is cheap.
#[derive(Clone)]
pub struct Hub {
    batches: broadcast::Sender<Batch>,
    topics: Arc<watch::Sender<Topics>>,
    head: Arc<watch::Sender<EventId>>,
    closed: CancellationToken,
}

/// What one socket watches.
pub struct Seat {
    batches: broadcast::Receiver<Batch>,
    pub topics: watch::Receiver<Topics>,
    closed: CancellationToken,
}

/// Why the next batch is not there.
#[derive(Debug, PartialEq, Eq)]
pub enum Missed {
    /// Too much came meanwhile: read the store.
    Some,
    /// Nothing will come any more.
    Closed,
}

impl Hub {
    /// A hub whose watchers have seen everything up to `head`.
    pub fn new(head: EventId) -> Self {
        Self {
            batches: broadcast::Sender::new(KEPT_BATCHES),
            topics: Arc::default(),
            head: Arc::new(watch::Sender::new(head)),
            closed: CancellationToken::new(),
        }
    }

    /// Sends a batch to everyone.
    pub(super) fn send(&self, batch: Batch) {
        if let Some(last) = batch.last() {
            self.head.send_replace(last.id());
        }
        // Nobody may be watching.
        let _ = self.batches.send(batch);
    }

    /// Nothing more will be sent: everyone takes what is there and leaves.
    pub(super) fn close(&self) {
        self.closed.cancel();
    }

    /// Takes a seat: everything sent from now on comes to it.
    pub fn sit(&self) -> Seat {
        Seat { batches: self.batches.subscribe(), topics: self.topics.subscribe(), closed: self.closed.clone() }
    }

    /// The newest id that was sent.
    pub fn head(&self) -> EventId {
        *self.head.borrow()
    }

    /// Says the last word on a topic, if it is a new one.
    pub fn announce(&self, topic: &'static str, data: &[u8]) {
        self.topics.send_if_modified(|topics| {
            let is_new = topics.get(topic).is_none_or(|known| known != data);
            if is_new {
                topics.insert(topic, Bytes::copy_from_slice(data));
            }
            is_new
        });
    }
}

impl Seat {
    pub async fn next(&mut self) -> Result<Batch, Missed> {
        tokio::select! {
            biased;
            batch = self.batches.recv() => batch.map_err(|error| match error {
                broadcast::error::RecvError::Lagged(_) => Missed::Some,
                broadcast::error::RecvError::Closed => Missed::Closed,
            }),
            () = self.closed.cancelled() => Err(Missed::Closed),
        }
    }

    /// What is there already.
    pub fn try_next(&mut self) -> Option<Result<Batch, Missed>> {
        match self.batches.try_recv() {
            Ok(batch) => Some(Ok(batch)),
            Err(broadcast::error::TryRecvError::Lagged(_)) => Some(Err(Missed::Some)),
            Err(broadcast::error::TryRecvError::Closed) => Some(Err(Missed::Closed)),
            Err(broadcast::error::TryRecvError::Empty) => None,
        }
    }
}
