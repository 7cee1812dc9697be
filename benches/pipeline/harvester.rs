//! A writer that waits for no lock beside our reader, on one file: what either notices of the other. The same writer alone
//! is what its commits are compared with.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Plan;
use super::report::{Section, percentile, short};
use super::scene::{FEED, block_on};
use super::support::feed::Feed;
use super::support::harvester::{Writer, flood, now_us};
use super::support::http::Request;
use super::support::server::{Launch, Server};

const PER_SECOND: usize = 200;
/// A soak, and a short run.
const LONG: usize = 60;
const SHORT: usize = 1;
const POLL_MS: u64 = 200;
/// Rows of long ago that are purged while the writer goes on.
const OLD_ROWS: usize = 5_000;
const OLD: i64 = 1_700_000_000_000;
/// How long the last rows may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the writer met.
struct Written {
    commits: usize,
    longest_ms: f64,
    errors: usize,
}

/// What a client of the feed saw.
#[derive(Default)]
struct Seen {
    times: HashMap<String, usize>,
    delays: Vec<f64>,
}

pub fn measure(plan: &Plan) -> Section {
    let mut section = Section::new("harvester");
    let seconds = if plan.is_bench { LONG } else { SHORT };
    let count = seconds * PER_SECOND;
    plan.progress(&format!("a writer alone, {seconds} s"));
    let alone = block_on(async { written(&mut alone().await, "alone", count).await });
    plan.progress(&format!("a writer beside our reader, {seconds} s"));
    let launch = Launch::new();
    let path = launch.dir().join("gnasty.db");
    let launch = launch
        .env("ELORA_INGEST_DRIVER", "gnasty")
        .env("GNASTY_SINK_SQLITE_PATH", &path.display().to_string())
        .env("ELORA_TAILER_POLL_MS", &POLL_MS.to_string());
    let (beside, seen, purged) = block_on(async {
        let mut writer = Writer::start(&path).await;
        let server = launch.start().await;
        server.until_it_says("harvester: reading").await;
        let mut feed = server.feed(FEED.trim_start_matches("/api/feed")).await;
        let (beside, seen) = tokio::join!(written(&mut writer, "beside", count), watch(&mut feed, count));
        let purged = purge(plan, &server, &mut writer).await;
        server.stop().await;
        (beside, seen, purged)
    });
    tell(
        &mut section,
        seconds,
        [("alone", &alone), ("beside our reader", &beside), ("during the owner's purge", &purged)],
    );
    judge(&mut section, count, &seen, &beside);
    section
}

async fn alone() -> Writer {
    let folder = Launch::new();
    let writer = Writer::start(&folder.dir().join("alone.db")).await;
    // The folder lives as long as this: the writer keeps the file open, whatever its name.
    drop(folder);
    writer
}

async fn written(writer: &mut Writer, name: &str, count: usize) -> Written {
    writer.begin(&flood(name, count, PER_SECOND));
    told(count, &writer.answer_with_errors().await)
}

fn told(count: usize, answer: &Value) -> Written {
    let longest_ms = answer["longest_us"].as_f64().expect("the writer says how long it took") / 1000.0;
    Written { commits: count, longest_ms, errors: answer["errors"].as_array().map_or(0, Vec::len) }
}

/// Reads until every row has come, or no more comes.
async fn watch(feed: &mut Feed, count: usize) -> Seen {
    let (mut seen, mut taken) = (Seen::default(), 0);
    let mut until = Instant::now() + PATIENCE;
    while seen.times.len() < count && Instant::now() < until {
        let Ok(true) = tokio::time::timeout(PATIENCE, feed.read()).await else { break };
        let now = now_us();
        for event in feed.events[taken..].iter().filter(|event| event["kind"] == "message") {
            let text = event["text"].as_str().unwrap_or_default();
            let (what, at) = text.rsplit_once(" at ").expect("a message of the flood");
            *seen.times.entry(what.trim_end_matches(" edited").to_owned()).or_default() += 1;
            seen.delays.push((now - at.parse::<u128>().expect("a time")) as f64 / 1000.0);
            until = Instant::now() + PATIENCE;
        }
        taken = feed.events.len();
    }
    seen
}

/// The owner deletes what is old while the writer goes on as before.
async fn purge(plan: &Plan, server: &Server, writer: &mut Writer) -> Written {
    let rows = plan.count(OLD_ROWS);
    plan.progress(&format!("purge of {rows} rows"));
    writer
        .sql(&format!(
            "with recursive n(n) as (select 1 union all select n + 1 from n where n < {rows})
             insert into messages (platform, platform_msg_id, ts, username, text)
             select 'YouTube', 'old-' || n, {OLD} + n, '@ada', 'said ' || n from n"
        ))
        .await;
    let before = json!({ "before_ts": OLD + 1_000_000_000 });
    let count = if plan.is_bench { rows / 2 } else { rows };
    let asked = server.ask(Request::new("POST", "/api/messages/purge").json(&before));
    let (answer, written) = tokio::join!(asked, written(writer, "purging", count));
    assert_eq!(answer.status, 200, "{}", answer.text());
    server.until_it_says("the harvester's file was purged").await;
    written
}

fn tell(section: &mut Section, seconds: usize, rows: [(&str, &Written); 3]) {
    section.say(&format!(
        "{PER_SECOND} commits a second for {seconds} s, each waiting for no lock; the file is looked at every {POLL_MS} ms; \
         server, writer and client share all cores:"
    ));
    let row = |(name, written): (&str, &Written)| {
        vec![name.to_owned(), short(written.commits as f64), short(written.longest_ms), written.errors.to_string()]
    };
    section.table(&["the writer", "messages", "longest commit ms", "errors it met"], &rows.map(row));
}

fn judge(section: &mut Section, count: usize, seen: &Seen, beside: &Written) {
    let delay = |part| percentile(&seen.delays, part);
    section.say(&format!(
        "From a commit to a client of the feed: {} ms in the middle, {} ms at most.",
        short(delay(0.5)),
        short(delay(1.0))
    ));
    let missing = count - seen.times.len();
    let twice = seen.times.values().filter(|times| **times > 1).count();
    section.at_most("rows that did not come", 0.0, missing as f64, "");
    section.at_most("rows that came twice", 0.0, twice as f64, "");
    section.at_most("errors the writer met beside our reader", 0.0, beside.errors as f64, "");
    section.at_most("from commit to client, 99 of 100", 1.5 * POLL_MS as f64, delay(0.99), "ms");
    assert_eq!((missing, twice, beside.errors), (0, 0, 0), "missing, twice, errors");
}
