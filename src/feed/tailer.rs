//! Follows the store: reads what was committed, in order, and puts it into the hub.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::journal::Journal;
use super::{Batch, Forms, Hub};
use crate::chat::{Event, EventId, Millis};
use crate::config;
use crate::store::{Db, Error, events};
use crate::telemetry::Metrics;

/// A store that cannot be read is asked again after this.
const AGAIN: Duration = Duration::from_millis(500);
/// Events in one batch, and so in one frame, at most: some 20 KiB, which every viewer keeps room for.
const MOST_PER_BATCH: usize = 16;

pub struct Tailer {
    db: Db,
    hub: Hub,
    forms: Forms,
    metrics: Metrics,
    config: config::Feed,
    position: EventId,
    journal: Journal,
}

impl Tailer {
    pub fn new(db: Db, hub: Hub, forms: Forms, metrics: Metrics, config: config::Feed) -> Self {
        let position = hub.head();
        Self { db, hub, forms, metrics, config, position, journal: Journal::default() }
    }

    /// Follows until `stop`, which comes after the last commit; then makes a final pass and closes the hub.
    pub async fn run(mut self, stop: CancellationToken) {
        let (mut committed, mut purged) = (self.db.committed(), self.db.purged());
        Journal::begin(&self.config);
        while !stop.is_cancelled() {
            let pause = match self.catch_up().await {
                Ok(()) => self.config.poll,
                Err(error) => {
                    self.journal.trouble(&error, Instant::now());
                    AGAIN
                }
            };
            self.journal.tell(Instant::now());
            tokio::select! {
                () = stop.cancelled() => {}
                () = woken(&mut committed) => {}
                () = woken(&mut purged) => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        if let Err(error) = self.catch_up().await {
            tracing::error!(%error, "dbtailer: error: the last events were committed but not delivered");
        }
        self.journal.end();
        self.hub.close();
    }

    async fn catch_up(&mut self) -> Result<(), Error> {
        loop {
            let (position, batch) = (self.position, self.config.batch);
            let known = *self.db.purged().borrow();
            let mut events = self.db.read(move |connection| events::after(connection, position, batch)).await?;
            let is_full = events.len() == batch;
            self.count(&events);
            self.journal.note(&events, self.forms.settings.now().tailer.max_lag);
            // Nothing from after a purge is sent before everyone is told of it, and nothing from before it is left out.
            let purged = *self.db.purged().borrow();
            let later = events.split_off(events.partition_point(|event| event.id < purged));
            let is_reached = !later.is_empty() || (!is_full && known == purged);
            self.send(events);
            if is_reached && purged > self.hub.purged() {
                self.hub.purge(purged);
                self.position = self.position.max(purged);
            }
            self.send(later);
            if !is_full {
                return Ok(());
            }
        }
    }

    fn send(&mut self, mut events: Vec<Event>) {
        let committed_at = self.committed_at(events.last());
        let mut batches = Vec::new();
        while !events.is_empty() {
            let rest = events.split_off(events.len().min(MOST_PER_BATCH));
            batches.extend(Batch::new(self.db.epoch(), events, &self.forms, committed_at));
            events = rest;
        }
        self.position = batches.last().map_or(self.position, Batch::last);
        self.hub.send(batches);
    }

    /// A commit can be read a moment before the writer tells of it.
    fn committed_at(&self, newest: Option<&Event>) -> Instant {
        let committed = *self.db.committed().borrow();
        let is_told = newest.is_some_and(|event| event.id <= committed.last);
        if is_told { committed.at } else { Instant::now() }
    }

    fn count(&self, events: &[Event]) {
        let now = Millis::now();
        for event in events {
            let platform = event.channel.platform.as_str();
            self.metrics.ingested(platform, event.kind.name(), 1);
            self.metrics.lagged(platform, Duration::from_millis(now.since(event.at)));
        }
    }
}

/// The writer has told something new. Never, once it is gone.
async fn woken<T>(news: &mut watch::Receiver<T>) {
    if news.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
