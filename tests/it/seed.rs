//! Demo rows: behind their gate, for the owner, and like every other line once they are in.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::feed::{Feed, upgrade};
use crate::support::http::{Answer, Request};
use crate::support::server::{Launch, Server};
use crate::support::soon;

use futures_util::StreamExt as _;
use tokio_tungstenite::tungstenite::Message;

const MARKER: &str = "/api/dev/seed/marker";
const BURST: &str = "/api/dev/seed/burst";

fn open_gate() -> Launch {
    Launch::new().env("ELORA_DEV_SEED_ENABLED", "1")
}

async fn post(server: &Server, path: &str) -> Answer {
    server.ask(Request::new("POST", path)).await
}

/// Reads the messages of a classic socket until one has this id.
async fn classic_until(server: &Server, query: &str, act: impl AsyncFnOnce() -> Value) -> Vec<Value> {
    let mut socket = upgrade(server.addr, &format!("/ws/chat{query}"), &[]).await.expect("the socket opens");
    let last = act().await;
    let mut seen: Vec<Value> = Vec::new();
    soon("the last of them", async {
        while seen.last().is_none_or(|chat| chat["id"] != last) {
            let Some(Ok(message)) = socket.next().await else { panic!("the socket ended") };
            let Message::Text(text) = message else { continue };
            let frame: Value = serde_json::from_str(&text).expect("JSON");
            seen.push(serde_json::from_str(frame["data"].as_str().expect("an envelope")).expect("JSON"));
        }
    })
    .await;
    seen
}

/// The feed's events, once there are so many.
async fn events(feed: &mut Feed, count: usize) -> Vec<Value> {
    feed.until(&format!("{count} events"), |feed| feed.events.len() >= count).await;
    feed.events.clone()
}

#[tokio::test]
async fn a_burst_and_a_marker_are_shown_once_on_both_sockets() {
    let server = open_gate().start().await;
    let mut feed = server.feed("?last=0").await;

    let seen = classic_until(&server, "", async || {
        let burst = post(&server, BURST).await;
        assert_eq!((burst.status, burst.text().as_str()), (200, "{\"inserted\":6}\n"));
        let marker = post(&server, MARKER).await;
        assert_eq!((marker.status, marker.text().as_str()), (200, "{\"inserted\":1}\n"));
        events(&mut feed, 7).await[6]["id"].clone()
    })
    .await;

    let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&seen), ids(&feed.events), "each once, and in the same order");
    let history = server.get("/api/messages").await.json()["items"].as_array().expect("items").len();
    assert_eq!(history, 7);
    let sources: Vec<_> = seen.iter().map(|chat| chat["source"].clone()).collect();
    assert_eq!(sources, ["Twitch", "Twitch", "YouTube", "Twitch", "YouTube", "Twitch", "Marker"]);
    let of = |row: usize, key: &str| seen[row][key].clone();
    assert_eq!(of(0, "badges"), json!([{ "id": "broadcaster", "platform": "twitch", "version": "1" }]));
    assert_eq!(of(1, "badges")[0]["id"], "moderator");
    assert_eq!(of(2, "colour"), "#FFD600", "YouTube's owner");
    assert!(seen.iter().any(|chat| chat["emotes"][0]["name"] == "Kappa"));
    let steps: Vec<_> = seen[..6].windows(2).map(|two| two[1]["ts"].as_i64().zip(two[0]["ts"].as_i64())).collect();
    assert!(steps.iter().all(|step| step.is_some_and(|(later, earlier)| later - earlier == 250)), "{steps:?}");
}

#[tokio::test]
async fn a_marker_has_a_source_of_its_own() {
    let server = open_gate().start().await;
    let mut feed = server.feed("?last=0").await;

    let seen = classic_until(&server, "?source=marker", async || {
        post(&server, BURST).await;
        post(&server, MARKER).await;
        events(&mut feed, 7).await[6]["id"].clone()
    })
    .await;

    let [marker] = &seen[..] else { panic!("one message: {seen:?}") };
    assert_eq!(marker["source"], "Marker");
    assert_eq!(marker["author"], "Elora Marker");
    assert_eq!(marker["colour"], "#FFCD05");
    let text = marker["message"].as_str().expect("a text");
    assert!(text.split(' ').any(|word| word.parse::<jiff::Timestamp>().is_ok()), "{text}");
}

