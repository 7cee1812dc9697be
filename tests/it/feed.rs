//! `/api/feed`: what a viewer is told, in which order, and what each way of asking gives.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::feed::{Feed, upgrade};
use crate::support::http::{Answer, Request};
use crate::support::scene::{watching, watching_with};
use crate::support::server::{Launch, asked_until};
use crate::support::twitch::lines::{Line, clear_all, clearmsg, privmsg_with, resub, room_id, timeout};
use crate::support::twitch::{ADA, BOB, MEI, Twitch};

/// The longest message a viewer may send.
const LONGEST: usize = 64 * 1024;

fn texts(feed: &Feed) -> Vec<&str> {
    let messages = feed.events.iter().filter(|event| event["kind"] == "message");
    messages.map(|event| event["text"].as_str().expect("a message has a text")).collect()
}

/// Says numbered messages until `count` are stored.
async fn said(twitch: &Twitch, feed: &mut Feed, count: usize) -> Vec<String> {
    let ids = twitch.burst("room", count, 2000).await;
    feed.until_all(&ids).await;
    ids
}

#[tokio::test]
async fn hello_comes_first_and_names_the_place() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    assert_eq!(feed.hello["resumed"], false);
    let epoch = feed.hello["epoch"].as_str().expect("an epoch").to_owned();
    assert!(feed.hello["cursor"].as_str().is_some_and(|cursor| cursor.starts_with(&format!("{epoch}:"))));

    let id = twitch.say("room", &ADA, "one").await;
    let event = feed.event(&id).await;

    assert_eq!(feed.cursor, format!("{epoch}:{}", event["id"].as_str().expect("ids are strings")));
    let resumed = server.feed(&format!("?since={}", feed.cursor)).await;
    assert_eq!((&resumed.hello["resumed"], &resumed.hello["epoch"]), (&json!(true), &json!(epoch)));
}

#[tokio::test]
async fn the_newest_come_first_a_hundred_unless_asked_otherwise() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let ids = said(&twitch, &mut feed, 1100).await;

    for (query, count) in [("", 100), ("?last=5", 5), ("?last=0", 0), ("?last=1000", 1000), ("?last=5000", 1000)] {
        let mut viewer = server.feed(query).await;
        let next = twitch.say("room", &ADA, "next").await;
        viewer.event(&next).await;
        let got = viewer.message_ids();
        let newest: Vec<String> = got.iter().filter(|id| ids.contains(id)).cloned().collect();
        let extra = got.len() - newest.len();
        // Messages said for the earlier questions count as newest too.
        assert!(got.len() == count + 1, "{query}: {} messages before the next", got.len() - 1);
        assert_eq!(newest, ids[ids.len() - newest.len()..], "{query}: in order, {extra} others");
    }
}

#[tokio::test]
async fn a_resume_is_exact_whatever_happened_meanwhile() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let before = said(&twitch, &mut feed, 10).await;
    let mut viewer = server.feed("?last=1000").await;
    viewer.until_all(&before).await;
    let cursor = viewer.leave();

    let missed = said(&twitch, &mut feed, 700).await;
    let mut viewer = server.feed(&format!("?since={cursor}")).await;
    let live = twitch.say("room", &ADA, "live").await;
    viewer.event(&live).await;

    assert_eq!(viewer.message_ids(), [missed, vec![live]].concat());
    assert!(!viewer.reset);
}

#[tokio::test]
async fn filters_pass_what_they_name() {
    let (twitch, server, mut feed) = watching(&["room", "other"]).await;
    let by_id = format!("?last=0&channel=twitch:{}", room_id("room"));
    let queries = [
        ("?last=0&channel=twitch:room", "r"),
        (by_id.as_str(), "r"),
        ("?last=0&channel=twitch:other,twitch:nobody", "o"),
        ("?last=0&channel=twitch:ROOM,twitch:other", "ro"),
        ("?last=0&platform=twitch", "ro"),
        ("?last=0&platform=youtube,kick", ""),
        ("?last=0&platform=youtube,twitch&channel=twitch:other", "o"),
        ("?last=0&kinds=message", "ro"),
        ("?last=0&kinds=alert,status", ""),
    ];
    let mut viewers = Vec::new();
    for (query, _) in queries {
        viewers.push(server.feed(query).await);
    }

    let ids = [twitch.say("room", &ADA, "r").await, twitch.say("other", &ADA, "o").await];
    feed.until_all(&ids).await;
    server.signal("TERM");

    for ((query, expected), mut viewer) in queries.into_iter().zip(viewers) {
        assert_eq!(viewer.until_closed().await, 1012);
        assert_eq!(texts(&viewer).concat(), expected, "{query}");
    }
}

