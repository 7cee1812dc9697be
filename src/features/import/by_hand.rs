//! `elora-chat import`: files that somebody names, into a store that no server has open.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::Answer;
use super::carry::{Pace, Stopped, Tally, carry};
use super::lines::Lines;
use super::origin::{Origin, Piece, Trouble};
use super::ours::Ours;
use super::table::{Found, Table};
use crate::chat::Channel;
use crate::store::{self, Brought, Db, Marks, Other};

/// Rows or lines at once: nobody else waits for the store.
const PIECE: u32 = 2048;
/// The bytes of a file that say what it is.
const HEADER: u64 = 100;
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Something to import, which was looked at and nothing more.
pub enum Given {
    /// Lines of what is piped in.
    Stdin,
    Lines(PathBuf),
    Table(PathBuf),
    Ours(PathBuf),
}

/// How far it has come, for whoever waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress<'a> {
    pub name: &'a str,
    pub done: u64,
    pub total: Option<u64>,
}

/// What became of everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    pub brought: Brought,
    pub unreadable: u64,
    /// Where the first of those lies, and why it could not be read.
    pub first: Option<String>,
}

impl Given {
    /// Says what a file is, by its first bytes. `-` is what is piped in.
    pub fn look(path: &Path) -> Result<Self, Trouble> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdin);
        }
        let io = |source| Trouble::Io { file: path.display().to_string(), source };
        // It is opened more than once, and what was taken from a pipe is gone.
        let kind = std::fs::metadata(path).map_err(io)?;
        if !kind.is_file() && !kind.is_dir() {
            let what = "it is no regular file; what is piped in is named -".to_owned();
            return Err(Trouble::Foreign { file: path.display().to_string(), what });
        }
        let mut header = Vec::new();
        File::open(path).map_err(io)?.take(HEADER).read_to_end(&mut header).map_err(io)?;
        let path = path.to_owned();
        Ok(match header.starts_with(SQLITE) {
            false => Self::Lines(path),
            true if store::is_ours(&header) => Self::Ours(path),
            true => Self::Table(path),
        })
    }

    fn name(&self) -> String {
        match self {
            Self::Stdin => "stdin".to_owned(),
            Self::Lines(path) | Self::Table(path) | Self::Ours(path) => path.display().to_string(),
        }
    }

    /// Proves that it can be read, so that a wrong file among several changes nothing.
    pub fn prove(&self) -> Result<(), Trouble> {
        match self {
            Self::Stdin => Ok(()),
            Self::Lines(path) => lines(path, BTreeSet::new()).map(drop),
            Self::Table(path) => Table::open(path, BTreeSet::new(), &Marks::new()).map(drop),
            Self::Ours(path) => Ok(Other::open(path).map(drop)?),
        }
    }

    /// None where there is nothing in it.
    pub(super) fn open(&self, wanted: BTreeSet<Channel>, marks: &Marks) -> Result<Option<Box<dyn Origin>>, Trouble> {
        Ok(Some(match self {
            Self::Stdin => Box::new(Lines::open(Box::new(io::stdin()), self.name(), None, wanted, PIECE)?),
            Self::Lines(path) => Box::new(lines(path, wanted)?),
            Self::Ours(path) => Box::new(Ours::new(Other::open(path)?)),
            Self::Table(path) => match Table::open_whole(path, wanted, marks)? {
                Found::Left(table) => table,
                Found::Nothing | Found::Finished(_) => return Ok(None),
            },
        }))
    }
}

impl Origin for Box<dyn Origin> {
    fn piece(&mut self, most: u32) -> Result<Piece, Trouble> {
        (**self).piece(most)
    }

    fn total(&self) -> Option<u64> {
        (**self).total()
    }
}

fn lines(path: &Path, wanted: BTreeSet<Channel>) -> Result<Lines, Trouble> {
    let name = path.display().to_string();
    let io = |source| Trouble::Io { file: name.clone(), source };
    let file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?;
    let total = length.is_file().then_some(length.len());
    Lines::open(Box::new(file), name, total, wanted, PIECE)
}

/// Brings one of them in, and adds what became of it, also where it cannot go on. False if it was stopped.
pub async fn bring(
    db: &Db,
    given: Given,
    wanted: BTreeSet<Channel>,
    outcome: &mut Outcome,
    stop: &CancellationToken,
    mut tell: impl FnMut(&Progress<'_>),
) -> Result<bool, Stopped> {
    let name = given.name();
    let marks = db.marks().await?;
    let open = move || given.open(wanted, &marks);
    let opening = tokio::task::spawn_blocking(open);
    let Some(origin) = stop.run_until_cancelled(opening).await else { return Ok(false) };
    let Some(origin) = origin.map_err(|_| store::Error::Closed)?? else { return Ok(true) };
    let (before, total) = (outcome.clone(), origin.total());
    let note = |tally: &Tally| {
        outcome.clone_from(&before);
        outcome.add(&name, tally);
        tell(&Progress { name: &name, done: tally.done, total });
    };
    carry(origin, db, Pace { most: PIECE, is_polite: false }, stop, note).await
}

impl Outcome {
    /// Adds what a server says of some of its lines.
    pub fn note(&mut self, name: &str, answer: &Answer) {
        let Answer { imported: stored, known, outdated, unreadable, first } = answer;
        self.brought += Brought { stored: *stored, known: *known, outdated: *outdated, refused: 0 };
        self.unreadable += unreadable;
        if let (None, Some(first)) = (&self.first, first) {
            self.first = Some(format!("{name} {first}"));
        }
    }

    fn add(&mut self, name: &str, tally: &Tally) {
        self.brought += tally.brought;
        self.unreadable += tally.unreadable + tally.brought.refused;
        if let (None, Some(first)) = (&self.first, &tally.first) {
            self.first = Some(format!("{name} {first}"));
        }
    }
}
