//! The driver `replay` through the real program: what is played, how often, and what is said where nothing can be.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::classic::Classic;
use crate::support::feed::Feed;
use crate::support::http::Request;
use crate::support::server::{Launch, Server, asked_until};

/// The recording that ships.
const SHIPPED: &str = include_str!("../../src/platforms/replay/demo.ndjson");
const IDLE_STOP: Duration = Duration::from_secs(1);
const CONFIGURATION: i32 = 64;
const ENDED: &str = "the recording has ended";

fn replay() -> Launch {
    Launch::new().env("ELORA_INGEST_DRIVER", "replay")
}

fn flat_out() -> Launch {
    replay().env("ELORA_REPLAY_SPEED", "max")
}

/// Plays these lines instead of what ships.
fn with_file(launch: Launch, text: impl AsRef<[u8]>) -> Launch {
    let path = launch.dir().join("evening.ndjson");
    std::fs::write(&path, text).unwrap();
    launch.env("ELORA_REPLAY_FILE", path.to_str().unwrap())
}

fn line(id: &str, at: &str) -> String {
    format!(
        r#"{{"platform":"twitch","channel":"lovelace","native_id":"{id}","at":"2020-01-01T{at}Z","author":"ada","text":"{id}"}}"#
    ) + "\n"
}

