//! `/metrics`: every number moves when that happens which it counts, and no label names a person or a channel.

use std::collections::BTreeSet;

use crate::support::DEADLINE;
use crate::support::scene::{until_state, watching, watching_with};
use crate::support::server::{Launch, Server, asked_until};
use crate::support::twitch::lines::{now_ms, privmsg};
use crate::support::twitch::{ADA, Twitch};

/// The names every operator's dashboard is built on.
const NAMES: [&str; 18] = [
    "elora_build_info",
    "elora_clients",
    "elora_db_commit_seconds",
    "elora_db_size_bytes",
    "elora_delivery_seconds",
    "elora_fanout_dropped_total",
    "elora_feed_serialized_total",
    "elora_http_request_duration_seconds",
    "elora_http_requests_total",
    "elora_ingest_duplicates_total",
    "elora_ingest_lag_seconds",
    "elora_ingest_messages_total",
    "elora_ingest_odd_total",
    "elora_source_last_message_timestamp_seconds",
    "elora_source_reconnects_total",
    "elora_source_up",
    "elora_wal_size_bytes",
    "elora_writer_queue",
];
/// What may tell one series from another. `le` is a histogram's own, `version` the build's.
const LABELS: [&str; 6] = ["platform", "kind", "route", "status", "le", "version"];

/// Waits until a number is at least this.
async fn at_least(server: &Server, name: &str, value: f64) {
    let number = |text: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    asked_until(&format!("{name} reaches {value}"), server, "/metrics", |answer| {
        number(&answer.text()).is_some_and(|number: f64| number >= value)
    })
    .await;
}

/// Names and labels of every series, as they are exposed.
fn series(text: &str) -> impl Iterator<Item = (&str, Vec<(&str, &str)>)> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let name = &line[..line.find(['{', ' ']).expect("a name ends")];
        let labels = line.split_once('{').and_then(|(_, rest)| rest.rsplit_once('}')).map_or("", |(labels, _)| labels);
        let labels = labels.split("\",").filter(|label| !label.is_empty());
        (name, labels.map(|label| label.split_once("=\"").expect("a label has a value")).collect())
    })
}

