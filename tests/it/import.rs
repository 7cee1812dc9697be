//! Moving from the programs before this one: their files' history is brought in whole, once, and nothing of them changes.

mod by_hand;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::archive::{self, Maker, Row, beside};
use crate::support::server::{Launch, Server, asked_until, open_store};
use crate::support::twitch::{ADA, Twitch};

const NEW_YEAR: i64 = 1_767_225_600_000;

/// What a message looks like in history, as far as a row of old says it.
#[derive(Debug, PartialEq)]
struct Seen {
    native_id: String,
    at: i64,
    platform: String,
    name: String,
    text: String,
    emotes: Vec<String>,
    badges: Vec<String>,
    color: Value,
}

/// Every page of history, newest first, checked to be in order.
async fn history(server: &Server) -> Vec<Seen> {
    let (mut seen, mut path) = (Vec::new(), "/api/messages?limit=500".to_owned());
    loop {
        let answer = server.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        let page = answer.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(told));
        let (Some(ts), Some(row)) = (page["next_before_ts"].as_i64(), page["next_before_rowid"].as_i64()) else {
            return seen;
        };
        path = format!("/api/messages?limit=500&before_ts={ts}&before_rowid={row}");
    }
}

fn told(item: &Value) -> Seen {
    let event: Value = serde_json::from_str(item["raw_json"].as_str().unwrap()).unwrap();
    let list = |value: &Value| value.as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let emotes = list(&event["fragments"]).into_iter().filter(|fragment| fragment["type"] == "emote");
    let badges = list(&event["author"]["badges"]).into_iter();
    let at: jiff::Timestamp = text(&event["at"]).parse().unwrap();
    assert_eq!(item["username"], event["author"]["name"]);
    Seen {
        native_id: text(&event["native_id"]),
        at: at.as_millisecond(),
        platform: text(&item["platform"]),
        name: text(&item["username"]),
        text: text(&item["text"]),
        emotes: emotes.map(|emote| format!("{} {}", text(&emote["text"]), text(&emote["id"]))).collect(),
        badges: badges.map(|badge| format!("{}/{}", text(&badge["set"]), text(&badge["version"]))).collect(),
        color: event["author"]["color"].clone(),
    }
}

/// The same of a row as its maker wrote it.
fn expected(row: &Row) -> Seen {
    let is_twitch = row.platform == "Twitch";
    let badge = match (is_twitch, row.badges_json.as_str()) {
        (_, "[]") => Vec::new(),
        (true, _) => vec!["subscriber/12".to_owned()],
        (false, _) => vec!["moderator/".to_owned()],
    };
    Seen {
        native_id: row.id.clone(),
        at: row.ts,
        platform: row.platform.to_owned(),
        name: row.username.clone(),
        text: row.text.clone(),
        emotes: if is_twitch { vec!["Kappa 25".to_owned(); 2] } else { vec![":wave: UCx/wave".to_owned()] },
        badges: badge,
        color: if row.colour.is_empty() { Value::Null } else { json!(row.colour) },
    }
}

fn newest_first(rows: &[Row]) -> Vec<Seen> {
    rows.iter().rev().map(expected).collect()
}

fn digest(path: &Path) -> Vec<u8> {
    Sha256::digest(std::fs::read(path).unwrap()).to_vec()
}

async fn finished(server: &Server) -> Value {
    let is_over = |answer: &crate::support::http::Answer| answer.json()["state"] == "finished";
    asked_until("the import is finished", server, "/api/import", is_over).await.json()
}

