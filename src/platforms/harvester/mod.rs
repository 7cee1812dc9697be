//! A harvester: another program that writes chat into a `messages` table of its own file. What it writes is read and told
//! as if it had been heard here; the file itself stays as it is.
//!
//! A row's way: `file` (how to read without being in the way) → `sql` → `reader` (what is new, changed, or history) →
//! `dialects` → sink. How far that has come is a mark in our store, which is committed with what was told (`progress`).

pub mod file;
pub mod sql;

mod create;
mod journal;
mod offsets;
mod progress;
mod purge;
mod reader;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::file::{Manners, Trouble};
use self::journal::Journal;
use self::offsets::Offset;
use self::progress::Progress;
use self::reader::{Found, Reader, Told, Wish};
use super::{Drivers, Kit, Opened};
use crate::chat::{Channel, Millis, Platform};
use crate::config::{Config, Current, Tailer};
use crate::ingest::{Closed, Driver, DriverError, Marks, Sink, changed};

pub use self::purge::Purging;

/// The listener's name in logs and metrics.
pub const NAME: &str = "harvester";

/// Whose chat a harvester may bring.
const HEARS: &[Platform] = &[Platform::TWITCH, Platform::YOUTUBE, Platform::KICK];

/// Where 0 was set.
const USUAL_POLL: Duration = Duration::from_millis(200);
const USUAL_BATCH: u32 = 500;
/// Most rows at once, whatever is set: all of them are in memory.
const MOST_BATCH: u32 = 5_000;
/// Between two looks at whether it is wanted at all; a changed setting ends it.
const REST: Duration = Duration::from_secs(3600);

/// Stands in for a listener where gnasty is the driver and not ours to start; beside any other, it waits for the setting.
pub fn open(config: &Config, kit: &Kit) -> Option<Opened> {
    let path = std::path::absolute(config.harvester_file()).unwrap_or_else(|_| config.harvester_file().to_owned());
    let is_driver = config.harvester_is_driver();
    let progress = kit.marks.get(&progress::name(&path)).and_then(|mark| Progress::read(mark));
    let (current, purging) = (kit.current.clone(), kit.purging.clone());
    let driver = Harvester { path, is_driver, current, purging, progress };
    let drivers = if is_driver { Drivers::One(Box::new(driver)) } else { Drivers::Beside(Box::new(driver)) };
    Some(Opened { hears: HEARS, drivers })
}

/// How far a file's history is told, of so much, by the numbers of its rows; none before the file was first read.
pub fn history(marks: &Marks, path: &Path) -> Option<(u64, u64)> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let progress = Progress::read(marks.get(&progress::name(&path))?)?;
    let left = progress.left();
    let total = progress.row_id.max(left);
    Some(((total - left).unsigned_abs(), total.unsigned_abs()))
}

/// The driver. What it keeps from run to run is what the store has of it.
struct Harvester {
    path: PathBuf,
    is_driver: bool,
    current: Current,
    purging: Purging,
    progress: Option<Progress>,
}

impl Driver for Harvester {
    fn run(
        &mut self,
        wanted: watch::Receiver<BTreeSet<Channel>>,
        sink: Sink,
        stop: CancellationToken,
    ) -> BoxFuture<'_, Result<(), DriverError>> {
        Box::pin(async move {
            let journal = Journal::new(&self.path, wanted, sink.clone());
            match self.listen(&sink, journal, &stop).await {
                // The house closes, and what was not taken is read again at the next start.
                Err(End::Closed) => {
                    stop.cancelled().await;
                    Ok(())
                }
                Err(End::Broken(cause)) => Err(DriverError::Lost(cause)),
                Ok(()) => Ok(()),
            }
        })
    }
}

/// Why the reading ends before it is told to.
enum End {
    Closed,
    Broken(String),
}

