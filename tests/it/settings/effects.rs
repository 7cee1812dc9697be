//! What changed settings do to a server that runs, and to the sources that clients of old know as settings.

use futures_util::SinkExt as _;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{get, launch, put, set};
use crate::support::classic::{Classic, KEEPALIVE};
use crate::support::feed::upgrade;
use crate::support::http::Request;
use crate::support::scene::{watching, watching_with};
use crate::support::server::Server;
use crate::support::twitch::lines::privmsg_with;
use crate::support::twitch::{ADA, Twitch};

const BADGES: &str = "badges=vip/1";

async fn sources(server: &Server) -> Vec<String> {
    let sources = server.sources().await;
    sources.iter().map(|source| source["source"].as_str().expect("a source has a name").to_owned()).collect()
}

#[tokio::test]
async fn the_next_message_looks_as_the_settings_say_for_who_is_there_and_who_comes() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let mut there = Classic::open(server.addr, "").await;
    let say = async |text| twitch.send(privmsg_with("room", &ADA, text, BADGES)).await;
    say("one").await;
    let before = there.chat().await;

    set(&server, json!({ "features": { "showBadges": false, "wsEnvelope": false, "wsDropEmpty": false } })).await;
    let mut comes = Classic::open(server.addr, "").await;
    say("two").await;
    let after = [there.text().await, comes.text().await];

    feed.event_like("the second message", |event| event["text"] == "two").await;
    assert_eq!(before["badges"][0]["id"], "vip");
    assert_eq!(after[0], after[1], "the same bytes for both");
    let bare: Value = serde_json::from_str(&after[0]).expect("JSON without an envelope");
    assert_eq!((&bare["message"], &bare["badges"]), (&json!("two"), &json!([])));
    assert_eq!(server.metric("elora_feed_serialized_total{kind=\"classic\"}").await, 2.0, "each once");
}

#[tokio::test]
async fn limits_and_times_are_for_those_who_come_after() {
    let server = launch().start().await;
    let mut early = Classic::open(server.addr, "").await;

    set(&server, json!({ "websocket": { "maxMessageBytes": 1024, "pingIntervalMs": 500, "pongWaitMs": 500 } })).await;
    let mut late = Classic::open(server.addr, "").await;

    let long = || Message::text("x".repeat(2000));
    early.socket.send(long()).await.expect("the socket takes messages");
    late.socket.send(long()).await.expect("the socket takes messages");
    assert_eq!(late.close().await.map(|frame| u16::from(frame.code)), Some(1009));
    let mut quick = Classic::open(server.addr, "").await;
    for _ in 0..3 {
        assert_eq!(
            quick.text().await,
            KEEPALIVE,
            "who answers pings stays, though the wait is as short as the interval"
        );
    }
    assert!(poll(&mut early).await.is_none(), "the first one was told nothing, and is still there");
}

/// What has come, if anything has.
async fn poll(client: &mut Classic) -> Option<String> {
    futures_util::future::poll_immediate(client.text()).await
}

#[tokio::test]
async fn pages_that_are_allowed_now_may_connect_and_read_and_others_no_longer() {
    let server = launch().env("ELORA_WS_ALLOWED_ORIGINS", "https://old.test").start().await;
    let connects = async |origin: &str| upgrade(server.addr, "/ws/chat", &[("Origin", origin)]).await.is_ok();
    let reads = async |origin: &str| {
        let answer = Request::get("/api/messages").header("Origin", origin).send(server.addr).await;
        answer.header("access-control-allow-origin") == Some(origin)
    };

    set(&server, json!({ "allowedOrigins": ["https://new.test"] })).await;

    for (origin, is_allowed) in [("https://new.test", true), ("https://old.test", false)] {
        assert_eq!((connects(origin).await, reads(origin).await), (is_allowed, is_allowed), "{origin}");
    }
    set(&server, json!({ "allowedOrigins": ["*"] })).await;
    assert!(connects("https://old.test").await);
    server.until_it_says("any web page").await;
    set(&server, json!({ "allowedOrigins": [] })).await;
    for origin in ["https://new.test", "https://old.test"] {
        assert_eq!((connects(origin).await, reads(origin).await), (false, false), "{origin}");
    }
}

