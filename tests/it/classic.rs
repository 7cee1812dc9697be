//! `/ws/chat`: what clients of old read, in the envelope they know.

use std::collections::BTreeSet;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::support::classic::{Classic, KEEPALIVE, json};
use crate::support::feed::Feed;
use crate::support::scene::watching_with;
use crate::support::server::{Launch, Server};
use crate::support::soon;
use crate::support::twitch::lines::{clearmsg, privmsg, privmsg_with, shared, timeout};
use crate::support::twitch::{ADA, BOB, MEI, Twitch};

/// The pages read these frames as the fixtures have them, so the server must send all of it, and no more unsaid.
fn assert_shape(fixture: &str, frame: &Value) {
    let path = format!("{}/tests/fixtures/classic/{fixture}.json", env!("CARGO_MANIFEST_DIR"));
    let expected = json(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")));
    let keys = |frame: &Value| frame.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(keys(frame), keys(&expected), "{fixture}");
}

async fn scene(change: impl FnOnce(Launch) -> Launch) -> (Twitch, Server, Feed) {
    let twitch = Twitch::start().await;
    let launch = change(Launch::new().twitch(&twitch, &["room"]));
    let (server, feed) = watching_with(&twitch, launch, &["room"]).await;
    (twitch, server, feed)
}

#[tokio::test]
async fn a_message_comes_in_its_envelope_with_every_field() {
    let (twitch, server, mut feed) = scene(|launch| launch).await;
    let mut classic = Classic::open(server.addr, "").await;

    let line = privmsg_with("room", &ADA, "nice run Kappa", "emotes=25:9-13");
    let id = line.id.clone().expect("a message has an id");
    twitch.send(line).await;
    let event = feed.event(&id).await;
    let chat = classic.chat().await;

    assert_eq!(chat["author"], "Ada_L");
    assert_eq!(chat["message"], "nice run Kappa");
    assert_eq!(chat["source"], "Twitch");
    assert_eq!(chat["source_channel"], "room");
    assert_eq!(chat["colour"], "#2E8B57");
    assert_eq!(chat["username_color"], "#2E8B57");
    assert_eq!(chat["id"], event["id"]);
    assert_eq!(chat["native_id"], id);
    assert_eq!(chat["author_id"], ADA.id.to_string());
    assert_eq!(chat["author_login"], ADA.login);
    assert!(chat["ts"].as_i64().is_some_and(|ts| ts > 1_700_000_000_000), "{}", chat["ts"]);
    let badges: Vec<_> = chat["badges"].as_array().expect("badges").iter().map(|badge| badge["id"].clone()).collect();
    assert_eq!(badges, ["subscriber", "premium"]);
    assert_emote(&chat);
    assert_shape("chat", &chat);
}

fn assert_emote(chat: &Value) {
    let [text, emote] = &chat["fragments"].as_array().expect("fragments")[..] else { panic!("{}", chat["fragments"]) };
    assert_eq!(text["type"], "text");
    assert_eq!(text["text"], "nice run");
    assert_eq!(text["emote"]["id"], "");
    assert_eq!(emote["type"], "emote");
    assert_eq!(emote["text"], "Kappa");
    assert_eq!(emote["emote"]["id"], "25");
    assert_eq!(emote["emote"]["locations"][0], "9-13");
    let url = emote["emote"]["images"][0]["url"].as_str().expect("an image has an address");
    assert!(url.contains("/emoticons/v2/25/"), "{url}");
    assert_eq!(chat["emotes"][0]["name"], "Kappa");
}

#[tokio::test]
async fn a_name_without_a_color_gets_the_one_it_always_had() {
    let (twitch, server, _feed) = scene(|launch| launch).await;
    let mut classic = Classic::open(server.addr, "").await;

    twitch.say("room", &BOB, "colorless").await;
    let first = classic.chat().await;
    twitch.say("room", &BOB, "again").await;
    let again = classic.chat().await;

    assert_eq!(first["colour"], fnv_color("bob"));
    assert_eq!(again["colour"], first["colour"]);
    assert_eq!(first["username_color"], first["colour"]);
}

/// The rule as it is documented, reckoned here on its own.
fn fnv_color(name: &str) -> &'static str {
    const PALETTE: [&str; 15] = [
        "#9999FF", "#8A2BE2", "#5F9EA0", "#D2691E", "#FF7F50", "#1E90FF", "#B22222", "#DAA520", "#008000", "#FF69B4",
        "#FF4500", "#FF0000", "#2E8B57", "#00FF7F", "#9ACD32",
    ];
    let mut hash: u32 = 2_166_136_261;
    for byte in name.bytes() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    }
    PALETTE[hash as usize % PALETTE.len()]
}

