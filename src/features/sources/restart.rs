//! `POST /restart-server`: every listener leaves and connects again now. The server itself goes on.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;

use crate::ingest::Restart;
use crate::web::{Problem, Routes};

/// A platform takes it ill when somebody connects again and again.
const PAUSE: Duration = Duration::from_secs(5);

/// Cloning is cheap.
#[derive(Clone)]
struct Door {
    restart: Restart,
    last: Arc<Mutex<Option<Instant>>>,
}

pub fn routes(restart: Restart) -> Routes {
    Routes::new().post("/restart-server", call).with_state(Door { restart, last: Arc::default() })
}

async fn call(State(door): State<Door>) -> Result<&'static str, Problem> {
    let mut last = door.last.lock().unwrap_or_else(PoisonError::into_inner);
    let left = last.map_or(Duration::ZERO, |last| PAUSE.saturating_sub(last.elapsed()));
    if !left.is_zero() {
        let detail = format!("the listeners were restarted less than {} s ago", PAUSE.as_secs());
        let whole = Duration::from_secs(left.as_secs() + 1);
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(whole));
    }
    *last = Some(Instant::now());
    tracing::info!("every listener is restarted, as the owner asked");
    door.restart.call();
    Ok("restarting\n")
}