#[tokio::test]
async fn every_row_of_each_kind_of_file_is_history_afterwards_and_the_file_is_as_it_was() {
    for maker in [Maker::Seed, Maker::Head, Maker::Gnasty] {
        let launch = Launch::new();
        let old = launch.db_path().to_owned();
        let rows = archive::rows(maker, NEW_YEAR, 700);
        archive::write(&old, maker, &rows);
        let before = digest(&old);

        let server = launch.clone().start().await;
        let progress = finished(&server).await;

        assert_eq!((&progress["done"], &progress["total"]), (&json!(700), &json!(700)), "{maker:?}");
        assert_eq!((&progress["imported"], &progress["unreadable"]), (&json!(700), &json!(0)), "{maker:?}");
        assert_eq!(progress["file"], "elora.db");
        assert_eq!(history(&server).await, newest_first(&rows), "{maker:?}");
        assert_eq!(server.stop().await.code, Some(0));
        assert_eq!(digest(&old), before, "{maker:?}");
        assert!(!beside(&old, "-wal").exists() && !beside(&old, "-shm").exists(), "{maker:?}");

        let server = launch.start().await;
        let again = finished(&server).await;
        assert_eq!((&again["done"], &again["imported"], &again["known"]), (&json!(700), &json!(0), &json!(0)));
        assert_eq!(history(&server).await.len(), 700);
    }
}

#[tokio::test]
async fn a_kill_in_the_middle_costs_nothing_and_doubles_nothing() {
    const COUNT: usize = 12_000;
    let launch = Launch::new();
    let rows = archive::rows(Maker::Gnasty, NEW_YEAR, COUNT);
    archive::write(launch.db_path(), Maker::Gnasty, &rows);

    let mut server = launch.start().await;
    for part in [2_000, 5_000, 8_000] {
        let is_there = |answer: &crate::support::http::Answer| answer.json()["done"].as_u64() >= Some(part);
        let progress = asked_until("a part is there", &server, "/api/import", is_there).await.json();
        assert_eq!(progress["state"], "running", "{progress}");
        server = server.kill().await.start().await;
    }
    let progress = finished(&server).await;

    assert_eq!((&progress["done"], &progress["known"]), (&json!(COUNT), &json!(0)), "what was read is not read again");
    let store = open_store(&server.launch().db_path().with_extension("events.db"));
    let count = |what: &str| {
        let sql = format!("select count({what}) from events where kind = 'message' and id < 0");
        store.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap() as usize
    };
    assert_eq!((count("*"), count("distinct native_id")), (COUNT, COUNT));
    let newest = server.get("/api/messages?limit=500").await.json();
    let newest: Vec<Seen> = newest["items"].as_array().unwrap().iter().map(told).collect();
    assert_eq!(newest, newest_first(&rows)[..500]);
}

#[tokio::test]
async fn nobody_who_watches_takes_history_for_news_and_chat_goes_on() {
    let twitch = Twitch::start().await;
    let launch = Launch::new().twitch(&twitch, &["room"]);
    let rows = archive::rows(Maker::Gnasty, NEW_YEAR, 6_000);
    archive::write(launch.db_path(), Maker::Gnasty, &rows);

    let server = launch.start().await;
    let mut feed = server.feed("?last=1000").await;
    let mut alerts = server.feed("?last=1000&kind=alert").await;
    twitch.joined("room").await;
    let first = twitch.say("room", &ADA, "in the middle of it").await;
    feed.event(&first).await;
    feed.until("the dashboard is told", |feed| feed.state("import").is_some_and(|told| told["state"] == "finished"))
        .await;
    let last = twitch.say("room", &ADA, "after it").await;
    feed.event(&last).await;

    assert_eq!(feed.message_ids(), [first.as_str(), last.as_str()], "no line of old came as news");
    assert!(feed.ids().iter().all(|id| *id > 0));
    alerts.until("told", |feed| feed.state("import").is_some_and(|told| told["state"] == "finished")).await;
    let resumed = server.feed(&format!("?since={}", feed.cursor)).await;
    assert!(resumed.hello["resumed"] == true && resumed.events.is_empty());
    let newest = server.feed("?last=1000").await;
    assert!(newest.events.iter().all(|event| event["native_id"] != json!(rows[0].id)));
    assert_eq!(history(&server).await.len(), 6_002);
    assert_eq!(server.metric("elora_ingest_messages_total{platform=\"twitch\",kind=\"message\"}").await, 2.0);
}

