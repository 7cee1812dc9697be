//! What the log says: the lines that operators' scripts look for, and nothing that people wrote or keep secret.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::support::feed::upgrade;
use crate::support::http::Request;
use crate::support::scene::watching_with;
use crate::support::server::{Launch, Server};
use crate::support::soon;
use crate::support::twitch::lines::{clearmsg, notice, privmsg, privmsg_with, timeout};
use crate::support::twitch::{ADA, BOB, Chatter, MEI, Twitch};

const SECRET: &str = "oauth:s3cr3tt0k3n";

/// The lines that begin so, without what the log puts before them.
fn lines<'a>(said: &'a str, beginning: &str) -> Vec<&'a str> {
    said.lines().filter_map(|line| line.find(&format!(": {beginning}")).map(|at| &line[at + 2..])).collect()
}

#[tokio::test]
async fn a_start_says_what_runs() {
    let server = Launch::new().start().await;

    server.until_it_says("dbtailer: enabled").await;
    let said = server.said();

    assert_eq!(lines(&said, "ingest: selected driver=\"native\"").len(), 1);
    let [summary] = lines(&said, "config_summary=")[..] else { panic!("one summary:\n{said}") };
    let summary: Value = serde_json::from_str(summary.trim_start_matches("config_summary=")).expect("JSON");
    assert!(["db", "tailer", "ingest", "websocket"].iter().all(|part| summary[part].is_object()), "{summary}");
    let [opened] = lines(&said, "sqlite: opened database")[..] else { panic!("one store:\n{said}") };
    let path = server.launch().db_path().display().to_string();
    assert!(opened.contains(&path) && opened.contains("persistent") && opened.contains("\"WAL\""), "{opened}");
    let [enabled] = lines(&said, "dbtailer: enabled")[..] else { panic!("one tailer:\n{said}") };
    assert_eq!(enabled, "dbtailer: enabled poll_ms=200 batch=512");
}

#[tokio::test]
async fn a_start_warns_once_of_each_configured_source_that_is_not_read_yet() {
    let urls = "twitch:room,https://www.youtube.com/@name,kick:some-one";
    let server = Launch::new().env("CHAT_URLS", urls).start().await;

    let said = server.said();

    let told = lines(&said, "this source is kept, and not read yet");
    let ends = ["source=youtube:@name", "source=kick:some-one"];
    assert!(told.len() == 2 && told.iter().zip(ends).all(|(line, end)| line.ends_with(end)), "{said}");
    assert!(said.lines().filter(|line| line.contains("not read yet")).all(|line| line.contains(" WARN ")), "{said}");
    let listens_to_nothing = server.kill().await.env("ELORA_INGEST_DRIVER", "none").start().await;
    assert!(!listens_to_nothing.said().contains("not read yet"), "nothing at all is read there");
}

#[tokio::test]
async fn what_goes_out_is_counted_at_once_and_then_in_sums() {
    let twitch = Twitch::start().await;
    let (server, mut feed) = watching_with(&twitch, Launch::new().twitch(&twitch, &["room"]), &["room"]).await;
    let said = twitch.burst("room", 300, 2000).await;
    feed.until_all(&said).await;

    server.until_it_says("dbtailer: published n=").await;
    let count = feed.ids().len();
    let newest = feed.ids().last().copied().expect("some events");
    let ended = server.stop().await;

    let told = lines(&ended.said, "dbtailer: published n=");
    assert!(told.len() <= 3, "the first at once, then a sum every ten seconds, and the rest at the end: {told:?}");
    let sum: usize = told
        .iter()
        .filter_map(|line| line.strip_prefix("dbtailer: published n=")?.split(' ').next()?.parse::<usize>().ok())
        .sum();
    assert_eq!(sum, count, "{told:?}");
    assert!(told.last().is_some_and(|line| line.contains(&format!("last_rowid={newest} last_ts="))), "{told:?}");
}

