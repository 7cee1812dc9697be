//! Is the other side still there? Says when to ask, and what silence means. Pure: the clock is handed in.

use std::time::Duration;

use tokio::time::Instant;

/// Own PINGs at a fixed pace, and how long each may stay unanswered.
pub struct Keepalive {
    every: Duration,
    within: Duration,
    next_ping: Instant,
    asked: Option<Asked>,
}

/// A PING that has no answer yet.
struct Asked {
    at: Instant,
    is_late: bool,
}

/// What the clock says should be done now.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    Ping,
    /// Half the time for the answer is over: worth telling, not yet worth leaving.
    Late,
    /// No answer in time: the socket is half open.
    Dead,
}

impl Keepalive {
    pub fn new(every: Duration, within: Duration, now: Instant) -> Self {
        Self { every, within, next_ping: now + every, asked: None }
    }

    /// When [`Keepalive::due`] is worth asking again.
    pub fn next(&self) -> Instant {
        match &self.asked {
            Some(Asked { at, is_late: false }) => *at + self.within / 2,
            Some(Asked { at, is_late: true }) => *at + self.within,
            None => self.next_ping,
        }
    }

    pub fn due(&mut self, now: Instant) -> Option<Due> {
        if now < self.next() {
            return None;
        }
        match &mut self.asked {
            Some(asked) if asked.is_late => Some(Due::Dead),
            Some(asked) => {
                asked.is_late = true;
                Some(Due::Late)
            }
            None => {
                self.asked = Some(Asked { at: now, is_late: false });
                self.next_ping = now + self.every;
                Some(Due::Ping)
            }
        }
    }

    /// The answer came. True if it was late.
    pub fn pong(&mut self) -> bool {
        self.asked.take().is_some_and(|asked| asked.is_late)
    }

    /// Reading had to pause for our own sake, and the answer may lie unread: the time for it starts anew.
    pub fn resume(&mut self, now: Instant) {
        if let Some(asked) = &mut self.asked {
            asked.at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: Duration = Duration::from_secs(30);
    const PONG: Duration = Duration::from_secs(5);

    /// Every due thing and its second, as if asked exactly when it said so.
    fn watch(keepalive: &mut Keepalive, start: Instant, until_s: u64) -> Vec<(u64, Due)> {
        let mut seen = Vec::new();
        loop {
            let now = keepalive.next();
            if now > start + Duration::from_secs(until_s) {
                return seen;
            }
            let due = keepalive.due(now).expect("it said when");
            let dead = due == Due::Dead;
            seen.push(((now - start).as_secs(), due));
            if dead {
                return seen;
            }
        }
    }

    #[test]
    fn silence_is_noticed_within_35_seconds() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(PING, PONG, start);

        assert_eq!(watch(&mut keepalive, start, 100), [(30, Due::Ping), (32, Due::Late), (35, Due::Dead)]);
    }

    #[test]
    fn answers_keep_the_pace_of_the_questions() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(PING, PONG, start);

        for round in 1..5 {
            assert_eq!(keepalive.due(start + PING * round), Some(Due::Ping));
            assert!(!keepalive.pong());
            assert_eq!(keepalive.next(), start + PING * (round + 1));
        }
    }

    #[test]
    fn a_late_answer_is_told_as_late() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(PING, PONG, start);
        watch(&mut keepalive, start, 33);

        assert!(keepalive.pong());
        assert_eq!(keepalive.next(), start + PING * 2);
    }

    #[test]
    fn a_pause_of_our_own_gives_the_answer_new_time() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(PING, PONG, start);
        keepalive.due(start + PING);

        keepalive.resume(start + PING + PONG * 3);

        assert_eq!(keepalive.due(start + PING + PONG * 3), None);
        assert!(keepalive.next() > start + PING + PONG * 3);
    }
}
