//! How far the reader has come in a file, as it is kept in the store with what it has told.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::file::Identity;
use super::sql::{Line, Place};
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
    /// When that row was sent.
    row_ts: i64,
    /// Rows below this one are still to be told as history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<i64>,
    /// Down to this one, if not to the first: it was told before, as everything below it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    floor: Option<i64>,
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

    /// Begins after a row: what is there up to it is history.
    pub fn after(file: Identity, place: Option<&Place>) -> Self {
        let (row_id, print) = place.map_or((0, 0), |place| (place.row_id, place.print));
        let row_ts = place.and_then(|place| stamp::of_text(&place.ts)).map_or(0, |ts| ts.0);
        let history = place.map(|place| place.row_id.saturating_add(1));
        Self { device: file.device, inode: file.inode, row_id, print, row_ts, history, floor: None }
    }

    /// Begins before the first row.
    pub fn anew(file: Identity) -> Self {
        Self::after(file, None)
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

    /// A row was looked at.
    pub fn pass(&mut self, line: &Line) {
        let Place { row_id, print, ts } = line.place();
        (self.row_id, self.print) = (row_id, print);
        self.row_ts = stamp::of_text(&ts).map_or(self.row_ts, |ts| ts.0);
    }

    /// A row is left for history before it is passed.
    pub fn leave(&mut self, line: &Line) {
        if self.history.is_none() {
            self.floor = Some(self.row_id).filter(|row_id| *row_id > 0);
        }
        self.history = Some(line.row_id.saturating_add(1));
    }

    /// Whether a row below `history` was told before it became history.
    pub fn was_told(&self, row_id: i64) -> bool {
        self.floor.is_some_and(|floor| row_id <= floor)
    }

    /// How many rows are left for history, at most.
    pub fn left(&self) -> i64 {
        let floor = self.floor.unwrap_or(0);
        self.history.map_or(0, |below| below.saturating_sub(1).saturating_sub(floor).max(0))
    }

    /// When the last row was sent, in milliseconds.
    pub fn last_ts(&self) -> i64 {
        self.row_ts
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
        for progress in [Progress::after(FILE, Some(&place(7))), Progress::anew(FILE)] {
            assert_eq!(Progress::read(&progress.mark()), Some(progress));
        }
        assert_eq!(Progress::read("7"), None);
    }

    #[test]
    fn the_largest_number_has_no_next() {
        assert_eq!(Progress::after(FILE, Some(&place(i64::MAX))).history, Some(i64::MAX));
    }

    #[test]
    fn a_place_is_known_by_its_row_and_an_empty_file_by_itself() {
        let (at, other) = (Progress::after(FILE, Some(&place(7))), Identity { inode: 3, ..FILE });

        assert!(at.is_at(FILE, Some(&place(7))) && at.is_at(other, Some(&place(7))), "a copy goes on");
        assert!(!at.is_at(FILE, None) && !at.is_at(FILE, Some(&Place { print: 1, ..place(7) })));
        let empty = Progress::anew(FILE);
        assert!(empty.is_at(FILE, None) && !empty.is_at(other, None));
    }
}
