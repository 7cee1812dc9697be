//! How the writer is doing, for `/readyz` and metrics.

use crate::chat::Millis;

/// The writer's state of affairs.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    pub state: State,
    /// When a commit last succeeded; none before the first.
    pub last_commit: Option<Millis>,
    /// Events accepted and not yet committed.
    pub queued: usize,
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
        Self { state: State::Writing, last_commit: None, queued: 0 }
    }
}
