//! The configuration: plain typed sections, read once at start.
//! Nothing else in the program looks at the environment.

mod dev;
mod env;
mod feed;
mod http;
mod ingest;
mod keys;
mod load;
mod print;
mod secret;
mod store;
#[cfg(test)]
mod tests;
mod ui;
mod value;

use crate::chat::Channel;

pub use dev::Dev;
pub use feed::{Feed, Socket};
pub use http::{HostName, Http, Origin, Origins};
pub use ingest::{DriverKind, Ingest, Twitch};
pub use load::{Error, Errors, Flags, load};
pub use print::{configz, everything, summary};
pub use secret::{REDACTED, Secret};
pub use store::{Mode, Store, Synchronous};
pub use ui::{Log, LogFormat, Ui};

/// Everything that can be set. [`Default`] is what an empty environment gives.
#[derive(Debug, Clone, Default)]
pub struct Config {
    pub http: Http,
    pub store: Store,
    pub feed: Feed,
    pub socket: Socket,
    pub ingest: Ingest,
    pub twitch: Twitch,
    /// The channels named at start, each once, in the order given.
    pub sources: Vec<Channel>,
    pub log: Log,
    pub ui: Ui,
    pub dev: Dev,
    /// What is worth telling once at start: names without effect, doors that stand open.
    pub remarks: Vec<String>,
}
