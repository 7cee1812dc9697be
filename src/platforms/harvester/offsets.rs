//! The file in which the earlier reader kept its place: read where the store knows none, and kept up to date on request.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::file::beside;

/// Everything up to a row was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// Of the row, in milliseconds.
    pub ts: i64,
    pub row_id: i64,
}

/// What the file says; none where there is no such file, or one that says nothing.
pub fn read(path: &Path) -> Option<Offset> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => return ignored(path, &error.to_string()),
    };
    match serde_json::from_slice::<Offset>(&text) {
        Ok(offset) if offset.row_id > 0 => Some(offset),
        Ok(_) => None,
        Err(_) => ignored(path, "it is not {\"ts\":…,\"row_id\":…}"),
    }
}

fn ignored(path: &Path, cause: &str) -> Option<Offset> {
    tracing::warn!(path = %path.display(), cause, "harvester: the offset file is ignored");
    None
}

/// Replaces the file, whole and on disk.
pub fn write(path: &Path, offset: Offset) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let part = beside(path, ".tmp");
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o644).open(&part)?;
    writeln!(file, "{}", serde_json::to_string(&offset)?)?;
    file.sync_all()?;
    fs::rename(&part, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_as_the_earlier_reader_did_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deeper/offset.json");
        let offset = Offset { ts: 1_700_000_000_000, row_id: 7 };

        assert_eq!(read(&path), None);
        write(&path, offset).expect("it is written");

        assert_eq!(fs::read_to_string(&path).expect("it is there"), "{\"ts\":1700000000000,\"row_id\":7}\n");
        assert_eq!(read(&path), Some(offset));
        for broken in ["", "{}", "{\"ts\":1}", "seven", "{\"ts\":0,\"row_id\":0}"] {
            fs::write(&path, broken).expect("it is written");
            assert_eq!(read(&path), None, "{broken}");
        }
    }
}