impl From<Closed> for End {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

impl Harvester {
    async fn listen(&mut self, sink: &Sink, mut journal: Journal, stop: &CancellationToken) -> Result<(), End> {
        let mut reader = Reader::new(&self.path, self.progress.clone());
        let (mut current, mut purging) = (self.current.clone(), self.purging.watch());
        while !stop.is_cancelled() {
            let begun = Instant::now();
            let settings = current.now().tailer.clone();
            let pause = if self.is_driver || settings.enabled {
                let (back, step) = blocking(reader, self.wish(&settings, &journal)).await?;
                reader = back;
                match step {
                    Ok(found) => {
                        journal.reads(&found);
                        let (is_full, has_history) = (found.is_full, reader.has_history());
                        self.hand_over(found, reader.progress().cloned(), &settings, sink).await?;
                        match is_full {
                            true => Duration::ZERO,
                            // Half of the time is others'.
                            false if has_history => begun.elapsed().min(poll(&settings)),
                            false => poll(&settings).saturating_sub(begun.elapsed()),
                        }
                    }
                    Err(trouble) => {
                        journal.waits(&trouble);
                        poll(&settings).saturating_sub(begun.elapsed())
                    }
                }
            } else {
                journal.rests();
                reader.rest();
                REST
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
                () = current.changed() => {}
                () = changed(&mut purging) => {}
                () = changed(&mut journal.wanted) => journal.repeat(),
            }
        }
        Ok(())
    }

    fn wish(&self, settings: &Tailer, journal: &Journal) -> Wish {
        let offset = settings.offset_path.clone().filter(|_| settings.persist_offsets);
        let manners = if self.purging.is_under_way() { Manners::WithPurge } else { Manners::Aside };
        let most = if settings.max_batch == 0 { USUAL_BATCH } else { settings.max_batch.min(MOST_BATCH) };
        Wish { most, manners, now: Millis::now(), wanted: journal.wanted.borrow().clone(), offset }
    }

    /// Passes on what was found, and how far that is.
    async fn hand_over(
        &mut self,
        found: Found,
        progress: Option<Progress>,
        settings: &Tailer,
        sink: &Sink,
    ) -> Result<(), Closed> {
        for told in found.told {
            match told {
                Told::News(event) => sink.send(event).await?,
                Told::Again(event) => sink.send_again(event).await?,
            }
        }
        if let Some(progress) = progress.filter(|progress| self.progress.as_ref() != Some(progress)) {
            sink.mark(progress::name(&self.path), progress.mark()).await?;
            keep_offset(settings, &progress).await;
            self.progress = Some(progress);
        }
        Ok(())
    }
}

fn poll(settings: &Tailer) -> Duration {
    if settings.poll.is_zero() { USUAL_POLL } else { settings.poll }
}

/// One step, off the async threads. Makes the file if there is none.
async fn blocking(mut reader: Reader, wish: Wish) -> Result<(Reader, Result<Found, Trouble>), End> {
    let step = move || {
        let step = match reader.step(&wish) {
            Err(Trouble::Missing(path)) => match create::unless_there(&path) {
                Ok(()) => reader.step(&wish),
                Err(error) => Err(Trouble::NotMade { path, cause: error.to_string() }),
            },
            step => step,
        };
        (reader, step)
    };
    tokio::task::spawn_blocking(step).await.map_err(|error| End::Broken(error.to_string()))
}

/// Keeps the place where the earlier reader would look for it, if that is wanted.
async fn keep_offset(settings: &Tailer, progress: &Progress) {
    let Some(path) = settings.offset_path.clone().filter(|_| settings.persist_offsets && progress.row_id > 0) else {
        return;
    };
    let offset = Offset { ts: progress.last_ts(), row_id: progress.row_id };
    let shown = path.display().to_string();
    let written = tokio::task::spawn_blocking(move || offsets::write(&path, offset)).await;
    if let Ok(Err(error)) = written {
        tracing::warn!(%error, path = shown, "harvester: the offset file could not be written");
    }
}
