//! A file that another program writes, read beside that program: nothing lost, nothing twice, and never in its way.

mod beside;
mod news;
mod places;
mod purge;
mod soak;
mod writer;

use std::path::PathBuf;

use crate::support::feed::Feed;
use crate::support::server::{Launch, Server};

/// How often the file is looked at in these tests.
const POLL_MS: &str = "100";

/// A server that reads a harvester's file of its own folder.
fn reading() -> Launch {
    let launch = Launch::new();
    let path = file(&launch).display().to_string();
    launch
        .env("ELORA_INGEST_DRIVER", "gnasty")
        .env("GNASTY_SINK_SQLITE_PATH", &path)
        .env("ELORA_TAILER_POLL_MS", POLL_MS)
        .env("ELORA_CHAT_URLS", "https://www.youtube.com/@ada")
}

/// The harvester's file, apart from the store.
fn file(launch: &Launch) -> PathBuf {
    launch.dir().join("gnasty.db")
}

/// It reads, and somebody watches.
async fn watched(launch: Launch) -> (Server, Feed) {
    let server = launch.start().await;
    server.until_it_says("harvester: reading").await;
    let feed = server.feed("?last=0").await;
    (server, feed)
}

/// The texts of the messages that came, in the order they came.
fn texts(feed: &Feed) -> Vec<String> {
    let messages = feed.events.iter().filter(|event| event["kind"] == "message");
    messages.map(|event| event["text"].as_str().unwrap_or_default().to_owned()).collect()
}

/// That nothing was told twice.
fn assert_once(feed: &Feed) {
    let mut ids = feed.message_ids();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "a message came twice");
}
