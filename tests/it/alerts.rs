//! `/api/alerts` and what belongs to it: what clients of old were told by the harvester beside them, told by us.

use serde_json::{Value, json};

use crate::support::feed::Feed;
use crate::support::http::Request;
use crate::support::scene::{watching, watching_with};
use crate::support::server::{Launch, Server};
use crate::support::source::Source;
use crate::support::twitch::lines::{Line, clearmsg, notice, now_ms, privmsg_with, resub, timeout};
use crate::support::twitch::{ADA, BOB, MEI, Twitch};

const STREAM: &str = "/api/alerts/stream";

fn cheer(bits: u32, text: &str) -> Line {
    privmsg_with("room", &BOB, text, &format!("bits={bits}"))
}

fn raid(viewers: u32) -> Line {
    notice("room", &MEI, "raid", &format!("displayName=mei;login=mei_mei;viewerCount={viewers}"), "")
}

/// One of every kind, and what nobody of old has a name for.
fn everything() -> Vec<Line> {
    let gift = |more: &str| {
        let params = format!("recipient-id=9;recipient-user-name=eve;recipient-display-name=Eve;sub-plan=1000{more}");
        notice("room", &ADA, "subgift", &params, "")
    };
    vec![
        notice("room", &BOB, "sub", "cumulative-months=1;sub-plan=Prime", ""),
        resub("room", &ADA, 12, "a year already"),
        gift(""),
        notice("room", &ADA, "submysterygift", "mass-gift-count=3;sub-plan=1000;community-gift-id=77", ""),
        gift(";community-gift-id=77"),
        gift(";community-gift-id=77"),
        gift(";community-gift-id=77"),
        notice("room", &BOB, "announcement", "color=BLUE", "hear, hear"),
        notice("room", &BOB, "midnightsquid", "amount=500;currency=USD;exponent=2", "cash"),
        notice("room", &BOB, "primepaidupgrade", "sub-plan=1000", ""),
        cheer(100, "Cheer100 well done"),
        raid(12),
    ]
}

/// Type and amount of each, oldest first, as [`everything`] is to be told.
fn expected() -> Vec<(Value, Value)> {
    vec![
        (json!("subs"), Value::Null),
        (json!("subs"), Value::Null),
        (json!("gifted_subs"), json!(1)),
        (json!("gifted_subs"), json!(3)),
        (json!("subs"), Value::Null),
        (json!("bits"), json!(100)),
        (json!("raids"), json!(12)),
    ]
}

fn types_and_amounts<'a>(alerts: impl IntoIterator<Item = &'a Value>) -> Vec<(Value, Value)> {
    alerts.into_iter().map(|alert| (alert["type"].clone(), alert["amount"].clone())).collect()
}

/// Says it, and waits until a viewer has it.
async fn tell(twitch: &Twitch, feed: &mut Feed, lines: Vec<Line>) -> Vec<String> {
    let ids: Vec<String> = lines.iter().map(Line::native_id).collect();
    twitch.send_all(lines).await;
    feed.until_all(&ids).await;
    ids
}

