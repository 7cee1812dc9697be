//! Twitch's rate limits, kept with a margin. Pure: the clock is handed in.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Twitch counts JOINs and logins over ten seconds, as they arrive: the first may have been longer on the way than the
/// next ones, so we wait for a little more.
const SPAN: Duration = Duration::from_millis(10_500);
/// Twitch takes 20 logins per span. Half of that is plenty, and keeps a server that sends everybody away from being
/// asked in a loop.
const OPENINGS: usize = 10;

/// What all connections share. It outlives a lost connection, as Twitch's own count does.
pub struct Limits {
    pub joins: Window,
    pub openings: Window,
}

impl Limits {
    /// Twitch counts JOINs by account or address, whatever the number of connections.
    pub fn new(joins: usize) -> Self {
        Self { joins: Window::new(joins, SPAN), openings: Window::new(OPENINGS, SPAN) }
    }
}

/// At most `limit` of something in any stretch of `span`.
pub struct Window {
    limit: usize,
    span: Duration,
    taken: VecDeque<Instant>,
}

impl Window {
    pub fn new(limit: usize, span: Duration) -> Self {
        Self { limit, span, taken: VecDeque::with_capacity(limit) }
    }

    /// Takes one if there is one to take.
    pub fn take(&mut self, now: Instant) -> bool {
        if self.ready_at().is_some_and(|at| at > now) {
            return false;
        }
        if self.taken.len() == self.limit {
            self.taken.pop_front();
        }
        self.taken.push_back(now);
        true
    }

    /// When the next one may be taken; none if at once.
    pub fn ready_at(&self) -> Option<Instant> {
        if self.taken.len() < self.limit { None } else { self.taken.front().map(|oldest| *oldest + self.span) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOINS: usize = 18;

    #[test]
    fn no_stretch_of_the_span_holds_more_than_the_limit() {
        let start = Instant::now();
        let mut window = Window::new(JOINS, SPAN);
        let mut taken = Vec::new();

        for ms in (0..63_000).step_by(50) {
            let now = start + Duration::from_millis(ms);
            if window.take(now) {
                taken.push(now);
            }
        }

        assert!(taken.windows(JOINS + 1).all(|some| some[JOINS] - some[0] >= SPAN));
        assert_eq!(taken.len(), 6 * JOINS);
    }

    #[test]
    fn it_says_when_the_next_one_is_free() {
        let start = Instant::now();
        let mut window = Window::new(2, SPAN);

        assert!(window.take(start) && window.ready_at().is_none());
        assert!(window.take(start + SPAN / 2));

        assert_eq!(window.ready_at(), Some(start + SPAN));
        assert!(!window.take(start + SPAN - Duration::from_millis(1)));
        assert!(window.take(start + SPAN));
    }
}
