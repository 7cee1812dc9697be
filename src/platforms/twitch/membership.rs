//! A connection as the roster knows it: how far it is, whom it replaces, and how each of its channels is doing on it.
//! Pure data and its rules; the roster decides what becomes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::ingest::Backoff;

/// A JOIN that stays unconfirmed is tried ever more rarely, down to this pace: a channel that does not exist is silent.
const RAREST_JOIN: Duration = Duration::from_secs(300);
/// So many unconfirmed JOINs are worth telling.
const TELL_AFTER: u32 = 2;

/// One connection of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConnId(pub u32);

/// One connection and its channels.
pub struct Connection {
    pub phase: Phase,
    pub opened_at: Instant,
    /// The connection this one is to replace, as long as that one lives.
    pub follows: Option<ConnId>,
    /// From when on it should be replaced.
    pub renew_at: Option<Instant>,
    /// How long to wait if it is lost; handed on from opening to opening.
    pub backoff: Backoff,
    pub is_late: bool,
    pub is_fallback: bool,
    pub memberships: BTreeMap<String, Membership>,
}

/// A lost connection that is to be opened again.
pub struct Away {
    pub until: Instant,
    /// Why it was lost.
    pub reason: String,
    pub backoff: Backoff,
    pub logins: BTreeSet<String>,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Opening,
    /// Logged in.
    Ready,
    /// Told to close once everything under way is heard.
    Leaving,
}

/// How one channel is doing on one connection. `tries` counts JOINs that were not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// To be asked for, not before `from`.
    Waiting {
        from: Instant,
        tries: u32,
    },
    /// Asked for, not confirmed.
    Asked {
        at: Instant,
        tries: u32,
    },
    Joined,
}

impl Connection {
    pub fn new(
        follows: Option<ConnId>,
        logins: impl IntoIterator<Item = String>,
        backoff: Backoff,
        now: Instant,
    ) -> Self {
        Self {
            phase: Phase::Opening,
            opened_at: now,
            follows,
            renew_at: None,
            backoff,
            is_late: false,
            is_fallback: false,
            memberships: logins.into_iter().map(|login| (login, Membership::new(now))).collect(),
        }
    }

    pub fn holds_any(&self) -> bool {
        self.memberships.values().any(|membership| *membership == Membership::Joined)
    }

    /// Every channel is joined, or has had its chance.
    pub fn is_settled(&self) -> bool {
        let had_chance = |membership: &Membership| *membership == Membership::Joined || membership.tries() > 0;
        self.phase == Phase::Ready && self.memberships.values().all(had_chance)
    }
}

impl Membership {
    pub fn new(now: Instant) -> Self {
        Self::Waiting { from: now, tries: 0 }
    }

    pub fn tries(self) -> u32 {
        match self {
            Self::Waiting { tries, .. } | Self::Asked { tries, .. } => tries,
            Self::Joined => 0,
        }
    }

    /// A JOIN that was not confirmed in time goes back into the queue.
    pub fn expire(&mut self, within: Duration, now: Instant) {
        if let Self::Asked { at, tries } = *self
            && at + within <= now
        {
            let tries = tries + 1;
            *self = Self::Waiting { from: now + patience(within, tries), tries };
        }
    }

    /// What an operator should know about a channel that is not joined yet.
    pub fn trouble(self) -> Option<String> {
        let tries = self.tries();
        let tell = || format!("twitch has left {tries} requests to join unanswered: does the channel exist?");
        (tries >= TELL_AFTER).then(tell)
    }
}

/// How long to wait, beyond the time for the confirmation, before asking again.
fn patience(within: Duration, tries: u32) -> Duration {
    if tries <= TELL_AFTER {
        return Duration::ZERO;
    }
    within.saturating_mul(2_u32.saturating_pow(tries - TELL_AFTER - 1)).min(RAREST_JOIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_and_has_an_end() {
        let within = Duration::from_secs(10);

        let seconds: Vec<_> = (1..=9).map(|tries| patience(within, tries).as_secs()).collect();

        assert_eq!(seconds, [0, 0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(patience(within, u32::MAX), RAREST_JOIN);
    }
}
