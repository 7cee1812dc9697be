//! The desk where settings are changed, one wish after another: a wish is read over what the store has at that moment,
//! so that two of them never mix, and what comes of it is told in the order of the changes.

use std::sync::Arc;

use rusqlite::Connection;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::document::Document;
use super::rules::{self, Violation};
use super::{Kept, List, over, sql, stored};
use crate::chat::{Millis, Platform};
use crate::config::{self, ANY_ORIGIN};
use crate::store::Error;

/// Wishes that may wait; whoever comes then waits to put theirs down.
pub const QUEUE: usize = 16;

/// What a client wants to be different, and where to answer.
pub struct Wish {
    pub sent: Map<String, Value>,
    pub reply: oneshot::Sender<Result<Changed, Refusal>>,
}

/// How a wish came out of the store.
pub type Outcome = Result<Applied, Refusal>;

/// What stood before, and what stands now.
pub struct Applied {
    before: Kept,
    after: Kept,
}

/// What a client is told of its wish.
pub struct Changed {
    pub document: Document,
    pub is_changed: bool,
    /// Something is heeded only at the next start.
    pub needs_restart: bool,
    /// Clients find the server elsewhere now.
    pub has_moved: bool,
}

/// Why nothing was changed.
#[derive(Debug)]
pub enum Refusal {
    /// What was sent is not what this takes.
    Payload(String),
    Rules(Vec<Violation>),
    Store(Error),
}

/// How the settings are read from the store.
#[derive(Clone)]
pub struct Book {
    pub seed: Arc<Kept>,
    pub list: List,
}

impl Book {
    /// Everything as it stands. Within a transaction: the document and the list are of one moment.
    pub fn read(&self, connection: &Connection) -> rusqlite::Result<Kept> {
        let stored = sql::document(connection)?;
        Ok(Kept {
            // It was told at the start.
            settings: over(&self.seed, stored.as_deref(), |_| {}),
            twitch: (self.list.first)(connection, &Platform::TWITCH)?,
            youtube: (self.list.first)(connection, &Platform::YOUTUBE)?,
        })
    }

    /// The same as it is shown, by a reader of its own.
    pub fn show(&self, connection: &Connection) -> rusqlite::Result<Document> {
        let moment = connection.unchecked_transaction()?;
        Ok(Document::of(&self.read(&moment)?))
    }

    fn apply(&self, tx: &Connection, sent: Map<String, Value>) -> rusqlite::Result<Outcome> {
        let before = self.read(tx)?;
        let known = Document::of(&before);
        let wanted = match known.with(sent) {
            Ok(wanted) => wanted,
            Err(problem) => return Ok(Err(Refusal::Payload(problem))),
        };
        let (after, violations) = rules::read(&wanted, &known, &before);
        if !violations.is_empty() {
            return Ok(Err(Refusal::Rules(violations)));
        }
        self.keep(tx, &before, &after)?;
        // A source that is taken out makes room for the next.
        let after = self.read(tx)?;
        Ok(Ok(Applied { before, after }))
    }

    fn keep(&self, tx: &Connection, before: &Kept, after: &Kept) -> rusqlite::Result<()> {
        if after.twitch != before.twitch {
            (self.list.replace)(tx, &Platform::TWITCH, after.twitch.as_ref())?;
        }
        if after.youtube != before.youtube {
            (self.list.replace)(tx, &Platform::YOUTUBE, after.youtube.as_ref())?;
        }
        // Also where nothing changes: what the environment has come to say by itself is no longer kept.
        let document = stored::to_store(after, &self.seed);
        if sql::document(tx)?.as_ref() == Some(&document) { Ok(()) } else { sql::keep(tx, &document, Millis::now()) }
    }
}

pub struct Desk {
    book: Book,
    queue: mpsc::Receiver<Wish>,
    told: watch::Sender<Arc<config::Settings>>,
    /// Rings after every wish that was granted, whether it changed anything or not.
    resync: mpsc::Sender<()>,
}

impl Desk {
    pub fn new(
        book: Book,
        queue: mpsc::Receiver<Wish>,
        told: watch::Sender<Arc<config::Settings>>,
        resync: mpsc::Sender<()>,
    ) -> Self {
        Self { book, queue, told, resync }
    }

    /// Grants wishes until `stop`. One that has begun is brought to its end, whether or not its client still waits.
    pub async fn run(mut self, stop: CancellationToken) {
        while let Some(Some(wish)) = stop.run_until_cancelled(self.queue.recv()).await {
            let answer = self.grant(wish.sent).await;
            // The client may have gone.
            let _ = wish.reply.send(answer);
        }
        // Nobody can wish any more once the listener is gone, which may be a moment before the house says so.
        stop.cancelled().await;
    }

    async fn grant(&self, sent: Map<String, Value>) -> Result<Changed, Refusal> {
        let book = self.book.clone();
        let outcome = (self.book.list.change)(Box::new(move |tx| book.apply(tx, sent))).await;
        let Applied { before, after } = outcome.map_err(Refusal::Store)??;
        self.tell(&before, &after);
        // Where a ring is waiting already, that one is enough: it tells what stands by then.
        let _ = self.resync.try_send(());
        let (old, new) = (&before.settings, &after.settings);
        Ok(Changed {
            document: Document::of(&after),
            is_changed: before != after,
            needs_restart: (old.backoff_base, old.backoff_max) != (new.backoff_base, new.backoff_max),
            has_moved: old.api_base != new.api_base || old.ws_url != new.ws_url,
        })
    }

    fn tell(&self, before: &Kept, after: &Kept) {
        if before.twitch != after.twitch {
            let login = after.twitch.as_ref().map_or("none", |channel| channel.login.as_str());
            tracing::info!("config: switch twitch channel to {login}");
        }
        if after.settings.allowed_origins.any && !before.settings.allowed_origins.any {
            tracing::warn!("{ANY_ORIGIN}");
        }
        self.told.send_if_modified(|known| {
            let is_new = **known != after.settings;
            if is_new {
                *known = Arc::new(after.settings.clone());
            }
            is_new
        });
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use serde_json::json;

    use super::*;
    use crate::config::{Config, Current, Settings};
    use crate::store;
    use crate::telemetry::Metrics;

    #[tokio::test]
    async fn a_wish_is_granted_and_told_though_its_client_has_gone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = Config::default();
        config.store.path = folder.path().join("elora.db");
        let opened = store::open(&config.store, 16, &Metrics::new()).expect("a store in a new folder opens");
        let db = opened.db;
        let list = List {
            first: |_, _| Ok(None),
            replace: |_, _, _| Ok(()),
            change: Arc::new(move |change| {
                let db = db.clone();
                async move { db.write(change).await }.boxed()
            }),
        };
        let seed = Arc::new(Kept { settings: Settings::of(&config), twitch: None, youtube: None });
        let (told, current) = Current::new(seed.settings.clone());
        let ((wishes, queue), (resync, mut rings)) = (mpsc::channel(QUEUE), mpsc::channel(1));
        let (reply, client) = oneshot::channel();
        drop(client);
        let Value::Object(sent) = json!({ "tailer": { "maxBatch": 7 } }) else { panic!("it is an object") };
        assert!(wishes.try_send(Wish { sent, reply }).is_ok());
        let stop = CancellationToken::new();

        let desk = Desk::new(Book { seed, list }, queue, told, resync).run(stop.clone());
        let rung = async {
            let rung = rings.recv().await;
            stop.cancel();
            rung
        };
        let ((), rung) = tokio::join!(desk, rung);

        assert_eq!((rung, current.now().tailer.max_batch), (Some(()), 7));
    }
}