#[tokio::test]
async fn a_file_in_use_is_read_without_standing_in_its_writers_way() {
    let launch = Launch::new().env("ELORA_INGEST_DRIVER", "none");
    let old = launch.db_path().to_owned();
    let writer = archive::make(&old, Maker::Gnasty);
    let rows = archive::rows(Maker::Gnasty, NEW_YEAR, 3_000);
    archive::insert(&writer, Maker::Gnasty, &rows);

    let server = launch.start().await;
    let finished = finished(&server);
    tokio::pin!(finished);
    let mut beat = tokio::time::interval(Duration::from_millis(5));
    let mut written = 0;
    loop {
        tokio::select! {
            _ = &mut finished => break,
            _ = beat.tick() => {
                // Waits for no lock: an error would end the test.
                archive::insert(&writer, Maker::Gnasty, &archive::rows(Maker::Gnasty, NEW_YEAR + 10_000_000 + 10 * written, 1));
                written += 1;
            }
        }
    }

    assert!(written > 2, "only {written} rows were written meanwhile");
    let seen = history(&server).await;
    let of_before: Vec<&Seen> = seen.iter().filter(|seen| seen.at < NEW_YEAR + 10_000_000).collect();
    assert_eq!(of_before.len(), rows.len());
}

#[tokio::test]
async fn odd_rows_are_read_as_far_as_anybody_could() {
    let launch = Launch::new();
    let file = rusqlite::Connection::open(launch.db_path()).unwrap();
    let odd = "create table messages (id text, ts text, username text, platform text, text text, emotes_json text, raw_json text);
        insert into messages values
          ('a', '2026-01-01T00:00:00Z', 'Ada', 'Twitch', 'in words', '[]', null),
          ('b', '1767225601', 'Ada', 'twitch', 'in seconds', '[]', null),
          ('c', '1767225602000', 'Ada', 'Twitch', 'in milliseconds', '{broken', '{broken'),
          (null, '1767225603000', 'Ada', 'Twitch', 'without an id', null, ''),
          ('', '1767225603000', 'Ada', 'Twitch', 'without any id', null, ''),
          ('d', '1767225604000', '', 'Twitch', 'without a name', '[]', '[]'),
          ('e', null, 'Ada', 'Twitch', 'without a time', '[]', 'null'),
          ('f', 'yesterday', 'Ada', 'Kick', 'at no time', '[]', '{}'),
          ('g', '1767225606000', 'Ada', 'two words', 'nowhere', '[]', '{}'),
          ('h', '1767225607000', null, 'Twitch', null, '[]', '{}'),
          ('a', '1767225608000', 'Ada', 'Twitch', 'an id once more', '[]', '{}'),
          (x'00ff', 1767225609000.0, x'41ff', 'Twitch', 'bytes', '[]', '{}');";
    file.execute_batch(odd).unwrap();
    file.close().unwrap();

    let server = launch.start().await;
    let progress = finished(&server).await;
    let seen = history(&server).await;

    assert_eq!((&progress["done"], &progress["unreadable"], &progress["known"]), (&json!(12), &json!(1), &json!(1)));
    let at = |text: &str| seen.iter().find(|seen| seen.text == text).map(|seen| seen.at);
    assert_eq!(at("in words"), None, "its id came once more, and the newest counts");
    assert_eq!((at("in seconds"), at("in milliseconds")), (Some(NEW_YEAR + 1000), Some(NEW_YEAR + 2000)));
    assert!(at("without an id").is_some() && at("without any id").is_some() && at("without a name").is_some());
    assert_eq!(
        (at("at no time"), at("without a time")),
        (Some(NEW_YEAR + 6000), Some(NEW_YEAR + 6000)),
        "as its neighbor"
    );
    assert_eq!(at("bytes"), Some(NEW_YEAR + 9000));
    assert_eq!(seen.len(), 10);
}

#[tokio::test]
async fn the_bookkeeping_of_the_store_has_no_table_that_another_program_looks_for() {
    let launch = Launch::new();
    archive::write(launch.db_path(), Maker::Head, &archive::rows(Maker::Head, NEW_YEAR, 3));
    let server = launch.start().await;
    finished(&server).await;

    let store = open_store(&server.launch().db_path().with_extension("events.db"));
    let tables: Vec<String> =
        crate::support::server::column(&store, "select name from sqlite_schema where type = 'table'");
    for foreign in ["migrations", "messages", "config_kv"] {
        assert!(!tables.iter().any(|table| table == foreign), "{tables:?}");
    }
}

