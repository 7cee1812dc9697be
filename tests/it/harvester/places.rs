//! Where files lie and in which state they are: who starts first, whose file is whose, what may not be written.

use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;
use serde_json::json;

use super::{POLL_MS, assert_once, file, reading, texts, watched};
use crate::support::harvester::{Writer, now_ms};
use crate::support::server::{Launch, Server, asked_until};

/// Both programs are told of the same path.
fn sharing() -> Launch {
    Launch::new().env("ELORA_INGEST_DRIVER", "gnasty").env("ELORA_TAILER_POLL_MS", POLL_MS)
}

#[tokio::test]
async fn either_may_start_first_on_one_path() {
    for server_first in [true, false] {
        let launch = sharing();
        let path = launch.db_path().to_owned();
        let early = if server_first { None } else { Some(Writer::start(&path).await) };
        let (server, mut feed) = watched(launch).await;
        let mut writer = match early {
            Some(writer) => writer,
            None => Writer::start(&path).await,
        };

        writer.say("a", "hello").await;
        feed.event("a").await;

        let store = path.with_extension("events.db");
        assert!(store.exists(), "our store lies beside it");
        let theirs = Connection::open(&path).unwrap();
        let tables: String = theirs
            .query_row("select group_concat(name) from sqlite_schema where type = 'table'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(tables, "messages,sqlite_sequence", "nothing of ours is in there");
        drop(server);
    }
}

#[tokio::test]
async fn a_path_spelled_in_two_ways_is_one_file() {
    let launch = sharing();
    let path = launch.db_path().to_owned();
    let aside = launch.dir().join("aside");
    std::os::unix::fs::symlink(launch.dir(), &aside).unwrap();
    let launch = launch.env("GNASTY_SINK_SQLITE_PATH", aside.join(path.file_name().unwrap()).to_str().unwrap());
    let (_server, mut feed) = watched(launch).await;
    let mut writer = Writer::start(&path).await;

    writer.say("a", "hello").await;

    feed.event("a").await;
    assert!(path.with_extension("events.db").exists(), "our store lies beside it");
}

#[tokio::test]
async fn a_file_that_we_make_may_be_written_by_whom_the_folder_lets() {
    let launch = reading();
    let path = file(&launch);
    let _watched = watched(launch.clone()).await;

    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    let store = std::fs::metadata(launch.db_path()).unwrap().permissions().mode();

    assert_eq!(mode & 0o777, store & 0o777, "what the mask leaves");
    let names: Vec<String> = std::fs::read_dir(launch.dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("gnasty"))
        .collect();
    assert_eq!(names, ["gnasty.db"]);
}

#[tokio::test]
async fn our_own_store_on_that_path_stays_ours_and_says_what_to_set() {
    let launch = Launch::new();
    launch.clone().start().await.stop().await;

    let server = launch.env("ELORA_INGEST_DRIVER", "gnasty").start().await;

    server.until_it_says("set GNASTY_SINK_SQLITE_PATH").await;
    assert_eq!(server.get("/readyz").await.status, 200);
    assert!(!server.launch().db_path().with_extension("events.db").exists());
}

#[tokio::test]
async fn what_was_there_before_is_history_and_comes_to_no_screen() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    writer.flood("old", 1200, 0).await;

    let (server, mut feed) = watched(launch).await;
    writer.say("new", "news").await;
    feed.event("new").await;
    let count = "select count(*) from events where kind = 'message'";
    asked_until("all of it is there", &server, "/healthz", |_| server.column::<i64>(count) == [1201]).await;
    let launch = server.kill().await;
    let server = launch.start().await;
    server.until_it_says("harvester: reading").await;
    writer.say("newer", "more news").await;
    let mut again = server.feed("?last=1").await;
    again.event("newer").await;

    assert_eq!(texts(&feed), ["news"]);
    assert_eq!(server.column::<i64>(count), [1202], "and once");
}

#[tokio::test]
async fn history_that_was_cut_short_goes_on_and_comes_once() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    writer.flood("old", 8000, 0).await;
    let all = "select count(*) from events where kind = 'message'";
    let stored = |server: &Server| server.column::<i64>(all)[0];

    let server = launch.start().await;
    asked_until("a part of it is there", &server, "/healthz", |_| stored(&server) > 0).await;
    let server = server.kill().await;
    writer.say("meanwhile", "while nobody read").await;
    let server = server.start().await;
    asked_until("all of it is there", &server, "/healthz", |_| stored(&server) == 8001).await;

    let news = "select text from events where kind = 'message' and id > 0";
    assert_eq!(server.column::<String>(news), ["while nobody read"], "the rest is history");
    let once = "select count(*) - count(distinct native_id) from events where kind = 'message'";
    assert_eq!(server.column::<i64>(once), [0]);
}

