//! Where history is from: something that is read piece by piece, newest first.

use std::io;

use crate::chat::NewEvent;
use crate::dialects::Unreadable;
use crate::platforms::harvester::file;
use crate::store::OpenError;

/// Read from its newest end to its oldest. Reading blocks.
pub trait Origin: Send + 'static {
    /// The next piece, of so many rows or lines at most.
    fn piece(&mut self, most: u32) -> Result<Piece, Trouble>;

    /// How much there is, in the unit in which pieces are counted; none where nobody knows.
    fn total(&self) -> Option<u64>;
}

/// A few rows or lines, read.
#[derive(Debug, Default)]
pub struct Piece {
    pub events: Vec<NewEvent>,
    /// How far reading has come with it, from the beginning.
    pub done: u64,
    pub unreadable: u64,
    /// Where the first of those lies that cannot be read, and why: `line 17: it is not a JSON object`.
    pub first: Option<String>,
    /// The mark that tells the next run to go on after it.
    pub mark: Option<(String, String)>,
    pub is_last: bool,
}

impl Piece {
    /// Takes what one row or line says.
    pub fn add(&mut self, place: impl FnOnce() -> String, read: Result<Vec<NewEvent>, Unreadable>) {
        match read {
            Ok(events) => self.events.extend(events),
            Err(why) => self.refuse(format!("{}: {why}", place())),
        }
    }

    /// Counts what cannot be read.
    pub fn refuse(&mut self, why: String) {
        self.unreadable += 1;
        self.first.get_or_insert(why);
    }
}

/// Why something cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    File(#[from] file::Trouble),
    #[error(transparent)]
    Store(#[from] OpenError),
    #[error("{file} is nothing to import: {what}")]
    Foreign { file: String, what: String },
    #[error("{file} cannot be read")]
    Io { file: String, source: io::Error },
}

impl Trouble {
    /// Whether it is over in a moment.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::File(trouble) if trouble.is_passing())
    }
}