/// What the last elora-chat kept in its file.
fn settings(changed: &Value) -> Value {
    let mut all = json!({ "schemaVersion": 2, "twitchChannel": "Lovelace", "features": { "showBadges": false } });
    for (key, value) in changed.as_object().unwrap() {
        all[key] = value.clone();
    }
    all
}

async fn server_with_settings(version: i64, document: &str) -> Server {
    let launch = Launch::new();
    let file = archive::make(launch.db_path(), Maker::Head);
    let row = "insert into config_kv values ('runtime_config', ?1, ?2, 1700000000000)";
    file.execute(row, rusqlite::params![version, document]).unwrap();
    file.close().unwrap();
    launch.start().await
}

#[tokio::test]
async fn the_settings_of_old_are_taken_over_once() {
    let server = server_with_settings(2, &settings(&json!({ "tailer": { "maxBatch": 77 } })).to_string()).await;
    let config = server.get("/api/config").await.json()["config"].clone();
    assert_eq!((&config["tailer"]["maxBatch"], &config["features"]["showBadges"]), (&json!(77), &json!(false)));
    assert_eq!(server.sources().await[0]["source"], "twitch:lovelace");

    let id = server.sources().await[0]["id"].as_str().unwrap().to_owned();
    let change = json!({ "tailer": { "maxBatch": 78 } });
    let changed = crate::support::http::Request::new("PUT", "/api/config").json(&change);
    assert_eq!(server.ask(changed).await.status, 200);
    server.ask(crate::support::http::Request::new("DELETE", &format!("/api/sources/{id}"))).await;
    let launch = server.launch().clone();
    server.stop().await;
    let server = launch.start().await;

    assert_eq!(server.get("/api/config").await.json()["config"]["tailer"]["maxBatch"], 78);
    assert!(server.sources().await.is_empty(), "what was taken away here does not come back");
}

#[tokio::test]
async fn settings_that_break_a_rule_or_come_from_another_time_are_left_where_they_are() {
    let broken = settings(&json!({ "tailer": { "maxBatch": -1 } })).to_string();
    for (version, document) in [(2, broken.as_str()), (1, r#"{"twitchChannel":"lovelace"}"#), (2, "{broken")] {
        let server = server_with_settings(version, document).await;
        let defaults = server.get("/api/config/defaults").await.json()["config"].clone();
        assert_eq!(server.get("/api/config").await.json()["config"], defaults, "{document}");
        assert!(server.sources().await.is_empty(), "{document}");
        assert!(server.said().contains("cannot be taken over"), "{}", server.said());
    }
}

#[tokio::test]
async fn history_that_the_harvesters_reader_brings_in_is_shown_in_the_same_place() {
    let launch = Launch::new().env("ELORA_INGEST_DRIVER", "gnasty");
    let rows = archive::rows(Maker::Gnasty, NEW_YEAR, 8_000);
    let writer = archive::make(launch.db_path(), Maker::Gnasty);
    archive::insert(&writer, Maker::Gnasty, &rows);

    let server = launch.start().await;
    let mut feed = server.feed("?last=1000").await;
    // On a machine that is quick it is over before anybody looks twice.
    feed.until("it is over", |feed| {
        let told = feed.state("import");
        told.is_some_and(|told| told["state"] == "finished" && told["total"].as_u64() >= Some(8_000))
    })
    .await;
    archive::insert(&writer, Maker::Gnasty, &archive::rows(Maker::Gnasty, NEW_YEAR + 10_000_000, 1));
    let news = format!("t-{}-0", NEW_YEAR + 10_000_000);
    feed.event(&news).await;

    assert_eq!(feed.message_ids(), [news], "no line of old came as news");
    assert_eq!(history(&server).await[1..], newest_first(&rows));
}