#[tokio::test]
async fn what_comes_too_late_is_worth_a_warning_if_somebody_asked_for_it() {
    for (most, warned) in [("5000", 1), ("0", 0)] {
        let twitch = Twitch::start().await;
        let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_TAILER_MAX_LAG_MS", most);
        let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") - Duration::from_secs(60);
        let late = privmsg("room", &ADA, "a minute ago").sent(now.as_millis() as i64);
        let id = late.native_id();
        twitch.send(late).await;
        feed.event(&id).await;

        let ended = server.stop().await;

        assert_eq!(lines(&ended.said, "dbtailer: warning").len(), warned, "{most}:\n{}", ended.said);
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_told_once_and_not_twice_a_second() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_FEED_POLL_MS", "50");
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    let said = twitch.say("room", &ADA, "before").await;
    feed.event(&said).await;

    // Somebody else breaks what the feed reads.
    let other = rusqlite::Connection::open(server.launch().db_path()).expect("the store opens");
    other.busy_timeout(Duration::from_secs(5)).expect("a busy timeout");
    other.execute_batch("alter table clears rename to gone").expect("the store takes it");
    server.until_it_says("dbtailer: error").await;
    let failing = server.metric("elora_feed_serialized_total{kind=\"feed\"}").await;
    other.execute_batch("alter table gone rename to clears").expect("the store takes it");
    let after = twitch.say("room", &ADA, "after").await;
    feed.event(&after).await;

    assert!(failing > 0.0);
    assert_eq!(lines(&server.said(), "dbtailer: error").len(), 1);
}

#[tokio::test]
async fn a_classic_socket_is_told_with_how_many_there_are() {
    let server = Launch::new().start().await;

    let _one = upgrade(server.addr, "/ws/chat", &[]).await.expect("the socket opens");
    server.until_it_says("ws: WebSocket opened open=1").await;
    let _two = upgrade(server.addr, "/ws/chat", &[]).await.expect("the socket opens");

    server.until_it_says("ws: WebSocket opened open=2").await;
}

/// Has everything happen that could slip into the log.
async fn a_full_life(level: &str, format: &str) -> (Server, String) {
    let twitch = Twitch::start().await;
    let launch = Launch::new()
        .twitch(&twitch, &["room"])
        .env("ELORA_LOG_LEVEL", level)
        .env("ELORA_LOG_FORMAT", format)
        .env("TWITCH_USERNAME", "ourselves")
        .env("TWITCH_OAUTH_TOKEN", SECRET)
        .env("ELORA_DEV_SEED_ENABLED", "1");
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    let _classic = upgrade(server.addr, "/ws/chat?replay=1", &[]).await.expect("the socket opens");
    let doomed = privmsg_with("room", &BOB, "unspeakable words", "bits=100");
    let lines = vec![
        privmsg("room", &ADA, "private words"),
        doomed.clone(),
        notice("room", &MEI, "raid", "displayName=mei;login=mei_mei;viewerCount=12", "raiding words"),
        clearmsg("room", BOB.login, &doomed.native_id(), "unspeakable words"),
        timeout("room", &BOB, 60),
        notice("room", &ADA, "kind-of-tomorrow", "secret=words", "unknown words"),
    ];
    let last = lines[5].native_id();
    twitch.send_all(lines).await;
    feed.event(&last).await;
    server.get("/api/messages?limit=many").await;
    server.get("/api/alerts").await;
    server.ask(Request::new("POST", "/api/dev/seed/burst")).await;
    let code = server.ask(Request::new("POST", "/api/session/link")).await.json()["link"].to_string();
    let code = code.trim_matches('"').split_once("code=").expect("a code").1.to_owned();
    server.get(&format!("/login?code={code}")).await;
    (server, code)
}

#[tokio::test]
async fn nothing_that_people_wrote_and_no_secret_is_in_the_log() {
    for (level, format) in [("info", "text"), ("debug", "text"), ("debug", "json")] {
        let (server, code) = a_full_life(level, format).await;
        let token = server.token();
        let ended = soon("the server ends", server.stop()).await;
        // The link that signs in is no line of the log; it goes to another stream.
        let log: Vec<&str> = ended.said.lines().filter(|line| !line.starts_with("open http")).collect();
        let log = log.join("\n");

        assert!(log.contains("dbtailer: published"), "{level}: the log is there");
        for secret in ["words", "rehearsal", SECRET, &SECRET[6..], &token, &code] {
            assert!(!log.contains(secret), "{level}: {secret} is in the log:\n{log}");
        }
        for Chatter { id, login, name, .. } in [ADA, BOB, MEI] {
            let id = id.to_string();
            assert!(![login, name, &id].iter().any(|who| names(&log, who)), "{level}: {login} is in the log:\n{log}");
        }
    }
}

/// Whether somebody is named as a whole word: ids and logins may be parts of other words.
fn names(log: &str, who: &str) -> bool {
    log.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.' || c == ':' || c == '-')).any(|word| word == who)
}
