//! How many rows a second `/api/messages/export` gives, and what memory that takes. Beside it, a loop that reads the
//! same columns from the same file and writes them as JSON, with nobody to send them to.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use serde::Serialize;

use super::Plan;
use super::filled::filled;
use super::machine::{cpu, peak, rss};
use super::report::{Section, median, percentile, ratio, short};
use super::scene::block_on;
use super::support::server::{Server, open_store};

const ROWS: usize = 100_000;
/// More rows in the store than are asked for.
const STORED: usize = 250_000;
const BUFFER: usize = 256 * 1024;
const FORMATS: [&str; 2] = ["ndjson", "csv"];
const NEWEST: &str =
    "select e.id, e.at, a.name, e.platform, e.text, e.body from events e join authors a on a.id = e.author_id
     where e.kind = 'message' order by e.at desc, e.id desc limit ?1";

/// A line of the loop.
#[derive(Serialize)]
struct Line<'a> {
    id: i64,
    ts: i64,
    username: &'a str,
    platform: &'a str,
    text: &'a str,
    raw_json: &'a str,
}

#[derive(Default)]
struct Results {
    per_second: Vec<f64>,
    /// Processor microseconds of the server for a row.
    cost: Vec<f64>,
    bytes: Vec<f64>,
    /// What the server's memory grew by while it sent a file, at most.
    extra_mib: Vec<f64>,
}

pub fn measure(plan: &Plan) -> Section {
    let mut section = Section::new("export");
    let (rows, rounds) = (plan.count(ROWS), plan.rounds.min(7));
    plan.progress("filling a store for the export");
    let (launch, _) = filled(plan.count(STORED));
    let store = launch.db_path().to_owned();
    let (mut ours, mut floor) = ([Results::default(), Results::default()], Vec::new());
    for round in 0..rounds {
        plan.progress(&format!("export of {rows} rows, round {} of {rounds}", round + 1));
        for n in [round % 2, (round + 1) % 2] {
            // A fresh server, so that no memory is left over from the file before.
            let server = block_on(launch.clone().start());
            export(&server, FORMATS[n], rows, &mut ours[n]);
            block_on(server.stop());
        }
        floor.push(read(&store, rows));
    }
    tell(&mut section, rows, rounds, &ours, &floor);
    section
}

fn tell(section: &mut Section, rows: usize, rounds: usize, ours: &[Results; 2], floor: &[f64]) {
    section.say(&format!(
        "The newest {} of {} rows in one file, {rounds} rounds each, from a server that was just started; server and \
         reader share all cores:",
        short(rows as f64),
        short(rows as f64 * STORED as f64 / ROWS as f64)
    ));
    let row = |name: &str, r: &Results| {
        let columns = [&r.per_second, &r.cost, &r.bytes, &r.extra_mib];
        std::iter::once(name.to_owned()).chain(columns.map(|numbers| short(median(numbers)))).collect()
    };
    let [ndjson, csv] = ours;
    let dash = || "–".to_owned();
    section.table(
        &["", "rows/s", "CPU µs/row", "bytes/row", "extra MiB"],
        &[
            row("elora-chat, NDJSON", ndjson),
            row("elora-chat, CSV", csv),
            vec!["a loop, JSON into memory".to_owned(), short(median(floor)), dash(), dash(), dash()],
        ],
    );
    section.say(&format!("NDJSON reaches {} × the loop.", short(ratio(&ndjson.per_second, floor))));
    for (name, r) in [("NDJSON", ndjson), ("CSV", csv)] {
        section.at_least(&format!("export of {rows} rows, {name}"), 100_000.0, median(&r.per_second), "rows/s");
        section.at_most(
            &format!("extra memory, {name}, most of all rounds"),
            30.0,
            percentile(&r.extra_mib, 1.0),
            "MiB",
        );
    }
}

/// Takes a file as fast as it comes, and counts its lines.
fn export(server: &Server, format: &str, rows: usize, results: &mut Results) {
    let (before, spent) = (rss(server.pid()), cpu(server.pid()));
    // From here on the peak is counted anew.
    fs::write(format!("/proc/{}/clear_refs", server.pid()), "5").expect("a child's peak can be forgotten");
    let began = Instant::now();
    let mut stream = TcpStream::connect(server.addr).expect("the server takes connections");
    write!(
        stream,
        "GET /api/messages/export?format={format}&limit={rows} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        server.addr
    )
    .expect("the server reads");
    let (lines, bytes) = drain(&mut stream);
    let took = began.elapsed().as_secs_f64();
    let header = usize::from(format == "csv");
    assert_eq!(lines, rows + header, "every row comes once");
    results.per_second.push(rows as f64 / took);
    results.cost.push((cpu(server.pid()) - spent).as_secs_f64() * 1e6 / rows as f64);
    results.bytes.push(bytes as f64 / rows as f64);
    results.extra_mib.push((peak(server.pid()) - before) / 1024.0);
}

/// Lines and bytes until the end. A line feed after a carriage return belongs to HTTP.
fn drain(stream: &mut TcpStream) -> (usize, usize) {
    let (mut buffer, mut last, mut lines, mut bytes) = (vec![0; BUFFER], 0, 0, 0);
    loop {
        let read = stream.read(&mut buffer).expect("the server sends");
        if read == 0 {
            return (lines, bytes);
        }
        let taken = &buffer[..read];
        lines += memchr::memchr_iter(b'\n', taken)
            .filter(|&at| (if at == 0 { last } else { taken[at - 1] }) != b'\r')
            .count();
        (last, bytes) = (taken[read - 1], bytes + read);
    }
}

/// Rows a second of the loop.
fn read(store: &std::path::Path, rows: usize) -> f64 {
    let store = open_store(store);
    let began = Instant::now();
    let mut query = store.prepare(NEWEST).expect("the query fits the schema");
    let mut found = query.query([i64::try_from(rows).expect("not so many rows")]).expect("the query runs");
    let (mut out, mut count) = (Vec::with_capacity(BUFFER), 0);
    while let Some(row) = found.next().expect("every row can be read") {
        let text = |column: usize| row.get_ref_unwrap(column).as_str().expect("a text");
        let line = Line {
            id: row.get_unwrap(0),
            ts: row.get_unwrap(1),
            username: text(2),
            platform: text(3),
            text: text(4),
            raw_json: text(5),
        };
        serde_json::to_writer(&mut out, &line).expect("texts serialize");
        out.push(b'\n');
        count += 1;
        if out.len() > BUFFER / 2 {
            std::hint::black_box(&out);
            out.clear();
        }
    }
    assert_eq!(count, rows);
    rows as f64 / began.elapsed().as_secs_f64()
}