async fn list(server: &Server, query: &str) -> Vec<Value> {
    let answer = server.get(&format!("/api/alerts{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json().as_array().expect("an array").clone()
}

async fn count(server: &Server, query: &str) -> Value {
    let answer = server.get(&format!("/api/alerts/count{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    answer.json()["count"].clone()
}

#[tokio::test]
async fn every_kind_is_in_the_list_the_count_and_the_stream() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let mut stream = Source::open(&server, STREAM, None).await;

    tell(&twitch, &mut feed, everything()).await;
    stream.until("seven alerts", |stream| stream.frames.len() >= 7).await;
    let mut alerts = list(&server, "").await;
    alerts.reverse();

    assert_eq!(types_and_amounts(&alerts), expected(), "newest first");
    assert_eq!(stream.frames, alerts);
    assert_eq!(stream.names, ["alert"; 7]);
    assert_eq!(count(&server, "").await, 7);
    assert!(stream.head.contains("content-type: text/event-stream"), "{}", stream.head);
}

#[tokio::test]
async fn an_alert_says_who_where_and_what() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let before = now_ms();
    let ids = tell(&twitch, &mut feed, vec![resub("room", &ADA, 12, "a year already"), raid(12)]).await;

    let alerts = list(&server, "").await;

    let ts = alerts[1]["ts"].as_i64().expect("milliseconds");
    assert!((before..=now_ms()).contains(&ts), "{ts}");
    let whole = json!({ "id": feed.find(&ids[0]).expect("seen")["id"], "platform": "twitch", "type": "subs",
        "username": "Ada_L", "source_channel": "room", "message": "a year already", "ts": ts });
    assert_eq!(alerts[1], whole);
    assert_eq!(alerts[0]["username"], MEI.name);
    assert!(alerts[0].get("message").is_none(), "nobody wrote anything: {}", alerts[0]);
}

#[tokio::test]
async fn a_filter_is_the_same_for_all_three() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let query = "?platform=twitch&type=twitch.bits,raids";
    let mut stream = Source::open(&server, &format!("{STREAM}{query}"), None).await;

    tell(&twitch, &mut feed, everything()).await;
    stream.until("both", |stream| stream.frames.len() >= 2).await;

    let mut alerts = list(&server, query).await;
    alerts.reverse();
    assert_eq!(types_and_amounts(&alerts), expected()[5..]);
    assert_eq!(stream.frames, alerts);
    assert_eq!(count(&server, query).await, 2);
    for nothing in ["?platform=youtube", "?type=super_chats", "?platform=kick&type=bits"] {
        assert!(list(&server, nothing).await.is_empty(), "{nothing}");
        assert_eq!(count(&server, nothing).await, 0, "{nothing}");
    }
}

#[tokio::test]
async fn a_list_is_as_long_and_of_the_time_that_was_asked() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let at = |n: i64| 1_767_225_600_000 + 1000 * n;
    let lines = (0..60).map(|n| cheer(1 + u32::try_from(n).expect("few"), "bit by bit").sent(at(n))).collect();
    tell(&twitch, &mut feed, lines).await;
    let amounts = async |query: &str| -> Vec<i64> {
        list(&server, query).await.iter().filter_map(|alert| alert["amount"].as_i64()).collect()
    };

    assert_eq!(amounts("").await, (11..=60).rev().collect::<Vec<_>>(), "fifty unless asked otherwise");
    assert_eq!(amounts("?limit=2").await, [60, 59]);
    assert_eq!(amounts("?limit=100000").await.len(), 60, "more is cut to the most");
    assert_eq!(amounts(&format!("?since_ts={}", at(58))).await, [60, 59], "at that time and later");
    assert_eq!(amounts("?before_ts=2026-01-01T00:00:02Z").await, [2, 1]);
    assert_eq!(amounts(&format!("?since_ts={}&before_ts={}", at(5), at(7))).await, [7, 6]);
    assert_eq!(count(&server, "").await, 60, "a count has no limit");
    assert_eq!(count(&server, &format!("?since_ts={}", at(58))).await, 2);
}

#[tokio::test]
async fn senseless_questions_are_told_so() {
    let server = Launch::new().start().await;

    for query in ["limit=0", "limit=many", "since_ts=yesterday", "type=twitch.cheers", "platform=not%20one"] {
        let answer = server.get(&format!("/api/alerts?{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
    }
    for path in ["/api/alerts/count?type=follows", "/api/alerts/stream?type=follows"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.contains("raids")), "{}", answer.text());
    }
}

