//! One folder and one line per platform, and per way to hear one.

pub mod exec;
pub mod harvester;
pub mod replay;
pub mod twitch;

use crate::chat::Platform;
use crate::config::{Config, Current};
use crate::ingest::{Driver, Make, Marks};

/// Every listener there is, by its name in logs and metrics.
pub const ALL: &[(&str, Open)] = &[
    (twitch::NAME, twitch::open),
    (exec::NAME, exec::open),
    (harvester::NAME, harvester::open),
    (replay::NAME, replay::open),
];

/// Opens a listener; none where the configuration does not ask for it.
pub type Open = fn(&Config, &Kit) -> Option<Opened>;

/// What the house lends a listener.
pub struct Kit {
    /// The settings as they are at any time.
    pub current: Current,
    /// How far listeners had come when the house was opened.
    pub marks: Marks,
    /// Told by whoever purges a harvester's file.
    pub purging: harvester::Purging,
}

/// What a listener brings into the house.
pub struct Opened {
    /// The platforms whose channels it hears.
    pub hears: &'static [Platform],
    pub drivers: Drivers,
}

/// How channels are divided among drivers.
pub enum Drivers {
    /// One hears them all.
    One(Box<dyn Driver>),
    /// One that also hears what others hear, and answers for no channel.
    Beside(Box<dyn Driver>),
    /// Each channel has a driver of its own, which is supervised by itself.
    Each(Make),
}
