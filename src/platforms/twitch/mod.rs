//! Twitch: IRC over WebSocket, read without a key.
//!
//! A line's way: `connection` (socket, keepalive) → `lines` → `decode` (pure) → `funnel` (overlaps, restrictions) →
//! sink. What to join where is decided by `roster`, carried out by `chat`.

pub mod badges;
pub mod decode;
pub mod emotes;
pub mod irc;
pub mod text;

mod alerts;
mod chat;
mod connection;
mod funnel;
mod joins;
mod keepalive;
mod lines;
mod login;
mod membership;
mod moderation;
mod notice;
mod overlap;
mod person;
pub mod privmsg;
mod room;
mod roster;
mod tags;
mod usernotice;

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::chat::Session;
use self::funnel::{Funnel, Known};
use self::joins::Limits;
use self::login::Credentials;
use super::{Drivers, Kit, Opened};
use crate::chat::{Channel, Platform};
use crate::config::{self, Config, DriverKind};
use crate::ingest::{Driver, DriverError, Sink};

pub use decode::{Heard, decode};
pub use notice::Notice;
pub use room::{Followers, Modes, RoomState};

/// The platform's name in channels, logs and metrics.
pub const NAME: &str = "twitch";
const HEARS: &[Platform] = &[Platform::TWITCH];

/// Items between the connections and the sink: room for a few seconds of the busiest chat while the writer is busy.
const ITEMS: usize = 4096;

/// Twitch needs no key: it is there wherever this program listens by itself.
pub fn open(config: &Config, _kit: &Kit) -> Option<Opened> {
    let drivers = || Drivers::One(Box::new(Twitch::new(config.twitch.clone())));
    (config.ingest.driver == DriverKind::Native).then(|| Opened { hears: HEARS, drivers: drivers() })
}

/// The driver. What it keeps from run to run is what Twitch keeps too: counts against limits, the account, the
/// restrictions of each chat.
struct Twitch {
    limits: Limits,
    credentials: Credentials,
    known: Known,
    config: config::Twitch,
}

impl Twitch {
    fn new(config: config::Twitch) -> Self {
        let limits = Limits::new(config.joins_per_10s);
        Self { limits, credentials: Credentials::new(config.clone()), known: Known::default(), config }
    }
}

impl Driver for Twitch {
    fn run(
        &mut self,
        wanted: watch::Receiver<BTreeSet<Channel>>,
        sink: Sink,
        stop: CancellationToken,
    ) -> BoxFuture<'_, Result<(), DriverError>> {
        Box::pin(async move {
            let (items, receiver) = mpsc::channel(ITEMS);
            let funnel = Funnel::new(&mut self.known, sink.clone()).pour(receiver);
            let session = Session::new(&self.config, &mut self.limits, &mut self.credentials, items, sink);
            // The funnel ends after the session: it passes on what was heard up to a loss or a stop.
            tokio::join!(session.listen(wanted, stop), funnel).0
        })
    }
}
