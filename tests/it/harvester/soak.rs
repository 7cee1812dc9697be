//! A writer that waits for nobody, for seconds on end, and what may happen to either side meanwhile.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{assert_once, file, reading, texts, watched};
use crate::support::feed::Feed;
use crate::support::harvester::{Writer, flood, ids, is_nameless, now_ms, now_us};
use crate::support::within;

/// How long a row may take to be seen, in polls, and what a busy machine of two cores takes beside it.
const POLLS: f64 = 1.5;
const POLL: Duration = Duration::from_millis(100);
const BUSY: Duration = Duration::from_millis(400);

const SECONDS: usize = 5;
const PER_SECOND: usize = 200;
const COUNT: usize = SECONDS * PER_SECOND;

/// Reads until every message of the flood has come, and gives the delays in milliseconds.
async fn delays(feed: &mut Feed, name: &str, count: usize) -> Vec<f64> {
    let (mut missing, mut delays) = (all_texts(name, count), Vec::new());
    let mut seen = feed.events.len();
    within(Duration::from_secs(60), "every row is seen", async {
        while !missing.is_empty() {
            assert!(feed.read().await, "the feed closed");
            let now = now_us();
            for event in feed.events[seen..].iter().filter(|event| event["kind"] == "message") {
                let text = event["text"].as_str().unwrap_or_default();
                let (what, at) = text.rsplit_once(" at ").expect("a message of the flood");
                missing.remove(what.trim_end_matches(" edited"));
                delays.push((now - at.parse::<u128>().expect("a time")) as f64 / 1000.0);
            }
            seen = feed.events.len();
        }
    })
    .await;
    delays
}

fn all_texts(name: &str, count: usize) -> HashSet<String> {
    (0..count).map(|n| format!("{name} {n}")).collect()
}

/// Whether an event tells, in whichever way, that this message was changed.
fn is_edit_of(event: &Value, name: &str, n: usize) -> bool {
    event["text"].as_str().is_some_and(|text| text.starts_with(&format!("{name} {n} edited")))
}

fn edits(feed: &Feed) -> usize {
    feed.events.iter().filter(|event| event["kind"] == "edited").count()
}

#[tokio::test]
async fn every_row_of_a_writer_that_never_waits_is_seen_once_and_in_time() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    let (_server, mut feed) = watched(launch).await;

    writer.begin(&flood("a", COUNT, PER_SECOND));
    let mut delays = delays(&mut feed, "a", COUNT).await;
    writer.answer().await;
    feed.until("the last edit is told", |feed| feed.events.iter().any(|event| is_edit_of(event, "a", COUNT - 10)))
        .await;

    assert_once(&feed);
    assert_eq!(texts(&feed).len(), COUNT);
    assert!(ids("a", COUNT).iter().all(|id| feed.has(id)));
    delays.sort_by(f64::total_cmp);
    let typical = delays[delays.len() / 2];
    let longest = delays[delays.len() * 99 / 100];
    println!("delays in ms: median {typical:.1}, 99 of 100 {longest:.1}");
    assert!(typical <= POLL.as_secs_f64() * 1000.0 * POLLS, "typically {typical} ms");
    assert!(longest <= (POLL.mul_f64(POLLS) + BUSY).as_secs_f64() * 1000.0, "{longest} ms");
}

#[tokio::test]
async fn a_writer_that_is_killed_and_comes_back_meets_nobody_and_its_rows_are_seen() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    let (_server, mut feed) = watched(launch).await;

    for round in 0..4 {
        let name = format!("r{round}");
        writer.begin(&flood(&name, 400, 800));
        feed.until("a part of it", |feed| feed.has(&format!("{name}-98"))).await;
        let path = writer.kill();
        writer = Writer::start(&path).await;
    }
    writer.say("last", "the last").await;
    feed.event("last").await;

    let written = rusqlite::Connection::open(&writer.path).unwrap();
    let rows: i64 = written.query_row("select count(*) from messages", [], |row| row.get(0)).unwrap();
    assert_once(&feed);
    assert_eq!(i64::try_from(texts(&feed).len()), Ok(rows));
}

