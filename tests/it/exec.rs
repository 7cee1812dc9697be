//! Programs that listen for the server: what they are given, what is made of what they print, and what their ends do.

mod badly;
mod downloader;
mod given;
mod refused;

use serde_json::Value;

use crate::support::feed::Feed;
use crate::support::http::Request;
use crate::support::program::{Script, zombies};
use crate::support::scene::until_state;
use crate::support::server::{Launch, Server, asked_until};

/// Says one line for its source, and stays.
const GREETS: &str = r#"printf '{"author":"ada","text":"hello %s"}\n' "$1"; exec sleep 1000"#;

/// Starts a server with sources of Twitch and a program.
async fn with(body: &str, args: &[&str], channels: &[&str]) -> (Script, Server, Feed) {
    let launch = Launch::new().env("TWITCH_CHANNELS", &channels.join(","));
    let script = Script::new(&launch, "listen.sh", body);
    let server = script.run_by(launch, args).start().await;
    let feed = server.feed("?last=1000").await;
    (script, server, feed)
}

async fn said(feed: &mut Feed, text: &str) -> Value {
    feed.event_like(text, |event| event["text"] == text).await
}

#[tokio::test]
async fn every_source_has_a_program_of_its_own() {
    let (script, server, mut feed) = with(GREETS, &["{url}"], &["room", "other"]).await;

    for login in ["room", "other"] {
        let event = said(&mut feed, &format!("hello https://www.twitch.tv/{login}")).await;
        assert_eq!((&event["channel"]["login"], &event["author"]["name"]), (&login.into(), &"ada".into()));
        until_state(&mut feed, login, "live").await;
    }
    script.until_running(&server, "two programs", |all| all.len() == 2).await;
    assert!(server.said().contains("ingest: selected driver=\"exec\""));
    assert!(server.said().contains("ingest[exec]: starting bin="));
}

#[tokio::test]
async fn a_program_comes_with_its_source_and_goes_with_it() {
    let (script, server, mut feed) = with(GREETS, &["{channel}"], &[]).await;
    script.until_running(&server, "no program", <[_]>::is_empty).await;

    let added = server.add_source("twitch:late").await.json();
    said(&mut feed, "hello late").await;
    let id = added["id"].as_str().expect("a source has an id");
    let removed = server.ask(Request::new("DELETE", &format!("/api/sources/{id}"))).await;

    assert_eq!(removed.status, 204);
    script.until_gone(server.pid()).await;
    assert_eq!(zombies(server.pid()), 0);
}

#[tokio::test]
async fn without_a_place_for_the_source_one_program_hears_all_of_them() {
    let body = r#"
        printf '{"platform":"twitch","channel":"room","author":"ada","text":"one"}\n'
        printf '{"platform":"twitch","channel":"other","author":"bob","text":"two"}\n'
        printf '{"platform":"youtube","author":"mei","text":"three"}\n'
        exec sleep 1000"#;
    let (script, server, mut feed) = with(body, &["--all"], &["room", "other"]).await;

    for (text, login) in [("one", "room"), ("two", "other"), ("three", "")] {
        assert_eq!(said(&mut feed, text).await["channel"]["login"], login);
    }
    for login in ["room", "other"] {
        until_state(&mut feed, login, "live").await;
    }
    script.until_running(&server, "one program", |all| all.len() == 1).await;
}

#[tokio::test]
async fn one_program_for_all_runs_also_where_nobody_asked_for_a_channel() {
    let (_script, _server, mut feed) =
        with(r#"echo '{"platform":"kick","channel":"some","author":"a","text":"hi"}'; exec sleep 1000"#, &[], &[])
            .await;

    assert_eq!(said(&mut feed, "hi").await["platform"], "kick");
}

#[tokio::test]
async fn a_program_that_says_nothing_counts_as_live_after_a_second() {
    let (_script, _server, mut feed) = with("exec sleep 1000", &["{url}"], &["room"]).await;

    until_state(&mut feed, "room", "live").await;
}

#[tokio::test]
async fn a_restart_ends_the_program_and_starts_it_again() {
    let (script, server, mut feed) =
        with(r#"echo "{\"author\":\"a\",\"text\":\"I am $$\"}"; exec sleep 1000"#, &["{url}"], &["room"]).await;
    let first = feed.event_like("the first run", |event| event["kind"] == "message").await["text"].clone();

    assert_eq!(server.ask(Request::new("POST", "/restart-server")).await.status, 200);

    feed.event_like("the second run", |event| event["kind"] == "message" && event["text"] != first).await;
    script.until_running(&server, "one program", |all| all.len() == 1).await;
    server.until_it_says("ingest[exec]: restarting").await;
    until_state(&mut feed, "room", "live").await;
    assert_eq!(zombies(server.pid()), 0);
}

#[tokio::test]
async fn what_was_said_before_an_end_is_kept_and_the_program_is_started_again() {
    let body = r#"echo '{"author":"a","text":"last words"}'; echo 'it broke at token=canary' >&2; exit 3"#;
    let (_script, server, mut feed) = with(body, &["{url}"], &["room"]).await;

    said(&mut feed, "last words").await;
    let source = until_state(&mut feed, "room", "backoff").await;

    let reason = source["reason"].as_str().expect("a reason");
    assert!(reason.contains("code 3: it broke at token=***; trying again"), "{reason}");
    asked_until("it is started again", &server, "/metrics", |answer| {
        answer.text().lines().any(|line| {
            let count = line.strip_prefix("elora_source_reconnects_total{platform=\"exec\"} ");
            count.and_then(|count| count.parse::<f64>().ok()).is_some_and(|count| count >= 2.0)
        })
    })
    .await;
}

#[tokio::test]
async fn an_end_with_code_0_after_an_error_is_told_as_one() {
    let body = r#"echo '[ERROR] Maximum number of retries has been reached (1).' >&2; echo '[INFO] bye' >&2"#;
    let (_script, _server, mut feed) = with(body, &["{url}"], &["room"]).await;

    let source = until_state(&mut feed, "room", "backoff").await;

    let reason = source["reason"].as_str().expect("a reason");
    assert!(reason.contains("code 0 after an error: [ERROR] Maximum number of retries"), "{reason}");
}

#[tokio::test]
async fn while_nothing_can_be_stored_the_program_waits_and_then_nothing_is_missing() {
    let launch = Launch::new().env("TWITCH_CHANNELS", "room").env("ELORA_INGEST_QUEUE", "16");
    let body = r#"i=0; while [ $i -lt 20000 ]; do i=$((i+1)); printf '{"native_id":"n%s","author":"a","text":"%0100d"}\n' $i $i
        done; echo done > "$0.done"; exec sleep 1000"#;
    let script = Script::new(&launch, "listen.sh", body);
    let launch = script.run_by(launch, &["{url}"]);
    let path = launch.db_path().to_owned();
    drop(launch.clone().env("ELORA_INGEST_DRIVER", "none").start().await.stop().await);
    let foreign = rusqlite::Connection::open(path).unwrap();
    foreign.busy_timeout(crate::support::DEADLINE).unwrap();
    let server = launch.start().await;
    foreign.execute_batch("begin immediate").unwrap();
    let mut feed = server.feed("").await;
    until_state(&mut feed, "room", "live").await;
    let done = script.path.with_extension("sh.done");
    assert!(!done.exists(), "somebody keeps 3 MB of lines");

    foreign.execute_batch("rollback").unwrap();

    let owed: Vec<String> = (1..=20_000).map(|n| format!("n{n}")).collect();
    let mut feed = server.feed("?since=0").await;
    feed.until_all(&owed).await;
}
