//! What the log says of the feed: what went out, what came late, what stands in the way. Each at most every so often,
//! with everything since the last time summed up. Scripts look for the beginnings of these lines.

use std::time::{Duration, Instant};

use crate::chat::{Event, EventId, Millis};
use crate::config;
use crate::store::Error;

/// Between two lines of one sort.
const EVERY: Duration = Duration::from_secs(10);

#[derive(Default)]
pub struct Journal {
    published: Published,
    late: Late,
    trouble: Turn,
}

/// What went out since it was last told.
#[derive(Default)]
struct Published {
    count: usize,
    last: Option<(EventId, Millis)>,
    turn: Turn,
}

/// What came later than it may since it was last told.
#[derive(Default)]
struct Late {
    count: usize,
    worst_ms: u64,
    turn: Turn,
}

/// When it was last told.
#[derive(Default)]
struct Turn(Option<Instant>);

impl Turn {
    fn comes(&mut self, now: Instant) -> bool {
        let is_due = self.0.is_none_or(|last| now.duration_since(last) >= EVERY);
        if is_due {
            self.0 = Some(now);
        }
        is_due
    }
}

impl Journal {
    pub fn begin(config: &config::Feed) {
        let (poll_ms, batch) = (config.poll.as_millis(), config.batch);
        tracing::info!(poll_ms, batch, "dbtailer: enabled");
    }

    /// Notes what went out. An event is late if it took longer than `most` since it was sent; with none, nothing is.
    pub fn note(&mut self, events: &[Event], most: Duration) {
        let Some(last) = events.last() else { return };
        self.published.count += events.len();
        self.published.last = Some((last.id, last.at));
        if most.is_zero() {
            return;
        }
        let now = Millis::now();
        let lags = events.iter().map(|event| now.since(event.at));
        for lag in lags.filter(|lag| u128::from(*lag) > most.as_millis()) {
            self.late.count += 1;
            self.late.worst_ms = self.late.worst_ms.max(lag);
        }
    }

    /// Tells what was noted, if its turn has come.
    pub fn tell(&mut self, now: Instant) {
        if self.published.count > 0 && self.published.turn.comes(now) {
            self.tell_published();
        }
        if self.late.count > 0 && self.late.turn.comes(now) {
            let Late { count, worst_ms, .. } = self.late;
            tracing::warn!(count, worst_ms, "dbtailer: warning: events come later than ELORA_TAILER_MAX_LAG_MS");
            (self.late.count, self.late.worst_ms) = (0, 0);
        }
    }

    /// Tells what went out, turn or not.
    pub fn end(&mut self) {
        if self.published.count > 0 {
            self.tell_published();
        }
    }

    fn tell_published(&mut self) {
        let count = std::mem::take(&mut self.published.count);
        let (rowid, ts) = self.published.last.map_or((0, 0), |(id, at)| (id.0, at.0));
        tracing::info!(last_rowid = rowid, last_ts = ts, "dbtailer: published n={count}");
    }

    /// Tells why nothing goes out, if its turn has come.
    pub fn trouble(&mut self, error: &Error, now: Instant) {
        if !self.trouble.comes(now) {
            return;
        }
        if error.is_outage() {
            tracing::warn!(%error, "dbtailer: warning: the feed waits for the store");
        } else {
            tracing::error!(%error, "dbtailer: error: the store cannot be read");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_at_once_and_then_every_ten_seconds() {
        let (mut turn, start) = (Turn::default(), Instant::now());
        let comes = |seconds: u64| turn.comes(start + Duration::from_secs(seconds));

        assert_eq!([0, 1, 9, 10, 19, 21].map(comes), [true, false, false, true, false, true]);
    }
}
