//! The channels that are listened to: the configured ones and those added by hand, kept in the store.
//! Tells the drivers what is wanted, and everybody how each source is doing.

mod api;
mod sql;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::chat::{Channel, Millis};
use crate::feed::Hub;
use crate::ingest::{Board, SourceState, SourceStatus};
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
    wanted: Arc<watch::Sender<Vec<Wanted>>>,
    /// The platforms that somebody listens to.
    heard: Arc<[&'static str]>,
    since: Millis,
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
}

impl AddedBy {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Hand => "hand",
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
        heard: Vec<&'static str>,
    ) -> Result<Self, Error> {
        let rows = db
            .write(move |tx| {
                sql::adopt(tx, &configured)?;
                sql::wanted(tx)
            })
            .await?;
        let wanted = Arc::new(watch::Sender::new(rows));
        let room = Self { db, board, hub, wanted, heard: heard.into(), since: Millis::now() };
        room.tell();
        Ok(room)
    }

    pub fn routes(&self) -> Routes {
        api::routes(self)
    }

    /// Keeps the list of one platform's channels in step, until `stop`.
    pub async fn follow(self, platform: &'static str, list: watch::Sender<BTreeSet<Channel>>, stop: CancellationToken) {
        let mut rows = self.wanted.subscribe();
        loop {
            let now: BTreeSet<Channel> = rows
                .borrow_and_update()
                .iter()
                .filter(|row| row.channel.platform.as_str() == platform)
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
        self.heard.iter().for_each(|platform| metrics.heard(platform));
        loop {
            rows.mark_unchanged();
            states.mark_unchanged();
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
            let is_up = |source: &&Source| source.platform == *platform && source.state == SourceState::Live;
            metrics.sources_up(platform, list.sources.iter().filter(is_up).count());
        }
        for (platform, count) in self.board.reconnects() {
            metrics.reconnected(platform, count);
        }
    }

    fn list(&self) -> List {
        let statuses = self.board.snapshot();
        let rows = self.wanted.borrow();
        List { sources: rows.iter().map(|row| self.source(row, statuses.get(&row.channel.to_string()))).collect() }
    }

    fn source(&self, row: &Wanted, status: Option<&SourceStatus>) -> Source {
        let channel = &row.channel;
        let (state, reason) = match status {
            Some(status) => (status.state, status.reason.clone()),
            None if self.heard.contains(&channel.platform.as_str()) => (SourceState::Connecting, None),
            None if self.heard.is_empty() => {
                (SourceState::Stopped, Some("this server only shows its store: ELORA_INGEST_DRIVER is none".to_owned()))
            }
            None => (SourceState::Refused, Some(format!("{} is not read by this version", channel.platform))),
        };
        Source {
            id: row.id.to_string(),
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
            added_by: row.added_by,
        }
    }

    /// The source, and whether it is new.
    async fn add(&self, channel: Channel) -> Result<(Source, bool), Error> {
        let (id, is_new, rows) = self
            .db
            .write(move |tx| {
                let (id, is_new) = sql::add(tx, &channel)?;
                Ok((id, is_new, sql::wanted(tx)?))
            })
            .await?;
        self.wanted.send_replace(rows);
        let statuses = self.board.snapshot();
        let rows = self.wanted.borrow();
        let row = rows.iter().find(|row| row.id == id).ok_or(Error::Closed)?;
        Ok((self.source(row, statuses.get(&row.channel.to_string())), is_new))
    }

    /// False if there is no such source.
    async fn remove(&self, id: i64) -> Result<bool, Error> {
        let (removed, rows) = self.db.write(move |tx| Ok((sql::remove(tx, id)?, sql::wanted(tx)?))).await?;
        self.wanted.send_replace(rows);
        Ok(removed)
    }
}
