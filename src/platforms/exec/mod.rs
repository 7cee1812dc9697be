//! Programs that listen for us: one per source, or one for all. What they print, a line per message, is read as any of
//! the [`dialects`](crate::dialects); what they complain of is logged.
//!
//! A line's way: the program → `lines` → `ear` (dialects, sink). `recipe` says what is started, `process` starts it by
//! way of the `keeper`, and `end` says what its end means.

mod complaints;
mod ear;
mod end;
mod keeper;
mod lines;
mod process;
mod quota;
mod recipe;
mod word;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::info;

use self::complaints::Complaints;
use self::ear::Ear;
use self::end::End;
use self::process::{Life, Process};
use self::recipe::Recipe;
use super::{Drivers, Kit, Opened};
use crate::chat::{Channel, Platform};
use crate::config::{Config, DriverKind};
use crate::ingest::{Driver, DriverError, Sink};

pub use keeper::keep;

/// The listener's name in logs and metrics, whichever program it runs.
pub const NAME: &str = "exec";
/// gnasty and `chat_downloader` read no other platform.
const OF_TWO: &[Platform] = &[Platform::TWITCH, Platform::YOUTUBE];
const OF_ALL: &[Platform] = &[Platform::TWITCH, Platform::YOUTUBE, Platform::KICK];

/// How long a program may live on that has closed its output and so will never say anything again.
const LINGER: Duration = Duration::from_secs(2);

/// There where a program is configured that listens.
pub fn open(config: &Config, _kit: &Kit) -> Option<Opened> {
    let recipe = Recipe::of(config)?;
    let hears = if recipe.driver == DriverKind::Exec { OF_ALL } else { OF_TWO };
    let drivers = if recipe.is_per_source() {
        if config.sources.is_empty() {
            info!("ingest[{}]: no source is configured: a program starts for each that is added", recipe.tag());
        }
        Drivers::Each(Box::new(move || Box::new(Exec::new(recipe.clone()))))
    } else {
        Drivers::One(Box::new(Exec::new(recipe)))
    };
    Some(Opened { hears, drivers })
}

/// The driver of one program.
struct Exec {
    recipe: Recipe,
    has_run: bool,
}

impl Driver for Exec {
    fn run(
        &mut self,
        wanted: watch::Receiver<BTreeSet<Channel>>,
        sink: Sink,
        stop: CancellationToken,
    ) -> BoxFuture<'_, Result<(), DriverError>> {
        Box::pin(self.listen(wanted, sink, stop))
    }
}

impl Exec {
    fn new(recipe: Recipe) -> Self {
        Self { recipe, has_run: false }
    }

    async fn listen(
        &mut self,
        wanted: watch::Receiver<BTreeSet<Channel>>,
        sink: Sink,
        stop: CancellationToken,
    ) -> Result<(), DriverError> {
        let channel = wanted.borrow().first().cloned().filter(|_| self.recipe.is_per_source());
        let program = self.recipe.program(channel.as_ref()).map_err(DriverError::Refused)?;
        self.announce(channel.as_ref());
        let started = Instant::now();
        let Some(process) = stop.run_until_cancelled(program.start()).await else { return Ok(()) };
        let Process { out, err, mut life } = process.map_err(|error| end::not_started(&self.recipe, &error))?;
        let (over, mute) = (CancellationToken::new(), CancellationToken::new());
        let mut ear = Ear::new(self.recipe.tag(), wanted, sink);
        let hear = async {
            ear.listen(out, &over).await;
            mute.cancel();
        };
        let mut complaints = Complaints::new(self.recipe.tag());
        let watch = async {
            let end = watch(&mut life, &stop, &mute).await;
            over.cancel();
            end
        };
        let ((), (), end) = tokio::join!(hear, complaints.listen(err, &over), watch);
        let (tag, lines, ran) = (self.recipe.tag(), ear.lines(), started.elapsed());
        info!("ingest[{tag}]: exited {end} lines={lines} after_ms={}{}", ran.as_millis(), of(channel.as_ref()));
        end.verdict(&self.recipe, complaints.last())
    }

    fn announce(&mut self, channel: Option<&Channel>) {
        let (tag, of) = (self.recipe.tag(), of(channel));
        if std::mem::replace(&mut self.has_run, true) {
            info!("ingest[{tag}]: restarting{of}");
        }
        let url = channel.map(Channel::url).unwrap_or_default();
        info!("ingest[{tag}]: starting bin={} args={:?} url={url}{of}", self.recipe.path(), self.recipe.shown());
    }
}

/// Which source a line of the log is about.
fn of(channel: Option<&Channel>) -> String {
    channel.map(|channel| format!(" source={channel}")).unwrap_or_default()
}

/// Waits until the program has ended, and has it end when it is told to, or can say nothing any more.
async fn watch(life: &mut Life, stop: &CancellationToken, mute: &CancellationToken) -> End {
    let is_mute = async {
        mute.cancelled().await;
        tokio::time::sleep(LINGER).await;
    };
    let end = tokio::select! {
        word = life.ended() => return End::Alone(word),
        () = stop.cancelled() => End::Asked,
        () = is_mute => End::Mute,
    };
    life.leave();
    // What is asked to end and does not is killed, and so this ends.
    life.ended().await;
    end
}
