//! What the feed notices while a million rows are purged, beside the same feed with nobody purging; and how long that
//! takes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Plan;
use super::crowd::Crowd;
use super::feed::RATE;
use super::filled::filled;
use super::report::{Section, median, percentile, short};
use super::scene::{FEED, block_on};
use super::stamp::Clock;
use super::support::server::{Launch, Server};
use super::upstream::{Listener, Upstream};

const ROWS: usize = 1_000_000;
const CLIENTS: usize = 20;
/// Messages are said for so long between two looks at whether the purge is done.
const STEP: Duration = Duration::from_millis(200);

#[derive(Default)]
struct Results {
    p50: Vec<f64>,
    p99: Vec<f64>,
    max: Vec<f64>,
}

/// What a purge took.
#[derive(Default)]
struct Cost {
    per_second: Vec<f64>,
    log_mib: Vec<f64>,
}

pub fn measure(plan: &Plan) -> Section {
    let mut section = Section::new("purge");
    let (rows, rounds) = (plan.count(ROWS), plan.rounds.min(3));
    plan.progress(&format!("filling a store with {rows} rows"));
    let (full, before) = filled(rows);
    let mut results = [Results::default(), Results::default()];
    let mut cost = Cost::default();
    for round in 1..=rounds {
        plan.progress(&format!("purge of {rows} rows, round {round} of {rounds}"));
        one_round(plan, &full, before, rows, &mut results, &mut cost);
    }
    let [without, with] = &results;
    section.say(&format!(
        "{CLIENTS} clients, {RATE} messages a second, {rounds} rounds each, on a store with {} older rows; server, clients and \
         sender share all cores:",
        short(rows as f64)
    ));
    let row = |name: &str, r: &Results| {
        [name.to_owned()].into_iter().chain([&r.p50, &r.p99, &r.max].map(|n| short(median(n)))).collect()
    };
    section.table(
        &["the feed", "p50 ms", "p99 ms", "longest ms"],
        &[row("before the purge", without), row("during it", with)],
    );
    section.say(&format!(
        "The purge deletes {} rows a second. The write-ahead log comes to {} MiB.",
        short(median(&cost.per_second)),
        short(median(&cost.log_mib))
    ));
    section.at_most("p99 during the purge", 25.0, median(&with.p99), "ms");
    section.at_most("longest during the purge, of all rounds", 250.0, percentile(&with.max, 1.0), "ms");
    section
}

fn one_round(plan: &Plan, full: &Launch, before: i64, rows: usize, results: &mut [Results; 2], cost: &mut Cost) {
    let (clock, listener) = (Clock::start(), Listener::start());
    let launch = copy(full)
        .env("TWITCH_IRC_URL", &format!("ws://{}", listener.addr()))
        .env("TWITCH_CHANNELS", "room")
        .env("ELORA_INGEST_DRIVER", "native");
    let server = block_on(launch.start());
    let mut upstream = listener.chat(clock);
    let crowd = Crowd::connect(server.addr, FEED, CLIENTS, 0, clock);
    upstream.pace(RATE, plan.warm_up(Duration::from_secs(1)));
    crowd.wait(upstream.next);
    crowd.begin(true);
    upstream.pace(RATE, plan.round);
    results[0].take(&crowd, &upstream);

    let log = server.launch().db_path().with_extension("db-wal");
    let purging = purge(&server, before);
    let (began, mut longest) = (Instant::now(), 0);
    while !purging.is_finished() {
        upstream.pace(RATE, STEP);
        longest = longest.max(fs::metadata(&log).map_or(0, |log| log.len()));
    }
    results[1].take(&crowd, &upstream);
    let (answer, ended) = purging.join().expect("the purge is answered");
    assert!(answer.trim_end().ends_with(&json!({ "deleted": rows }).to_string()), "{answer}");
    cost.per_second.push(rows as f64 / (ended - began).as_secs_f64());
    cost.log_mib.push(longest as f64 / 1024.0 / 1024.0);
    drop(crowd);
    block_on(server.stop());
}

impl Results {
    fn take(&mut self, crowd: &Crowd, upstream: &Upstream) {
        crowd.wait(upstream.next);
        let latencies: Vec<f64> = crowd.counted().latencies.iter().map(|&micros| f64::from(micros) / 1000.0).collect();
        self.p50.push(percentile(&latencies, 0.5));
        self.p99.push(percentile(&latencies, 0.99));
        self.max.push(percentile(&latencies, 1.0));
        crowd.begin(true);
    }
}

/// The same store in a folder of its own.
fn copy(full: &Launch) -> Launch {
    let launch = Launch::new();
    for end in ["", "-wal"] {
        let part = |path: &std::path::Path| format!("{}{end}", path.display());
        let _ = fs::copy(part(full.db_path()), part(launch.db_path()));
    }
    launch
}

/// Asks for a purge on a thread of its own, which ends with the answer and when it came.
fn purge(server: &Server, before: i64) -> JoinHandle<(String, Instant)> {
    let (addr, token, body) = (server.addr, server.token(), json!({ "before_ts": before }).to_string());
    let request = format!(
        "POST /api/messages/purge HTTP/1.1\r\nHost: {addr}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    std::thread::spawn(move || {
        let mut stream = TcpStream::connect(addr).expect("the server takes connections");
        stream.write_all(request.as_bytes()).expect("the server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the server answers");
        (answer, Instant::now())
    })
}
