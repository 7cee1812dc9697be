//! `POST /api/messages/purge`: deletes what is older than a time, for good. Whoever asks may go away: it is finished all
//! the same, if need be after the next start.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, oneshot};

use crate::chat::Millis;
use crate::stages::Stage;
use crate::store::{Db, Error};
use crate::web::Problem;
use crate::web::extract::FirstJson;

/// Purges under way at once; whoever comes later waits. Each takes its turn at the writer.
const AT_ONCE: usize = 4;

/// Who deletes. Cloning is cheap.
#[derive(Clone)]
pub struct Purges {
    db: Db,
    stage: Stage,
    permits: Arc<Semaphore>,
}

impl Purges {
    pub fn new(db: Db, stage: Stage) -> Self {
        Self { db, stage, permits: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Goes on with what was left when the program last ended.
    pub fn resume(&self) {
        let (db, stop) = (self.db.clone(), self.stage.stop.clone());
        self.stage.spawn_guest("purge", async move {
            let finished = stop.run_until_cancelled(finish(&db)).await;
            if let Some(Err(error)) = finished {
                tracing::error!(%error, "an unfinished purge could not be finished; the next start tries again");
            }
        });
    }

    /// Deletes in the background, and tells how many messages went. Nothing is told if the house closes first.
    fn start(&self, before: Millis) -> oneshot::Receiver<Result<u64, Error>> {
        let (tell, told) = oneshot::channel();
        let (room, stop) = (self.clone(), self.stage.stop.clone());
        self.stage.spawn_guest("purge", async move {
            let purge = async {
                let _permit = room.permits.acquire().await;
                room.db.purge(before).await
            };
            if let Some(purged) = stop.run_until_cancelled(purge).await {
                match &purged {
                    Ok(messages) => tracing::info!(messages, before = %before, "history was purged"),
                    Err(error) => tracing::error!(%error, "a purge stopped; the next start goes on with it"),
                }
                // Whoever asked may be gone.
                let _ = tell.send(purged);
            }
        });
        told
    }
}

async fn finish(db: &Db) -> Result<(), Error> {
    for purge in db.unfinished_purges().await? {
        let messages = db.finish_purge(purge).await?;
        tracing::info!(messages, "an unfinished purge was finished");
    }
    Ok(())
}

pub async fn purge(
    State(purges): State<Purges>,
    FirstJson(ask): FirstJson<Map<String, Value>>,
) -> Result<Response, Problem> {
    let wrong = || Problem::bad_request("before_ts: send milliseconds since 1970, a whole number above 0");
    let before = ask.get("before_ts").and_then(Value::as_i64).filter(|before| *before > 0).ok_or_else(wrong)?;
    let closing = |_| Problem::unavailable("the server stops; the purge goes on when it starts again");
    let deleted = purges.start(Millis(before)).await.map_err(closing)??;
    let kind = (header::CONTENT_TYPE, "application/json; charset=utf-8");
    Ok(([kind], format!(r#"{{"deleted":{deleted}}}"#)).into_response())
}
