//! How each source is doing: state, reason, last event, rate. Read by `/api/sources`, the dashboard and the metrics.
//! Knows no driver and schedules nothing.
//!
//! States and counters are kept apart: a state changes now and then and wakes whoever watches; a counter changes with
//! every event and wakes nobody. Who shows counters samples them with [`Board::snapshot`].

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

use crate::chat::{Channel, Millis, NewEvent, Platform};

/// What a source is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    Connecting,
    Live,
    /// Connected, but the platform has stopped answering.
    Stalled,
    /// Lost; the next attempt is scheduled.
    Backoff,
    /// Reading on without the account: its token is dead.
    Auth,
    /// The platform will not let us in; nothing is tried until something changes.
    Refused,
    Stopped,
}

/// What a platform sent and should not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oddity {
    /// A line longer than any may be.
    LineCut,
    NotUtf8,
    /// A line that says nothing anybody could read.
    Unreadable,
}

impl Oddity {
    pub const ALL: [Self; 3] = [Self::LineCut, Self::NotUtf8, Self::Unreadable];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LineCut => "line_cut",
            Self::NotUtf8 => "not_utf8",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What was last reported of a source: the part that wakes watchers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub channel: Channel,
    pub state: SourceState,
    pub reason: Option<String>,
    /// When `state` was last changed.
    pub since: Millis,
    /// A driver brings it along: it is there whether or not anybody wants it.
    pub is_brought: bool,
}

/// One source's state of affairs.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceStatus {
    pub state: SourceState,
    pub reason: Option<String>,
    /// When `state` was last changed.
    pub since: Millis,
    pub last_event_at: Option<Millis>,
    /// Events heard since the program started.
    pub events: u64,
    /// Events heard in the last 60 s.
    pub rate_per_minute: u32,
    /// The channel as the platform names it, once it has.
    pub channel: Channel,
    /// A driver brings it along, wanted or not.
    pub is_brought: bool,
}

/// The one list of statuses; drivers and the supervisor write it, everyone may read it. Cloning is cheap.
#[derive(Clone, Default)]
pub struct Board {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    conditions: watch::Sender<BTreeMap<String, Condition>>,
    /// A std mutex: held for a few lines, never across an await.
    counters: Mutex<Counters>,
}

#[derive(Default)]
struct Counters {
    tallies: HashMap<Platform, HashMap<String, Tally>>,
    reconnects: BTreeMap<&'static str, u64>,
    oddities: BTreeMap<(&'static str, Oddity), u64>,
}

impl Board {
    /// What was last reported, by the channel's printed address (`twitch:forsen`). Wakes on a changed state or
    /// reason only.
    pub fn watch(&self) -> watch::Receiver<BTreeMap<String, Condition>> {
        self.shared.conditions.subscribe()
    }

    /// Every reported source with its counters as they are now, by the channel's printed address.
    pub fn snapshot(&self) -> BTreeMap<String, SourceStatus> {
        self.snapshot_at(Millis::now())
    }

    pub fn report(&self, channel: &Channel, state: SourceState, reason: Option<&str>) {
        self.condition(channel, state, reason, |condition| condition.change(state, reason));
    }

    /// The same of a channel that a driver brings along.
    pub fn bring(&self, channel: &Channel, state: SourceState, reason: Option<&str>) {
        self.condition(channel, state, reason, |condition| {
            let is_new = !std::mem::replace(&mut condition.is_brought, true);
            condition.change(state, reason) || is_new
        });
    }

    /// A channel that was brought along is not there any more.
    pub fn forget(&self, channel: &Channel) {
        let key = channel.to_string();
        self.shared.conditions.send_if_modified(|conditions| {
            let is_brought = conditions.get(&key).is_some_and(|condition| condition.is_brought);
            is_brought && conditions.remove(&key).is_some()
        });
    }

    /// Changes what is reported of a channel, and wakes watchers if that is news.
    fn condition(
        &self,
        channel: &Channel,
        state: SourceState,
        reason: Option<&str>,
        change: impl FnOnce(&mut Condition) -> bool,
    ) {
        self.shared.conditions.send_if_modified(|conditions| {
            let key = channel.to_string();
            let is_new = !conditions.contains_key(&key);
            change(conditions.entry(key).or_insert_with(|| Condition::new(channel, state, reason))) || is_new
        });
    }

