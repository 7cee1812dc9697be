//! What the feed and the readers of history notice while a harvester's file of a million rows is imported, beside the
//! same server once that is done; how long it takes, and what memory.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use serde_json::{Value, json};

use super::Plan;
use super::crowd::Crowd;
use super::feed::RATE;
use super::machine::{peak, rss};
use super::report::{Section, median, percentile, short};
use super::scene::{FEED, block_on};
use super::stamp::Clock;
use super::support::archive::{Maker, make};
use super::support::server::Launch;
use super::upstream::{Listener, Upstream};

const ROWS: usize = 1_000_000;
const CLIENTS: usize = 20;
/// Messages are said for so long between two looks at whether the import is done.
const STEP: Duration = Duration::from_millis(200);
/// A reader of history asks for a page, and again after this.
const ASK_EVERY: Duration = Duration::from_millis(20);
const PAGE: &str = "/api/messages?limit=50";
const NEW_YEAR: i64 = 1_767_225_600_000;

#[derive(Default)]
struct Results {
    p50: Vec<f64>,
    p99: Vec<f64>,
    max: Vec<f64>,
    page_p50: Vec<f64>,
    page_p99: Vec<f64>,
}

#[derive(Default)]
struct Cost {
    per_second: Vec<f64>,
    extra_mib: Vec<f64>,
    log_mib: Vec<f64>,
}

pub fn measure(plan: &Plan) -> Section {
    let mut section = Section::new("import");
    let (rows, rounds) = (plan.count(ROWS), plan.rounds.min(3));
    plan.progress(&format!("filling a harvester's file with {rows} rows"));
    let launch = Launch::new();
    fill(launch.db_path(), rows);
    let mut results = [Results::default(), Results::default()];
    let mut cost = Cost::default();
    for round in 1..=rounds {
        plan.progress(&format!("import of {rows} rows, round {round} of {rounds}"));
        one_round(plan, &launch, rows, &mut results, &mut cost);
    }
    let [during, after] = &results;
    section.say(&format!(
        "{CLIENTS} clients, {RATE} messages a second, one reader that asks for the newest page of history without end, {rounds} rounds, \
         a file of {} rows as gnasty writes them; server, clients, reader and sender share all cores:",
        short(rows as f64)
    ));
    let row = |name: &str, r: &Results| {
        let numbers = [&r.p50, &r.p99, &r.max, &r.page_p50, &r.page_p99].map(|n| short(median(n)));
        [name.to_owned()].into_iter().chain(numbers).collect()
    };
    section.table(
        &["", "feed p50 ms", "p99 ms", "longest ms", "page p50 ms", "p99 ms"],
        &[row("during the import", during), row("afterwards", after)],
    );
    section.say(&format!(
        "The import brings {} rows a second in. The server's memory grows by {} MiB meanwhile, and the write-ahead log comes to {} MiB.",
        short(median(&cost.per_second)),
        short(median(&cost.extra_mib)),
        short(median(&cost.log_mib))
    ));
    section.at_most("feed p99 during the import", 25.0, median(&during.p99), "ms");
    section.at_most("page p99 during the import", 50.0, median(&during.page_p99), "ms");
    section.at_most("memory the import takes", 64.0, median(&cost.extra_mib), "MiB");
    section
}

fn one_round(plan: &Plan, launch: &Launch, rows: usize, results: &mut [Results; 2], cost: &mut Cost) {
    let (clock, listener) = (Clock::start(), Listener::start());
    let store = launch.db_path().with_extension("events.db");
    for end in ["", "-wal", "-shm", ".lock"] {
        let _ = fs::remove_file(format!("{}{end}", store.display()));
    }
    let launch = launch
        .clone()
        .env("TWITCH_IRC_URL", &format!("ws://{}", listener.addr()))
        .env("TWITCH_CHANNELS", "room")
        .env("ELORA_INGEST_DRIVER", "native");
    let server = block_on(launch.start());
    let (began, log) = (Instant::now(), store.with_extension("db-wal"));
    let memory = rss(server.pid());
    let mut upstream = listener.chat(clock);
    let crowd = Crowd::connect(server.addr, FEED, CLIENTS, 0, clock);
    crowd.begin(true);
    let (reader, mut longest) = (Reader::start(server.addr), 0);
    let (told, ended) = loop {
        upstream.pace(RATE, STEP);
        longest = longest.max(fs::metadata(&log).map_or(0, |log| log.len()));
        let told = progress(server.addr);
        if told["state"] == "finished" {
            break (told, Instant::now());
        }
    };
    assert_eq!((&told["imported"], &told["unreadable"]), (&json!(rows), &json!(0)), "{told}");
    results[0].take(&crowd, &upstream, reader);
    cost.extra_mib.push((peak(server.pid()) - memory) / 1024.0);
    cost.per_second.push(rows as f64 / (ended - began).as_secs_f64());
    cost.log_mib.push(longest as f64 / 1024.0 / 1024.0);

    let reader = Reader::start(server.addr);
    upstream.pace(RATE, plan.round);
    results[1].take(&crowd, &upstream, reader);
    drop(crowd);
    block_on(server.stop());
}

