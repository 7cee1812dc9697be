//! What is played: a file, or the recording that ships. Finds out which end of it is the earlier one.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};

use tokio::fs::File;

use super::lines::{Line, Lines, Order, Source};
use crate::chat::Millis;
use crate::dialects::read_line;

/// Our own, about four minutes of an evening that never was.
pub static SHIPPED: &[u8] = include_bytes!("demo.ndjson");

/// Lines that are looked at for a time, from either end.
const LOOKED_AT: usize = 200;

/// A recording that can be played any number of times.
pub struct Recording {
    file: Option<PathBuf>,
    order: Order,
}

impl Recording {
    pub async fn open(file: Option<&Path>) -> io::Result<Self> {
        let mut recording = Self { file: file.map(Path::to_owned), order: Order::Written };
        let first = recording.time_from(Order::Written).await?;
        let last = recording.time_from(Order::Reversed).await?;
        // An export has the newest first.
        if first > last && last.is_some() {
            recording.order = Order::Reversed;
        }
        Ok(recording)
    }

    /// Its lines in the order in which they happened.
    pub async fn lines(&self) -> io::Result<Lines> {
        Lines::new(self.source().await?, self.order).await
    }

    async fn source(&self) -> io::Result<Box<dyn Source>> {
        let Some(path) = &self.file else { return Ok(Box::new(Cursor::new(SHIPPED))) };
        // Asked first: opening a pipe waits for its writer.
        if !tokio::fs::metadata(path).await?.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        Ok(Box::new(File::open(path).await?))
    }

    /// The first time that is told, from one end.
    async fn time_from(&self, order: Order) -> io::Result<Option<Millis>> {
        let mut lines = Lines::new(self.source().await?, order).await?;
        for _ in 0..LOOKED_AT {
            let Some(line) = lines.next().await? else { break };
            let Line::Whole(line) = line else { continue };
            let events = read_line(&line, &BTreeSet::new()).unwrap_or_default();
            if let Some(at) = events.iter().find_map(|event| event.at) {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}

/// As it is called in a sentence.
impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(path) => path.display().fmt(f),
            None => f.write_str("the recording that ships with elora-chat"),
        }
    }
}
