//! `GET /api/messages`: history a page at a time, newest first, as clients of old expect it.

use serde_json::Value;

use crate::support::feed::Feed;
use crate::support::scene::watching;
use crate::support::server::Server;
use crate::support::twitch::lines::{Line, clearmsg, now_ms, privmsg, privmsg_with, resub};
use crate::support::twitch::{ADA, BOB, MEI, Twitch};

/// 2026-01-01T00:00:00Z.
const NEW_YEAR: i64 = 1_767_225_600_000;

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().expect("items is a list")
}

fn texts(page: &Value) -> Vec<&str> {
    items(page).iter().map(|item| item["text"].as_str().expect("a text")).collect()
}

fn said_at(text: &str, at: i64) -> Line {
    privmsg("room", &ADA, text).sent(at)
}

/// Messages with the given times, in that order, all of them stored.
async fn history(times: &[i64]) -> (Twitch, Server, Feed) {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let lines: Vec<Line> = times.iter().enumerate().map(|(n, at)| said_at(&format!("m{n}"), *at)).collect();
    let ids: Vec<String> = lines.iter().filter_map(|line| line.id.clone()).collect();
    twitch.send_all(lines).await;
    feed.until_all(&ids).await;
    (twitch, server, feed)
}

#[tokio::test]
async fn the_newest_fifty_come_first_and_five_hundred_are_the_most() {
    let times: Vec<i64> = (0..520).map(|n| NEW_YEAR + n * 1000).collect();
    let (_twitch, server, _feed) = history(&times).await;

    let page = server.get("/api/messages").await.json();
    assert_eq!(items(&page).len(), 50);
    assert_eq!(texts(&page)[0], "m519");
    assert_eq!(texts(&page)[49], "m470");

    assert_eq!(items(&server.get("/api/messages?limit=500").await.json()).len(), 500);
    assert_eq!(items(&server.get("/api/messages?limit=10000").await.json()).len(), 500, "more is cut to the most");
    assert_eq!(items(&server.get("/api/messages?limit=1").await.json()).len(), 1);
}

#[tokio::test]
async fn an_empty_store_has_an_empty_page() {
    let (_twitch, server, _feed) = history(&[]).await;

    let answer = server.get("/api/messages").await;

    assert_eq!(answer.header("content-type"), Some("application/json"));
    let page = answer.json();
    assert_eq!(items(&page).len(), 0);
    assert!(page.get("next_before_ts").is_none() && page.get("next_before_rowid").is_none());
}

#[tokio::test]
async fn an_item_has_the_fields_clients_read() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let line = privmsg_with("room", &MEI, "你好 Kappa", "emotes=25:3-7").sent(NEW_YEAR + 12_500);
    let id = line.id.clone().expect("a message has an id");
    twitch.send(line).await;
    let event = feed.event(&id).await;

    let page = server.get("/api/messages").await.json();
    let item = &items(&page)[0];

    assert_eq!(item["id"], event["id"]);
    assert_eq!(item["ts"], "2026-01-01T00:00:12.5Z");
    assert_eq!(item["username"], "芽衣");
    assert_eq!(item["platform"], "Twitch", "as older clients spell it");
    assert_eq!(item["text"], "你好 Kappa");
    let emotes: Value = serde_json::from_str(item["emotes_json"].as_str().expect("a string")).expect("JSON in it");
    assert!(emotes.as_array().is_some_and(|emotes| emotes.len() == 1), "{emotes}");
    assert!(item["raw_json"].is_string());
}

#[tokio::test]
async fn both_cursors_walk_back_without_loss_or_repeat() {
    let times: Vec<i64> = (0..10).map(|n| NEW_YEAR + n / 4).collect();
    let (_twitch, server, _feed) = history(&times).await;

    let mut walked: Vec<String> = Vec::new();
    let mut path = "/api/messages?limit=3".to_owned();
    loop {
        let page = server.get(&path).await.json();
        walked.extend(texts(&page).iter().map(|&text| text.to_owned()));
        let (Some(ts), Some(row)) = (page["next_before_ts"].as_i64(), page["next_before_rowid"].as_i64()) else {
            assert!(page.get("next_before_ts").is_none() && page.get("next_before_rowid").is_none());
            break;
        };
        path = format!("/api/messages?limit=3&before_ts={ts}&before_rowid={row}");
    }

    let newest_first: Vec<String> = (0..10).rev().map(|n| format!("m{n}")).collect();
    assert_eq!(walked, newest_first);
}

#[tokio::test]
async fn a_time_alone_walks_back_strictly_before_it() {
    let (_twitch, server, _feed) = history(&[NEW_YEAR, NEW_YEAR + 1, NEW_YEAR + 1, NEW_YEAR + 2]).await;

    let page = server.get(&format!("/api/messages?before_ts={}", NEW_YEAR + 1)).await.json();
    assert_eq!(texts(&page), ["m0"]);

    let page = server.get(&format!("/api/messages?since_ts={}", NEW_YEAR + 1)).await.json();
    assert_eq!(texts(&page), ["m3", "m2", "m1"]);
}

#[tokio::test]
async fn times_are_milliseconds_or_rfc_3339() {
    let (_twitch, server, _feed) = history(&[NEW_YEAR, NEW_YEAR + 500, NEW_YEAR + 1000]).await;

    for since in ["1767225600500", "2026-01-01T00:00:00.5Z", "2026-01-01T01:00:00.500%2B01:00"] {
        let page = server.get(&format!("/api/messages?since_ts={since}")).await.json();
        assert_eq!(texts(&page), ["m2", "m1"], "{since}");
    }
    let page = server.get("/api/messages?before_ts=2026-01-01T00:00:00.500Z").await.json();
    assert_eq!(texts(&page), ["m0"]);
    let page = server.get("/api/messages?since_ts=&before_ts=").await.json();
    assert_eq!(items(&page).len(), 3, "an empty bound is none");
}

#[tokio::test]
async fn senseless_questions_are_told_so() {
    let (_twitch, server, _feed) = history(&[NEW_YEAR]).await;

    for query in [
        "limit=0",
        "limit=-1",
        "limit=many",
        "since_ts=yesterday",
        "since_ts=-1",
        "before_ts=x",
        "since_ts=1&before_ts=2",
        "before_rowid=1",
        "before_ts=1&before_rowid=0",
        "before_ts=1&before_rowid=1.5",
    ] {
        let answer = server.get(&format!("/api/messages?{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        assert!(!answer.body.is_empty(), "{query}");
    }
}

#[tokio::test]
async fn what_was_taken_away_is_left_out() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let kept = twitch.say("room", &ADA, "kept").await;
    let removed = twitch.say("room", &BOB, "removed").await;
    twitch.send(clearmsg("room", BOB.login, &removed, "removed")).await;
    twitch.send(resub("room", &ADA, 3, "three months")).await;
    let last = twitch.say("room", &ADA, "last").await;
    feed.until_all(&[kept, last]).await;

    let page = server.get("/api/messages").await.json();

    let texts = texts(&page);
    assert!(texts.contains(&"kept") && texts.contains(&"last") && !texts.contains(&"removed"), "{texts:?}");
    let first = items(&page)[0]["ts"].as_str().expect("a time");
    assert!(first.ends_with('Z') && first.starts_with("20"), "{first} is not now ({})", now_ms());
}
