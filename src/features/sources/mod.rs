//! The channels that are listened to: the configured ones and those added by hand, kept in the store.
//! Tells the drivers what is wanted, and everybody how each source is doing.

mod api;
mod helix;
mod restart;
mod sql;
#[cfg(test)]
mod tests;
pub mod top;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::chat::{Channel, Millis, Platform};
use crate::feed::Hub;
use crate::ingest::{Board, Restart, SourceState, SourceStatus};
use crate::store::{Db, Error};
use crate::telemetry::Metrics;
use crate::web::Routes;

/// The topic on the feed.
const TOPIC: &str = "sources";

/// How often viewers are told what has been counted.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// A changed state is told at once, but not more often than this.
const BREATH: Duration = Duration::from_millis(100);

/// The room. Cloning is cheap.
#[derive(Clone)]
pub struct Sources {
    db: Db,
    board: Board,
    hub: Hub,
    wanted: Arc<watch::Sender<Roll>>,
    /// The revision of the list that the latest change made.
    revision: Arc<AtomicU64>,
    /// The platforms that somebody listens to.
    heard: Arc<BTreeSet<Platform>>,
    /// Calls the platforms' listeners back to their beginning.
    restart: Restart,
    since: Millis,
}

/// Every source that is wanted, as one change left them.
#[derive(Debug, Clone, Default)]
struct Roll {
    /// Grows with every change.
    revision: u64,
    rows: Vec<Wanted>,
}

/// A source that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    id: i64,
    channel: Channel,
    added_by: AddedBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum AddedBy {
    Config,
    Hand,
    /// Nobody: it came along with what a driver reads, and is in no list.
    Driver,
}

impl AddedBy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Hand => "hand",
            Self::Driver => "driver",
        }
    }
}

/// A source as it is shown.
#[derive(Debug, Serialize)]
struct Source {
    id: String,
    platform: String,
    login: String,
    source: String,
    url: String,
    name: Option<String>,
    state: SourceState,
    reason: Option<String>,
    since: String,
    last_event_at: Option<String>,
    rate_per_minute: u32,
    events: u64,
    added_by: AddedBy,
}

#[derive(Debug, Serialize)]
struct List {
    sources: Vec<Source>,
}

impl Sources {
    /// Reads the list, after what the configuration has to say about it.
    pub async fn open(
        db: Db,
        hub: Hub,
        board: Board,
        configured: Vec<Channel>,
        heard: BTreeSet<Platform>,
    ) -> Result<Self, Error> {
        let (wanted, revision, restart) = Default::default();
        let room = Self { db, board, hub, wanted, revision, heard: heard.into(), restart, since: Millis::now() };
        let (configured, rows) = room.change(move |tx| sql::adopt(tx, &configured).map(|()| configured)).await?;
        room.warn(&rows, &configured);
        room.tell();
        Ok(room)
    }

    /// Of configured sources that nobody listens to. Where nobody listens to anything, that is meant.
    fn warn(&self, rows: &[Wanted], configured: &[Channel]) {
        if self.heard.is_empty() {
            return;
        }
        let channels = rows.iter().map(|row| &row.channel).filter(|channel| configured.contains(channel));
        for source in channels.filter(|channel| !self.heard.contains(&channel.platform)) {
            tracing::warn!(%source, "this source is kept, and not read yet: this version does not read its platform");
        }
    }

    /// The channels that are wanted now.
    pub fn channels(&self) -> BTreeSet<Channel> {
        self.wanted.borrow().rows.iter().map(|row| row.channel.clone()).collect()
    }

    pub fn routes(&self) -> Routes {
        api::routes(self).merge(restart::routes(self.restart.clone()))
    }

    /// What a listener's supervisor waits on.
    pub fn restarts(&self) -> watch::Receiver<u64> {
        self.restart.calls()
    }

    /// The first source of a platform in the list.
    pub fn first(connection: &Connection, platform: &Platform) -> rusqlite::Result<Option<Channel>> {
        Ok(sql::first(connection, platform)?.map(|(_, _, channel)| channel))
    }

    /// Puts a channel in the place of the first source of its platform, or takes that one out. Only within
    /// [`Sources::change_with`], which tells of it.
    pub fn replace_first(tx: &Connection, platform: &Platform, channel: Option<&Channel>) -> rusqlite::Result<()> {
        sql::replace_first(tx, platform, channel)
    }

