//! The broadcast hub: where the tailer puts what it read and every socket takes it from. Keeps the newest batches for
//! whoever is a little behind, and wakes everyone. Who is further behind reads the store.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::watch;

use super::{Batch, Text, wire};
use crate::chat::EventId;

/// Events kept in memory: seconds of the busiest chat, a few megabytes.
const KEPT_EVENTS: usize = 1024;

/// The one place of exchange. Cloning is cheap.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    /// A std lock: held for a few lines, never across an await.
    kept: RwLock<Kept>,
    pulse: watch::Sender<Pulse>,
}

/// What is newest; a change wakes every socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pulse {
    /// The newest id that was sent.
    head: EventId,
    /// The id below which everything that was sent may have been purged since.
    purged: EventId,
    /// Grows with every new word on a topic.
    topics: u64,
    closed: bool,
}

struct Kept {
    /// With the newest id of each.
    batches: VecDeque<(EventId, Arc<Batch>)>,
    events: usize,
    /// Everything that was sent after this id is still here.
    floor: EventId,
    /// The last word on each topic that has no place in the store, as a finished frame, and when it was said.
    topics: BTreeMap<&'static str, (u64, Text)>,
}

/// One socket's place.
pub struct Seat {
    hub: Hub,
    pulse: watch::Receiver<Pulse>,
    /// The purge that this socket knows of.
    purged: EventId,
    /// The newest word on a topic that this socket was told.
    told: u64,
}

/// What comes after a place in the feed.
#[derive(Debug)]
pub enum Next {
    Batch(Arc<Batch>),
    Nothing,
    /// What was sent before may be gone from the store: [`Seat::begin_anew`].
    Purged,
    /// Nothing, and nothing will come any more.
    Over,
    /// Some of it is no longer kept: read the store.
    Missed,
}

impl Hub {
    /// A hub whose watchers have seen everything up to `head`, after a purge that ended at `purged`.
    pub fn new(head: EventId, purged: EventId) -> Self {
        let kept = Kept { batches: VecDeque::new(), events: 0, floor: head, topics: BTreeMap::new() };
        let pulse = watch::Sender::new(Pulse { head, purged, topics: 0, closed: false });
        Self(Arc::new(Inner { kept: RwLock::new(kept), pulse }))
    }

    /// Sends batches, in order, to everyone.
    pub(super) fn send(&self, batches: Vec<Batch>) {
        let Some(head) = batches.last().map(Batch::last) else { return };
        let mut kept = self.kept_mut();
        for batch in batches {
            kept.push(batch);
        }
        drop(kept);
        self.0.pulse.send_modify(|pulse| pulse.head = head);
    }

    /// Nothing that was sent up to here is kept any more, and everyone begins anew.
    pub(super) fn purge(&self, end: EventId) {
        let mut kept = self.kept_mut();
        kept.batches.clear();
        kept.events = 0;
        kept.floor = end;
        drop(kept);
        self.0.pulse.send_modify(|pulse| (pulse.head, pulse.purged) = (end, end));
    }

    /// Nothing more will be sent: everyone takes what is there and leaves.
    pub(super) fn close(&self) {
        self.0.pulse.send_modify(|pulse| pulse.closed = true);
    }

    /// The newest id that was sent.
    pub fn head(&self) -> EventId {
        self.0.pulse.borrow().head
    }

    /// What was sent after an id.
    pub fn after(&self, id: EventId) -> Next {
        let kept = self.kept();
        if id < kept.floor {
            return Next::Missed;
        }
        kept.first_after(id).map_or(Next::Nothing, |batch| Next::Batch(batch.clone()))
    }

    /// Says the last word on a topic, if it is a new one.
    pub fn announce(&self, topic: &'static str, data: &str) {
        let frame = Text::from(wire::state(topic, data));
        let mut kept = self.kept_mut();
        if kept.topics.get(topic).is_some_and(|(_, known)| *known == frame) {
            return;
        }
        let number = kept.topics.values().map(|(number, _)| number).max().map_or(1, |newest| newest + 1);
        kept.topics.insert(topic, (number, frame));
        drop(kept);
        self.0.pulse.send_modify(|pulse| pulse.topics = pulse.topics.max(number));
    }

