//! How much of what a program says is put into the log. It holds no clock.

use std::time::{Duration, Instant};

/// So many lines at once, and after that so many a second; the rest is counted.
#[derive(Debug)]
pub struct Quota {
    burst: u32,
    /// The time that one line costs.
    each: Duration,
    left: u32,
    since: Instant,
    left_out: u64,
}

impl Quota {
    pub fn new(burst: u32, per_second: u32, now: Instant) -> Self {
        Self { burst, each: Duration::from_secs(1) / per_second, left: burst, since: now, left_out: 0 }
    }

    /// Whether a line may be logged, and if so how many were left out before it.
    pub fn take(&mut self, now: Instant) -> Option<u64> {
        let earned = now.saturating_duration_since(self.since).as_nanos() / self.each.as_nanos();
        if earned > 0 {
            self.left = self.burst.min(self.left.saturating_add(u32::try_from(earned).unwrap_or(u32::MAX)));
            self.since = now;
        }
        if self.left == 0 {
            self.left_out += 1;
            return None;
        }
        self.left -= 1;
        Some(self.settle())
    }

    /// How many were left out since anything was logged.
    pub fn settle(&mut self) -> u64 {
        std::mem::take(&mut self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_a_trickle_that_tells_of_the_rest() {
        let began = Instant::now();
        let mut quota = Quota::new(3, 10, began);

        let at_once: Vec<_> = (0..10).map(|_| quota.take(began)).collect();
        assert_eq!(at_once[..4], [Some(0), Some(0), Some(0), None]);

        let later = began + Duration::from_millis(100);
        assert_eq!(quota.take(later), Some(7));
        assert_eq!(quota.take(later), None);
        assert_eq!(quota.settle(), 1);
        let much_later = later + Duration::from_secs(3600);
        assert_eq!((0..10).filter_map(|_| quota.take(much_later)).count(), 3);
    }
}
