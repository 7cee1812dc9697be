//! What machines ask a server: does it live, is it ready, what are its numbers.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::sync::Semaphore;

use super::{Json, Routes, sql};
use crate::chat::Millis;
use crate::store::{Db, HealthState};
use crate::telemetry::Metrics;

/// A commit proves that the store works. After this long without one, a row is written to see, and not more often:
/// anybody may ask.
const QUIET: Duration = Duration::from_secs(5);
/// A writer that takes longer than this is not one that chat can wait for.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Probes {
    db: Db,
    metrics: Metrics,
    /// For the one who writes a row to see; the others wait for what comes of it.
    turn: Arc<Semaphore>,
}

/// How the store is doing.
#[derive(Debug, Serialize)]
struct Readiness {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
    last_commit: Option<String>,
    last_commit_age_ms: Option<u64>,
    queued: usize,
}

pub fn routes(db: &Db, metrics: &Metrics) -> Routes {
    Routes::new()
        .open_to_any_method("/healthz", || async { "ok" })
        .open_to_any_method("/readyz", readyz)
        .get("/metrics", metrics_text)
        .with_state(Probes { db: db.clone(), metrics: metrics.clone(), turn: Arc::new(Semaphore::new(1)) })
}

async fn readyz(State(probes): State<Probes>, headers: HeaderMap) -> Response {
    let readiness = probes.readiness().await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if accept.contains("application/json") {
        return (status, Json(readiness)).into_response();
    }
    let text = readiness.cause.map_or_else(|| "ready".to_owned(), |cause| format!("{cause}\n"));
    (status, text).into_response()
}

async fn metrics_text(State(probes): State<Probes>) -> Response {
    probes.measure().await;
    let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, openmetrics)], probes.metrics.render()).into_response()
}

impl Probes {
    async fn readiness(&self) -> Readiness {
        let cause = match self.trouble() {
            Some(trouble) => Some(trouble),
            None if !self.db.is_in_place().await => Some(format!(
                "{} was moved, replaced or deleted under the server: stop the server, put the file back, and start it",
                self.db.path().display()
            )),
            None if self.is_quiet() => self.try_to_write().await,
            None => None,
        };
        let health = self.db.health().borrow().clone();
        let queued = self.db.queued();
        if let Some(cause) = &cause {
            tracing::warn!(cause, queued, "the store is not ready");
        }
        Readiness {
            ready: cause.is_none(),
            cause,
            last_commit: health.last_commit.map(|at| at.to_string()),
            last_commit_age_ms: health.last_commit.map(|at| Millis::now().since(at)),
            queued,
        }
    }

    /// What the writer itself says.
    fn trouble(&self) -> Option<String> {
        match &self.db.health().borrow().state {
            HealthState::Writing => None,
            HealthState::Failing { cause, since } => {
                Some(format!("the store cannot write for {} s: {cause}", Millis::now().since(*since) / 1000))
            }
            HealthState::Closed => Some("the store is closed".to_owned()),
        }
    }

    fn is_quiet(&self) -> bool {
        let last = self.db.health().borrow().last_commit;
        last.is_none_or(|last| Duration::from_millis(Millis::now().since(last)) >= QUIET)
    }

    async fn try_to_write(&self) -> Option<String> {
        let trial = async {
            let _turn = self.turn.acquire().await;
            if self.is_quiet() { self.db.write(|tx| sql::probe(tx, Millis::now())).await } else { Ok(()) }
        };
        match tokio::time::timeout(PATIENCE, trial).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("the store cannot write: {error}")),
            Err(_) => Some(format!("the store has not answered for {} s", PATIENCE.as_secs())),
        }
    }

    /// Brings the gauges up to date that nobody else moves.
    async fn measure(&self) {
        let mut wal = self.db.path().as_os_str().to_owned();
        wal.push("-wal");
        self.metrics.db_bytes.set(size(self.db.path().to_owned()).await);
        self.metrics.wal_bytes.set(size(wal.into()).await);
        let queued = self.db.queued();
        self.metrics.writer_queue.set(i64::try_from(queued).unwrap_or(i64::MAX));
    }
}

async fn size(path: PathBuf) -> i64 {
    tokio::fs::metadata(path).await.map_or(0, |file| i64::try_from(file.len()).unwrap_or(i64::MAX))
}