fn shipped() -> Vec<Value> {
    SHIPPED.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An event's name in the recording, behind the mark of its playing.
fn name(event: &Value) -> Option<&str> {
    event["native_id"].as_str().map(|id| id.splitn(3, '-').nth(2).unwrap_or(id))
}

/// Kinds and names in their order.
fn outline(events: &[Value]) -> Vec<(String, Option<String>)> {
    let named = |event: &Value| event["native_id"].as_str().and(name(event)).map(str::to_owned);
    events.iter().map(|event| (event["kind"].as_str().unwrap().to_owned(), named(event))).collect()
}

fn written(events: &[Value]) -> Vec<(String, Option<String>)> {
    let id = |event: &Value| event["native_id"].as_str().map(str::to_owned);
    events.iter().map(|event| (event["kind"].as_str().unwrap().to_owned(), id(event))).collect()
}

async fn has_ended(server: &Server) {
    asked_until("it has ended", server, "/api/sources", |answer| answer.text().contains(ENDED)).await;
}

async fn restart(server: &Server) {
    let answer = server.ask(Request::new("POST", "/restart-server").body("application/json", "{}")).await;
    assert!((200..300).contains(&answer.status), "{}", answer.text());
}

async fn all(server: &Server, count: usize) -> Feed {
    let mut feed = server.feed("?last=1000").await;
    feed.until(&format!("{count} events"), |feed| feed.events.len() >= count).await;
    feed
}

#[tokio::test]
async fn what_ships_is_played_whole_in_order_and_once_more_after_a_restart() {
    let server = flat_out().start().await;
    has_ended(&server).await;
    let recorded = shipped();
    let mut feed = all(&server, recorded.len()).await;
    let mut classic = Classic::open(server.addr, "").await;

    restart(&server).await;
    feed.until("a second playing", |feed| feed.events.len() >= 2 * recorded.len()).await;
    has_ended(&server).await;

    let (first, second) = feed.events.split_at(recorded.len());
    assert_eq!(outline(first), written(&recorded));
    assert_eq!(outline(second), written(&recorded));
    let ids: Vec<&str> = feed.events.iter().filter_map(|event| event["native_id"].as_str()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "a name is there twice");
    let stored: Vec<i64> = server.column("select count(*) from events");
    assert_eq!(stored, [2 * recorded.len() as i64]);
    while classic.chat().await["message"] != "good night YouTube, last one out closes the fog" {}
}

#[tokio::test]
async fn moderators_hit_what_was_just_played() {
    let server = flat_out().start().await;
    has_ended(&server).await;
    restart(&server).await;
    let feed = all(&server, 2 * shipped().len()).await;

    let removed: Vec<&str> = feed
        .events
        .iter()
        .filter(|event| event["state"] == "removed")
        .map(|event| event["author"]["login"].as_str().unwrap())
        .collect();
    let (spoiler, advertiser) = ("ohm-sweet-ohm", "totally-not-a-bot");
    assert_eq!(removed, [spoiler, advertiser, advertiser, spoiler, advertiser, advertiser]);
    let edits = feed.events.iter().filter(|event| event["kind"] == "edited");
    for (edit, place) in edits.zip(0..) {
        let hit =
            &feed.events[place * shipped().len()..].iter().find(|event| event["text"] == "l a m p (typed by cat)");
        assert_eq!(edit["target"]["native_id"], hit.unwrap()["native_id"]);
    }
}

#[tokio::test]
async fn an_export_is_played_from_its_end() {
    let first = flat_out().start().await;
    has_ended(&first).await;
    let export = first.get("/api/messages/export?limit=100000").await.text();
    let times: Vec<&str> = export.lines().collect();
    assert!(times[0].contains("\"gulls\""), "the newest is first: {}", times[0]);
    let visible = |events: Vec<Value>| -> Vec<String> {
        let said = events.into_iter().filter(|event| event["kind"] == "message" && event["state"] != "removed");
        said.map(|event| event["text"].as_str().unwrap().to_owned()).collect()
    };
    let said = visible(all(&first, shipped().len()).await.events);

    // Flat out everything happened at once, which says nothing of an order: the times of the evening do.
    let second = with_file(flat_out(), spread(&export)).start().await;
    has_ended(&second).await;
    let played = all(&second, said.len()).await;

    assert_eq!(visible(played.events), said);
}

/// The same lines with times a second apart, the first one latest.
fn spread(export: &str) -> String {
    let lines = export.lines().enumerate().map(|(n, line)| {
        let mut item: Value = serde_json::from_str(line).unwrap();
        let mut event: Value = serde_json::from_str(item["raw_json"].as_str().unwrap()).unwrap();
        event["at"] = Value::from(1_767_225_600_000_i64 - 1_000 * n as i64);
        item["ts"] = event["at"].clone();
        item["raw_json"] = event.to_string().into();
        item.to_string() + "\n"
    });
    lines.collect()
}

#[tokio::test]
async fn lines_of_irc_are_played_too() {
    let lines = "@id=m1;display-name=Ada;user-id=1 :ada!ada@ada PRIVMSG #lovelace :hello Kappa\r\n\
                 :tmi.twitch.tv ROOMSTATE #lovelace\r\n\
                 @id=m2;display-name=Bob;user-id=2 :bob!bob@bob PRIVMSG #lovelace :the butler did it\r\n\
                 @login=bob;target-msg-id=m2 :tmi.twitch.tv CLEARMSG #lovelace :the butler did it\r\n";
    let server = with_file(replay().env("ELORA_REPLAY_SPEED", "100"), lines).start().await;

    has_ended(&server).await;
    let feed = all(&server, 3).await;

    assert_eq!(feed.events[0]["text"], "hello Kappa");
    assert_eq!((feed.events[1]["state"].as_str(), feed.events[1]["text"].as_str()), (Some("removed"), Some("")));
    assert_eq!(feed.events[2]["target"]["native_id"], feed.events[1]["native_id"]);
    assert_eq!(server.sources().await[0]["source"], "twitch:lovelace");
}

#[tokio::test]
async fn a_recording_that_is_repeated_begins_again_under_other_names() {
    let text = line("one", "20:00:00") + &line("two", "20:00:10");
    let launch = replay().env("ELORA_REPLAY_SPEED", "1000").env("ELORA_REPLAY_LOOP", "1");
    let server = with_file(launch, text).start().await;
    let mut feed = server.feed("?last=1000").await;

    feed.until("it was played three times", |feed| feed.events.len() >= 6).await;

    let names: Vec<&str> = feed.events[..6].iter().filter_map(name).collect();
    assert_eq!(names, ["one", "two", "one", "two", "one", "two"]);
    assert_eq!(server.sources().await[0]["state"], "live");
}

#[tokio::test]
async fn lines_that_cannot_be_read_are_counted_and_left_out() {
    let broken = ["{\"text\":".to_owned(), "hello?".to_owned(), "x".repeat(5 << 20), "\u{0}".to_owned()];
    let text = line("one", "20:00:00") + &broken.join("\n") + "\n\n" + &line("two", "20:00:01");
    let server = with_file(flat_out(), text).start().await;

    has_ended(&server).await;

    assert_eq!(all(&server, 2).await.events.iter().filter_map(name).collect::<Vec<_>>(), ["one", "two"]);
    assert!(server.said().contains("4 lines of"), "{}", server.said());
    for counted in [r#"kind="unreadable"} 3"#, r#"kind="line_cut"} 1"#] {
        let line = format!(r#"elora_ingest_odd_total{{platform="replay",{counted}"#);
        asked_until("they are counted", &server, "/metrics", |answer| answer.text().contains(&line)).await;
    }
    assert!(!server.said().contains("hello?"), "the log holds no chat");
}

#[tokio::test]
async fn what_cannot_be_played_says_so_and_the_server_goes_on() {
    let nothing = "{}\n{}\n".to_owned();
    for (file, text, word) in
        [("missing.ndjson", None, "No such file"), ("empty.ndjson", Some(nothing), "there is no event in")]
    {
        let launch = flat_out();
        let path = launch.dir().join(file);
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let server = launch.env("ELORA_REPLAY_FILE", path.to_str().unwrap()).start().await;

        let told =
            asked_until("it is refused", &server, "/api/sources", |answer| answer.text().contains("refused")).await;

        let source = &told.json()["sources"][0];
        assert_eq!((source["login"].as_str(), source["platform"].as_str()), (Some(file), Some("replay")));
        assert!(source["reason"].as_str().unwrap().contains(word), "{source}");
        assert_eq!(server.get("/readyz").await.status, 200);

        std::fs::write(&path, line("one", "20:00:00")).unwrap();
        restart(&server).await;
        has_ended(&server).await;
        let sources = server.sources().await;
        assert_eq!(sources.len(), 1, "{sources:?}");
        assert_eq!(sources[0]["source"], "twitch:lovelace");
    }
}

#[tokio::test]
async fn a_folder_or_a_pipe_is_no_recording() {
    let launch = flat_out();
    let folder = launch.dir().to_str().unwrap().to_owned();
    let server = launch.env("ELORA_REPLAY_FILE", &folder).start().await;

    server.until_it_says("it is no file").await;
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_long_silence_takes_no_second() {
    let text = line("one", "20:00:00") + &line("two", "21:00:00");
    let server = with_file(replay(), text).start().await;
    all(&server, 1).await;

    let asked = Instant::now();
    let ended = server.stop().await;

    assert_eq!(ended.code, Some(0), "{}", ended.said);
    assert!(!ended.said.contains("did not leave"), "{}", ended.said);
    assert!(asked.elapsed() < IDLE_STOP, "it took {} ms", asked.elapsed().as_millis());
}

#[tokio::test]
async fn channels_of_the_recording_are_there_unasked_and_others_wait() {
    let text = line("one", "20:00:00") + &line("two", "21:00:00");
    let launch = replay().env("ELORA_REPLAY_SPEED", "2").env("TWITCH_CHANNELS", "lovelace,babbage");
    let server = with_file(launch, text.replace("\"lovelace\"", r#"{"login":"-demo-"}"#) + &line("three", "21:00:00"))
        .start()
        .await;
    all(&server, 1).await;

    let sources = server.sources().await;

    let state = |source: &Value| {
        let text = |key: &str| source[key].as_str().unwrap_or_default().to_owned();
        (text("login"), text("state"), text("added_by"))
    };
    let told = |login: &str, state: &str, by: &str| (login.to_owned(), state.to_owned(), by.to_owned());
    let expected =
        [told("lovelace", "stopped", "config"), told("babbage", "stopped", "config"), told("-demo-", "live", "driver")];
    assert_eq!(sources.iter().map(state).collect::<Vec<_>>(), expected);
    assert_eq!(sources[2]["reason"], "a recording, at 2×");
    let added = server.add_source("twitch:grace").await.json();
    assert_eq!(added["added_by"], "hand");
    let waits = |answer: &crate::support::http::Answer| answer.text().matches("is played instead").count() == 3;
    asked_until("the new one waits, too", &server, "/api/sources", waits).await;
    let removal = server.ask(Request::new("DELETE", "/api/sources/twitch:-demo-")).await;
    assert_eq!(removal.status, 404);
}

#[tokio::test]
async fn a_speed_that_is_none_ends_with_64() {
    for speed in ["0", "-1", "fast"] {
        let ended = replay().env("ELORA_REPLAY_SPEED", speed).run().await;

        assert_eq!(ended.code, Some(CONFIGURATION), "{}", ended.said);
        assert!(ended.said.contains("ELORA_REPLAY_SPEED"), "{}", ended.said);
    }
}

#[tokio::test]
async fn a_demonstration_leaves_no_store_behind() {
    let launch = flat_out().flagless().env("ELORA_HTTP_ADDR", "127.0.0.1:0");
    let server = launch.start().await;
    has_ended(&server).await;
    let data = server.launch().dir().join("data");

    let ended = server.stop().await;

    assert!(ended.said.contains("temporary store"), "{}", ended.said);
    let left: Vec<_> = std::fs::read_dir(&data).into_iter().flatten().flatten().map(|file| file.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("elora.db")), "{left:?}");
}
