//! How an import is doing: for the dashboard, for operators, and in the log.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::watch;

use super::carry::Tally;
use crate::feed::Hub;

/// The topic on the feed.
const TOPIC: &str = "import";
/// How often the log and viewers are told.
const LOG_EVERY: Duration = Duration::from_secs(5);
const SHOW_EVERY: Duration = Duration::from_millis(500);

/// Where the import of the old file stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    pub state: State,
    /// The file's name, without its folder.
    pub file: Option<String>,
    /// Messages that were read, in all runs, of so many.
    pub done: u64,
    pub total: u64,
    /// What this run brought in, found here already, and could not read.
    pub imported: u64,
    pub known: u64,
    pub unreadable: u64,
    /// Why it waits.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// There is nothing to import.
    #[default]
    None,
    Running,
    /// It cannot go on now, and is tried again.
    Waiting,
    Finished,
}

impl Progress {
    /// What an earlier run has brought to its end.
    pub fn finished(file: String, total: u64) -> Self {
        Self { state: State::Finished, file: Some(file), done: total, total, ..Self::default() }
    }
}

/// Who is told. Cloning is cheap.
#[derive(Clone)]
pub struct Board {
    now: Arc<watch::Sender<Progress>>,
    hub: Hub,
}

impl Board {
    pub fn new(hub: Hub) -> Self {
        Self { now: Arc::default(), hub }
    }

    pub fn now(&self) -> Progress {
        self.now.borrow().clone()
    }

    /// Says it to everyone, at once.
    pub fn tell(&self, progress: Progress) {
        let text = serde_json::to_string(&progress).expect("texts and numbers always serialize");
        self.now.send_replace(progress);
        self.hub.announce(TOPIC, &text);
    }
}

/// One run, told now and then.
pub struct Reporter {
    board: Board,
    file: String,
    total: u64,
    shown_at: Option<Instant>,
    logged_at: Instant,
}

impl Reporter {
    pub fn new(board: Board, file: String, total: u64) -> Self {
        Self { board, file, total, shown_at: None, logged_at: Instant::now() }
    }

    /// Called for every piece; most of it is kept to itself.
    pub fn note(&mut self, tally: &Tally) {
        let now = Instant::now();
        if self.shown_at.is_none_or(|at| now.duration_since(at) >= SHOW_EVERY) {
            self.shown_at = Some(now);
            self.board.tell(self.progress(State::Running, tally));
        }
        if now.duration_since(self.logged_at) >= LOG_EVERY {
            self.logged_at = now;
            let (done, total) = (tally.done, self.total);
            tracing::info!("import: {done} of {total} messages ({} %)", percent(done, total));
        }
    }

    pub fn finish(&self, tally: &Tally) {
        let (imported, known, unreadable) = (tally.brought.stored, tally.brought.known, left_out(tally));
        tracing::info!(
            file = self.file,
            "import: finished: {} messages, of which {imported} were imported now, {known} were there already, {unreadable} could not be read",
            tally.done
        );
        if let Some(first) = &tally.first {
            tracing::warn!(file = self.file, "import: the first that could not be read: {first}");
        }
        self.board.tell(self.progress(State::Finished, tally));
    }

    fn progress(&self, state: State, tally: &Tally) -> Progress {
        Progress {
            state,
            file: Some(self.file.clone()),
            done: tally.done,
            // Rows that came while it was counted.
            total: self.total.max(tally.done),
            imported: tally.brought.stored,
            known: tally.brought.known,
            unreadable: left_out(tally),
            reason: None,
        }
    }
}

/// What there was and is not here now.
fn left_out(tally: &Tally) -> u64 {
    tally.unreadable + tally.brought.refused
}

pub fn percent(done: u64, total: u64) -> u64 {
    (done.saturating_mul(100)).checked_div(total).unwrap_or(100).min(100)
}