#[tokio::test]
async fn the_hosts_of_the_addresses_are_answered_to() {
    let server = launch().start().await;
    let status = async |host: &str| Request::get("/api/messages").header("Host", host).send(server.addr).await.status;
    assert_eq!(status("chat.example.com").await, 421);

    let answer = set(&server, json!({ "apiBaseUrl": "https://chat.example.com" })).await;
    set(&server, json!({ "wsUrl": "wss://live.example.com" })).await;

    assert_eq!((&answer["reconnectWs"], &answer["restartRequired"]), (&json!(true), &Value::Null));
    assert_eq!(status("chat.example.com").await, 200);
    assert_eq!(status("live.example.com").await, 200);
    let bootstrap = server.get("/config.json").await.json();
    assert_eq!(bootstrap["apiBase"], "https://chat.example.com");
    assert_eq!(bootstrap["wsUrl"], "wss://live.example.com/ws/chat");
}

#[tokio::test]
async fn what_is_in_force_is_shown() {
    let server = launch().env("TWITCH_OAUTH_CLIENT_ID", "canary").start().await;
    let other = json!({
        "features": { "showBadges": false, "hideYouTubeAt": false },
        "allowedOrigins": ["https://b.test", "https://a.test"],
        "tailer": { "enabled": true, "pollIntervalMs": 50, "maxBatch": 9, "maxLagMs": 8, "persistOffsets": true },
        "websocket": { "pingIntervalMs": 600, "pongWaitMs": 700, "writeDeadlineMs": 0, "maxMessageBytes": 2048 },
    });

    set(&server, other).await;

    let answer = server.get("/configz").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let configz = answer.json();
    let path = format!("{}.offset.json", server.launch().db_path().display());
    assert_eq!(
        configz["tailer"],
        json!({ "enabled": true, "interval_ms": 50, "batch": 9, "max_lag_ms": 8, "persist_offsets": true,
                "offset_path": path })
    );
    assert_eq!(
        configz["websocket"],
        json!({ "allow_any_origin": false, "allowed_origins": ["https://a.test", "https://b.test"],
                "ping_interval_ms": 600, "pong_wait_ms": 700, "write_deadline_ms": 0, "max_message_bytes": 2048 })
    );
    assert_eq!(configz["auth"]["twitch"]["client_id"], "[redacted]");
    assert_eq!(configz["gnasty_sync"], json!({ "target_base": "" }));
    assert_eq!(configz["db"]["mode"], "persistent");
    let bootstrap = server.get("/config.json").await.json();
    assert_eq!((&bootstrap["showBadges"], &bootstrap["hideYouTubeAt"]), (&json!(false), &json!(false)));
    let wrong = server.ask(Request::new("POST", "/configz")).await;
    assert_eq!(wrong.status, 405);
    assert!(wrong.header("allow").is_some_and(|allow| allow.starts_with("GET")));
}

#[tokio::test]
async fn another_channel_takes_the_place_of_the_first_and_is_heard() {
    let twitch = Twitch::start().await;
    let launch = launch().env("ELORA_INGEST_DRIVER", "native").twitch(&twitch, &["one", "two"]);
    let (server, _feed) = watching_with(&twitch, launch, &["one", "two"]).await;
    assert_eq!(get(&server).await["twitchChannel"], "one");

    let answer = set(&server, json!({ "twitchChannel": "https://twitch.tv/Three" })).await;
    twitch.joined("three").await;
    server.until_it_says("config: switch twitch channel to three").await;

    assert_eq!((&answer["changed"], &answer["config"]["twitchChannel"]), (&json!(true), &json!("three")));
    assert_eq!(sources(&server).await, ["twitch:three", "twitch:two"]);
    let launch = server.kill().await;
    let server = launch.start().await;
    assert_eq!(sources(&server).await, ["twitch:three", "twitch:two"], "whatever the environment names");
    assert_eq!(get(&server).await["twitchChannel"], "three");
}

