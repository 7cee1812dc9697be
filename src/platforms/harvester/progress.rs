//! How far the reader has come in a file, as it is kept in the store with what it has told.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::file::Identity;
use super::sql::{Line, Place};
use crate::chat::Millis;
use crate::dialects::stamp;

/// Everything up to a row is told, but for what is told later as history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    device: u64,
    inode: u64,
    /// The last row that was looked at; 0 before the first.
    pub row_id: i64,
    /// What that row is known by.
    print: u64,
    /// The latest time that any row so far was sent at.
    pub ts: i64,
    /// When that row was sent.
    row_ts: i64,
    /// Rows below this one are still to be told as history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<i64>,
    /// The file is read from its beginning once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Again>,
}

/// Rows up to one are told as news only if they were sent after a time; history has the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    until: i64,
    newer_than: i64,
}

/// The name of a file's mark.
pub fn name(path: &Path) -> String {
    format!("harvester:{}", path.display())
}

impl Progress {
    pub fn read(mark: &str) -> Option<Self> {
        serde_json::from_str(mark).ok()
    }

    pub fn mark(&self) -> String {
        serde_json::to_string(self).expect("numbers are always JSON")
    }

    /// Begins after a row: what comes after it is news, and what is there up to it is history.
    pub fn after(file: Identity, place: Option<&Place>) -> Self {
        let (row_id, print) = place.map_or((0, 0), |place| (place.row_id, place.print));
        let ts = place.and_then(|place| stamp::of_text(&place.ts)).map_or(0, |ts| ts.0);
        let history = place.map(|place| place.row_id + 1);
        Self { device: file.device, inode: file.inode, row_id, print, ts, row_ts: ts, history, again: None }
    }

    /// Begins at the beginning: what was sent after this time is news.
    pub fn anew(file: Identity, newest: Option<&Place>, newer_than: Millis) -> Self {
        let again = newest.map(|newest| Again { until: newest.row_id, newer_than: newer_than.0 });
        Self { row_id: 0, print: 0, ts: newer_than.0, row_ts: 0, again, ..Self::after(file, newest) }
    }

    /// Whether this is where the file was left, as far as the row says that is there now.
    pub fn is_at(&self, file: Identity, found: Option<&Place>) -> bool {
        match found {
            Some(place) => place.print == self.print,
            // Nothing was read yet, so nothing can be known again.
            None => self.row_id == 0 && self.is_of(file),
        }
    }

    pub fn is_of(&self, file: Identity) -> bool {
        (self.device, self.inode) == (file.device, file.inode)
    }

    /// The same place in a file that has taken the place of another.
    pub fn on(self, file: Identity) -> Self {
        Self { device: file.device, inode: file.inode, ..self }
    }

    /// Whether a row is told as news.
    pub fn is_news(&self, line: &Line) -> bool {
        match self.again {
            Some(again) if line.row_id <= again.until => {
                stamp::of_text(&line.ts).is_some_and(|ts| ts.0 > again.newer_than)
            }
            _ => true,
        }
    }

    /// A row was looked at.
    pub fn pass(&mut self, line: &Line) {
        let Place { row_id, print, ts } = line.place();
        (self.row_id, self.print) = (row_id, print);
        if let Some(ts) = stamp::of_text(&ts) {
            (self.ts, self.row_ts) = (self.ts.max(ts.0), ts.0);
        }
    }

    /// When the last row was sent, in milliseconds.
    pub fn last_ts(&self) -> i64 {
        self.row_ts
    }

    /// There are no more rows for the time being, or not from before.
    pub fn caught_up(&mut self, is_end: bool) {
        let row_id = self.row_id;
        self.again = self.again.filter(|again| !is_end && row_id < again.until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Identity = Identity { device: 1, inode: 2 };

    fn place(row_id: i64) -> Place {
        Place { row_id, print: u64::MAX, ts: "1700000000000".to_owned() }
    }

    #[test]
    fn a_mark_says_everything_and_anything_else_nothing() {
        for progress in [
            Progress::after(FILE, Some(&place(7))),
            Progress::anew(FILE, Some(&place(7)), Millis(5)),
            Progress::after(FILE, None),
        ] {
            assert_eq!(Progress::read(&progress.mark()), Some(progress));
        }
        assert_eq!(Progress::read("7"), None);
    }

    #[test]
    fn a_place_is_known_by_its_row_and_an_empty_file_by_itself() {
        let (at, other) = (Progress::after(FILE, Some(&place(7))), Identity { inode: 3, ..FILE });

        assert!(at.is_at(FILE, Some(&place(7))) && at.is_at(other, Some(&place(7))), "a copy goes on");
        assert!(!at.is_at(FILE, None) && !at.is_at(FILE, Some(&Place { print: 1, ..place(7) })));
        let empty = Progress::after(FILE, None);
        assert!(empty.is_at(FILE, None) && !empty.is_at(other, None));
    }
}
