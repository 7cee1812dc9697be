//! One folder and one line per platform.

pub mod twitch;

use crate::config::Config;
use crate::ingest::Driver;

/// Every platform there is, by its name in channels, logs and metrics.
pub const ALL: &[(&str, Open)] = &[(twitch::NAME, twitch::open)];

/// Opens a platform; none where the configuration does not ask for it.
pub type Open = fn(&Config) -> Option<Opened>;

/// What a platform brings into the house.
pub struct Opened {
    pub driver: Box<dyn Driver>,
}