#[tokio::test]
async fn the_gate_is_shut_unless_opened_and_always_in_production() {
    let shut = Launch::new().start().await;
    assert_eq!(post(&shut, MARKER).await.status, 404);
    for name in ["ELORA_ENV", "GO_ENV", "ENVIRONMENT"] {
        let server = open_gate().env(name, "Production").start().await;
        assert_eq!(post(&server, BURST).await.status, 404, "{name}");
    }
    let staging = open_gate().env("ELORA_ENV", "staging").env("GO_ENV", "production").start().await;
    assert_eq!(post(&staging, MARKER).await.status, 200, "the first name counts");
}

#[tokio::test]
async fn demo_rows_need_the_owner() {
    let server = open_gate().start().await;

    for path in [MARKER, BURST] {
        assert_eq!(Request::new("POST", path).send(server.addr).await.status, 401, "{path}");
        assert_eq!(Request::get(path).send(server.addr).await.status, 405, "{path}");
    }
    assert!(server.get("/api/messages").await.json()["items"].as_array().is_some_and(Vec::is_empty));
}

#[tokio::test]
async fn the_command_asks_as_the_owner_and_says_what_a_shut_gate_wants() {
    let server = open_gate().start().await;
    let url = format!("http://{}", server.addr);
    let seed = async |server: &Server, what: &str, url: &str| {
        let path = server.launch().db_path().to_string_lossy().into_owned();
        server.launch().run_command(&["--db-path", &path, "seed", what, "--url", url]).await
    };

    let marker = seed(&server, "marker", &url).await;
    let burst = seed(&server, "burst", &url).await;

    assert_eq!((marker.code, marker.said.as_str()), (Some(0), "inserted 1 row\n"));
    assert_eq!((burst.code, burst.said.as_str()), (Some(0), "inserted 6 rows\n"));
    events(&mut server.feed("").await, 7).await;
    let shut = Launch::new().start().await;
    let refused = seed(&shut, "marker", &format!("http://{}", shut.addr)).await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.said.contains("ELORA_DEV_SEED_ENABLED=1"), "{}", refused.said);
}

#[tokio::test]
async fn the_plain_recipe_works_with_the_token() {
    let server = open_gate().start().await;
    let bearer = format!("Authorization: Bearer {}", server.token());
    let url = format!("http://{}{MARKER}", server.addr);

    let curl = Command::new("curl").args(["-fsS", "-X", "POST", &url, "-H", &bearer]).output().expect("curl is there");

    assert_eq!(String::from_utf8_lossy(&curl.stdout), "{\"inserted\":1}\n", "{curl:?}");
}

#[tokio::test]
async fn demo_rows_under_way_do_not_hold_up_the_end() {
    let server = open_gate().start().await;
    post(&server, BURST).await;

    let ended = server.stop().await;

    assert_eq!(ended.code, Some(0), "{}", ended.said);
}

#[test]
fn every_spelling_of_a_target_is_known_to_make() {
    let make = |target: &str| {
        let mut make = Command::new("make");
        let make = make.args(["-n", target]).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("MAKEFLAGS");
        let dry = make.output().expect("make is there");
        assert!(dry.status.success(), "{target}: {}", String::from_utf8_lossy(&dry.stderr));
        String::from_utf8_lossy(&dry.stdout).into_owned()
    };
    for target in ["ws-twitch", "ws-youtube", "seed-marker", "seed-burst"] {
        assert!(make(target).contains("scripts/elora"), "{target}");
        assert_eq!(make(&target.replacen('-', ":", 1)), make(target));
    }
}
