//! From an origin into the store, piece by piece, and what became of it.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::origin::{Origin, Piece, Trouble};
use crate::store::{self, Brought, Db};

/// A file that is being changed is asked again after this.
const AGAIN: Duration = Duration::from_millis(50);
/// The longest pause between two pieces.
const LONGEST_PAUSE: Duration = Duration::from_millis(20);
/// Rows after which the store's log is put into its file: they leave some 8 MiB there.
const SETTLE_EVERY: usize = 2048;

/// How hurried it is.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Rows or lines in a piece: chat waits for one.
    pub most: u32,
    /// Whether half of the time is left to others.
    pub is_polite: bool,
}

/// How far it has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// In the origin's unit, with what earlier runs read of it.
    pub done: u64,
    pub brought: Brought,
    pub unreadable: u64,
    /// Where the first of those lies, and why it could not be read.
    pub first: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    #[error(transparent)]
    Origin(#[from] Trouble),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Brings everything in, and tells of it after every piece. False if it was stopped before the end: what was begun by then
/// is stored and told.
pub async fn carry<O: Origin>(
    mut origin: O,
    db: &Db,
    pace: Pace,
    stop: &CancellationToken,
    mut tell: impl FnMut(&Tally),
) -> Result<bool, Stopped> {
    let (mut tally, mut unsettled) = (Tally::default(), 0);
    loop {
        let Some(next) = stop.run_until_cancelled(next(origin, pace.most)).await else { return Ok(false) };
        let (back, piece) = next?;
        origin = back;
        let begun = Instant::now();
        unsettled += piece.events.len();
        tally.brought += db.bring_in(piece.events, piece.mark).await?;
        tally.unreadable += piece.unreadable;
        tally.first = tally.first.take().or(piece.first);
        tally.done = piece.done;
        tell(&tally);
        if piece.is_last {
            db.settle().await?;
            return Ok(true);
        }
        if pace.is_polite {
            tokio::time::sleep(begun.elapsed().min(LONGEST_PAUSE)).await;
        }
        if unsettled >= SETTLE_EVERY {
            unsettled = 0;
            db.settle().await?;
        }
    }
}

/// Reads the next piece, off the async threads.
async fn next<O: Origin>(mut origin: O, most: u32) -> Result<(O, Piece), Stopped> {
    loop {
        let read = move || {
            let piece = origin.piece(most);
            (origin, piece)
        };
        let (back, piece) = tokio::task::spawn_blocking(read).await.map_err(|_| store::Error::Closed)?;
        match piece {
            Ok(piece) => return Ok((back, piece)),
            Err(trouble) if !trouble.is_passing() => return Err(trouble.into()),
            Err(_) => origin = back,
        }
        tokio::time::sleep(AGAIN).await;
    }
}