    /// Counts an event, and learns what the platform calls its channel.
    pub fn heard(&self, event: &NewEvent) {
        self.heard_at(event, Millis::now());
    }

    /// Begins counting for a driver, so that what has not happened yet is known to be 0.
    pub fn begin(&self, driver: &'static str) {
        let mut counters = self.counters();
        for what in Oddity::ALL {
            counters.oddities.entry((driver, what)).or_default();
        }
    }

    /// Counts a connection that was opened again; `driver` is the supervised name.
    pub fn reconnected(&self, driver: &'static str) {
        *self.counters().reconnects.entry(driver).or_default() += 1;
    }

    /// Connections opened again since the program started, by driver.
    pub fn reconnects(&self) -> BTreeMap<&'static str, u64> {
        self.counters().reconnects.clone()
    }

    /// Counts something a platform sent that it should not have.
    pub fn odd(&self, driver: &'static str, what: Oddity) {
        *self.counters().oddities.entry((driver, what)).or_default() += 1;
    }

    /// How often each driver has heard something odd since the program started.
    pub fn oddities(&self) -> BTreeMap<(&'static str, Oddity), u64> {
        self.counters().oddities.clone()
    }

    /// When a platform was last heard, in whichever of its channels.
    pub fn last_heard(&self, platform: &str) -> Option<Millis> {
        let counters = self.counters();
        let (_, logins) = counters.tallies.iter().find(|(known, _)| known.as_str() == platform)?;
        logins.values().map(|tally| tally.last).max()
    }

    fn heard_at(&self, event: &NewEvent, now: Millis) {
        let mut counters = self.counters();
        let channel = &event.channel;
        match counters.tallies.get_mut(&channel.platform).and_then(|logins| logins.get_mut(&channel.login)) {
            Some(tally) => tally.count(channel, now),
            None => {
                let logins = counters.tallies.entry(channel.platform.clone()).or_default();
                logins.entry(channel.login.clone()).or_default().count(channel, now);
            }
        }
    }

    fn snapshot_at(&self, now: Millis) -> BTreeMap<String, SourceStatus> {
        let conditions = self.shared.conditions.borrow();
        let counters = self.counters();
        let status = |condition: &Condition| {
            let logins = counters.tallies.get(&condition.channel.platform);
            condition.with(logins.and_then(|logins| logins.get(&condition.channel.login)), now)
        };
        conditions.iter().map(|(key, condition)| (key.clone(), status(condition))).collect()
    }

    /// A panic while counting leaves counts that are at worst one short: they stay readable.
    fn counters(&self) -> MutexGuard<'_, Counters> {
        self.shared.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condition {
    fn new(channel: &Channel, state: SourceState, reason: Option<&str>) -> Self {
        Self {
            channel: channel.clone(),
            state,
            reason: reason.map(str::to_owned),
            since: Millis::now(),
            is_brought: false,
        }
    }

    /// True if this is news.
    fn change(&mut self, state: SourceState, reason: Option<&str>) -> bool {
        if self.state == state && self.reason.as_deref() == reason {
            return false;
        }
        if self.state != state {
            self.since = Millis::now();
        }
        self.state = state;
        self.reason = reason.map(str::to_owned);
        true
    }

    fn with(&self, tally: Option<&Tally>, now: Millis) -> SourceStatus {
        let mut channel = self.channel.clone();
        if let Some(tally) = tally {
            channel.id = tally.id.clone().or(channel.id);
            channel.name = tally.name.clone().or(channel.name);
        }
        SourceStatus {
            state: self.state,
            reason: self.reason.clone(),
            since: self.since,
            last_event_at: tally.map(|tally| tally.last),
            events: tally.map_or(0, |tally| tally.events),
            rate_per_minute: tally.map_or(0, |tally| tally.per_minute(now)),
            channel,
            is_brought: self.is_brought,
        }
    }
}

/// The length of the rate's window: one bucket per second of a minute.
const WINDOW_S: usize = 60;

/// What one channel has said.
struct Tally {
    events: u64,
    last: Millis,
    /// Which second a bucket counts, and what it counted.
    seconds: [(i64, u32); WINDOW_S],
    id: Option<String>,
    name: Option<String>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { events: 0, last: Millis(0), seconds: [(0, 0); WINDOW_S], id: None, name: None }
    }
}