#[tokio::test]
async fn removals_always_pass_the_filter_of_kinds() {
    let (twitch, server, mut feed) = watching(&["room", "other"]).await;
    let mut viewer = server.feed("?last=0&kinds=message&channel=twitch:room").await;

    let id = twitch.say("room", &BOB, "one").await;
    twitch.send(resub("room", &ADA, 3, "an alert")).await;
    twitch.send(clearmsg("room", BOB.login, &id, "one")).await;
    twitch.send(timeout("other", &BOB, 5)).await;
    twitch.send(timeout("room", &BOB, 600)).await;
    twitch.send(clear_all("room")).await;
    let last = twitch.say("room", &ADA, "last").await;
    viewer.event(&last).await;
    feed.event(&last).await;

    let kinds: Vec<&str> = viewer.events.iter().filter_map(|event| event["kind"].as_str()).collect();
    assert_eq!(kinds, ["message", "removed", "cleared", "cleared", "message"]);
}

#[tokio::test]
async fn a_filter_that_makes_no_sense_is_told_so() {
    let (_twitch, server, _feed) = watching(&["room"]).await;

    for query in ["last=many", "last=-1", "platform=not%20a%20platform", "channel=room%20of%20mine"] {
        let status = upgrade(server.addr, &format!("/api/feed?{query}"), &[]).await.err();
        assert_eq!(status, Some(400), "{query}");
    }
}

#[tokio::test]
async fn a_quiet_feed_still_says_that_it_lives() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_FEED_KEEPALIVE_MS", "150");
    let (_server, mut feed) = watching_with(&twitch, launch, &["room"]).await;

    feed.until("three keepalives", |feed| feed.others.iter().filter(|f| f["type"] == "keepalive").count() >= 3).await;

    let keepalive = feed.others.iter().find(|frame| frame["type"] == "keepalive").expect("just seen");
    assert_eq!(keepalive["cursor"], feed.cursor);
}

#[tokio::test]
async fn a_viewer_that_answers_no_ping_is_let_go_and_others_stay() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_FEED_KEEPALIVE_MS", "200");
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    let mute = upgrade(server.addr, "/api/feed?last=0", &[]).await.expect("a viewer is let in");

    // Reading is what answers pings, and this one does not read.
    let is_alone = |answer: &Answer| answer.text().contains("elora_clients{kind=\"feed\"} 1\n");
    tokio::select! {
        _ = asked_until("one viewer is left", &server, "/metrics", is_alone) => {}
        () = async { while feed.read().await {} } => panic!("the viewer that reads was let go"),
    }

    let id = twitch.say("room", &ADA, "still here").await;
    feed.event(&id).await;
    drop(mute);
}

#[tokio::test]
async fn a_viewer_of_a_quiet_channel_is_told_how_far_the_feed_has_come() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room", "quiet"]).env("ELORA_FEED_KEEPALIVE_MS", "1500");
    let (server, _feed) = watching_with(&twitch, launch, &["room", "quiet"]).await;
    let mut viewer = server.feed("?last=0&channel=twitch:quiet").await;
    let hello = viewer.cursor.clone();

    // What is told of the sources meanwhile, every second, says nothing of the place in the feed.
    let busy = async {
        loop {
            twitch.burst("room", 20, 100).await;
        }
    };
    tokio::select! {
        () = viewer.until("a keepalive further on", |viewer| viewer.cursor != hello) => {}
        () = busy => unreachable!("the chat does not end"),
    }

    assert!(viewer.events.is_empty());
}

#[tokio::test]
async fn what_a_viewer_says_is_ignored_up_to_64_kib() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let mut viewer = server.feed("?last=0").await;

    viewer.send("hello").await;
    viewer.send(&"x".repeat(LONGEST)).await;
    let id = twitch.say("room", &ADA, "still here").await;
    viewer.event(&id).await;
    viewer.send(&"x".repeat(LONGEST + 1)).await;

    let code = viewer.until_closed().await;
    assert!(code == 1009 || code == 1006, "closed with {code}");
    feed.event(&id).await;
}

