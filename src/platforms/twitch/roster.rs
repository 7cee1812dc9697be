//! Which channel sits on which connection, and what to do next. Pure: it opens and sends nothing; the clock and the
//! news are handed in, [`Action`]s are handed back.
//!
//! A connection that has to be replaced (RECONNECT, a new token) gets a successor with the same channels, and is let go
//! once the successor has asked for them all. When a connection is lost:
//! - its successor, if it has one, simply stays;
//! - a lost successor leaves the old connection reading, and is tried again after [`RENEW_AGAIN`];
//! - while others hold channels they stay, and its own move to what they have room for; for the rest it is opened
//!   again, ever more rarely if it keeps being lost;
//! - once nobody holds a channel the run ends, and the supervisor decides when to begin again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use super::joins::Limits;
pub use super::membership::ConnId;
use super::membership::{Away, Connection, Membership, Phase};
use crate::chat::Channel;
use crate::ingest::{Backoff, SourceState};

/// Channels per connection. Twitch names no limit; other clients have stayed near this one for years.
const CHANNELS: usize = 90;
/// When a successor is tried again after one was lost and the old connection still reads.
const RENEW_AGAIN: Duration = Duration::from_secs(30);
/// How long the channels of a lost connection wait at most before it is opened again, the first time and ever after.
const REOPEN_FIRST: Duration = Duration::from_secs(1);
const REOPEN_LAST: Duration = Duration::from_secs(30);

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Open {
        id: ConnId,
        follows: Option<ConnId>,
    },
    Join {
        id: ConnId,
        login: String,
    },
    Part {
        id: ConnId,
        login: String,
    },
    /// Hear what is still under way, then close.
    Leave {
        id: ConnId,
    },
}

/// What became of the channels of a connection that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Another connection holds them.
    Covered,
    /// A new connection is opened for them.
    Reopened,
}

/// Why a connection is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The account's token was refused: the next connection logs in otherwise, and at once.
    Login,
    Lost(String),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Login => f.write_str("the login was refused"),
            Self::Lost(reason) => f.write_str(reason),
        }
    }
}

pub struct Roster {
    join_within: Duration,
    wanted: BTreeMap<String, Channel>,
    /// Channels that will not have us, and why.
    refused: BTreeMap<String, String>,
    connections: BTreeMap<ConnId, Connection>,
    /// Lost connections that are to be opened again.
    away: Vec<Away>,
    last_id: u32,
    actions: Vec<Action>,
}

impl Roster {
    pub fn new(join_within: Duration) -> Self {
        Self {
            join_within,
            wanted: BTreeMap::new(),
            refused: BTreeMap::new(),
            connections: BTreeMap::new(),
            away: Vec::new(),
            last_id: 0,
            actions: Vec::new(),
        }
    }

    /// Takes over a new list. Gives back the channels that are no longer on it.
    pub fn want(&mut self, wanted: &BTreeSet<Channel>) -> Vec<Channel> {
        let wanted: BTreeMap<_, _> = wanted.iter().map(|channel| (channel.login.clone(), channel.clone())).collect();
        let before = std::mem::replace(&mut self.wanted, wanted);
        let removed: Vec<_> =
            before.into_values().filter(|channel| !self.wanted.contains_key(&channel.login)).collect();
        for channel in &removed {
            self.refused.remove(&channel.login);
            self.part(&channel.login);
        }
        removed
    }

    fn part(&mut self, login: &str) {
        self.forget_away(login);
        for (id, connection) in &mut self.connections {
            if let Some(Membership::Asked { .. } | Membership::Joined) = connection.memberships.remove(login) {
                self.actions.push(Action::Part { id: *id, login: login.to_owned() });
            }
        }
    }

    /// The connection is logged in; `is_fallback` if it reads without the account that was asked for.
    pub fn ready(&mut self, id: ConnId, is_fallback: bool) {
        if let Some(connection) = self.connections.get_mut(&id).filter(|connection| connection.phase == Phase::Opening)
        {
            connection.phase = Phase::Ready;
            connection.is_fallback = is_fallback;
        }
    }

