//! A `messages` table as an origin: gnasty's or the earlier elora's file, which may be in use.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::origin::{Origin, Piece, Trouble};
use crate::chat::{Channel, Millis, NewEvent};
use crate::dialects::{Row, Unreadable, stamp};
use crate::platforms::harvester::file::{Manners, Moment, SharedFile};
use crate::platforms::harvester::sql::{self, Line, Place};
use crate::store::Marks;

/// How often a file that is just being changed is looked at again, and when.
const TRIES: u32 = 40;
const AGAIN: Duration = Duration::from_millis(50);

/// The table of one file, from a row on down to its first.
pub struct Table {
    file: SharedFile,
    wanted: BTreeSet<Channel>,
    mark: String,
    state: State,
    /// The time of the row that was read last: one that has none is taken to be as old.
    last_at: Option<Millis>,
}

/// What there is to read in a file.
pub enum Found {
    /// No row.
    Nothing,
    /// So many rows, all of which an earlier run has read.
    Finished(u64),
    Left(Box<Table>),
}

/// How far a file was read, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// The newest row that is history, and what it says.
    from: (i64, u64),
    /// The row that was read last, and what it says; none before the first.
    at: Option<(i64, u64)>,
    done: u64,
    total: u64,
    is_finished: bool,
}

impl Table {
    /// The table of a file from its newest row on, or from where an earlier run has come to. Blocks.
    pub fn open(path: &Path, wanted: BTreeSet<Channel>, marks: &Marks) -> Result<Found, Trouble> {
        Self::open_if(path, wanted, marks, |_, _| true)
    }

    /// The same, but from the newest row on where the file has grown since, or was read to its end.
    pub fn open_whole(path: &Path, wanted: BTreeSet<Channel>, marks: &Marks) -> Result<Found, Trouble> {
        Self::open_if(path, wanted, marks, |known, now| !known.is_finished && known.from == now.from)
    }

    fn open_if(
        path: &Path,
        wanted: BTreeSet<Channel>,
        marks: &Marks,
        counts: impl Fn(&State, &State) -> bool,
    ) -> Result<Found, Trouble> {
        let mut file = SharedFile::new(path);
        let mark = name_of(file.path());
        let known = marks.get(&mark).and_then(|value| serde_json::from_str::<State>(value).ok());
        let mut look = || {
            file.read(Manners::Aside, |moment| {
                let Some(now) = State::of(moment)? else { return Ok(None) };
                match &known {
                    Some(known) if counts(known, &now) && known.holds(moment)? => Ok(Some(known.clone())),
                    _ => Ok(Some(now)),
                }
            })
        };
        let mut state = look();
        for _ in 0..TRIES {
            match state {
                Err(trouble) if trouble.is_passing() => std::thread::sleep(AGAIN),
                _ => break,
            }
            state = look();
        }
        let state = state?;
        Ok(match state {
            None => Found::Nothing,
            Some(state) if state.is_finished => Found::Finished(state.done),
            Some(state) => Found::Left(Box::new(Self { file, wanted, mark, state, last_at: None })),
        })
    }

    fn read(&self, lines: Vec<Line>) -> (Piece, Option<Millis>) {
        let mut piece = Piece { done: self.state.done + lines.len() as u64, ..Piece::default() };
        let stamps: Vec<_> = lines.iter().map(|line| stamp::of_text(&line.ts)).collect();
        // The newest rows may have none: then the next one that has says when.
        let mut last = self.last_at.or_else(|| stamps.iter().flatten().next().copied());
        for (line, ts) in lines.into_iter().zip(stamps) {
            last = ts.or(last);
            let row_id = line.row_id;
            piece.add(|| format!("row {row_id}"), self.event(line, ts, last).map(|event| vec![event]));
        }
        (piece, last)
    }

    fn event(&self, line: Line, ts: Option<Millis>, about: Option<Millis>) -> Result<NewEvent, Unreadable> {
        let row = Row {
            platform: line.platform,
            platform_msg_id: line.native_id,
            ts,
            username: line.username,
            text: line.text,
            emotes_json: line.emotes_json,
            raw_json: line.raw_json,
            badges_json: line.badges_json,
            colour: line.color,
        };
        let event = row.into_event(&self.wanted)?;
        Ok(NewEvent { at: event.at.or(about), ..event })
    }
}

impl Origin for Table {
    fn piece(&mut self, most: u32) -> Result<Piece, Trouble> {
        let below = self.state.at.map_or(self.state.from.0.saturating_add(1), |(row, _)| row);
        let (lines, place) = self.file.read(Manners::Aside, |moment| {
            let lines = sql::before(moment, below, most)?;
            let last = lines.last().map_or(Ok(None), |line| sql::at(moment, line.row_id))?;
            Ok((lines, last))
        })?;
        let is_last = lines.len() < most as usize;
        let (mut piece, last_at) = self.read(lines);
        let at = place.map(|Place { row_id, print, .. }| (row_id, print)).or(self.state.at);
        self.state = State { at, done: piece.done, is_finished: is_last, ..self.state };
        self.last_at = last_at;
        piece.is_last = is_last;
        piece.mark = Some((self.mark.clone(), self.state.text()));
        Ok(piece)
    }

    fn total(&self) -> Option<u64> {
        Some(self.state.total)
    }
}

impl State {
    /// Everything there is now; none in an empty table.
    fn of(moment: &Moment<'_>) -> rusqlite::Result<Option<Self>> {
        let Some(newest) = sql::newest(moment)? else { return Ok(None) };
        let total = u64::try_from(sql::count(moment, newest.row_id)?).unwrap_or(0);
        Ok(Some(Self { from: (newest.row_id, newest.print), at: None, done: 0, total, is_finished: false }))
    }

    /// Whether the rows are still those that it speaks of. They are counted anew when gnasty takes over an old table, and
    /// somebody may have put another file in this one's place.
    fn holds(&self, moment: &Moment<'_>) -> rusqlite::Result<bool> {
        for (row, print) in [Some(self.from), self.at].into_iter().flatten() {
            if sql::at(moment, row)?.is_none_or(|place| place.print != print) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn text(&self) -> String {
        serde_json::to_string(self).expect("numbers always serialize")
    }
}

fn name_of(path: &Path) -> String {
    format!("import:{}", path.display())
}

/// The settings that the earlier elora kept in its file, with their version; none where there are none, or they cannot
/// be read now.
pub fn old_settings(path: &Path) -> Option<(i64, String)> {
    let found = SharedFile::new(path).read(Manners::Aside, |moment| super::sql::runtime_config(moment.connection));
    found.unwrap_or_default()
}
