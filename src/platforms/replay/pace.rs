//! When each event of a recording is due. Knows no clock: it counts from the beginning of a playing.

use std::time::Duration;

use crate::chat::Millis;
use crate::config::Speed;

/// What stands between events of which one has no time.
const STEP_MS: i64 = 1_000;
/// A longer step, or one back, is between two recordings in one file, or a stamp that is nonsense.
const LONGEST_STEP_MS: i64 = 24 * 60 * 60 * 1_000;
/// Nobody waits longer, and clocks can still count it.
pub const FOREVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// The time that has passed in a recording, and in the house.
pub struct Pace {
    speed: Speed,
    /// The latest time of the recording so far.
    latest: Option<Millis>,
    passed_ms: i64,
    has_begun: bool,
}

impl Pace {
    pub fn new(speed: Speed) -> Self {
        Self { speed, latest: None, passed_ms: 0, has_begun: false }
    }

    /// How long after the beginning the next event is due, by the time it has in the recording. None is at once.
    pub fn due(&mut self, at: Option<Millis>) -> Option<Duration> {
        self.passed_ms = self.passed_ms.saturating_add(self.step(at));
        self.has_begun = true;
        self.scaled(Duration::from_millis(self.passed_ms.unsigned_abs()))
    }

    /// What a time in the recording is in the house; none where it is nothing at all.
    pub fn scaled(&self, time: Duration) -> Option<Duration> {
        let Speed::Times(times) = self.speed else { return None };
        Some(Duration::try_from_secs_f64(time.as_secs_f64() / times).map_or(FOREVER, |time| time.min(FOREVER)))
    }

    /// Milliseconds since the event before.
    fn step(&mut self, at: Option<Millis>) -> i64 {
        let unknown = if self.has_begun { STEP_MS } else { 0 };
        let (Some(at), Some(latest)) = (at, self.latest) else {
            self.latest = at.or(self.latest.map(|latest| Millis(latest.0.saturating_add(unknown))));
            return unknown;
        };
        let step = at.0.saturating_sub(latest.0);
        if step.saturating_abs() > LONGEST_STEP_MS {
            self.latest = Some(at);
            return STEP_MS;
        }
        // Platforms' clocks differ a little, so events do not come quite in the order of their times.
        self.latest = Some(at.max(latest));
        step.max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    /// When events with these times are due, in milliseconds.
    fn due(speed: Speed, times: &[Option<i64>]) -> Vec<u128> {
        let mut pace = Pace::new(speed);
        times.iter().map(|at| pace.due(at.map(Millis)).expect("there is a time").as_millis()).collect()
    }

    #[test]
    fn distances_are_those_of_the_recording_divided_by_the_speed() {
        let times = [Some(5_000), Some(5_000), Some(6_500), Some(36_500)];

        assert_eq!(due(Speed::Times(1.0), &times), [0, 0, 1_500, 31_500]);
        assert_eq!(due(Speed::Times(10.0), &times), [0, 0, 150, 3_150]);
        assert_eq!(due(Speed::Times(0.5), &times), [0, 0, 3_000, 63_000]);
    }

    #[test]
    fn flat_out_nothing_is_waited_for() {
        let mut pace = Pace::new(Speed::Max);

        assert!([0, 60_000].into_iter().all(|at| pace.due(Some(Millis(at))).is_none()));
    }

    #[test]
    fn events_without_a_time_stand_a_second_apart() {
        assert_eq!(due(Speed::Times(1.0), &[None, None, None]), [0, 1_000, 2_000]);
        assert_eq!(due(Speed::Times(4.0), &[None, Some(7), None]), [0, 250, 500]);
        assert_eq!(due(Speed::Times(1.0), &[Some(0), None, Some(1_500), Some(2_000)]), [0, 1_000, 1_500, 2_000]);
    }

    #[test]
    fn a_step_back_costs_no_time_and_earns_none() {
        assert_eq!(due(Speed::Times(1.0), &[Some(3_000), Some(2_000), Some(4_000)]), [0, 0, 1_000]);
    }

    #[test]
    fn a_step_of_more_than_a_day_is_not_waited_for() {
        let times = [Some(0), Some(DAY), Some(2 * DAY + 1), Some(5), Some(7), Some(i64::MAX), Some(i64::MIN)];

        let second = 1_000;
        let day = DAY.unsigned_abs().into();
        let after = |seconds: u128| day + seconds * second;
        let expected = [0, day, after(1), after(2), after(2) + 2, after(3) + 2, after(4) + 2];
        assert_eq!(due(Speed::Times(1.0), &times), expected);
    }

    #[test]
    fn however_slow_a_wait_can_be_counted() {
        assert_eq!(due(Speed::Times(f64::MIN_POSITIVE), &[Some(0), Some(1)]), [0, FOREVER.as_millis()]);
    }
}