    /// The id below which everything that was sent may have been purged since.
    pub fn purged(&self) -> EventId {
        self.0.pulse.borrow().purged
    }

    /// Takes a seat, which is woken by everything that is sent from now on.
    pub fn sit(&self) -> Seat {
        let pulse = self.0.pulse.subscribe();
        let purged = pulse.borrow().purged;
        Seat { hub: self.clone(), pulse, purged, told: 0 }
    }

    fn kept(&self) -> RwLockReadGuard<'_, Kept> {
        self.0.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept_mut(&self) -> RwLockWriteGuard<'_, Kept> {
        self.0.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn push(&mut self, batch: Batch) {
        self.events += batch.frames().len();
        self.batches.push_back((batch.last(), Arc::new(batch)));
        while self.events > KEPT_EVENTS
            && let Some((last, oldest)) = self.batches.pop_front()
        {
            self.events -= oldest.frames().len();
            self.floor = last;
        }
    }

    fn first_after(&self, id: EventId) -> Option<&Arc<Batch>> {
        // Nearly everyone lacks just the newest.
        let newest = self.batches.len().checked_sub(1)?;
        let lacks_one = newest.checked_sub(1).is_none_or(|before| self.batches[before].0 <= id);
        let first = if lacks_one { newest } else { self.batches.partition_point(|(last, _)| *last <= id) };
        self.batches.get(first).filter(|(last, _)| *last > id).map(|(_, batch)| batch)
    }
}

impl Seat {
    /// Resolves while there is something that a socket at this place has not been sent.
    pub async fn news(&mut self, position: EventId) {
        loop {
            let pulse = *self.pulse.borrow_and_update();
            let is_purged = pulse.purged > self.purged;
            if pulse.head > position || pulse.topics > self.told || is_purged || pulse.closed {
                return;
            }
            // The hub holds the sender, and this seat the hub.
            let _ = self.pulse.changed().await;
        }
    }

    /// What is said of topics and was not told here yet; at first the last word on each.
    pub fn topics(&mut self) -> Vec<Text> {
        if self.pulse.borrow().topics <= self.told {
            return Vec::new();
        }
        let kept = self.hub.kept();
        let news = kept.topics.values().filter(|(number, _)| *number > self.told);
        let frames = news.map(|(_, frame)| frame.clone()).collect();
        self.told = kept.topics.values().map(|(number, _)| *number).max().unwrap_or(self.told);
        frames
    }

    /// What was sent after an id.
    pub fn after(&self, id: EventId) -> Next {
        // One look: the last word was sent before the end was told.
        let pulse = *self.pulse.borrow();
        match pulse.head > id {
            _ if pulse.purged > self.purged => Next::Purged,
            true => self.hub.after(id),
            false if pulse.closed => Next::Over,
            false => Next::Nothing,
        }
    }

    /// The newest id that was sent.
    pub fn head(&self) -> EventId {
        self.pulse.borrow().head
    }

    /// The id below which a cursor says nothing of what its client shows.
    pub fn purged(&self) -> EventId {
        self.purged
    }

    /// Whether there was a purge since this socket took its seat, or last began anew.
    pub fn is_purged(&self) -> bool {
        self.pulse.borrow().purged > self.purged
    }

