//! What is told of the reading: the state of each source, where this is what listens, and the log. Each thing once, when
//! it changes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::file::Trouble;
use super::reader::Found;
use crate::chat::Channel;
use crate::ingest::{Sink, SourceState};

/// How long a file may be in the middle of a change before that is told.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Journal {
    path: PathBuf,
    pub wanted: watch::Receiver<BTreeSet<Channel>>,
    sink: Sink,
    /// What was last told.
    state: State,
    /// Since when the file is in the middle of a change.
    busy_since: Option<Instant>,
    /// Rows that could not be read since the last that could.
    unreadable: usize,
}

#[derive(PartialEq, Eq)]
enum State {
    Untold,
    Resting,
    Reading,
    Waiting(String),
}

impl Journal {
    pub fn new(path: &Path, wanted: watch::Receiver<BTreeSet<Channel>>, sink: Sink) -> Self {
        Self { path: path.to_owned(), wanted, sink, state: State::Untold, busy_since: None, unreadable: 0 }
    }

    /// The file is read.
    pub fn reads(&mut self, found: &Found) {
        self.busy_since = None;
        self.tell(State::Reading);
        if self.unreadable == 0
            && let Some((row_id, why)) = found.example
        {
            tracing::warn!(row_id, %why, "harvester: a row cannot be read and is left out");
        }
        self.unreadable += found.unreadable;
        let is_readable_again = found.unreadable == 0 && !found.told.is_empty();
        if is_readable_again && std::mem::take(&mut self.unreadable) > 1 {
            tracing::info!("harvester: rows can be read again");
        }
    }

    /// The file cannot be read for the time being.
    pub fn waits(&mut self, trouble: &Trouble) {
        let since = *self.busy_since.get_or_insert_with(Instant::now);
        if !trouble.is_passing() || since.elapsed() >= PATIENCE {
            self.tell(State::Waiting(trouble.to_string()));
        }
    }

    /// Nobody wants the file to be read.
    pub fn rests(&mut self) {
        self.tell(State::Resting);
    }

    /// Tells the state once more: the sources are others now.
    pub fn repeat(&mut self) {
        let (state, reason) = match &self.state {
            State::Reading => (SourceState::Live, None),
            State::Waiting(reason) => (SourceState::Connecting, Some(reason.as_str())),
            State::Untold | State::Resting => return,
        };
        for channel in self.wanted.borrow().iter() {
            self.sink.report(channel, state, reason);
        }
    }

    fn tell(&mut self, state: State) {
        if self.state == state {
            return;
        }
        match &state {
            State::Reading => tracing::info!(path = %self.path.display(), "harvester: reading"),
            State::Waiting(reason) => tracing::warn!("harvester: waiting: {reason}"),
            State::Resting if self.state == State::Untold => {}
            State::Resting => tracing::info!("harvester: not reading any more"),
            State::Untold => {}
        }
        self.state = state;
        self.repeat();
    }
}
