//! How the writer is doing, for `/readyz` and metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use super::Entry;
use crate::chat::Millis;

/// The writer's state of affairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    pub state: State,
    /// When a commit last succeeded; none before the first.
    pub last_commit: Option<Millis>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Writing,
    /// Commits fail for this reason; everything accepted is kept and tried again.
    Failing {
        cause: String,
        since: Millis,
    },
    Closed,
}

impl Default for Health {
    fn default() -> Self {
        Self { state: State::Writing, last_commit: None }
    }
}

/// How many events are accepted and not yet committed. Marks count only while they wait in the queue.
#[derive(Clone)]
pub struct Backlog {
    /// A weak one: the writer ends when nobody can send any more.
    queue: mpsc::WeakSender<Entry>,
    taken: Arc<AtomicUsize>,
}

impl Backlog {
    pub fn new(queue: &mpsc::Sender<Entry>) -> Self {
        Self { queue: queue.downgrade(), taken: Arc::default() }
    }

    /// The writer has taken this many out of the queue, and not committed them.
    pub fn taken(&self, count: usize) {
        self.taken.store(count, Ordering::Relaxed);
    }

    pub fn len(&self) -> usize {
        let queued = self.queue.upgrade().map_or(0, |queue| queue.max_capacity() - queue.capacity());
        queued + self.taken.load(Ordering::Relaxed)
    }
}
