//! How long to wait before trying again: full jitter, so that many who fail together do not come back together.
//! The one backoff in the house; it holds no clock.

use std::time::Duration;

/// A run this long was healthy: what failed after it is a new failure, not one more of the old.
const HEALTHY: Duration = Duration::from_secs(60);

/// Doubling ceilings from `base` to `max`, and a random wait below the current one.
#[derive(Debug, Clone)]
pub struct Backoff {
    base: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    pub const fn new(base: Duration, max: Duration) -> Self {
        Self { base, max, failures: 0 }
    }

    /// How long to wait after a run that lasted `ran`.
    pub fn after(&mut self, ran: Duration) -> Duration {
        if ran >= HEALTHY {
            self.failures = 0;
        }
        let ceiling = self.ceiling();
        self.failures = self.failures.saturating_add(1);
        ceiling.mul_f64(rand::random::<f64>())
    }

    fn ceiling(&self) -> Duration {
        self.base.saturating_mul(2_u32.saturating_pow(self.failures)).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn ceilings(backoff: &mut Backoff, runs: usize) -> Vec<u64> {
        (0..runs)
            .map(|_| {
                let ceiling = backoff.ceiling();
                assert!(backoff.after(SECOND) <= ceiling);
                ceiling.as_secs()
            })
            .collect()
    }

    #[test]
    fn the_ceiling_doubles_up_to_the_maximum() {
        let mut backoff = Backoff::new(SECOND, SECOND * 30);

        assert_eq!(ceilings(&mut backoff, 7), [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn a_healthy_minute_starts_it_over() {
        let mut backoff = Backoff::new(SECOND, SECOND * 30);
        ceilings(&mut backoff, 5);

        let wait = backoff.after(HEALTHY);

        assert!(wait <= SECOND, "{wait:?}");
        assert_eq!(backoff.ceiling(), SECOND * 2);
    }

    #[test]
    fn endless_failure_stays_at_the_maximum() {
        let mut backoff = Backoff::new(SECOND, SECOND * 30);
        backoff.failures = u32::MAX;

        assert!(backoff.after(SECOND) <= SECOND * 30);
        assert_eq!(backoff.ceiling(), SECOND * 30);
    }

    #[test]
    fn waits_are_spread_over_the_whole_range() {
        let waits: Vec<_> = (0..200).map(|_| Backoff::new(SECOND, SECOND).after(SECOND)).collect();

        assert!(waits.iter().any(|wait| *wait < SECOND / 4));
        assert!(waits.iter().any(|wait| *wait > SECOND * 3 / 4));
    }
}
