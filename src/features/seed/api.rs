//! `POST /api/dev/seed/marker` and `/burst`.

use std::time::Duration;

use axum::extract::State;
use serde::Serialize;

use super::{Seed, rows};
use crate::chat::{Millis, NewEvent};
use crate::web::{Json, Problem};

/// How long the queue may be full. A request must not hold it open when the house closes.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Serialize)]
pub struct Answer {
    inserted: usize,
}

/// One line that shows where chat stands.
pub async fn marker(State(seed): State<Seed>) -> Result<Json<Answer>, Problem> {
    seed.put(vec![rows::marker(Millis::now())], PATIENCE).await
}

/// A bit of chat on two platforms.
pub async fn burst(State(seed): State<Seed>) -> Result<Json<Answer>, Problem> {
    seed.put(rows::burst(Millis::now()), PATIENCE).await
}

impl Seed {
    async fn put(&self, rows: Vec<NewEvent>, patience: Duration) -> Result<Json<Answer>, Problem> {
        let stopping = || Problem::unavailable("the server stops");
        let queue = self.queue.upgrade().ok_or_else(stopping)?;
        let inserted = rows.len();
        let put = async {
            for row in rows {
                queue.send(row.into()).await.map_err(|_| stopping())?;
            }
            Ok(Json(Answer { inserted }))
        };
        let busy = || Problem::unavailable("the writer's queue is full: /readyz says whether the store is well");
        tokio::time::timeout(patience, put).await.map_err(|_| busy())?
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use tokio::sync::mpsc;

    use super::*;

    async fn status(seed: &Seed) -> StatusCode {
        let put = seed.put(vec![rows::marker(Millis(0))], Duration::from_millis(1));
        put.await.err().map_or(StatusCode::OK, |problem| problem.status())
    }

    #[tokio::test]
    async fn a_full_queue_is_not_waited_for_without_end() {
        let (queue, _waiting) = mpsc::channel(1);
        let seed = Seed::new(queue.downgrade());

        assert_eq!(status(&seed).await, StatusCode::OK);
        assert_eq!(status(&seed).await, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn a_queue_that_has_ended_is_not_kept_open() {
        let (queue, mut waiting) = mpsc::channel(1);
        let seed = Seed::new(queue.downgrade());

        drop(queue);

        assert_eq!(status(&seed).await, StatusCode::SERVICE_UNAVAILABLE);
        assert!(waiting.recv().await.is_none(), "the writer may end");
    }
}