#[tokio::test]
async fn a_source_that_is_set_is_the_first_however_the_list_stands() {
    let server = launch().env("TWITCH_CHANNELS", "one,two").env("YOUTUBE_URL", "@lofigirl").start().await;
    let channel = async |name: &str| {
        let config = set(&server, json!({ "twitchChannel": name })).await["config"].take();
        (config["twitchChannel"].as_str().unwrap_or_default().to_owned(), sources(&server).await)
    };
    let listed = |names: &[&str]| -> Vec<String> { names.iter().map(|&name| name.to_owned()).collect() };

    assert_eq!(
        channel("@two").await,
        ("two".to_owned(), listed(&["twitch:two", "youtube:@lofigirl"])),
        "it was second"
    );
    assert_eq!(server.add_source("twitch:one").await.status, 201);
    assert_eq!(
        channel("three").await.1,
        ["twitch:three", "youtube:@lofigirl", "twitch:one"],
        "one came back as the last"
    );
    assert_eq!(channel("").await.0, "one", "without the first, the next is the first");
    assert_eq!(channel("").await, (String::new(), listed(&["youtube:@lofigirl"])));
    assert_eq!(channel("").await.1, ["youtube:@lofigirl"], "and once more changes nothing");
    let launch = server.kill().await;
    let server = launch.start().await;
    assert_eq!(get(&server).await["twitchChannel"], "", "what was cleared stays cleared");
    assert_eq!(get(&server).await["youtubeSourceUrl"], "https://www.youtube.com/@lofigirl/live");
}

#[tokio::test]
async fn every_spelling_of_a_source_is_read() {
    let server = launch().start().await;
    let video = "https://www.youtube.com/watch?v=jfKfPfyJRdk";
    let handle = "https://www.youtube.com/@lofigirl/live";
    let channel = "https://www.youtube.com/channel/UCSJ4gkVC6NrvII8umztf0Ow/live";

    for (field, sent, expected) in [
        ("twitchChannel", "dagnel", "dagnel"),
        ("twitchChannel", "@DayoMan", "dayoman"),
        ("twitchChannel", "twitch.tv/dagnel", "dagnel"),
        ("twitchChannel", "https://m.twitch.tv/dagnel/videos", "dagnel"),
        ("twitchChannel", " ", ""),
        ("youtubeSourceUrl", "jfKfPfyJRdk", video),
        ("youtubeSourceUrl", "https://youtu.be/jfKfPfyJRdk?t=3", video),
        ("youtubeSourceUrl", "youtube.com/watch?v=jfKfPfyJRdk&x=1", video),
        ("youtubeSourceUrl", "https://www.youtube.com/live/jfKfPfyJRdk", video),
        ("youtubeSourceUrl", "https://www.youtube.com/embed/jfKfPfyJRdk", video),
        ("youtubeSourceUrl", "@lofigirl", handle),
        ("youtubeSourceUrl", "LofiGirl", handle),
        ("youtubeSourceUrl", "https://www.youtube.com/@LofiGirl", handle),
        ("youtubeSourceUrl", "https://www.youtube.com/channel/UCSJ4gkVC6NrvII8umztf0Ow", channel),
        ("youtubeSourceUrl", "", ""),
    ] {
        let answer = set(&server, json!({ field: sent })).await;
        assert_eq!(answer["config"][field], expected, "{sent}");
        assert_eq!(set(&server, json!({ field: expected })).await["changed"], false, "{expected} is its own spelling");
    }
    for (field, sent) in [
        ("twitchChannel", "https://eviltwitch.tv/x"),
        ("twitchChannel", "https://kick.com/x"),
        ("twitchChannel", "a-b"),
        ("youtubeSourceUrl", "https://www.youtube.com/watch?v=bad"),
        ("youtubeSourceUrl", "youtube.com"),
        ("youtubeSourceUrl", "https://evilyoutube.com/@x"),
        ("youtubeSourceUrl", "javascript:alert(1)"),
    ] {
        let answer = put(&server, &json!({ field: sent })).await;
        assert_eq!((answer.status, &answer.json()["details"][0]["field"]), (400, &json!(field)), "{sent}");
    }
}

