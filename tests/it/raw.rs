//! `GET /api/debug/raw-messages`: rows as they lie in the store, where a developer has asked for the door.

use serde_json::{Value, json};

use crate::support::feed::Feed;
use crate::support::scene::watching_with;
use crate::support::server::{Launch, Server};
use crate::support::twitch::lines::{Line, clearmsg, privmsg, resub};
use crate::support::twitch::{ADA, BOB, Twitch};

/// 2026-01-01T00:00:00Z.
const NEW_YEAR: i64 = 1_767_225_600_000;
const PATH: &str = "/api/debug/raw-messages";

async fn open_door(texts: &[&str]) -> (Twitch, Server, Feed) {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_DEBUG_RAW_MESSAGES", "1");
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    // The newest row is of the oldest time.
    let lines: Vec<Line> =
        texts.iter().rev().zip(0..).map(|(text, n)| privmsg("room", &ADA, text).sent(NEW_YEAR + n * 1000)).collect();
    let ids: Vec<String> = lines.iter().map(Line::native_id).collect();
    twitch.send_all(lines.into_iter().rev().collect()).await;
    feed.until_all(&ids).await;
    (twitch, server, feed)
}

async fn rows(server: &Server, query: &str) -> Vec<Value> {
    let answer = server.get(&format!("{PATH}{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    answer.json().as_array().expect("a list").clone()
}

async fn texts(server: &Server, query: &str) -> Vec<String> {
    rows(server, query).await.iter().map(|row| row["text"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test]
async fn a_row_has_five_fields_and_the_newest_row_comes_first() {
    let (_twitch, server, feed) = open_door(&["first", "second"]).await;

    let newest = feed.ids()[1];
    let expected = json!({ "rowid": newest, "platform": "Twitch", "username": ADA.name, "text": "second",
                           "ts": "2026-01-01T00:00:00Z" });
    assert_eq!(rows(&server, "?limit=1").await, [expected]);
    assert_eq!(texts(&server, "").await, ["second", "first"]);
    assert_eq!(texts(&server, "?limit=9000&platform=twitch").await.len(), 2);
    assert_eq!(texts(&server, "?platform=Twitch").await.len(), 2, "as the rows spell it");
    assert!(rows(&server, "?platform=Twit").await.is_empty(), "a name fits or does not");
}

#[tokio::test]
async fn both_bounds_leave_out_the_time_they_name_and_may_be_combined() {
    let (_twitch, server, _feed) = open_door(&["c", "b", "a"]).await;
    let at = |n: i64| NEW_YEAR + n * 1000;

    assert_eq!(texts(&server, &format!("?after_ts={}", at(0))).await, ["b", "c"]);
    assert_eq!(texts(&server, &format!("?before_ts={}", at(2))).await, ["a", "b"]);
    assert_eq!(texts(&server, &format!("?after_ts={}&before_ts={}", at(0), at(2))).await, ["b"]);
    for wrong in ["limit=0", "limit=x", "before_ts=-1", "after_ts=yesterday", "after_ts=2026-01-01T00:00:00Z"] {
        assert_eq!(server.get(&format!("{PATH}?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn what_was_taken_away_has_no_text_here_either() {
    let (twitch, server, mut feed) = open_door(&[]).await;
    let id = twitch.say("room", &BOB, "unspeakable").await;
    twitch.send_all(vec![resub("room", &ADA, 3, "no message"), clearmsg("room", BOB.login, &id, "unspeakable")]).await;
    feed.event_like("the removal", |event| event["kind"] == "removed").await;

    assert_eq!(texts(&server, "").await, [""]);
}

#[tokio::test]
async fn there_is_no_such_door_unless_it_is_asked_for_and_never_in_earnest() {
    let asked = Launch::new().env("ELORA_DEBUG_RAW_MESSAGES", "true");
    for launch in [Launch::new(), asked.clone().env("GO_ENV", "production"), asked.clone().env("ELORA_ENV", "Prod")] {
        let server = launch.start().await;
        assert_eq!(server.get(PATH).await.status, 404);
    }
    let server = asked.env("ELORA_ENV", "staging").env("GO_ENV", "prod").start().await;
    assert_eq!(rows(&server, "").await, [Value::Null; 0]);
}
