//! A recording, played as if it were heard now: its events go the way of everything that platforms say. No platform is
//! asked anything.
//!
//! A line's way: `lines` (from either end of the file) → `dialects` → `pace` (when) → `copy` (under names of its own) →
//! sink. What is shown of it meanwhile is `stage`'s.

mod copy;
mod lines;
mod pace;
mod recording;
mod stage;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use self::copy::Copies;
use self::lines::Line;
use self::pace::Pace;
use self::recording::Recording;
use self::stage::Stage;
use super::{Drivers, Kit, Opened};
use crate::chat::{Channel, Millis, NewEvent, Platform};
use crate::config::{self, Config, DriverKind, Speed};
use crate::dialects::read_line;
use crate::ingest::{Driver, DriverError, Oddity, Sink, SourceState};

/// The driver's name in logs and metrics.
pub const NAME: &str = "replay";
/// Sources of these wait for another driver; a recording brings its channels along, of whichever platform.
const HEARS: &[Platform] = &[Platform::TWITCH, Platform::YOUTUBE, Platform::KICK];

/// Between the end of a recording and its beginning, divided by the speed.
const BREAK: Duration = Duration::from_secs(5);

pub fn open(config: &Config, _kit: &Kit) -> Option<Opened> {
    let driver = || Drivers::One(Box::new(Replay { config: config.replay.clone() }));
    (config.ingest.driver == DriverKind::Replay).then(|| Opened { hears: HEARS, drivers: driver() })
}

struct Replay {
    config: config::Replay,
}

impl Driver for Replay {
    fn run(
        &mut self,
        wanted: watch::Receiver<BTreeSet<Channel>>,
        sink: Sink,
        stop: CancellationToken,
    ) -> BoxFuture<'_, Result<(), DriverError>> {
        Box::pin(async move {
            let stage = Stage::new(sink.clone(), wanted, stop, self.config.speed);
            let file = name(&self.config);
            sink.forget(&file);
            let played = play(&self.config, stage, sink.clone()).await;
            if let Err(error) = &played {
                // There may be no channel yet that could tell.
                sink.bring(&file, SourceState::Refused, Some(&error.to_string()));
            }
            played
        })
    }
}

/// The file itself among the channels.
fn name(config: &config::Replay) -> Channel {
    let name = config.file.as_deref().and_then(Path::file_name).unwrap_or_default();
    let platform = Platform::new(NAME).expect("the name is a good one");
    Channel::new(platform, name.to_string_lossy())
}

/// Plays until the stop, and rests after the end where nothing is to be repeated.
async fn play(config: &config::Replay, mut stage: Stage, sink: Sink) -> Result<(), DriverError> {
    let recording = Recording::open(config.file.as_deref()).await.map_err(|error| cannot(config, &error))?;
    info!(driver = NAME, "playing {recording} at speed {}", config.speed);
    loop {
        let mut playing = Playing::new(config.speed);
        let has_ended = playing.run(&recording, &mut stage, &sink).await.map_err(|error| cannot(config, &error))?;
        if !has_ended {
            return Ok(());
        }
        playing.sum_up(&recording)?;
        if !config.repeats() {
            stage.rest().await;
            return Ok(());
        }
        if !stage.until(playing.pace.scaled(BREAK).map(|pause| Instant::now() + pause)).await {
            return Ok(());
        }
    }
}

fn cannot(config: &config::Replay, error: &io::Error) -> DriverError {
    let path = config.file.as_deref().unwrap_or("the recording".as_ref()).display();
    DriverError::Refused(format!(
        "{path} cannot be played ({error}): set ELORA_REPLAY_FILE to a file with a recording, \
         or leave it out for the one that ships"
    ))
}

/// One way through a recording.
struct Playing {
    began: Instant,
    pace: Pace,
    copies: Copies,
    /// Events that were played.
    events: u64,
    /// Lines that could not be read.
    broken: u64,
}

impl Playing {
    fn new(speed: Speed) -> Self {
        Self { began: Instant::now(), pace: Pace::new(speed), copies: Copies::new(), events: 0, broken: 0 }
    }

    /// Plays to the end; false if it was stopped before.
    async fn run(&mut self, recording: &Recording, stage: &mut Stage, sink: &Sink) -> io::Result<bool> {
        let mut lines = recording.lines().await?;
        while let Some(line) = lines.next().await? {
            for event in self.read(&line, &stage.wanted, sink) {
                let due = self.pace.due(event.at).map(|due| self.began + due);
                if !stage.until(due).await {
                    return Ok(false);
                }
                stage.enter(&event.channel);
                if sink.send(self.copies.of(event, Millis::now())).await.is_err() {
                    return Ok(false);
                }
                self.events += 1;
            }
        }
        Ok(true)
    }

    fn read(&mut self, line: &Line, wanted: &BTreeSet<Channel>, sink: &Sink) -> Vec<NewEvent> {
        let (what, reason) = match line {
            Line::Whole(line) => match read_line(line, wanted) {
                Ok(events) => return events,
                Err(error) => (Oddity::Unreadable, error.to_string()),
            },
            Line::TooLong => (Oddity::LineCut, "it is longer than any may be".to_owned()),
        };
        self.broken += 1;
        sink.odd(NAME, what);
        debug!(driver = NAME, "a line of the recording is left out: {reason}");
        Vec::new()
    }

    /// Says what became of it. A recording without a single event is none.
    fn sum_up(&self, recording: &Recording) -> Result<(), DriverError> {
        let Self { events, broken, .. } = self;
        if *broken > 0 {
            warn!(driver = NAME, broken, "{broken} lines of {recording} could not be read and were left out");
        }
        if *events == 0 {
            let reason = format!(
                "there is no event in {recording}: it takes lines as `elora-chat ws --json` prints them, \
                 exported messages, or lines of IRC"
            );
            return Err(DriverError::Refused(reason));
        }
        info!(driver = NAME, events, "played {events} events of {recording}");
        Ok(())
    }
}
