//! `POST /api/messages/purge`: deletes what is older than a time, for good. Whoever asks may go away: it is finished all
//! the same, if need be after the next start.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::chat::Millis;
use crate::stages::Stage;
use crate::store::{Db, Error, Purge};
use crate::web::extract::FirstJson;
use crate::web::{Json, Problem};

/// Purges under way at once. Each takes its turn at the writer.
const AT_ONCE: usize = 4;
const COME_AGAIN: Duration = Duration::from_secs(10);

/// The file of another program whose rows are in our history, too. What is purged here has to go there as well.
#[derive(Clone)]
pub struct Neighbor {
    /// Whether it is read now.
    pub is_read: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Deletes what is older than a time, however long that takes, and tells how many rows went.
    pub purge: Arc<dyn Fn(Millis) -> BoxFuture<'static, Result<u64, Trouble>> + Send + Sync>,
}

/// Why it keeps what it has.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// Who deletes. Cloning is cheap.
#[derive(Clone)]
pub struct Purges {
    db: Db,
    stage: Stage,
    permits: Arc<Semaphore>,
    /// What was under way when the program last ended.
    unfinished: Arc<Unfinished>,
    neighbor: Neighbor,
}

/// What an earlier run has begun to delete, in the store and in the file beside it.
pub struct Unfinished {
    pub ours: Vec<Purge>,
    pub shared: Vec<Millis>,
}

impl Purges {
    pub fn new(db: Db, stage: Stage, unfinished: Unfinished, neighbor: Neighbor) -> Self {
        Self { db, stage, permits: Arc::new(Semaphore::new(AT_ONCE)), unfinished: Arc::new(unfinished), neighbor }
    }

    /// Goes on with what was left when the program last ended.
    pub fn resume(&self) {
        self.unfinished.shared.iter().for_each(|before| self.purge_neighbor(*before));
        let (room, stop) = (self.clone(), self.stage.stop.clone());
        self.stage.spawn_guest("purge", async move {
            let finished = stop.run_until_cancelled(room.finish()).await;
            if let Some(Err(error)) = finished {
                tracing::error!(%error, "an unfinished purge could not be finished; the next start tries again");
            }
        });
    }

    async fn finish(&self) -> Result<(), Error> {
        for purge in &self.unfinished.ours {
            let messages = self.db.finish_purge(*purge).await?;
            tracing::info!(messages, "an unfinished purge was finished");
        }
        Ok(())
    }

    /// Deletes in the other program's file, in the background: the one who asked waits for our store alone.
    fn purge_neighbor(&self, before: Millis) {
        let (db, purge, stop) = (self.db.clone(), Arc::clone(&self.neighbor.purge), self.stage.stop.clone());
        self.stage.spawn_guest("purge of a harvester's file", async move {
            // A closing house leaves the rest to the next start.
            let Some(purged) = stop.run_until_cancelled(purge(before)).await else { return };
            match purged {
                Ok(rows) => tracing::info!(rows, %before, "the harvester's file was purged"),
                Err(error) => {
                    return tracing::warn!(%error, %before, "the harvester's file keeps what was purged here; the next start tries again");
                }
            }
            if let Err(error) = db.end_shared_purge(before).await {
                tracing::warn!(%error, "the harvester's file is purged once more at the next start");
            }
        });
    }

    /// Deletes in the background, and tells how many messages went. Nothing is told if the house closes once it has
    /// begun.
    fn start(&self, before: Millis, permit: OwnedSemaphorePermit) -> oneshot::Receiver<Result<u64, Error>> {
        let (tell, told) = oneshot::channel();
        let (room, stop) = (self.clone(), self.stage.stop.clone());
        self.stage.spawn_guest("purge", async move {
            let _permit = permit;
            let (db, is_shared) = (&room.db, (room.neighbor.is_read)());
            let purged = match db.begin_purge(before, is_shared).await {
                Ok(purge) => {
                    if is_shared {
                        room.purge_neighbor(before);
                    }
                    stop.run_until_cancelled(db.purge(purge)).await
                }
                Err(error) => Some(Err(error)),
            };
            let Some(purged) = purged else { return };
            match &purged {
                Ok(messages) => tracing::info!(messages, %before, "history was purged"),
                Err(error) => {
                    tracing::error!(%error, "a purge stopped; if it had begun, the next start goes on with it");
                }
            }
            // Whoever asked may be gone.
            let _ = tell.send(purged);
        });
        told
    }
}

pub async fn purge(
    State(purges): State<Purges>,
    FirstJson(ask): FirstJson<Map<String, Value>>,
) -> Result<Response, Problem> {
    let wrong = || Problem::bad_request("before_ts: send milliseconds since 1970, a whole number above 0");
    let before = ask.get("before_ts").and_then(Value::as_i64).filter(|before| *before > 0).ok_or_else(wrong)?;
    let permit = Arc::clone(&purges.permits).try_acquire_owned().map_err(|_| busy())?;
    let closing = |_| Problem::unavailable("the server stops; the purge goes on when it starts again");
    let deleted = purges.start(Millis(before), permit).await.map_err(closing)??;
    let kind = (header::CONTENT_TYPE, "application/json; charset=utf-8");
    Ok(([kind], Json(json!({ "deleted": deleted }))).into_response())
}

fn busy() -> Problem {
    let detail = format!("{AT_ONCE} purges are under way, and this one was not begun: ask again when one has ended");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(COME_AGAIN)
}