    /// Changes the list together with what else the store holds, all of it or nothing.
    pub async fn change_with<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        Ok(self.change(change).await?.0)
    }

    /// Keeps the list of these platforms' channels in step, until `stop`.
    pub async fn follow(
        self,
        platforms: &'static [Platform],
        list: watch::Sender<BTreeSet<Channel>>,
        stop: CancellationToken,
    ) {
        let mut rows = self.wanted.subscribe();
        loop {
            let now: BTreeSet<Channel> = rows
                .borrow_and_update()
                .rows
                .iter()
                .filter(|row| platforms.contains(&row.channel.platform))
                .map(|row| row.channel.clone())
                .collect();
            list.send_if_modified(|known| {
                let changed = *known != now;
                *known = now;
                changed
            });
            tokio::select! {
                () = stop.cancelled() => return,
                changed = rows.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Tells viewers and metrics how the sources do, until `stop`.
    pub async fn announce(self, metrics: Metrics, stop: CancellationToken) {
        let (mut rows, mut states) = (self.wanted.subscribe(), self.board.watch());
        self.heard.iter().for_each(|platform| metrics.heard(platform.as_str()));
        loop {
            rows.mark_unchanged();
            states.mark_unchanged();
            self.catch_up(&stop).await;
            self.tell();
            self.measure(&metrics);
            tokio::select! {
                () = stop.cancelled() => return,
                _ = rows.changed() => {}
                _ = states.changed() => {}
                () = tokio::time::sleep(TELL_EVERY) => continue,
            }
            tokio::time::sleep(BREATH).await;
        }
    }

    fn tell(&self) {
        if let Ok(list) = serde_json::to_string(&self.list()) {
            self.hub.announce(TOPIC, &list);
        }
    }

    fn measure(&self, metrics: &Metrics) {
        let list = self.list();
        for platform in self.heard.iter() {
            let platform = platform.as_str();
            let is_up = |source: &&Source| source.platform == platform && source.state == SourceState::Live;
            metrics.sources_up(platform, list.sources.iter().filter(is_up).count());
            if let Some(at) = self.board.last_heard(platform) {
                metrics.last_heard(platform, at.0);
            }
        }
        for (driver, count) in self.board.reconnects() {
            metrics.reconnected(driver, count);
        }
        for ((driver, what), count) in self.board.oddities() {
            metrics.odd(driver, what.as_str(), count);
        }
    }

    fn list(&self) -> List {
        let mut statuses = self.board.snapshot();
        let wanted = self.wanted.borrow();
        let mut sources: Vec<Source> = wanted
            .rows
            .iter()
            .map(|row| {
                self.source(
                    &row.id.to_string(),
                    &row.channel,
                    row.added_by,
                    statuses.remove(&row.channel.to_string()).as_ref(),
                )
            })
            .collect();
        // What nobody asked for is in no list, and so goes by its address.
        let brought = statuses.iter().filter(|(_, status)| status.is_brought);
        sources.extend(
            brought.map(|(address, status)| self.source(address, &status.channel, AddedBy::Driver, Some(status))),
        );
        List { sources }
    }

    fn source(&self, id: &str, channel: &Channel, added_by: AddedBy, status: Option<&SourceStatus>) -> Source {
        let (state, reason) = match status {
            Some(status) => (status.state, status.reason.clone()),
            None if self.heard.contains(&channel.platform) => (SourceState::Connecting, None),
            None if self.heard.is_empty() => {
                (SourceState::Stopped, Some("this server only shows its store: ELORA_INGEST_DRIVER is none".to_owned()))
            }
            None => (SourceState::Refused, Some(format!("{} is not read by this version", channel.platform))),
        };
        Source {
            id: id.to_owned(),
            platform: channel.platform.to_string(),
            login: channel.login.clone(),
            source: channel.to_string(),
            url: channel.url(),
            name: status.and_then(|status| status.channel.name.clone()),
            state,
            reason,
            since: status.map_or(self.since, |status| status.since).to_string(),
            last_event_at: status.and_then(|status| status.last_event_at).map(|at| at.to_string()),
            rate_per_minute: status.map_or(0, |status| status.rate_per_minute),
            events: status.map_or(0, |status| status.events),
            added_by,
        }
    }

    /// The source, and whether it is new.
    async fn add(&self, channel: Channel) -> Result<(Source, bool), Error> {
        let ((id, is_new), rows) = self.change(move |tx| sql::add(tx, &channel)).await?;
        let statuses = self.board.snapshot();
        let row = rows.iter().find(|row| row.id == id).ok_or(Error::Closed)?;
        let status = statuses.get(&row.channel.to_string());
        Ok((self.source(&id.to_string(), &row.channel, row.added_by, status), is_new))
    }

    /// Takes channels over from an older program, where its platform has none yet.
    pub async fn adopt(&self, channels: Vec<Channel>) -> Result<(), Error> {
        for channel in channels {
            if self.channels().iter().all(|known| known.platform != channel.platform) {
                self.add(channel).await?;
            }
        }
        Ok(())
    }

    /// False if there is no such source.
    async fn remove(&self, id: i64) -> Result<bool, Error> {
        let (removed, _) = self.change(move |tx| sql::remove(tx, id)).await?;
        Ok(removed)
    }

    /// Changes the list, and tells everybody unless a later change was told already. Gives the list it left.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<(T, Vec<Wanted>), Error> {
        let revisions = self.revision.clone();
        let (value, roll) = self
            .db
            .write(move |tx| {
                let value = change(tx)?;
                let rows = sql::wanted(tx)?;
                // Changes run one after another, so this numbers them in their order.
                Ok((value, Roll { revision: revisions.fetch_add(1, Ordering::Relaxed) + 1, rows }))
            })
            .await?;
        let rows = roll.rows.clone();
        self.wanted.send_if_modified(|known| {
            let is_newer = roll.revision > known.revision;
            if is_newer {
                *known = roll;
            }
            is_newer
        });
        Ok((value, rows))
    }

    /// Tells of a change whose request went away before it could.
    async fn catch_up(&self, stop: &CancellationToken) {
        if self.revision.load(Ordering::Relaxed) == self.wanted.borrow().revision {
            return;
        }
        // A store that takes no change now is asked again at the next beat.
        let _ = stop.run_until_cancelled(self.change(|_| Ok(()))).await;
    }
}