#[tokio::test]
async fn without_the_envelope_the_object_comes_bare() {
    let (twitch, server, _feed) = scene(|launch| launch.env("ELORA_WS_ENVELOPE", "off")).await;
    let mut classic = Classic::open(server.addr, "").await;

    twitch.say("room", &MEI, "bare").await;

    let chat = json(&classic.text().await);
    assert_eq!(chat["message"], "bare");
    assert_eq!(chat["author"], "芽衣");
}

#[tokio::test]
async fn a_source_passes_and_others_are_kept_back() {
    let (twitch, server, mut feed) = scene(|launch| launch).await;
    let mut twitch_only = Classic::open(server.addr, "?source=TWITCH").await;
    let mut youtube_only = Classic::open(server.addr, "?source=youtube").await;

    let said = twitch.say("room", &ADA, "for some").await;
    feed.event(&said).await;

    assert_eq!(twitch_only.chat().await["message"], "for some");
    server.signal("TERM");
    let closed = youtube_only.close().await.expect("a close frame, and no chat before it");
    assert_eq!(u16::from(closed.code), 1012);
}

#[tokio::test]
async fn keepalives_are_bare_and_followed_by_a_ping() {
    let (_twitch, server, _feed) = scene(|launch| launch.env("ELORA_WS_PING_INTERVAL_MS", "200")).await;
    let mut classic = Classic::open(server.addr, "").await;

    assert_eq!(classic.text().await, KEEPALIVE);
    let next = soon("a ping", classic.socket.next()).await;
    assert!(matches!(next, Some(Ok(Message::Ping(_)))), "{next:?}");
    assert_eq!(classic.text().await, KEEPALIVE);
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_let_go() {
    let change = |launch: Launch| launch.env("ELORA_WS_PING_INTERVAL_MS", "200").env("ELORA_WS_PONG_WAIT_MS", "600");
    let (_twitch, server, _feed) = scene(change).await;
    let mut answering = Classic::open(server.addr, "").await;
    let silent = crate::support::feed::upgrade_narrow(server.addr, "/ws/chat").await;

    // Reading is what answers pings: the one socket is read, and the bytes of the other are looked at unanswered.
    let stream = silent.get_ref();
    let mut gone = vec![0_u8; 65_536];
    soon("the silent one is let go", async {
        loop {
            tokio::select! {
                text = answering.text() => assert_eq!(text, KEEPALIVE),
                ready = stream.readable() => {
                    ready.expect("the stream can be waited for");
                    match stream.try_read(&mut gone) {
                        Ok(0) => return,
                        Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return,
                        _ => {}
                    }
                }
            }
        }
    })
    .await;
    assert_eq!(answering.text().await, KEEPALIVE, "who answers stays");
}

#[tokio::test]
async fn what_a_client_says_is_ignored_unless_it_is_too_long() {
    let (twitch, server, _feed) = scene(|launch| launch).await;
    let mut classic = Classic::open(server.addr, "").await;

    for text in ["hello", "{}", KEEPALIVE] {
        classic.socket.send(Message::text(text)).await.expect("the socket takes messages");
    }
    twitch.say("room", &ADA, "unmoved").await;
    assert_eq!(classic.chat().await["message"], "unmoved");

    let _ = classic.socket.send(Message::text("x".repeat(200_000))).await;
    let closed = classic.close().await;
    assert!(closed.is_none_or(|frame| u16::from(frame.code) == 1009));
}

#[tokio::test]
async fn what_has_no_text_and_what_was_taken_away_does_not_come() {
    let (twitch, server, mut feed) = scene(|launch| launch).await;
    let mut classic = Classic::open(server.addr, "").await;
    let doomed = privmsg("room", &BOB, "doomed");
    let id = doomed.id.clone().expect("a message has an id");

    twitch.send(clearmsg("room", BOB.login, &id, "doomed")).await;
    twitch.send(doomed).await;
    twitch.say("room", &ADA, " ").await;
    let last = twitch.say("room", &ADA, "last").await;
    feed.event(&last).await;

    assert_eq!(classic.chat().await["message"], "last");
}

#[tokio::test]
async fn a_replay_begins_with_the_newest_hundred_and_goes_on_live() {
    let (twitch, server, mut feed) = scene(|launch| launch).await;
    let before = twitch.burst("room", 130, 2000).await;
    feed.until_all(&before).await;

    let mut classic = Classic::open(server.addr, "?replay=1").await;
    let after = twitch.say("room", &ADA, "cyan:wave2: and now live").await;
    feed.event(&after).await;

    let ids = |events: &[Value]| events.iter().map(|event| event["id"].clone()).collect::<Vec<_>>();
    let mut seen = Vec::new();
    for _ in 0..101 {
        seen.push(classic.chat().await);
    }
    let expected: Vec<Value> = feed.events.iter().filter(|event| event["kind"] == "message").cloned().collect();
    assert_eq!(ids(&seen), ids(&expected[30..]), "oldest first, none twice");
    assert!(seen[0]["fragments"].as_array().is_some_and(|tokens| !tokens.is_empty()), "{}", seen[0]);
    let tokens: Vec<_> = seen[100]["fragments"].as_array().expect("tokens").iter().collect();
    let types: Vec<_> = tokens.iter().map(|token| (token["type"].clone(), token["text"].clone())).collect();
    assert_eq!(
        types,
        [("colour".into(), "cyan".into()), ("effect".into(), "wave2".into()), ("text".into(), "and now live".into())]
    );
}

#[tokio::test]
async fn nothing_is_replayed_unless_asked_for() {
    let (twitch, server, mut feed) = scene(|launch| launch).await;
    let before = twitch.say("room", &ADA, "before").await;
    feed.event(&before).await;

    for query in ["", "?replay=0", "?replay=nonsense"] {
        let mut classic = Classic::open(server.addr, query).await;
        let now = twitch.say("room", &ADA, "now").await;
        assert_eq!(classic.chat().await["id"], feed.event(&now).await["id"], "{query}");
    }
}

#[tokio::test]
async fn a_client_that_asks_for_it_is_told_what_is_taken_away() {
    let (twitch, server, mut feed) = scene(|launch| launch).await;
    let mut plain = Classic::open(server.addr, "").await;
    let mut told = Classic::open(server.addr, "?events=1").await;
    let id = twitch.say("room", &BOB, "unspeakable").await;
    let said = feed.event(&id).await;
    assert_eq!(json(&told.text().await)["type"], "live");
    told.chat().await;
    plain.chat().await;

    twitch.send(clearmsg("room", BOB.login, &id, "unspeakable")).await;
    twitch.send(timeout("room", &BOB, 60)).await;
    twitch.say("room", &ADA, "next").await;

    let removed = json(&told.text().await);
    assert_eq!(removed["type"], "removed");
    assert_shape("removed", &removed);
    assert_eq!(removed["id"], said["id"]);
    assert_eq!(removed["native_id"], *id);
    assert_eq!(removed["source"], "Twitch");
    let cleared = json(&told.text().await);
    assert_eq!(cleared["type"], "cleared");
    assert_shape("cleared", &cleared);
    assert_eq!(cleared["author_id"], BOB.id.to_string());
    assert_eq!(cleared["duration_s"], 60);
    assert_eq!(told.chat().await["message"], "next");
    assert_eq!(plain.chat().await["message"], "next", "whoever did not ask is sent chat alone");
}

#[tokio::test]
async fn a_copy_from_a_shared_session_says_what_a_removal_of_it_will_name() {
    let twitch = Twitch::start().await;
    let channels = ["home", "guest"];
    let (server, mut feed) = watching_with(&twitch, Launch::new().twitch(&twitch, &channels), &channels).await;
    let mut told = Classic::open(server.addr, "?events=1").await;
    assert_eq!(json(&told.text().await)["type"], "live");
    let home = privmsg("home", &BOB, "").native_id();
    let copy = shared("guest", &BOB, "typed at home", "home", &home);
    let copied = copy.native_id();

    let alone = twitch.say("guest", &ADA, "typed here").await;
    feed.event(&alone).await;
    twitch.send(copy).await;
    let event = feed.event(&copied).await;
    twitch.send(clearmsg("home", BOB.login, &home, "typed at home")).await;

    assert_eq!(told.chat().await.get("shared"), None, "what was typed in one room is no copy");
    let chat = told.chat().await;
    assert_shape("chat-shared", &chat);
    assert_eq!((&chat["native_id"], &chat["source_channel"]), (&copied.into(), &"guest".into()));
    assert_eq!(chat["shared"]["source_id"], home);
    assert_eq!(chat["shared"], event["shared"], "the feed says it in the same words");
    let removed = json(&told.text().await);
    assert_eq!((&removed["type"], &removed["native_id"]), (&"removed".into(), &chat["shared"]["source_id"]));
    let mut replayed = Classic::open(server.addr, "?replay=1&events=1").await;
    assert_eq!(replayed.chat().await["native_id"], alone);
    let next = json(&replayed.text().await);
    assert_ne!(next["type"], "chat", "the copy is gone with what it is a copy of: {next}");
}

#[tokio::test]
async fn a_client_that_is_told_of_changes_knows_where_the_replay_ends() {
    let change = |launch: Launch| launch.env("ELORA_WS_PING_INTERVAL_MS", "7000");
    let (twitch, server, mut feed) = scene(change).await;
    let before = twitch.say("room", &ADA, "before").await;
    let before = feed.event(&before).await;

    let mut classic = Classic::open(server.addr, "?replay=1&events=1").await;
    let replayed = classic.chat().await;
    let live = json(&classic.text().await);
    let after = twitch.say("room", &ADA, "after").await;
    let after = feed.event(&after).await;

    assert_eq!(replayed["id"], before["id"]);
    assert_eq!(live["type"], "live");
    assert_shape("live", &live);
    assert_eq!(live["keepalive_ms"], 7000);
    let (epoch, id) = live["cursor"].as_str().and_then(|cursor| cursor.split_once(':')).expect("a cursor");
    assert!(!epoch.is_empty());
    let number = |id: &Value| id.as_str().expect("an id").parse::<i64>().expect("a number");
    let id: i64 = id.parse().expect("a number");
    assert!(number(&before["id"]) <= id && id < number(&after["id"]), "{live}");
    assert_eq!(classic.chat().await["id"], after["id"]);
}

#[tokio::test]
async fn the_palette_of_the_first_versions_is_there_to_choose() {
    let (twitch, server, _feed) = scene(|launch| launch.env("ELORA_UI_PALETTE", "8")).await;
    let mut classic = Classic::open(server.addr, "").await;

    twitch.say("room", &BOB, "colorless").await;

    let eight = ["#F97316", "#22D3EE", "#C084FC", "#34D399", "#FACC15", "#38BDF8", "#F472B6", "#A3E635"];
    let color = classic.chat().await["colour"].clone();
    assert!(eight.iter().any(|known| color == *known), "{color}");
}

#[tokio::test]
async fn the_socket_needs_an_upgrade() {
    let (_twitch, server, _feed) = scene(|launch| launch).await;

    let status = server.get("/ws/chat").await.status;

    assert!((400..=426).contains(&status), "{status}");
}
