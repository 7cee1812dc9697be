//! Follows the store: reads what was committed, in order, and puts it into the hub.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::hub::{Batch, Forms, Frame, Hub, MOST_PER_BATCH};
use crate::chat::{Event, EventId};
use crate::config;
use crate::store::{Db, Error, events};
use crate::telemetry::Metrics;

/// A store that cannot be read is asked again after this.
const AGAIN: Duration = Duration::from_millis(500);

pub struct Tailer {
    db: Db,
    hub: Hub,
    forms: Forms,
    metrics: Metrics,
    config: config::Feed,
    position: EventId,
}

impl Tailer {
    pub fn new(db: Db, hub: Hub, forms: Forms, metrics: Metrics, config: config::Feed) -> Self {
        let position = hub.head();
        Self { db, hub, forms, metrics, config, position }
    }

    /// Follows until `stop`, which comes after the last commit; then makes a final pass and closes the hub.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut committed = self.db.committed();
        while !stop.is_cancelled() {
            let pause = match self.catch_up().await {
                Ok(()) => self.config.poll,
                Err(error) => {
                    tracing::warn!(%error, "the feed waits for the store");
                    AGAIN
                }
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = woken(&mut committed) => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        if let Err(error) = self.catch_up().await {
            tracing::error!(%error, "the last events were committed but not delivered");
        }
        self.hub.close();
    }

    async fn catch_up(&mut self) -> Result<(), Error> {
        loop {
            let (position, batch) = (self.position, self.config.batch);
            let events = self.db.read(move |connection| events::after(connection, position, batch)).await?;
            let Some(last) = events.last().map(|event| event.id) else { return Ok(()) };
            let is_full = events.len() == batch;
            self.count(&events);
            let mut frames = events.into_iter().map(|event| Frame::new(event, &self.forms)).peekable();
            while frames.peek().is_some() {
                let batch: Batch = frames.by_ref().take(MOST_PER_BATCH).collect();
                self.hub.send(batch);
            }
            self.position = last;
            if !is_full {
                return Ok(());
            }
        }
    }

    fn count(&self, events: &[Event]) {
        for event in events {
            let platform = event.channel.platform.as_str();
            self.metrics.ingested(platform, event.kind.name(), 1);
            self.metrics.lagged(platform, Duration::from_millis(event.received_at.since(event.at)));
        }
    }
}

/// The writer has committed something. Never, once it is gone.
async fn woken(committed: &mut watch::Receiver<EventId>) {
    if committed.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