#[tokio::test]
async fn a_server_that_is_killed_and_comes_back_tells_everything_once() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    let (mut server, mut feed) = watched(launch).await;
    writer.begin(&flood("a", 1500, 500));

    let mut seen = Vec::new();
    for part in [200, 600, 1000] {
        feed.until("a part of it", |feed| feed.has(&format!("a-{part}"))).await;
        let launch = server.kill().await;
        while feed.read().await {}
        seen.extend(texts(&feed));
        server = launch.start().await;
        feed = server.feed(&format!("?since={}", feed.cursor)).await;
    }
    writer.answer().await;
    writer.say("last", "the last").await;
    feed.event("last").await;
    seen.extend(texts(&feed));

    let names = seen.iter().filter_map(|text| Some(text.rsplit_once(" at ")?.0.trim_end_matches(" edited")));
    let names: Vec<&str> = names.collect();
    assert_eq!(names.len(), 1500, "each once");
    assert_eq!(names.iter().map(|name| (*name).to_owned()).collect::<HashSet<_>>(), all_texts("a", 1500));
}

#[tokio::test]
async fn ids_that_begin_again_are_noticed() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    let (_server, mut feed) = watched(launch).await;
    writer.flood("a", 60, 0).await;
    feed.event("a-58").await;

    writer.sql("delete from messages; delete from sqlite_sequence").await;
    writer.say("b-0", "after the reset").await;
    feed.event("b-0").await;
    // Rows in other places: some that were told, one that is old, one that is new.
    writer
        .sql(
            "begin; delete from messages; delete from sqlite_sequence;
             insert into messages (platform, platform_msg_id, ts, username, text) values
               ('YouTube', 'old', 1000000000000, '@ada', 'from long ago'), ('YouTube', 'a-0', 1, '@ada', 'told before');
             commit",
        )
        .await;
    writer.say_at("c-0", "now", now_ms() + 1).await;
    feed.event("c-0").await;

    assert_once(&feed);
    assert!(!feed.has("old"), "what is old is no news");
}

#[tokio::test]
async fn a_file_in_the_place_of_another_is_read() {
    let launch = reading();
    let path = file(&launch);
    let mut writer = Writer::start(&path).await;
    let (server, mut feed) = watched(launch).await;
    writer.flood("a", 60, 0).await;
    feed.event("a-58").await;

    let other = path.with_file_name("other.db");
    let mut next = Writer::start(&other).await;
    next.say_at("old", "from long ago", 1_000_000_000_000).await;
    next.say("b-0", "in the other file").await;
    next.stop();
    writer.stop();
    std::fs::rename(&other, &path).unwrap();
    feed.event("b-0").await;
    std::fs::remove_file(&path).unwrap();
    let mut again = Writer::start(&path).await;
    again.say("c-0", "in the third").await;
    feed.event("c-0").await;

    assert_once(&feed);
    assert!(!feed.has("old"), "what is old is no news");
    let history = server.get("/api/messages?limit=500").await.json();
    assert!(history["items"].as_array().unwrap().iter().any(|item| item["text"] == "from long ago"));
}

#[tokio::test]
async fn changed_rows_are_told_as_edits_also_after_a_start() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    let (server, mut feed) = watched(launch).await;
    writer.say("a", "first").await;
    let told = feed.event("a").await;

    writer.say("a", "second").await;
    let edited = feed.event_like("the edit", |event| event["kind"] == "edited").await;
    assert_eq!((&edited["text"], &edited["target"]["id"]), (&json!("second"), &told["id"]), "{edited}");

    let launch = server.kill().await;
    writer.say("a", "third").await;
    writer.say("b", "while nobody read").await;
    let server = launch.start().await;
    let mut feed = server.feed(&format!("?since={}", feed.cursor)).await;
    let third = feed.event_like("the edit", |event| event["kind"] == "edited").await;
    feed.event("b").await;
    writer.say("c", "on it goes").await;
    feed.event("c").await;

    assert_eq!(third["text"], "third");
    assert_eq!((feed.message_ids(), edits(&feed)), (vec!["b".to_owned(), "c".to_owned()], 1), "each once");
}

#[tokio::test]
async fn a_file_that_is_as_large_as_it_gets_is_swept_without_being_late() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    writer.flood("a", 3000, 0).await;
    let (_server, mut feed) = watched(launch).await;

    let begun = Instant::now();
    writer.say("new", "in time").await;
    feed.event("new").await;

    assert!(begun.elapsed() < Duration::from_secs(2), "{} ms", begun.elapsed().as_millis());
    assert_eq!(texts(&feed), ["in time"], "the history comes to no screen");
    assert!(is_nameless(24));
}
