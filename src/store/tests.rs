//! The whole store, as its users have it.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use super::*;
use crate::chat::{Author, Channel, Edited, Event, Kind, Message, Millis, NewEvent, Target};

/// Far longer than any query takes.
const LONG: Duration = Duration::from_secs(5);

fn event() -> NewEvent {
    let channel: Channel = "twitch:ada".parse().expect("a source");
    NewEvent::new(channel, Kind::Other { kind: "test".to_owned(), body: serde_json::Map::new() })
}

/// A new store with a queue that takes what is put.
struct Scene {
    db: Db,
    queue: mpsc::Sender<Entry>,
    writer: WriterThread,
    folder: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        Self::in_folder(tempfile::tempdir().expect("a temporary folder"))
    }

    fn in_folder(folder: tempfile::TempDir) -> Self {
        let config = config::Store { path: folder.path().join("elora.db"), ..config::Store::default() };
        let Opened { db, queue, writer } = open(&config, 4096, &Metrics::new()).expect("a store opens");
        Self { db, queue, writer, folder }
    }

    async fn put(&self, entry: impl Into<Entry>) {
        self.queue.send(entry.into()).await.expect("the writer runs");
    }

    /// Puts a mark, and waits until it is stored, and so everything before it.
    async fn settle(&self, value: &str) {
        self.put(mark(value)).await;
        while self.db.marks().await.expect("the store answers").get("test").map(String::as_str) != Some(value) {
            tokio::task::yield_now().await;
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> T {
        self.db.read(query).await.expect("the store answers")
    }

    async fn reopen(mut self) -> Self {
        drop((self.queue, self.db));
        self.writer.ended().await;
        Self::in_folder(self.folder)
    }
}

fn mark(value: &str) -> Entry {
    Entry::Mark { name: "test".to_owned(), value: value.to_owned() }
}

fn said(native_id: &str, at: i64, text: &str) -> NewEvent {
    let author = Author {
        id: Some("7".to_owned()),
        login: "ada".to_owned(),
        name: "Ada".to_owned(),
        color: None,
        roles: Vec::new(),
        badges: Vec::new(),
        first: false,
    };
    let text = text.to_owned();
    let message = Message { author, text, fragments: vec![], reply: None, money: None, bits: None, flags: vec![] };
    let channel: Channel = "twitch:ada".parse().expect("a source");
    NewEvent {
        native_id: Some(native_id.to_owned()),
        at: Some(Millis(at)),
        received_at: Millis(at),
        ..NewEvent::new(channel, Kind::Message(message))
    }
}

fn of_old(native_id: &str, at: i64, text: &str) -> NewEvent {
    NewEvent { backfill: true, ..said(native_id, at, text) }
}

fn edit(native_id: &str, at: i64, text: &str) -> NewEvent {
    let target = Target { native_id: Some(native_id.to_owned()), ..Target::default() };
    let edited = Edited { target, text: text.to_owned(), fragments: Vec::new() };
    NewEvent { native_id: None, kind: Kind::Edited(edited), ..said("", at, "") }
}

fn ids(events: &[Event]) -> Vec<(i64, &str)> {
    events.iter().map(|event| (event.id.0, event.native_id.as_deref().unwrap_or_default())).collect()
}

#[tokio::test]
async fn a_mark_never_claims_what_is_not_stored() {
    let scene = Scene::new();
    let look = |connection: &Connection| {
        let tx = connection.unchecked_transaction()?;
        let mark = meta(&tx, "mark:test")?.and_then(|mark| mark.parse::<i64>().ok()).unwrap_or(0);
        let stored: i64 = tx.query_row("select count(*) from events", [], |row| row.get(0))?;
        Ok((mark, stored))
    };
    let looking = async {
        loop {
            let (mark, stored) = scene.db.read(look).await.expect("the store answers");
            assert!(mark <= stored, "{mark} is claimed, {stored} are stored");
            if mark == 3000 {
                return;
            }
        }
    };
    let putting = async {
        for n in 1..=3000 {
            scene.put(said(&n.to_string(), n, "hello")).await;
            scene.put(mark(&n.to_string())).await;
        }
    };

    tokio::join!(putting, looking);

    let scene = scene.reopen().await;
    assert_eq!(scene.db.marks().await.expect("the store answers"), Marks::from([("test".into(), "3000".into())]));
}

#[tokio::test]
async fn an_event_no_database_can_take_holds_up_no_mark() {
    let scene = Scene::new();
    let refuse =
        "create trigger t before insert on events when new.native_id = 'bad' begin select raise(abort, 'x'); end";
    scene.db.write(|tx| tx.execute_batch(refuse)).await.expect("the store takes it");

    for native_id in ["1", "bad", "2"] {
        scene.put(said(native_id, 1, "hello")).await;
    }
    scene.settle("2").await;

    let stored = scene.read(|connection| events::after(connection, EventId(0), 10)).await;
    assert_eq!(ids(&stored), [(1, "1"), (2, "2")]);
}

#[tokio::test]
async fn history_lies_below_every_cursor_and_wakes_nobody() {
    let scene = Scene::new();
    scene.put(said("live", 100, "now")).await;
    scene.settle("live").await;
    let mut committed = scene.db.committed();
    committed.mark_unchanged();

    for (native_id, at) in [("c", 30), ("b", 20), ("a", 10), ("b", 20), ("live", 100)] {
        scene.put(of_old(native_id, at, "then")).await;
    }
    scene.settle("old").await;

    assert!(!committed.has_changed().expect("the writer runs"), "history is no news");
    assert_eq!(committed.borrow().last, EventId(1));
    let everything = events::Filter::default();
    let (followed, newest, page) = scene
        .read(move |connection| {
            let newest = events::newest(connection, EventId(1), &everything, 10)?;
            let page = events::page(connection, &events::Page { limit: 10, ..Default::default() })?;
            Ok((events::after(connection, EventId(0), 10)?, newest, page))
        })
        .await;
    assert_eq!((ids(&followed), ids(&newest)), (vec![(1, "live")], vec![(1, "live")]));
    assert_eq!(ids(&page), [(1, "live"), (-1, "c"), (-2, "b"), (-3, "a")]);
}

#[tokio::test]
async fn history_goes_on_below_what_an_earlier_run_brought() {
    let scene = Scene::new();
    scene.put(of_old("b", 20, "then")).await;
    scene.settle("b").await;

    let scene = scene.reopen().await;
    scene.put(of_old("a", 10, "then")).await;
    scene.put(said("live", 100, "now")).await;
    scene.settle("a").await;

    let all = scene.read(|connection| events::after(connection, EventId(i64::MIN), 10)).await;
    assert_eq!(ids(&all), [(-2, "a"), (-1, "b"), (1, "live")]);
}

#[tokio::test]
async fn history_does_not_bring_old_names_back() {
    let scene = Scene::new();
    let mut old = of_old("old", 1, "then");
    if let Kind::Message(message) = &mut old.kind {
        (message.author.login, message.author.name) = ("ada_of_old".to_owned(), "AdaOfOld".to_owned());
    }
    let names = |connection: &Connection| {
        connection.query_row("select login || ' ' || name from authors", [], |row| row.get::<_, String>(0))
    };

    scene.put(said("live", 100, "now")).await;
    // The writer has forgotten whom it knows.
    let scene = scene.reopen().await;
    scene.put(old).await;
    scene.settle("all").await;

    assert_eq!(scene.read(names).await, "ada Ada");
}

#[tokio::test]
async fn an_edit_says_what_it_changes_and_one_that_changes_nothing_is_no_event() {
    let scene = Scene::new();
    scene.put(said("m", 1, "first")).await;
    for (at, text) in [(2, "first"), (3, "second"), (4, "second"), (5, "first"), (6, "first")] {
        scene.put(edit("m", at, text)).await;
    }
    scene.put(edit("unheard of", 7, "what")).await;
    scene.put(edit("unheard of", 8, "what")).await;
    scene.settle("all").await;

    let stored = scene.read(|connection| events::after(connection, EventId(1), 10)).await;
    let edits: Vec<_> = stored
        .iter()
        .map(|event| match &event.kind {
            Kind::Edited(edited) => (edited.text.as_str(), edited.target.id, edited.target.author_id.as_deref()),
            other => panic!("{other:?}"),
        })
        .collect();
    let of_ada = (Some(EventId(1)), Some("7"));
    assert_eq!(edits, [("second", of_ada.0, of_ada.1), ("first", of_ada.0, of_ada.1), ("what", None, None)]);
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
        queue.send(event().into()).await.expect("the writer runs");
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
