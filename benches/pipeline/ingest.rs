//! How many lines a second come from Twitch's socket through the store to a client of the feed. Beside it, the same
//! rows put into the same tables by nothing but a loop.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use tempfile::TempDir;

use super::Plan;
use super::crowd::Crowd;
use super::machine::cpu;
use super::report::{Section, median, ratio, short};
use super::scene::{FEED, block_on, ours};
use super::stamp::Clock;
use super::support::server::{Launch, open_store};

const ROWS: usize = 200_000;
/// Lines in one message of the stand-in.
const LINES: u32 = 16;
/// Rows in one transaction of the loop; the server's writer takes so many at most, too.
const BATCH: usize = 512;
const LOOK_AGAIN: Duration = Duration::from_millis(1);
const PATIENCE: Duration = Duration::from_secs(120);

const MIGRATIONS: [&str; 3] = [
    include_str!("../../migrations/0001_events.sql"),
    include_str!("../../migrations/0002_sessions.sql"),
    include_str!("../../migrations/0003_sources.sql"),
];
const COLUMNS: &str = "platform, kind, native_id, channel_id, author_id, at, received_at, source_id, source_channel, \
                       text, body, removed_by";

#[derive(Default)]
struct Results {
    ours: Vec<f64>,
    /// Rows that were committed, but had not come to the client when the last one was.
    lag_rows: Vec<f64>,
    /// From the last row's commit to its arrival at the client.
    lag_ms: Vec<f64>,
    cost: Vec<f64>,
    floor: Vec<f64>,
}

pub fn measure(plan: &Plan) -> Section {
    let mut section = Section::new("ingest");
    let (rows, rounds) = (plan.count(ROWS), plan.rounds.min(3));
    let mut results = Results::default();
    for round in 1..=rounds {
        plan.progress(&format!("ingest of {rows} rows, round {round} of {rounds}"));
        let launch = flood(rows, &mut results);
        results.floor.push(insert(&launch, rows));
    }
    let r = &results;
    section.say(&format!(
        "{} distinct messages, {LINES} lines a WebSocket message, as fast as the server reads them; the time ends when a \
         client of the feed has the last one. {rounds} rounds each; sender, server and client share all cores:",
        short(rows as f64)
    ));
    section.table(
        &["", "rows/s", "CPU µs/row", "rows the feed was behind at the last commit", "ms behind"],
        &[
            vec![
                "elora-chat, socket to feed".to_owned(),
                short(median(&r.ours)),
                short(median(&r.cost)),
                short(median(&r.lag_rows)),
                short(median(&r.lag_ms)),
            ],
            vec![
                format!("a loop of inserts, {BATCH} a transaction"),
                short(median(&r.floor)),
                "–".to_owned(),
                "–".to_owned(),
                "–".to_owned(),
            ],
        ],
    );
    section.say(&format!("Ours reaches {} × the loop.", short(ratio(&r.ours, &r.floor))));
    section.at_least("ingest with the feed keeping up", 15_000.0, median(&r.ours), "rows/s");
    section
}

/// Sends the lines to a fresh server, and gives back where its store lies.
fn flood(rows: usize, results: &mut Results) -> Launch {
    let clock = Clock::start();
    let (server, mut upstream) = ours(None, clock);
    let client = Crowd::connect(server.addr, FEED, 1, 0, clock);
    let before = cpu(server.pid());
    let rows = u32::try_from(rows).expect("not so many rows") / LINES * LINES;
    let began = Instant::now();
    let sender = std::thread::spawn(move || {
        while upstream.next < rows {
            upstream.say(LINES);
        }
        upstream
    });
    let (committed, lag_rows) = last_commit(server.launch().db_path(), rows, &client);
    client.wait(rows);
    let received = began.elapsed();
    results.lag_rows.push(f64::from(lag_rows));
    results.lag_ms.push(committed.elapsed().as_secs_f64() * 1000.0);
    results.ours.push(f64::from(rows) / received.as_secs_f64());
    results.cost.push((cpu(server.pid()) - before).as_secs_f64() * 1e6 / f64::from(rows));
    let upstream = sender.join().expect("the sender says everything");
    let launch = server.launch().clone();
    drop(client);
    let ended = block_on(server.stop());
    assert_eq!(ended.code, Some(0), "{}", ended.said);
    drop(upstream);
    launch
}

/// When the last row was committed, and how many the client did not have then.
fn last_commit(store: &Path, rows: u32, client: &Crowd) -> (Instant, u32) {
    let store = open_store(store);
    let mut newest = store.prepare("select coalesce(max(id), 0) from events").expect("the query fits the schema");
    let began = Instant::now();
    loop {
        let id: u32 = newest.query_row([], |row| row.get(0)).expect("the store can be read");
        if id >= rows {
            return (Instant::now(), rows - client.complete());
        }
        assert!(began.elapsed() < PATIENCE, "{id} of {rows} rows are in the store");
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Rows a second of a loop that puts what the server stored into a file of its own.
fn insert(launch: &Launch, rows: usize) -> f64 {
    let stored = open_store(launch.db_path());
    let events = read(&stored, &format!("select {COLUMNS} from events order by id"), 12);
    assert_eq!(events.len(), rows, "every line is in the store, once");
    let folder = TempDir::with_prefix("elora-bench-").expect("a temporary folder");
    let mut bare = Connection::open(folder.path().join("bare.db")).expect("a new store");
    bare.pragma_update(None, "journal_mode", "wal").expect("a write-ahead log");
    bare.pragma_update(None, "synchronous", "normal").expect("as ours");
    bare.pragma_update(None, "foreign_keys", true).expect("as ours");
    // Moving the log into the file is no work of the loop, as it is none of our writer.
    bare.pragma_update(None, "wal_autocheckpoint", 0).expect("as ours");
    MIGRATIONS.iter().for_each(|migration| bare.execute_batch(migration).expect("the schema is SQL"));
    copy(&bare, &stored, "channels", "id, platform, key, native_id, login, name");
    copy(&bare, &stored, "authors", "id, platform, native_id, login, name");
    let began = Instant::now();
    for batch in events.chunks(BATCH) {
        let tx = bare.transaction().expect("nobody else writes");
        let insert =
            format!("insert into events ({COLUMNS}) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
        let mut insert = tx.prepare_cached(&insert).expect("the row fits the schema");
        for event in batch {
            insert.execute(params_from_iter(event)).expect("a row is put in");
        }
        drop(insert);
        tx.commit().expect("the rows are kept");
    }
    rows as f64 / began.elapsed().as_secs_f64()
}

fn copy(to: &Connection, from: &Connection, table: &str, columns: &str) {
    let count = columns.split(',').count();
    let places = vec!["?"; count].join(", ");
    for row in read(from, &format!("select {columns} from {table}"), count) {
        let insert = format!("insert into {table} ({columns}) values ({places})");
        to.execute(&insert, params_from_iter(row)).expect("the row fits the schema");
    }
}

fn read(store: &Connection, query: &str, columns: usize) -> Vec<Vec<Value>> {
    let mut query = store.prepare(query).expect("the query fits the schema");
    let rows = query.query_map([], |row| (0..columns).map(|column| row.get(column)).collect());
    rows.expect("the query runs").collect::<Result<_, _>>().expect("every row can be read")
}
