//! What an operator changes while the server runs: read over what stands, checked whole, kept in the store, and told to
//! everyone it concerns. Also tells a harvester beside us, and says at `/configz` what is in force.

mod adopted;
mod api;
mod desk;
mod document;
mod gnasty;
mod rules;
mod spelling;
mod sql;
mod stored;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rusqlite::Connection;
use tokio::sync::{mpsc, watch};

use self::desk::Outcome;
use self::document::Document;
use crate::chat::{Channel, Platform};
use crate::config::{self, Config, Current};
use crate::store::{Db, Error};
use crate::web::Routes;
use crate::web::upstream::Upstream;

pub use self::adopted::Old;
pub use self::desk::Desk;
pub use self::gnasty::Gnasty;

/// The settings as one change left them, with the sources that clients of old know them by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    settings: config::Settings,
    twitch: Option<Channel>,
    youtube: Option<Channel>,
}

impl Kept {
    /// What the environment says.
    fn of(config: &Config) -> Self {
        let first = |platform| config.sources.iter().find(|channel| channel.platform == platform).cloned();
        Self {
            settings: config::Settings::of(config),
            twitch: first(Platform::TWITCH),
            youtube: first(Platform::YOUTUBE),
        }
    }
}

/// The list of sources, as far as it is needed here. The app connects the two rooms.
#[derive(Clone)]
pub struct List {
    /// The first source of a platform.
    pub first: First,
    /// Puts a channel in its place, or takes it out.
    pub replace: Replace,
    /// Makes a change of the store in which sources may be replaced, and tells of it.
    pub change: Arc<dyn Fn(Change) -> BoxFuture<'static, Result<Outcome, Error>> + Send + Sync>,
}

pub type First = fn(&Connection, &Platform) -> rusqlite::Result<Option<Channel>>;
pub type Replace = fn(&Connection, &Platform, Option<&Channel>) -> rusqlite::Result<()>;
pub type Change = Box<dyn FnOnce(&Connection) -> rusqlite::Result<Outcome> + Send>;

/// The settings that are in force, before the room that changes them is built.
pub struct Settings {
    /// What the environment says.
    seed: Arc<Kept>,
    told: watch::Sender<Arc<config::Settings>>,
    current: Current,
    /// The sources of settings that were taken over from an older file.
    adopted: Vec<Channel>,
}

/// The room: its routes, and what has to run for them.
pub struct Room {
    pub routes: Routes,
    /// Makes the changes.
    pub desk: Desk,
    /// Tells gnasty of them, where there is one.
    pub gnasty: Option<Gnasty>,
}

impl Settings {
    /// What the environment says, and over it what was kept: here, or if nothing was, in an older program's file.
    pub async fn open(config: &Config, db: &Db, old: Option<Old>) -> Result<Self, Error> {
        let seed = Arc::new(Kept::of(config));
        let (mut stored, mut adopted) = (db.read(sql::document).await?, Vec::new());
        if let Some(old) = old.filter(|_| stored.is_none()) {
            adopted = adopted::adopt(db, &seed, old).await?;
            stored = db.read(sql::document).await?;
        }
        let settings = over(&seed, stored.as_deref(), |problem| {
            tracing::warn!(%problem, "the settings that were kept cannot be used as they are; the environment's hold there");
        });
        let kept = Kept { settings, ..Kept::clone(&seed) };
        let winning = stored::names_of_changed(&kept, &seed);
        if !winning.is_empty() {
            tracing::info!("config: kept settings win over the environment: {}", winning.join(", "));
        }
        let settings = kept.settings;
        let (told, current) = Current::new(settings);
        Ok(Self { seed, told, current, adopted })
    }

    pub fn current(&self) -> Current {
        self.current.clone()
    }

    /// The sources that came with the settings of an older file, once.
    pub fn adopted(&mut self) -> Vec<Channel> {
        std::mem::take(&mut self.adopted)
    }

    pub fn serve(self, config: &Config, db: Db, list: List, upstream: Upstream) -> Room {
        let Self { seed, told, current, .. } = self;
        let book = desk::Book { seed, list };
        let (wishes, queue) = mpsc::channel(desk::QUEUE);
        let (resync, gnasty, status) = gnasty::open(config, &db, book.clone(), upstream);
        let routes = api::routes(config, db, book.clone(), current, wishes, status);
        Room { routes, desk: Desk::new(book, queue, told, resync), gnasty }
    }
}

/// The stored document over the environment's settings. What of it cannot be used is told, and left out.
fn over(seed: &Kept, stored: Option<&str>, tell: impl Fn(String)) -> config::Settings {
    let Some(stored) = stored else { return seed.settings.clone() };
    let known = Document::of(seed);
    match stored::from_store(stored, &known) {
        Ok(document) => {
            let (kept, violations) = rules::read(&document, &known, seed);
            violations.iter().for_each(|violation| tell(format!("{}: {}", violation.field, violation.message)));
            kept.settings
        }
        Err(problem) => {
            tell(problem);
            seed.settings.clone()
        }
    }
}