    /// Takes note of the newest purge. What the store has from here on is what is left.
    pub fn begin_anew(&mut self) {
        self.purged = self.pulse.borrow().purged;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::chat::{Channel, Event, Kind, Millis, Platform, State, Status};
    use crate::config::{Config, Current, Settings};
    use crate::feed::Forms;
    use crate::telemetry::Metrics;

    fn batch(ids: std::ops::RangeInclusive<i64>) -> Batch {
        let settings = Current::fixed(Settings::of(&Config::default()));
        let forms = Forms { settings, serialized: Metrics::new().serialized() };
        let event = |id| Event {
            id: EventId(id),
            channel: Channel::new(Platform::TWITCH, "room"),
            native_id: None,
            at: Millis(0),
            received_at: Millis(0),
            shared: None,
            state: State::Visible,
            kind: Kind::Status(Status { topic: "modes".into(), values: serde_json::Map::new() }),
        };
        Batch::new("e", ids.map(event).collect(), &forms, Instant::now()).expect("some events")
    }

    fn ids(next: &Next) -> Option<(i64, i64)> {
        match next {
            Next::Batch(batch) => Some((batch.first().0, batch.last().0)),
            Next::Nothing | Next::Purged | Next::Over | Next::Missed => None,
        }
    }

    #[test]
    fn what_comes_after_a_place_is_found_wherever_it_lies() {
        let hub = Hub::new(EventId(10), EventId(0));
        hub.send(vec![batch(11..=12), batch(15..=15)]);
        let seat = hub.sit();

        assert_eq!(ids(&seat.after(EventId(10))), Some((11, 12)));
        assert_eq!(ids(&seat.after(EventId(11))), Some((11, 12)));
        assert_eq!(ids(&seat.after(EventId(13))), Some((15, 15)));
        assert!(matches!(seat.after(EventId(15)), Next::Nothing));
        assert!(matches!(seat.after(EventId(9)), Next::Missed));
    }

    #[test]
    fn a_bounded_number_of_events_is_kept() {
        let hub = Hub::new(EventId(0), EventId(0));
        for n in 0..200 {
            hub.send(vec![batch(n * 10 + 1..=n * 10 + 10)]);
        }

        assert!(matches!(hub.after(EventId(0)), Next::Missed));
        let floor = hub.kept().floor;
        assert_eq!(floor, EventId(980), "102 batches of ten are kept");
        assert_eq!(ids(&hub.after(floor)), Some((981, 990)));
    }

    #[tokio::test]
    async fn a_purge_wakes_everyone_and_leaves_nothing_to_send_again() {
        let hub = Hub::new(EventId(0), EventId(0));
        hub.send(vec![batch(1..=3)]);
        let mut seat = hub.sit();

        hub.purge(EventId(4));

        seat.news(EventId(9)).await;
        assert!(seat.is_purged() && matches!(seat.after(EventId(3)), Next::Purged));
        seat.begin_anew();
        assert!(!seat.is_purged() && matches!(seat.after(EventId(4)), Next::Nothing));
        assert!(matches!(seat.after(EventId(3)), Next::Missed));
        hub.send(vec![batch(5..=5)]);
        assert_eq!(ids(&seat.after(EventId(4))), Some((5, 5)));
        assert_eq!(hub.sit().purged(), EventId(4), "whoever comes later knows");
    }

    #[tokio::test]
    async fn a_topic_is_told_once_and_remembered_for_newcomers() {
        let hub = Hub::new(EventId(0), EventId(0));
        let mut seat = hub.sit();

        hub.announce("sources", "[1]");
        seat.news(EventId(0)).await;
        assert_eq!(seat.topics(), [r#"{"type":"state","topic":"sources","data":[1]}"#]);
        hub.announce("sources", "[1]");
        assert!(seat.topics().is_empty());
        hub.announce("sources", "[2]");
        hub.announce("other", "[3]");

        assert_eq!(seat.topics().len(), 2);
        assert_eq!(hub.sit().topics().len(), 2);
    }

    #[tokio::test]
    async fn the_end_wakes_everyone_and_is_known_to_whoever_comes_late() {
        let hub = Hub::new(EventId(0), EventId(0));
        let mut early = hub.sit();

        hub.close();

        early.news(EventId(0)).await;
        assert!(matches!(early.after(EventId(0)), Next::Over));
        assert!(matches!(hub.sit().after(EventId(0)), Next::Over));
    }
}
