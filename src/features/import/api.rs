//! `GET /api/import`: how the import of the old file is doing. `POST /api/import`: lines of history, a few at a time.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::progress::Progress;
use super::{Import, PIECE, Piece};
use crate::dialects;
use crate::store::Brought;
use crate::web::extract::Whole;
use crate::web::{Json, Problem};

/// What became of the lines that were sent.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Answer {
    pub imported: u64,
    pub known: u64,
    /// From a time that was purged.
    pub outdated: u64,
    pub unreadable: u64,
    /// Which of them was the first that could not be read, and why.
    pub first: Option<String>,
}

pub async fn show(State(import): State<Import>) -> Json<Progress> {
    Json(import.board.now())
}

/// Takes lines of any dialect. The same lines may come again.
pub async fn bring(State(import): State<Import>, Whole(body): Whole) -> Result<Json<Answer>, Problem> {
    let wanted = (import.wanted)();
    let mut piece = Piece::default();
    for (number, line) in (1..).zip(String::from_utf8_lossy(&body).lines()) {
        piece.add(|| format!("line {number}"), dialects::read_line(line, &wanted));
    }
    let mut brought = Brought::default();
    let mut events = piece.events;
    while !events.is_empty() {
        let rest = events.split_off(events.len().min(PIECE as usize));
        brought += import.db.bring_in(events, None).await?;
        events = rest;
    }
    Ok(Json(Answer {
        imported: brought.stored,
        known: brought.known,
        outdated: brought.outdated,
        unreadable: piece.unreadable + brought.refused,
        first: piece.first,
    }))
}
