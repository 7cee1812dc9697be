//! What the stand-in remembers: who connected, what each sent, and what each was owed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::fault::Fault;
use super::session::Order;

/// Joins a client may ask for in any ten seconds; more are ignored, as Twitch ignores them.
const JOINS_PER_WINDOW: usize = 20;
const JOIN_WINDOW: Duration = Duration::from_secs(10);

/// Everything that happened at the stand-in, in the order of connections.
#[derive(Debug, Default)]
pub struct Book {
    pub connections: Vec<Connection>,
    pub rules: Rules,
    /// When each channel was asked for, granted or not, over all connections.
    pub join_requests: Vec<(Instant, String)>,
    /// JOINs above the limit: ignored.
    pub excess_joins: usize,
    /// Lines that some client had to see: written in full to the newest connection that had joined their channel.
    pub owed: Vec<Owed>,
}

/// How the stand-in behaves; may be changed at any time.
#[derive(Debug, Default)]
pub struct Rules {
    /// Tokens that are refused with `NOTICE *`.
    pub dead_tokens: BTreeSet<String>,
    /// Channels whose JOIN is never answered.
    pub unconfirmed: BTreeSet<String>,
    pub framing: Framing,
    /// PINGs wait for an answer until [`Twitch::answer_pings`](super::Twitch::answer_pings).
    pub holds_pongs: bool,
}

impl Rules {
    pub(super) fn framing(&self) -> Framing {
        let fault = match self.framing {
            Framing::OnePerFrame => return self.framing,
            Framing::Several(_) => Fault::Several,
            Framing::Fragmented => Fault::Fragments,
            Framing::Torn => Fault::Torn,
        };
        if fault.is_committed() { self.framing } else { Framing::OnePerFrame }
    }
}

/// How lines are laid into WebSocket messages.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Framing {
    #[default]
    OnePerFrame,
    /// Up to this many lines in one message.
    Several(usize),
    /// One message per line, each sent as two WebSocket fragments.
    Fragmented,
    /// One line over two whole messages.
    Torn,
}

/// A line that must not be lost.
#[derive(Debug, Clone)]
pub struct Owed {
    /// The connection it was written to.
    pub number: usize,
    pub channel: String,
    pub id: Option<String>,
}

/// How a connection ended, and by whose hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Client,
    Server,
}

/// One client's connection.
#[derive(Debug)]
pub struct Connection {
    pub closed: Option<(Instant, End)>,
    /// Every line the client sent.
    pub received: Vec<(Instant, String)>,
    pub capabilities: BTreeSet<String>,
    pub token: Option<String>,
    pub nick: Option<String>,
    pub welcomed: bool,
    /// Channels joined and confirmed, with the place of the join in the book's order.
    pub joined: BTreeMap<String, Instant>,
    /// Lines written in full, by channel.
    pub written: BTreeMap<String, usize>,
    /// The ways in which lines were laid into frames for this client.
    pub laid: BTreeSet<Framing>,
    /// Set when the stand-in stopped answering this client.
    pub silent_since: Option<Instant>,
    /// What its PINGs said that were not answered yet.
    pub unanswered: Vec<String>,
    /// Half a line was sent, and then nothing.
    pub torn: Option<String>,
    pub(super) orders: mpsc::Sender<Order>,
}

impl Connection {
    pub(super) fn new(orders: mpsc::Sender<Order>) -> Self {
        Self {
            closed: None,
            received: Vec::new(),
            capabilities: BTreeSet::new(),
            token: None,
            nick: None,
            welcomed: false,
            joined: BTreeMap::new(),
            written: BTreeMap::new(),
            laid: BTreeSet::new(),
            silent_since: None,
            unanswered: Vec::new(),
            torn: None,
            orders,
        }
    }

    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Whether the client has said a line that begins like this.
    pub fn has_said(&self, start: &str) -> bool {
        self.said(start) > 0
    }

    pub fn said(&self, start: &str) -> usize {
        self.received.iter().filter(|(_, line)| line.starts_with(start)).count()
    }
}

impl Book {
    /// Open connections that have joined a channel.
    pub fn listeners(&self, channel: &str) -> impl Iterator<Item = &Connection> {
        self.connections.iter().filter(move |c| c.is_open() && c.joined.contains_key(channel))
    }

    pub fn has_listener(&self, channel: &str) -> bool {
        self.listeners(channel).next().is_some()
    }

    /// How often a line of a channel was written, whichever connections it went to.
    pub fn written(&self, channel: &str) -> usize {
        self.connections.iter().filter_map(|connection| connection.written.get(channel)).sum()
    }

    /// The ids a client must have got for a channel, in the order they were first written.
    pub fn owed_ids(&self, channel: &str) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let ids = self.owed.iter().filter(|owed| owed.channel == channel).filter_map(|owed| owed.id.clone());
        ids.filter(|id| seen.insert(id.clone())).collect()
    }

    /// Those ids that were written to one connection.
    pub fn owed_on(&self, number: usize, channel: &str) -> Vec<String> {
        let owed = self.owed.iter().filter(|owed| owed.number == number && owed.channel == channel);
        owed.filter_map(|owed| owed.id.clone()).collect()
    }

    /// Notes that a line went out in full. It is owed unless a newer connection has joined the channel meanwhile:
    /// from then on the client may leave the older one unread.
    pub(super) fn wrote(&mut self, number: usize, channel: &str, id: Option<String>) {
        let newer = self.connections[number + 1..].iter().any(|c| c.joined.contains_key(channel));
        *self.connections[number].written.entry(channel.to_owned()).or_default() += 1;
        if !newer {
            self.owed.push(Owed { number, channel: channel.to_owned(), id });
        }
    }

    /// Notes a JOIN, and says whether it is within the limit.
    pub(super) fn grants_join(&mut self, channel: &str) -> bool {
        let now = Instant::now();
        let recent = self.join_requests.iter().filter(|(at, _)| now.duration_since(*at) < JOIN_WINDOW).count();
        self.join_requests.push((now, channel.to_owned()));
        if !Fault::Limit.is_committed() {
            return true;
        }
        if recent >= JOINS_PER_WINDOW {
            self.excess_joins += 1;
        }
        recent < JOINS_PER_WINDOW
    }

    /// Whether a channel's JOIN is never answered.
    pub(super) fn is_ghost(&self, channel: &str) -> bool {
        self.rules.unconfirmed.contains(channel) && Fault::Ghost.is_committed()
    }

    /// The most JOINs that fell into any ten seconds.
    pub fn densest_joins(&self) -> usize {
        let times: Vec<Instant> = self.join_requests.iter().map(|(at, _)| *at).collect();
        let from = |first: Instant| times.iter().filter(|at| **at >= first && **at - first < JOIN_WINDOW).count();
        times.iter().map(|first| from(*first)).max().unwrap_or(0)
    }
}