#[tokio::test]
async fn changes_of_different_settings_at_once_all_hold() {
    let server = launch().start().await;
    let wishes = [
        json!({ "features": { "showBadges": false } }),
        json!({ "features": { "wsEnvelope": false } }),
        json!({ "tailer": { "maxBatch": 11 } }),
        json!({ "tailer": { "maxLagMs": 12 } }),
        json!({ "websocket": { "pingIntervalMs": 13_000 } }),
        json!({ "allowedOrigins": ["https://a.test"] }),
        json!({ "twitchChannel": "one" }),
        json!({ "youtubeSourceUrl": "@one" }),
        json!({ "gnasty": { "sinks": { "batchSize": 14 } } }),
        json!({ "gnasty": { "twitch": { "nick": "reader" } } }),
        json!({ "apiBaseUrl": "https://one.test" }),
        json!({ "ingest": { "backoffMaxMs": 15_000 } }),
    ];
    let before = get(&server).await;

    let answers = join_all(wishes.iter().map(|wish| put(&server, wish))).await;

    assert!(answers.iter().all(|answer| answer.status == 200 && answer.json()["changed"] == true));
    let mut expected = before;
    for wish in &wishes {
        put_over(&mut expected, wish);
    }
    expected["youtubeSourceUrl"] = json!("https://www.youtube.com/@one/live");
    assert_eq!(get(&server).await, expected);
    let launch = server.kill().await;
    assert_eq!(get(&launch.start().await).await, expected);
}

fn put_over(known: &mut Value, wish: &Value) {
    match wish.as_object() {
        Some(fields) => fields.iter().for_each(|(key, value)| put_over(&mut known[key], value)),
        None => *known = wish.clone(),
    }
}

#[tokio::test]
async fn changes_of_the_same_settings_at_once_never_mix() {
    let server = launch().start().await;
    let wish = |n: usize| {
        let name = format!("name{n}");
        json!({ "twitchChannel": name, "youtubeSourceUrl": format!("@{name}"), "gnasty": { "twitch": { "nick": name } },
                "allowedOrigins": [format!("https://{name}.test")], "tailer": { "maxBatch": n + 1 } })
    };
    let name = |config: &Value| config["twitchChannel"].as_str().expect("a text").to_owned();
    let assert_whole = |config: &Value| {
        let n: usize = name(config).trim_start_matches("name").parse().expect("one of the wishes");
        assert_eq!(config["tailer"]["maxBatch"], n + 1);
        assert_eq!(config["gnasty"]["twitch"]["nick"], name(config));
        assert_eq!(config["allowedOrigins"], json!([format!("https://{}.test", name(config))]));
        assert_eq!(config["youtubeSourceUrl"], format!("https://www.youtube.com/@{}/live", name(config)));
    };
    set(&server, wish(0)).await;

    let wishes: Vec<Value> = (1..=20).map(wish).collect();
    let (answers, looks) =
        tokio::join!(join_all(wishes.iter().map(|wish| put(&server, wish))), join_all((0..40).map(|_| get(&server))),);

    for answer in &answers {
        assert_eq!(answer.status, 200);
        assert_whole(&answer.json()["config"]);
    }
    looks.iter().for_each(assert_whole);
    let last = get(&server).await;
    assert_whole(&last);
    assert_eq!(sources(&server).await.len(), 2);
    let configz = server.get("/configz").await.json();
    assert_eq!(configz["tailer"]["batch"], last["tailer"]["maxBatch"], "the last change is the one in force");
    assert_eq!(configz["websocket"]["allowed_origins"], last["allowedOrigins"]);
}
