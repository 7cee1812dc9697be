//! `POST /api/messages/purge`: deletes what is older than a time, for good. Whoever asks may go away: it is finished all
//! the same, if need be after the next start.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
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

/// Who deletes. Cloning is cheap.
#[derive(Clone)]
pub struct Purges {
    db: Db,
    stage: Stage,
    permits: Arc<Semaphore>,
    /// What was under way when the program last ended.
    unfinished: Arc<[Purge]>,
}

impl Purges {
    pub fn new(db: Db, stage: Stage, unfinished: Vec<Purge>) -> Self {
        Self { db, stage, permits: Arc::new(Semaphore::new(AT_ONCE)), unfinished: unfinished.into() }
    }

    /// Goes on with what was left when the program last ended.
    pub fn resume(&self) {
        let (room, stop) = (self.clone(), self.stage.stop.clone());
        self.stage.spawn_guest("purge", async move {
            let finished = stop.run_until_cancelled(room.finish()).await;
            if let Some(Err(error)) = finished {
                tracing::error!(%error, "an unfinished purge could not be finished; the next start tries again");
            }
        });
    }

    async fn finish(&self) -> Result<(), Error> {
        for purge in self.unfinished.iter() {
            let messages = self.db.finish_purge(*purge).await?;
            tracing::info!(messages, "an unfinished purge was finished");
        }
        Ok(())
    }

    /// Deletes in the background, and tells how many messages went. Nothing is told if the house closes once it has
    /// begun.
    fn start(&self, before: Millis, permit: OwnedSemaphorePermit) -> oneshot::Receiver<Result<u64, Error>> {
        let (tell, told) = oneshot::channel();
        let (db, stop) = (self.db.clone(), self.stage.stop.clone());
        self.stage.spawn_guest("purge", async move {
            let _permit = permit;
            let purged = match db.begin_purge(before).await {
                Ok(purge) => stop.run_until_cancelled(db.purge(purge)).await,
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
