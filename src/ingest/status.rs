//! How each source is doing: state, reason, last event, rate. Read by `/api/sources` and the dashboard.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;

use crate::chat::{Channel, Millis, NewEvent};

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
    /// The channel as the platform names it, once it has.
    pub channel: Channel,
}

/// The one list of statuses; drivers and the supervisor write it, everyone may watch it.
#[derive(Clone)]
pub struct Board {
    statuses: Arc<watch::Sender<BTreeMap<String, SourceStatus>>>,
}

impl Default for Board {
    fn default() -> Self {
        Self { statuses: Arc::new(watch::Sender::new(BTreeMap::new())) }
    }
}

impl Board {
    /// Every status by the channel's printed address (`twitch:forsen`).
    pub fn watch(&self) -> watch::Receiver<BTreeMap<String, SourceStatus>> {
        self.statuses.subscribe()
    }

    pub fn report(&self, channel: &Channel, state: SourceState, reason: Option<&str>) {
        let _ = (channel, state, reason);
        todo_status()
    }

    pub fn heard(&self, event: &NewEvent) {
        let _ = event;
        todo_status()
    }
}

fn todo_status() {}