#[tokio::test]
async fn the_place_of_the_earlier_reader_is_taken_over_and_kept() {
    let launch = reading().env("ELORA_TAILER_PERSIST_OFFSETS", "1");
    let offset = launch.db_path().with_file_name("elora.db.offset.json");
    let mut writer = Writer::start(&file(&launch)).await;
    for n in 1..=3_i64 {
        writer.say_at(&format!("a-{n}"), "said", 1_700_000_000_000 + n).await;
    }
    std::fs::write(&offset, "{\"ts\":1700000000001,\"row_id\":1}\n").unwrap();

    let (server, _feed) = watched(launch).await;
    let mut feed = server.feed("?last=10").await;
    feed.event("a-3").await;
    writer.say_at("a-4", "said", 1_700_000_000_004).await;
    feed.event("a-4").await;

    assert_eq!(feed.message_ids(), ["a-2", "a-3", "a-4"]);
    let kept = "{\"ts\":1700000000004,\"row_id\":4}\n";
    asked_until("it is kept", &server, "/healthz", |_| std::fs::read_to_string(&offset).unwrap() == kept).await;
}

#[tokio::test]
async fn a_file_without_a_log_is_read_and_its_writer_meets_nobody() {
    let launch = reading();
    let path = file(&launch);
    let elora = Connection::open(&path).unwrap();
    elora.busy_timeout(std::time::Duration::ZERO).unwrap();
    elora
        .execute_batch(
            "create table messages (id TEXT PRIMARY KEY, ts INTEGER NOT NULL, username TEXT NOT NULL, platform TEXT NOT NULL,
               text TEXT NOT NULL, emotes_json TEXT NOT NULL DEFAULT '[]', raw_json TEXT, badges_json TEXT NOT NULL DEFAULT '[]')",
        )
        .unwrap();
    let insert = "insert into messages (id, ts, username, platform, text) values (?1, ?2, 'ada', 'Twitch', 'said')";
    let (_server, mut feed) = watched(launch).await;

    for n in 0..200 {
        elora.execute(insert, rusqlite::params![format!("a-{n}"), now_ms()]).unwrap();
    }
    feed.event("a-199").await;
    drop(elora);
    // Its table is made anew, with a log, and its rows have other numbers.
    let mut writer = Writer::start(&path).await;
    writer.say("b-0", "with a log").await;
    feed.event("b-0").await;

    assert_once(&feed);
    let told = feed.message_ids();
    let lost: Vec<String> = (0..200).map(|n| format!("a-{n}")).filter(|id| !told.contains(id)).collect();
    assert_eq!((told.len(), &lost[..]), (201, &[][..]));
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_is_read_all_the_same() {
    let launch = reading();
    let folder = launch.dir().join("theirs");
    std::fs::create_dir(&folder).unwrap();
    let path = folder.join("gnasty.db");
    let lock = |mode| std::fs::set_permissions(&folder, PermissionsExt::from_mode(mode)).unwrap();
    lock(0o555);
    std::fs::set_permissions(launch.dir(), PermissionsExt::from_mode(0o777)).unwrap();
    // Root may write everywhere.
    let launch = launch.env("GNASTY_SINK_SQLITE_PATH", &path.display().to_string()).uid(1234);

    let server = launch.start().await;
    let waits = |answer: &crate::support::http::Answer| {
        let reason = answer.json()["sources"][0]["reason"].as_str().unwrap_or_default().to_owned();
        reason.contains("is not there")
    };
    asked_until("it waits in words", &server, "/api/sources", waits).await;
    lock(0o755);
    let mut writer = Writer::start(&path).await;
    lock(0o555);
    server.until_it_says("harvester: reading").await;
    let mut feed = server.feed("?last=10").await;
    writer.say("a", "said").await;
    feed.event("a").await;
    let source = server.sources().await[0].clone();
    lock(0o755);

    assert_eq!((&source["state"], &source["reason"]), (&json!("live"), &json!(null)), "{source}");
}

#[tokio::test]
async fn a_temporary_store_beside_a_harvester_works() {
    let launch = sharing().env("ELORA_DB_MODE", "ephemeral");
    let path = launch.db_path().to_owned();
    let (server, mut feed) = watched(launch).await;
    let mut writer = Writer::start(&path).await;

    writer.say("a", "said").await;
    feed.event("a").await;

    assert_eq!(server.stop().await.code, Some(0));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_told_once_and_stops_nothing() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    let (server, mut feed) = watched(launch).await;

    writer
        .sql(
            "insert into messages (platform, platform_msg_id, ts, username, text) values
               ('no platform!', 'x', 1, 'ada', 'said'), ('', 'y', 'never', 'ada', 'said')",
        )
        .await;
    writer.say("a", "said").await;
    feed.event("a").await;

    assert_eq!(server.said().matches("a row cannot be read").count(), 1, "{}", server.said());
}