/// One line of every kind the stand-in can say.
fn every_kind() -> Vec<Line> {
    let reply = "reply-parent-display-name=Bob;reply-parent-msg-body=what\\sis\\sit?;reply-parent-msg-id=p-1;\
                 reply-parent-user-id=4102;reply-parent-user-login=bob;reply-thread-parent-msg-id=p-1";
    vec![
        privmsg_with("room", &MEI, "你好 Kappa 👍🏽 https://example.com @Ada_L", "emotes=25:3-7"),
        privmsg_with("room", &ADA, "@Bob it is nothing", reply),
        privmsg_with("room", &ADA, "Cheer100 take that", "bits=100"),
        privmsg_with("room", &ADA, "\u{1}ACTION waves\u{1}", ""),
        privmsg_with("room", &BOB, "look at me", "msg-id=highlighted-message"),
        resub("room", &ADA, 14, "fourteen!"),
        timeout("room", &BOB, 600),
        clear_all("room"),
    ]
}

#[tokio::test]
async fn every_event_fits_the_published_schema_live_and_stored_alike() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let schema = server.get("/api/schema/event.json").await.json();
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");

    for line in every_kind() {
        twitch.send(line).await;
    }
    let removed = twitch.say("room", &BOB, "gone").await;
    twitch.send(clearmsg("room", BOB.login, &removed, "gone")).await;
    let last = twitch.say("room", &ADA, "last").await;
    feed.event(&last).await;

    let mut kinds: Vec<&str> = feed.events.iter().filter_map(|event| event["kind"].as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, ["alert", "cleared", "message", "removed"]);
    for event in &feed.events {
        let faults: Vec<String> = validator.iter_errors(event).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?}\n{event:#}");
        assert_shape(event);
    }
    let mut late = server.feed("?last=1000").await;
    late.event(&last).await;
    assert_eq!(late.ids(), feed.ids());
    for (live, stored) in feed.events.iter().zip(&late.events).filter(|(_, stored)| stored["state"] == "visible") {
        assert_eq!(live, stored, "an event is the same live and from the store");
    }
}

/// What holds for every event, whatever its kind.
fn assert_shape(event: &Value) {
    assert!(event["id"].is_string() && event["channel"]["login"] == "room", "{event}");
    for time in ["at", "received_at"] {
        let time = event[time].as_str().expect("times are strings");
        assert!(time.len() == "2026-01-01T00:00:00.000Z".len() && time.ends_with('Z'), "{time}");
    }
    if let Some(fragments) = event["fragments"].as_array() {
        let together: String = fragments.iter().filter_map(|fragment| fragment["text"].as_str()).collect();
        assert_eq!(event["text"], together.as_str(), "fragments concatenate to the text");
    }
}

#[tokio::test]
async fn the_words_of_a_message_are_taken_apart() {
    let (twitch, _server, mut feed) = watching(&["room"]).await;
    let line = every_kind().swap_remove(0);
    let id = line.id.clone().expect("a message has an id");

    twitch.send(line).await;
    let event = feed.event(&id).await;

    let fragments = event["fragments"].as_array().expect("fragments");
    let of = |kind: &str| fragments.iter().find(|fragment| fragment["type"] == kind).expect(kind);
    assert_eq!((&of("emote")["text"], &of("emote")["id"]), (&json!("Kappa"), &json!("25")));
    assert_eq!(of("link")["text"], "https://example.com");
    assert_eq!(of("mention")["login"], "ada_l");
    assert_eq!(event["author"]["name"], "芽衣");
    assert_eq!(event["author"]["roles"], json!(["moderator"]));
    assert_eq!(event["channel"]["id"], room_id("room").to_string());
}

#[tokio::test]
async fn five_hundred_viewers_of_a_quiet_room_cost_little() {
    const VIEWERS: usize = 500;
    const PER_VIEWER_KIB: u64 = 64;
    let (_twitch, server, _feed) = watching(&["room"]).await;
    let before = server.rss_kib();

    let mut viewers = Vec::with_capacity(VIEWERS);
    for _ in 0..VIEWERS {
        viewers.push(tokio::time::timeout(Duration::from_secs(20), server.feed("?last=0")).await.expect("let in"));
    }

    let grown = server.rss_kib().saturating_sub(before);
    assert!(grown <= VIEWERS as u64 * PER_VIEWER_KIB, "{grown} KiB for {VIEWERS} viewers in a debug build");
    assert_eq!(Request::get("/healthz").send(server.addr).await.status, 200);
}

#[tokio::test]
async fn who_says_that_they_leave_is_answered() {
    let (_twitch, _server, feed) = watching(&["room"]).await;

    assert_eq!(feed.part().await, 1000);
}