impl Tally {
    fn count(&mut self, channel: &Channel, now: Millis) {
        self.events += 1;
        self.last = now;
        let second = now.0.div_euclid(1000);
        let bucket = &mut self.seconds[second.rem_euclid(WINDOW_S as i64) as usize];
        if bucket.0 != second {
            *bucket = (second, 0);
        }
        bucket.1 = bucket.1.saturating_add(1);
        learn(&mut self.id, &channel.id);
        learn(&mut self.name, &channel.name);
    }

    fn per_minute(&self, now: Millis) -> u32 {
        let oldest = now.0.div_euclid(1000) - WINDOW_S as i64;
        self.seconds.iter().filter(|(second, _)| *second > oldest).map(|(_, count)| count).sum()
    }
}

/// Copies only what is news, so that the usual event costs no allocation.
fn learn(known: &mut Option<String>, said: &Option<String>) {
    if said.is_some() && known != said {
        known.clone_from(said);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Kind, Status};

    fn channel() -> Channel {
        Channel::new(Platform::TWITCH, "somebody")
    }

    fn event(channel: Channel) -> NewEvent {
        NewEvent::new(channel, Kind::Status(Status { topic: "modes".into(), values: serde_json::Map::new() }))
    }

    #[test]
    fn the_rate_counts_the_last_minute_only() {
        let board = Board::default();
        board.report(&channel(), SourceState::Live, None);

        for second in 0..120 {
            board.heard_at(&event(channel()), Millis(second * 1000));
            board.heard_at(&event(channel()), Millis(second * 1000 + 999));
        }

        let status = &board.snapshot_at(Millis(119_999))["twitch:somebody"];
        assert_eq!((status.events, status.rate_per_minute), (240, 120));
        let quiet = &board.snapshot_at(Millis(150_000))["twitch:somebody"];
        assert_eq!((quiet.events, quiet.rate_per_minute), (240, 58));
        assert_eq!(board.snapshot_at(Millis(200_000))["twitch:somebody"].rate_per_minute, 0);
    }

    #[test]
    fn events_wake_nobody_and_states_do() {
        let board = Board::default();
        board.report(&channel(), SourceState::Live, None);
        let mut watch = board.watch();
        watch.mark_unchanged();

        board.heard(&event(channel()));
        board.report(&channel(), SourceState::Live, None);
        assert!(!watch.has_changed().expect("the board is alive"));

        board.report(&channel(), SourceState::Backoff, Some("closed"));
        assert!(watch.has_changed().expect("the board is alive"));
    }

    #[test]
    fn a_new_reason_keeps_the_time_of_the_state() {
        let board = Board::default();
        board.report(&channel(), SourceState::Connecting, None);
        let since = board.snapshot()["twitch:somebody"].since;

        board.report(&channel(), SourceState::Connecting, Some("the join is not confirmed"));

        let status = &board.snapshot()["twitch:somebody"];
        assert_eq!((status.since, status.reason.as_deref()), (since, Some("the join is not confirmed")));
    }

    #[test]
    fn what_is_brought_along_stays_so_until_it_is_forgotten() {
        let board = Board::default();
        let is_brought = || board.snapshot().get("twitch:somebody").map(|status| status.is_brought);
        board.report(&channel(), SourceState::Connecting, None);
        assert_eq!(is_brought(), Some(false));
        board.forget(&channel());

        let mut watch = board.watch();
        watch.mark_unchanged();
        board.bring(&channel(), SourceState::Connecting, None);
        assert!(watch.has_changed().expect("the board is alive"));
        board.report(&channel(), SourceState::Live, None);
        assert_eq!(is_brought(), Some(true));

        board.forget(&channel());
        assert_eq!(is_brought(), None);
    }

    #[test]
    fn what_events_tell_of_a_channel_is_kept() {
        let board = Board::default();
        board.report(&channel(), SourceState::Live, None);

        board.heard(&event(channel().with_id("42")));
        board.heard(&event(channel()));

        assert_eq!(board.snapshot()["twitch:somebody"].channel.id.as_deref(), Some("42"));
    }
}
