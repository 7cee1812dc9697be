//! The whole store, as its users have it.

use super::*;
use crate::chat::{Channel, Kind};

fn event() -> NewEvent {
    let channel: Channel = "twitch:ada".parse().expect("a source");
    NewEvent::new(channel, Kind::Other { kind: "test".to_owned(), body: serde_json::Map::new() })
}

#[tokio::test]
async fn events_wait_for_one_change_at_most() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = config::Store { path: folder.path().join("elora.db"), ..config::Store::default() };
    let Opened { db, queue, .. } = open(&config, 16, &Metrics::new()).expect("a store in a new folder opens");
    let (go, wait) = std::sync::mpsc::channel::<()>();

    let first = db.write(move |_| Ok(wait.recv().is_ok()));
    let next = db.write(|tx| tx.query_row("select count(*) from events", [], |row| row.get::<_, i64>(0)));
    let event = async {
        queue.send(event()).await.expect("the writer runs");
        go.send(()).expect("the first change waits");
    };
    let (first, stored, ()) = tokio::join!(first, next, event);

    assert!(first.expect("the store takes it"));
    assert_eq!(stored.expect("the store answers"), 1, "the second change came before the event");
}
