//! Where the tailer puts what it read and every socket takes it from. Bytes are shared: a clone is a count.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::sync::{broadcast, watch};

use super::{Batch, wire};
use crate::chat::EventId;

/// Parcels kept for sockets that are a little behind. Who is further behind reads the store.
const KEPT: usize = 32;

/// What goes to everyone, in one order.
#[derive(Debug, Clone)]
pub enum Parcel {
    Events(Arc<Batch>),
    /// The last word on a topic that has no place in the store, as a finished frame.
    State(Bytes),
    /// Nothing will come any more.
    Closed,
}

/// The last word on each topic, as a finished frame.
type Topics = BTreeMap<&'static str, Bytes>;

/// The one place of exchange. Cloning is cheap.
#[derive(Clone)]
pub struct Hub {
    parcels: broadcast::Sender<Parcel>,
    topics: Arc<watch::Sender<Topics>>,
    head: Arc<watch::Sender<EventId>>,
    closed: Arc<AtomicBool>,
}

/// What one socket watches.
pub struct Seat {
    parcels: broadcast::Receiver<Parcel>,
    /// It was taken when nothing would come any more.
    is_late: bool,
}

/// Too much came meanwhile: read the store.
#[derive(Debug, PartialEq, Eq)]
pub struct Missed;

impl Hub {
    /// A hub whose watchers have seen everything up to `head`.
    pub fn new(head: EventId) -> Self {
        Self {
            parcels: broadcast::Sender::new(KEPT),
            topics: Arc::default(),
            head: Arc::new(watch::Sender::new(head)),
            closed: Arc::default(),
        }
    }

    /// Sends events to everyone.
    pub(super) fn send(&self, batch: Batch) {
        self.head.send_replace(batch.last());
        self.deliver(Parcel::Events(Arc::new(batch)));
    }

    /// Nothing more will be sent: everyone takes what is there and leaves.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.deliver(Parcel::Closed);
    }

    fn deliver(&self, parcel: Parcel) {
        // Nobody may be watching.
        let _ = self.parcels.send(parcel);
    }

    /// Takes a seat: everything sent from now on comes to it.
    pub fn sit(&self) -> Seat {
        // In this order: whoever closes in between sends its word to the seat.
        let parcels = self.parcels.subscribe();
        Seat { parcels, is_late: self.closed.load(Ordering::Acquire) }
    }

    /// The newest id that was sent.
    pub fn head(&self) -> EventId {
        *self.head.borrow()
    }

    /// Says the last word on a topic, if it is a new one.
    pub fn announce(&self, topic: &'static str, data: &[u8]) {
        let frame = Bytes::from(wire::state(topic, data));
        let is_new = self
            .topics
            .send_if_modified(|topics| topics.insert(topic, frame.clone()).is_none_or(|known| known != frame));
        if is_new {
            self.deliver(Parcel::State(frame));
        }
    }

    /// The last word on each topic, for newcomers and for who missed some.
    pub fn topics(&self) -> Vec<Bytes> {
        self.topics.borrow().values().cloned().collect()
    }
}

impl Seat {
    pub async fn next(&mut self) -> Result<Parcel, Missed> {
        if self.is_late {
            return Ok(Parcel::Closed);
        }
        match self.parcels.recv().await {
            Ok(parcel) => Ok(parcel),
            Err(broadcast::error::RecvError::Lagged(_)) => Err(Missed),
            Err(broadcast::error::RecvError::Closed) => Ok(Parcel::Closed),
        }
    }

    /// What is there already.
    pub fn try_next(&mut self) -> Option<Result<Parcel, Missed>> {
        match self.parcels.try_recv() {
            Ok(parcel) => Some(Ok(parcel)),
            Err(broadcast::error::TryRecvError::Lagged(_)) => Some(Err(Missed)),
            Err(broadcast::error::TryRecvError::Closed) => Some(Ok(Parcel::Closed)),
            Err(broadcast::error::TryRecvError::Empty) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(parcel: Result<Parcel, Missed>) -> String {
        match parcel {
            Ok(Parcel::State(frame)) => String::from_utf8_lossy(&frame).into_owned(),
            other => format!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_topic_is_told_once_and_remembered_for_newcomers() {
        let hub = Hub::new(EventId(0));
        let mut seat = hub.sit();

        hub.announce("sources", b"[1]");
        hub.announce("sources", b"[1]");
        hub.announce("sources", b"[2]");

        assert_eq!(text(seat.next().await), r#"{"type":"state","topic":"sources","data":[1]}"#);
        assert_eq!(text(seat.next().await), r#"{"type":"state","topic":"sources","data":[2]}"#);
        assert!(seat.try_next().is_none());
        assert_eq!(hub.topics(), [&br#"{"type":"state","topic":"sources","data":[2]}"#[..]]);
    }

    #[tokio::test]
    async fn whoever_comes_or_looks_late_hears_of_the_end() {
        let hub = Hub::new(EventId(0));
        let mut early = hub.sit();
        for n in 0..2 * KEPT {
            hub.announce("sources", n.to_string().as_bytes());
        }

        hub.close();

        assert!(matches!(hub.sit().next().await, Ok(Parcel::Closed)));
        assert!(early.next().await.is_err(), "it missed some");
        let mut rest = Vec::new();
        while let Some(parcel) = early.try_next() {
            rest.push(parcel);
        }
        assert!(matches!(rest.last(), Some(Ok(Parcel::Closed))));
    }
}