    pub fn joined(&mut self, id: ConnId, login: &str) {
        if let Some(membership) = self.membership(id, login) {
            *membership = Membership::Joined;
        }
    }

    /// Twitch took us out of a channel. The answer to our own PART finds no membership, or one that was asked for again.
    pub fn parted(&mut self, id: ConnId, login: &str, now: Instant) {
        let from = now + self.join_within;
        if let Some(membership @ Membership::Joined) = self.membership(id, login) {
            *membership = Membership::Waiting { from, tries: 1 };
        }
    }

    /// The channel will not have us: nothing is tried until it leaves the list.
    pub fn refused(&mut self, login: &str, reason: &str) {
        if self.wanted.contains_key(login) {
            self.refused.insert(login.to_owned(), reason.to_owned());
            self.forget_away(login);
            for connection in self.connections.values_mut() {
                connection.memberships.remove(login);
            }
        }
    }

    /// Whether the connection is late with an answer.
    pub fn late(&mut self, id: ConnId, is_late: bool) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.is_late = is_late;
        }
    }

    /// This connection should be replaced.
    pub fn renew(&mut self, id: ConnId, now: Instant) {
        let is_followed = self.is_followed(id);
        if let Some(connection) = self.connections.get_mut(&id)
            && connection.phase != Phase::Leaving
            && !is_followed
        {
            connection.renew_at = Some(now);
        }
    }

    /// Every connection should be replaced.
    pub fn renew_all(&mut self, now: Instant) {
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            self.renew(id, now);
        }
    }

    /// The connection has ended. An error ends the run; see the module's text.
    pub fn gone(&mut self, id: ConnId, cause: Cause, now: Instant) -> Result<Loss, String> {
        let Some(gone) = self.connections.remove(&id) else { return Ok(Loss::Covered) };
        let leader = gone.follows.filter(|leader| self.connections.contains_key(leader));
        let mut has_heir = false;
        for heir in self.connections.values_mut().filter(|connection| connection.follows == Some(id)) {
            heir.follows = leader;
            has_heir = true;
        }
        if has_heir || gone.phase == Phase::Leaving {
            return Ok(Loss::Covered);
        }
        if let Some(leader) = leader.and_then(|leader| self.connections.get_mut(&leader)) {
            let pause = if cause == Cause::Login { Duration::ZERO } else { RENEW_AGAIN };
            leader.renew_at = Some(now + pause);
            return Ok(Loss::Covered);
        }
        match cause {
            Cause::Login => Ok(Loss::Reopened),
            Cause::Lost(reason) if self.connections.values().any(Connection::holds_any) => {
                Ok(self.set_aside(gone, reason, now))
            }
            Cause::Lost(reason) => Err(reason),
        }
    }

    /// What others have room for is left to them; the rest waits for the connection to be opened again.
    fn set_aside(&mut self, gone: Connection, reason: String, now: Instant) -> Loss {
        let lasting = self.connections.iter().filter(|(id, _)| self.takes_channels(**id));
        let free = lasting.map(|(_, one)| CHANNELS.saturating_sub(one.memberships.len())).sum();
        let logins: BTreeSet<_> = gone.memberships.into_keys().skip(free).collect();
        if logins.is_empty() {
            return Loss::Covered;
        }
        let mut backoff = gone.backoff;
        let until = now + backoff.after(now - gone.opened_at);
        self.away.push(Away { until, reason, backoff, logins });
        Loss::Reopened
    }

    fn forget_away(&mut self, login: &str) {
        self.away.retain_mut(|away| {
            away.logins.remove(login);
            !away.logins.is_empty()
        });
    }

    /// All that can be done at this moment.
    pub fn next(&mut self, limits: &mut Limits, now: Instant) -> Vec<Action> {
        self.expire(now);
        self.open_successors(limits, now);
        self.reopen(limits, now);
        self.place(limits, now);
        self.let_go();
        self.join(limits, now);
        std::mem::take(&mut self.actions)
    }

    /// When [`Roster::next`] is worth asking again, news aside.
    pub fn wake_at(&self, limits: &Limits, now: Instant) -> Option<Instant> {
        let opening = |from: Instant| limits.openings.ready_at().map_or(from, |at| at.max(from));
        let joining = |from: Instant| limits.joins.ready_at().map_or(from, |at| at.max(from));
        let membership = |asks: bool, membership: &Membership| match membership {
            Membership::Waiting { from, .. } if asks => Some(joining(*from)),
            Membership::Asked { at, .. } => Some(*at + self.join_within),
            Membership::Waiting { .. } | Membership::Joined => None,
        };
        let memberships = self.connections.iter().flat_map(|(id, one)| {
            let asks = self.asks(*id);
            one.memberships.values().filter_map(move |one| membership(asks, one))
        });
        let renewals = self.connections.values().filter_map(|one| one.renew_at.map(opening));
        let away = self.away.iter().map(|away| opening(away.until));
        let unplaced = self.unplaced().next().map(|_| opening(now));
        memberships.chain(renewals).chain(away).chain(unplaced).min()
    }

    /// How every wanted channel is doing. `fallback` says why the account is not used, where it is not.
    pub fn standings(&self, fallback: Option<&str>) -> impl Iterator<Item = (&Channel, SourceState, Option<String>)> {
        self.wanted.iter().map(move |(login, channel)| {
            let (state, reason) = self.standing(login, fallback);
            (channel, state, reason)
        })
    }

    fn standing(&self, login: &str, fallback: Option<&str>) -> (SourceState, Option<String>) {
        if let Some(reason) = self.refused.get(login) {
            return (SourceState::Refused, Some(reason.clone()));
        }
        if let Some(away) = self.away.iter().find(|away| away.logins.contains(login)) {
            return (SourceState::Backoff, Some(away.reason.clone()));
        }
        let memberships = || {
            self.connections.values().filter_map(|one| one.memberships.get(login).map(|membership| (one, membership)))
        };
        let joined = || {
            memberships().filter(|(_, membership)| **membership == Membership::Joined).map(|(connection, _)| connection)
        };
        match joined().find(|connection| !connection.is_late).or_else(|| joined().next()) {
            Some(connection) if connection.is_late => (SourceState::Stalled, Some("twitch does not answer".to_owned())),
            Some(connection) if connection.is_fallback => (SourceState::Auth, fallback.map(str::to_owned)),
            Some(_) => (SourceState::Live, None),
            None => (SourceState::Connecting, memberships().find_map(|(_, membership)| membership.trouble())),
        }
    }

    /// JOINs that were not confirmed in time go back into the queue.
    fn expire(&mut self, now: Instant) {
        let within = self.join_within;
        let memberships = self.connections.values_mut().flat_map(|connection| connection.memberships.values_mut());
        memberships.for_each(|membership| membership.expire(within, now));
    }

    fn open_successors(&mut self, limits: &mut Limits, now: Instant) {
        let due = |one: &Connection| one.renew_at.is_some_and(|at| at <= now);
        let old: Vec<_> = self.connections.iter().filter(|(_, one)| due(one)).map(|(id, _)| *id).collect();
        for id in old {
            if !limits.openings.take(now) {
                return;
            }
            let Some(connection) = self.connections.get_mut(&id) else { continue };
            connection.renew_at = None;
            let logins: Vec<_> = connection.memberships.keys().cloned().collect();
            self.open(Some(id), logins, reopening(), now);
        }
    }

    /// Opens again what was lost and has waited long enough.
    fn reopen(&mut self, limits: &mut Limits, now: Instant) {
        while let Some(index) = self.away.iter().position(|away| away.until <= now)
            && limits.openings.take(now)
        {
            let Away { logins, backoff, .. } = self.away.swap_remove(index);
            self.open(None, logins, backoff, now);
        }
    }

    /// Gives a connection to every channel that has none, opening connections as needed.
    fn place(&mut self, limits: &mut Limits, now: Instant) {
        let unplaced: Vec<_> = self.unplaced().cloned().collect();
        let mut rest = unplaced.into_iter().peekable();
        let open: Vec<_> = self.connections.keys().copied().filter(|id| self.takes_channels(*id)).collect();
        for id in open {
            let Some(connection) = self.connections.get_mut(&id) else { continue };
            while connection.memberships.len() < CHANNELS
                && let Some(login) = rest.next()
            {
                connection.memberships.insert(login, Membership::new(now));
            }
        }
        while rest.peek().is_some() && limits.openings.take(now) {
            let logins: Vec<_> = rest.by_ref().take(CHANNELS).collect();
            self.open(None, logins, reopening(), now);
        }
    }

    /// Wanted channels that no connection with a future holds, and that wait for none.
    fn unplaced(&self) -> impl Iterator<Item = &String> {
        let lasting: Vec<_> =
            self.connections.iter().filter(|(id, _)| self.takes_channels(**id)).map(|(_, one)| one).collect();
        let is_held = move |login: &String| {
            lasting.iter().any(|connection| connection.memberships.contains_key(login))
                || self.away.iter().any(|away| away.logins.contains(login))
        };
        self.wanted.keys().filter(move |login| !self.refused.contains_key(*login) && !is_held(login))
    }

    fn takes_channels(&self, id: ConnId) -> bool {
        self.connections.get(&id).is_some_and(|one| one.phase != Phase::Leaving) && !self.is_followed(id)
    }

    /// Whether it may ask to join: what is being replaced asks for nothing more.
    fn asks(&self, id: ConnId) -> bool {
        self.connections.get(&id).is_some_and(|one| one.phase == Phase::Ready) && !self.is_followed(id)
    }

    fn is_followed(&self, id: ConnId) -> bool {
        self.connections.values().any(|other| other.follows == Some(id))
    }

    fn open(
        &mut self,
        follows: Option<ConnId>,
        logins: impl IntoIterator<Item = String>,
        backoff: Backoff,
        now: Instant,
    ) {
        self.last_id += 1;
        let id = ConnId(self.last_id);
        self.connections.insert(id, Connection::new(follows, logins, backoff, now));
        self.actions.push(Action::Open { id, follows });
    }

    /// Closes what is replaced and what holds nothing.
    fn let_go(&mut self) {
        let settled: BTreeSet<_> =
            self.connections.values().filter(|one| one.is_settled()).filter_map(|one| one.follows).collect();
        for (id, connection) in &mut self.connections {
            let is_over = connection.memberships.is_empty() || settled.contains(id);
            if is_over && connection.phase != Phase::Leaving {
                connection.phase = Phase::Leaving;
                self.actions.push(Action::Leave { id: *id });
            }
        }
    }

    /// Asks for the channels that have waited longest, as many as the limit allows.
    fn join(&mut self, limits: &mut Limits, now: Instant) {
        let mut due: Vec<(Instant, ConnId, String)> = Vec::new();
        for (id, connection) in self.connections.iter().filter(|(id, _)| self.asks(**id)) {
            for (login, membership) in &connection.memberships {
                if let Membership::Waiting { from, .. } = membership
                    && *from <= now
                {
                    due.push((*from, *id, login.clone()));
                }
            }
        }
        due.sort();
        for (_, id, login) in due {
            if !limits.joins.take(now) {
                return;
            }
            if let Some(membership) = self.membership(id, &login) {
                *membership = Membership::Asked { at: now, tries: membership.tries() };
                self.actions.push(Action::Join { id, login });
            }
        }
    }

    fn membership(&mut self, id: ConnId, login: &str) -> Option<&mut Membership> {
        self.connections.get_mut(&id)?.memberships.get_mut(login)
    }
}

fn reopening() -> Backoff {
    Backoff::new(REOPEN_FIRST, REOPEN_LAST)
}

#[cfg(test)]
mod tests;
