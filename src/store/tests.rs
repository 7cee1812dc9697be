//! The whole store, as its users have it.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use super::*;
use crate::chat::{Channel, Kind};

/// Far longer than any query takes.
const LONG: Duration = Duration::from_secs(5);

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

#[tokio::test]
async fn as_many_queries_run_at_once_as_are_configured() {
    const AT_ONCE: usize = 12;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("elora.db");
    let config = config::Store { path, max_conns: AT_ONCE, ..config::Store::default() };
    let Opened { db, queue: _queue, .. } = open(&config, 16, &Metrics::new()).expect("a store in a new folder opens");
    let meeting = Arc::new((Mutex::new(0), Condvar::new()));

    let queries = (0..AT_ONCE).map(|_| {
        let meeting = meeting.clone();
        db.read(move |_| {
            let (here, bell) = &*meeting;
            let mut here = here.lock().expect("nobody panics here");
            *here += 1;
            bell.notify_all();
            let waited = bell.wait_timeout_while(here, LONG, |here| *here < AT_ONCE);
            Ok(*waited.expect("nobody panics here").0)
        })
    });
    let met = futures_util::future::join_all(queries).await;

    assert!(met.iter().all(|here| matches!(here, Ok(AT_ONCE))), "{met:?}");
}

#[tokio::test]
async fn every_connection_waits_for_locks_and_keeps_the_same_rules() {
    const READERS: usize = 4;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("elora.db");
    let busy_timeout = Duration::from_millis(1234);
    let config = config::Store { path, max_conns: READERS, busy_timeout, ..config::Store::default() };
    let Opened { db, queue: _queue, .. } = open(&config, 16, &Metrics::new()).expect("a store in a new folder opens");
    let all_here = Arc::new(std::sync::Barrier::new(READERS));
    let rules = |connection: &Connection| -> rusqlite::Result<(i64, i64, String)> {
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let journal = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        Ok((number("busy_timeout")?, number("foreign_keys")?, journal))
    };

    // At once, so that no connection is asked twice.
    let readers = (0..READERS).map(|_| {
        let all_here = all_here.clone();
        db.read(move |connection| {
            all_here.wait();
            rules(connection)
        })
    });
    let readers = futures_util::future::join_all(readers).await;
    let writer = db.write(move |tx| rules(tx)).await;

    for found in readers.into_iter().chain([writer]) {
        assert_eq!(found.expect("the store answers"), (1234, 1, "wal".to_owned()));
    }
}