impl Results {
    fn take(&mut self, crowd: &Crowd, upstream: &Upstream, reader: Reader) {
        crowd.wait(upstream.next);
        let latencies: Vec<f64> = crowd.counted().latencies.iter().map(|&micros| f64::from(micros) / 1000.0).collect();
        self.p50.push(percentile(&latencies, 0.5));
        self.p99.push(percentile(&latencies, 0.99));
        self.max.push(percentile(&latencies, 1.0));
        let pages = reader.end();
        self.page_p50.push(percentile(&pages, 0.5));
        self.page_p99.push(percentile(&pages, 0.99));
        crowd.begin(true);
    }
}

/// Asks for a page of history again and again.
struct Reader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<f64>>,
}

impl Reader {
    fn start(addr: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut took = Vec::new();
            while !stopped.load(Ordering::Relaxed) || took.is_empty() {
                let began = Instant::now();
                let page = get(addr, PAGE);
                took.push(began.elapsed().as_secs_f64() * 1000.0);
                assert!(page.contains("\"items\""), "{page}");
                std::thread::sleep(ASK_EVERY);
            }
            took
        });
        Self { stop, thread }
    }

    /// How long each page took, in milliseconds.
    fn end(self) -> Vec<f64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("every page is answered")
    }
}

fn progress(addr: SocketAddr) -> Value {
    let answer = get(addr, "/api/import");
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
    serde_json::from_str(body).expect("progress is JSON")
}

fn get(addr: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).expect("the server takes connections");
    let request = format!("GET {path} HTTP/1.0\r\nHost: {addr}\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the server reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers");
    answer
}

/// Rows as gnasty keeps lines of Twitch, with the line itself.
fn fill(path: &Path, rows: usize) {
    let file = make(path, Maker::Gnasty);
    let tx = file.unchecked_transaction().expect("nobody else writes");
    for n in 0..rows {
        insert(&tx, n);
    }
    tx.commit().expect("the rows are kept");
    file.close().expect("the file is closed");
}

fn insert(file: &Connection, n: usize) {
    let (at, person) = (NEW_YEAR + 250 * n as i64, n % 5_000);
    let id = format!("{:08x}-7e82-4fd8-9f21-{:012x}", n.wrapping_mul(2_654_435_761) & 0xffff_ffff, n);
    let text = format!("what number {n} has to say Kappa");
    let first = text.len() - 5;
    let emotes = format!("25:{first}-{}", first + 4);
    let line = format!(
        "@badge-info=subscriber/14;badges=subscriber/12;color=#1E90FF;display-name=Person_{person};emotes={emotes};first-msg=0;flags=;\
         id={id};mod=0;returning-chatter=0;room-id=11148817;subscriber=1;tmi-sent-ts={at};turbo=0;user-id={};user-type= \
         :person_{person}!person_{person}@person_{person}.tmi.twitch.tv PRIVMSG #room :{text}",
        40_000_000 + person
    );
    let raw =
        json!({ "line": line, "prefix": format!("person_{person}!person_{person}@person_{person}.tmi.twitch.tv") });
    let badges = json!({
        "badges": [{ "platform": "twitch", "id": "subscriber", "version": "12" }],
        "raw": { "twitch": { "badge_info": "subscriber/14", "badges": "subscriber/12" } },
    });
    file.prepare_cached(
        "INSERT INTO messages (platform, platform_msg_id, ts, username, text, emotes_json, raw_json, badges_json, colour)
         VALUES ('Twitch', ?1, ?2, ?3, ?4, ?5, ?6, ?7, '#1E90FF')",
    )
    .and_then(|mut insert| {
        let (name, emotes) = (format!("Person_{person}"), json!([emotes]).to_string());
        insert.execute(params![id, at, name, text, emotes, raw.to_string(), badges.to_string()])
    })
    .expect("the row fits");
}