#[tokio::test]
async fn what_was_taken_away_is_no_alert_any_more() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let ids = tell(&twitch, &mut feed, vec![cheer(100, "unspeakable"), cheer(5, "fine")]).await;
    assert_eq!(count(&server, "").await, 2);
    let mut before = Source::open(&server, STREAM, None).await;
    before.until("its place", |stream| !stream.last_id.is_empty()).await;
    let doomed = cheer(7, "unspeakable");

    twitch.send(clearmsg("room", BOB.login, &ids[0], "unspeakable")).await;
    // This one is taken away before it comes.
    twitch.send(clearmsg("room", BOB.login, &doomed.native_id(), "unspeakable")).await;
    tell(&twitch, &mut feed, vec![doomed, cheer(1, "last")]).await;
    before.until("the last", |stream| !stream.frames.is_empty()).await;

    assert_eq!(before.frames[0]["amount"], 1);
    let left = list(&server, "").await;
    assert_eq!(types_and_amounts(&left), [(json!("bits"), json!(1)), (json!("bits"), json!(5))]);
    assert_eq!(count(&server, "").await, 2);
    twitch.send(timeout("room", &BOB, 60)).await;
    feed.event_like("the timeout", |event| event["kind"] == "cleared").await;
    assert_eq!((list(&server, "").await.len(), count(&server, "").await), (0, json!(0)), "nothing of his is left");
}

#[tokio::test]
async fn a_lost_stream_goes_on_where_it_stopped() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let mut stream = Source::open(&server, STREAM, None).await;
    tell(&twitch, &mut feed, vec![cheer(1, "first")]).await;
    stream.until("the first", |stream| stream.frames.len() == 1).await;
    let last_id = stream.last_id.clone();
    drop(stream);
    tell(&twitch, &mut feed, vec![cheer(2, "missed")]).await;
    // So much talk that the store has to be read.
    let talk = twitch.burst("room", 1200, 4000).await;
    feed.until_all(&talk).await;
    tell(&twitch, &mut feed, vec![cheer(3, "missed too")]).await;

    let mut again = Source::open(&server, STREAM, Some(&last_id)).await;
    again.until("the third", |stream| stream.frames.len() == 2).await;
    tell(&twitch, &mut feed, vec![cheer(4, "live")]).await;
    again.until("the fourth", |stream| stream.frames.len() == 3).await;

    let amounts: Vec<i64> = again.frames.iter().filter_map(|alert| alert["amount"].as_i64()).collect();
    assert_eq!(amounts, [2, 3, 4], "each once and in order");
}

#[tokio::test]
async fn a_place_of_nobody_begins_with_what_is_new() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    tell(&twitch, &mut feed, vec![cheer(1, "old")]).await;
    let mut lost = Source::open(&server, STREAM, Some("other:1")).await;
    lost.until("its place", |stream| !stream.last_id.is_empty()).await;

    tell(&twitch, &mut feed, vec![cheer(2, "new")]).await;
    lost.until("the new one", |stream| !stream.frames.is_empty()).await;

    assert_eq!(lost.frames[0]["amount"], 2);
}

#[tokio::test]
async fn silence_moves_the_place_on() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]).env("ELORA_FEED_KEEPALIVE_MS", "50");
    let (server, mut feed) = watching_with(&twitch, launch, &["room"]).await;
    let mut stream = Source::open(&server, STREAM, None).await;

    let said = twitch.say("room", &ADA, "mere talk").await;
    feed.event(&said).await;
    let head = feed.cursor.clone();
    stream.until("the place of mere talk", |stream| stream.last_id == head).await;

    assert!(stream.frames.is_empty());
}

#[tokio::test]
async fn reading_alerts_is_for_readers() {
    let server = Launch::new().arg("--http-addr").arg("0.0.0.0:0").start().await;
    let addr = std::net::SocketAddr::from(([127, 0, 0, 1], server.addr.port()));

    for path in ["/api/alerts", "/api/alerts/count", STREAM] {
        assert_eq!(Request::get(path).send(addr).await.status, 401, "{path}");
    }
    let asked = Request::get("/api/alerts/count").bearer(&server.token()).send(addr).await;
    assert_eq!(asked.json()["count"], 0);
}
