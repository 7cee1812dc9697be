//! What operators see of a playing: the channels that are in it, and those that wait meanwhile. Also the list of wanted
//! channels, which may change while it lasts.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::chat::Channel;
use crate::config::Speed;
use crate::ingest::{Sink, SourceState, changed};

/// Channels that are shown; a recording may name any number.
const MOST_CHANNELS: usize = 200;

const ENDED: &str = "the recording has ended; a restart plays it again";
const WAITING: &str = "a recording is played instead of it: ELORA_INGEST_DRIVER is replay";

pub struct Stage {
    sink: Sink,
    list: watch::Receiver<BTreeSet<Channel>>,
    /// The list as it is.
    pub wanted: BTreeSet<Channel>,
    /// By their printed address.
    playing: BTreeMap<String, Channel>,
    stop: CancellationToken,
    /// What is said of a channel while it is played.
    pace: String,
}

impl Stage {
    pub fn new(
        sink: Sink,
        mut list: watch::Receiver<BTreeSet<Channel>>,
        stop: CancellationToken,
        speed: Speed,
    ) -> Self {
        let wanted = list.borrow_and_update().clone();
        let pace = match speed {
            Speed::Times(1.0) => "a recording".to_owned(),
            Speed::Times(times) => format!("a recording, at {times}×"),
            Speed::Max => "a recording, as fast as it goes".to_owned(),
        };
        let stage = Self { sink, list, wanted, playing: BTreeMap::new(), stop, pace };
        stage.say_who_waits();
        stage
    }

    /// Waits until then, and for nothing where there is no time; false when the house or the owner says stop.
    pub async fn until(&mut self, due: Option<Instant>) -> bool {
        loop {
            if self.stop.is_cancelled() {
                return false;
            }
            if self.list.has_changed().unwrap_or(false) {
                self.wanted.clone_from(&self.list.borrow_and_update());
                self.say_who_waits();
            }
            let Some(due) = due.filter(|due| *due > Instant::now()) else { return true };
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = sleep_until(due) => {}
                () = changed(&mut self.list) => self.list.mark_changed(),
            }
        }
    }

    /// Somebody is heard there.
    pub fn enter(&mut self, channel: &Channel) {
        let address = channel.to_string();
        if self.playing.len() < MOST_CHANNELS && !self.playing.contains_key(&address) {
            self.sink.bring(channel, SourceState::Live, Some(&self.pace));
            self.playing.insert(address, channel.clone());
        }
    }

    /// Nothing more is played.
    pub async fn rest(&mut self) {
        for channel in self.playing.values() {
            self.sink.bring(channel, SourceState::Stopped, Some(ENDED));
        }
        while self.until(Some(Instant::now() + super::pace::FOREVER)).await {}
    }

    fn say_who_waits(&self) {
        for channel in self.wanted.iter().filter(|channel| !self.playing.contains_key(&channel.to_string())) {
            self.sink.report(channel, SourceState::Stopped, Some(WAITING));
        }
    }
}