#[tokio::test]
async fn a_message_moves_what_counts_messages() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    until_state(&mut feed, "room", "live").await;

    let id = twitch.say("room", &ADA, "one").await;
    feed.event(&id).await;

    at_least(&server, r#"elora_ingest_messages_total{platform="twitch",kind="message"}"#, 1.0).await;
    at_least(&server, r#"elora_ingest_lag_seconds_count{platform="twitch"}"#, 1.0).await;
    at_least(&server, "elora_delivery_seconds_count", 1.0).await;
    at_least(&server, "elora_db_commit_seconds_count", 1.0).await;
    at_least(&server, r#"elora_source_up{platform="twitch"}"#, 1.0).await;
    at_least(&server, r#"elora_clients{kind="feed"}"#, 1.0).await;
    at_least(&server, "elora_db_size_bytes", 4096.0).await;
    at_least(&server, "elora_wal_size_bytes", 4096.0).await;
    assert_eq!(server.metric("elora_writer_queue").await, 0.0, "everything is committed");
    assert_eq!(server.metric(r#"elora_ingest_duplicates_total{platform="twitch"}"#).await, 0.0);
    assert_eq!(server.metric(r#"elora_source_reconnects_total{platform="twitch"}"#).await, 0.0);
}

#[tokio::test]
async fn what_waits_for_the_store_is_counted_while_it_waits() {
    let twitch = Twitch::start().await;
    let patience = (3 * DEADLINE).as_millis().to_string();
    let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_DB_BUSY_TIMEOUT_MS", &patience);
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    let foreign = rusqlite::Connection::open(server.launch().db_path()).unwrap();
    foreign.busy_timeout(DEADLINE).unwrap();
    foreign.execute_batch("begin immediate").unwrap();

    let ids = twitch.burst("room", 700, 2000).await;

    at_least(&server, "elora_writer_queue", 700.0).await;
    assert_eq!(server.metric("elora_writer_queue").await, 700.0);
    foreign.execute_batch("rollback").unwrap();
    feed.until_all(&ids).await;
    assert_eq!(server.metric("elora_writer_queue").await, 0.0);
}

#[tokio::test]
async fn the_lag_is_what_passed_since_the_platforms_stamp() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let line = privmsg("room", &ADA, "half a minute old").sent(now_ms() - 30_000);
    let id = line.native_id();

    twitch.send(line).await;
    feed.event(&id).await;

    at_least(&server, r#"elora_ingest_lag_seconds_sum{platform="twitch"}"#, 30.0).await;
}

#[tokio::test]
async fn the_time_of_the_last_event_goes_on_with_every_event() {
    let name = r#"elora_source_last_message_timestamp_seconds{platform="twitch"}"#;
    let (twitch, server, _feed) = watching(&["room"]).await;

    for _ in 0..2 {
        let before = now_ms() as f64 / 1000.0;
        twitch.say("room", &ADA, "here").await;
        at_least(&server, name, before).await;
    }

    assert!(server.metric(name).await <= now_ms() as f64 / 1000.0);
}

#[tokio::test]
async fn a_repeated_message_counts_as_a_duplicate_and_nothing_else() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let line = privmsg("room", &ADA, "said once");

    twitch.send_all(vec![line.clone(), line.clone(), line]).await;
    let last = twitch.say("room", &ADA, "last").await;
    feed.event(&last).await;

    at_least(&server, r#"elora_ingest_duplicates_total{platform="twitch"}"#, 2.0).await;
    assert_eq!(server.metric(r#"elora_ingest_duplicates_total{platform="twitch"}"#).await, 2.0);
    assert_eq!(server.metric(r#"elora_ingest_messages_total{platform="twitch",kind="message"}"#).await, 2.0);
    assert_eq!(feed.message_ids().len(), 2);
}

#[tokio::test]
async fn a_connection_opened_again_counts_whoever_ended_the_old_one() {
    let (twitch, server, _feed) = watching(&["room"]).await;
    let back = async |connections: usize| {
        twitch
            .until("the client is back on one connection", |book| {
                let open = book.connections.iter().filter(|c| c.is_open()).count();
                book.connections.len() == connections && open == 1 && book.has_listener("room")
            })
            .await;
    };

    twitch.reconnect().await;
    back(2).await;
    at_least(&server, r#"elora_source_reconnects_total{platform="twitch"}"#, 1.0).await;
    twitch.close_all().await;
    back(3).await;
    at_least(&server, r#"elora_source_reconnects_total{platform="twitch"}"#, 2.0).await;
}

#[tokio::test]
async fn a_line_that_had_to_be_cut_or_mended_is_counted() {
    let (twitch, server, _feed) = watching(&["room"]).await;
    let (cut, garbled) = (
        r#"elora_ingest_odd_total{platform="twitch",kind="line_cut"}"#,
        r#"elora_ingest_odd_total{platform="twitch",kind="not_utf8"}"#,
    );
    at_least(&server, cut, 0.0).await;
    at_least(&server, garbled, 0.0).await;

    twitch.send_raw(&privmsg("room", &ADA, &"x".repeat(100_000)).raw).await;
    let broken = [privmsg("room", &ADA, "half a smile ").raw.as_bytes(), b"\xf0\x9f\r\n"].concat();
    twitch.send_bytes(&broken).await;

    at_least(&server, cut, 1.0).await;
    at_least(&server, garbled, 1.0).await;
}

#[tokio::test]
async fn what_waits_for_the_writer_is_counted() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_DB_PRAGMAS_EXTRA", "busy_timeout=100");
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    let foreign = rusqlite::Connection::open(server.launch().db_path()).unwrap();
    foreign.busy_timeout(DEADLINE).unwrap();
    foreign.execute_batch("begin immediate").unwrap();

    let ids = twitch.burst("room", 300, 1000).await;

    at_least(&server, "elora_writer_queue", 1.0).await;
    foreign.execute_batch("rollback").unwrap();
    feed.until_all(&ids).await;
    asked_until("the queue is empty", &server, "/metrics", |answer| answer.text().contains("elora_writer_queue 0"))
        .await;
}

#[tokio::test]
async fn the_names_are_the_promised_ones_and_no_label_names_anybody() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let id = twitch.say("room", &ADA, "one").await;
    feed.event(&id).await;
    for path in ["/api/messages?limit=3", "/nowhere/room", "/overlay/chat", "/api/sources/room"] {
        server.get(path).await;
    }
    at_least(&server, r#"elora_ingest_lag_seconds_count{platform="twitch"}"#, 1.0).await;
    at_least(&server, r#"elora_source_last_message_timestamp_seconds{platform="twitch"}"#, 1.0).await;

    let answer = server.get("/metrics").await;

    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("application/openmetrics-text")));
    let text = answer.text();
    assert!(text.ends_with("# EOF\n"));
    let described: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    for name in NAMES {
        let family = name.trim_end_matches("_total").trim_end_matches("_info");
        assert!(described.contains(family), "{name} is missing: {described:?}");
    }
    for (name, labels) in series(&text) {
        assert!(name.starts_with("elora_"), "{name}");
        for (label, value) in labels {
            assert!(LABELS.contains(&label), "{name} has the label {label}");
            let mut words = value.split(|letter: char| !letter.is_alphanumeric());
            assert!(!words.any(|word| word == "room" || word == "ada"), "{name} names somebody: {value}");
        }
    }
}
