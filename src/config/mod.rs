//! The configuration: plain typed sections, read once at start, and the settings among them that may change later.
//! Nothing else in the program looks at the environment.

mod arguments;
mod dev;
mod env;
mod exec;
mod feed;
mod handoff;
mod harvest;
mod http;
mod images;
mod ingest;
mod keys;
mod load;
mod print;
mod replay;
mod secret;
pub mod settings;
mod store;
#[cfg(test)]
mod tests;
mod ui;
mod value;

use std::path::{Path, PathBuf};

use crate::chat::Channel;

pub use arguments::without_secrets;
pub use dev::Dev;
pub use exec::Exec;
pub use feed::{Feed, Socket};
pub use handoff::{Handoff, PassFiles, bare_token};
pub use harvest::{Gnasty, Harvester, Suggestion, Tailer, Youtube};
pub use http::{ANY_ORIGIN, HostName, Http, Origin, Origins};
pub use images::{ImageOrigin, Images};
pub use ingest::{DriverKind, Ingest, Twitch};
pub use load::{Error, Errors, Flags, load};
pub use print::{configz, everything, summary};
pub use replay::{Replay, Speed};
pub use secret::{REDACTED, Secret};
pub use settings::{Current, Settings};
pub use store::{Mode, Pragma, Store, Synchronous};
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
    pub youtube: Youtube,
    pub tailer: Tailer,
    pub harvester: Harvester,
    pub gnasty: Gnasty,
    pub handoff: Handoff,
    pub replay: Replay,
    pub exec: Exec,
    /// The channels named at start, each once, in the order given.
    pub sources: Vec<Channel>,
    pub log: Log,
    pub ui: Ui,
    pub dev: Dev,
    pub images: Images,
    /// What is worth telling once at start: names without effect, doors that stand open.
    pub remarks: Vec<String>,
}

impl Config {
    /// The file that a harvester writes, or would write.
    pub fn harvester_file(&self) -> &Path {
        self.harvester.path.as_deref().unwrap_or(&self.store.path)
    }

    /// Whether a harvester's file is read from the start on: it stands in for a listener, or beside one.
    pub fn reads_harvester(&self) -> bool {
        self.tailer.enabled || self.harvester_is_driver()
    }

    /// Whether nobody else listens: gnasty that is not ours to start.
    pub fn harvester_is_driver(&self) -> bool {
        self.ingest.driver == DriverKind::Gnasty && self.gnasty.bin.is_none()
    }

    /// Where the reader of a harvester's file keeps its place: beside the store, unless it is told otherwise.
    pub fn offset_path(&self) -> PathBuf {
        let beside = || {
            let mut path = self.store.path.clone().into_os_string();
            path.push(".offset.json");
            PathBuf::from(path)
        };
        self.tailer.offset_path.clone().unwrap_or_else(beside)
    }
}
