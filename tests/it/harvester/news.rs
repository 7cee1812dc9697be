//! What of a file is news and what is history, whatever its writer's clock says and whoever has changed it.

use super::{POLL_MS, assert_once, file, reading, texts, watched};
use crate::support::harvester::{Writer, now_ms};
use crate::support::http::Request;
use crate::support::server::{Launch, Server, asked_until};

const HALF_A_YEAR_MS: i64 = 182 * 24 * 3600 * 1000;

/// Waits until a message is stored, and says whether as news.
async fn is_news(server: &Server, native_id: &str) -> bool {
    let ids = format!("select id from events where kind = 'message' and native_id = '{native_id}'");
    let id = || server.column::<i64>(&ids).first().copied();
    asked_until(&format!("{native_id} is stored"), server, "/healthz", |_| id().is_some()).await;
    id().is_some_and(|id| id > 0)
}

#[tokio::test]
async fn another_list_of_sources_makes_no_edits() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    let (server, mut feed) = watched(launch).await;
    for n in 0..20 {
        writer.say(&format!("a-{n}"), &format!("said {n}")).await;
    }
    feed.event("a-19").await;

    let launch = server.kill().await.env("ELORA_CHAT_URLS", "https://www.youtube.com/@bob");
    let (server, mut feed) = watched(launch).await;
    writer.say("a-3", "changed").await;
    let edit = feed.event_like("the edit", |event| event["kind"] == "edited").await;

    assert_eq!(server.column::<i64>("select count(*) from events where kind = 'edited'"), [1]);
    let message = server.column::<i64>("select id from events where native_id = 'a-3'");
    assert_eq!(edit["target"]["id"].to_string().trim_matches('"'), message[0].to_string());
    assert_eq!(edit["channel"]["login"], "@ada", "it is where its message is");
}

#[tokio::test]
async fn the_first_rows_have_the_channel_that_is_wanted() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    writer.flood("old", 50, 0).await;

    let (server, _feed) = watched(launch).await;
    let logins =
        "select distinct c.login from events e join channels c on c.id = e.channel_id where e.kind = 'message'";
    let stored = "select count(*) from events where kind = 'message'";
    asked_until("all of it is there", &server, "/healthz", |_| server.column::<i64>(stored) == [50]).await;

    assert_eq!(server.column::<String>(logins), ["@ada"]);
}

#[tokio::test]
async fn an_old_file_in_the_place_of_an_empty_one_is_history() {
    let launch = reading();
    let path = file(&launch);
    let empty = Writer::start(&path).await;
    let (server, mut feed) = watched(launch).await;

    empty.stop();
    let other = path.with_file_name("other.db");
    let mut next = Writer::start(&other).await;
    let long_ago = now_ms() - 2 * HALF_A_YEAR_MS;
    for n in 0..20 {
        next.say_at(&format!("old-{n}"), "a year ago", long_ago + n).await;
    }
    next.stop();
    std::fs::rename(&other, &path).unwrap();
    assert!(!is_news(&server, "old-0").await);
    let mut writer = Writer::start(&path).await;
    writer.say("new", "news").await;
    feed.event("new").await;

    assert_eq!(texts(&feed), ["news"], "nothing old comes to a screen");
    let stored = "select count(*) from events where native_id like 'old-%' and id < 0";
    assert_eq!(server.column::<i64>(stored), [20]);
}

#[tokio::test]
async fn of_what_was_written_meanwhile_the_last_hour_is_news_and_the_rest_history() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    let (server, mut feed) = watched(launch).await;
    writer.say("told", "while it was read").await;
    feed.event("told").await;

    let launch = server.kill().await;
    for n in 0..30 {
        writer.say_at(&format!("old-{n}"), "half a year ago", now_ms() - HALF_A_YEAR_MS + n).await;
    }
    writer.say_at("late", "half an hour ago", now_ms() - 30 * 60 * 1000).await;
    let server = launch.start().await;
    let mut feed = server.feed(&format!("?since={}", feed.cursor)).await;
    feed.event("late").await;
    let stored = "select count(*) from events where native_id like 'old-%' and id < 0 and received_at = at";
    asked_until("the rest is there", &server, "/healthz", |_| server.column::<i64>(stored) == [30]).await;
    writer.say_at("slow", "by a clock that is far off", now_ms() - HALF_A_YEAR_MS).await;
    feed.event("slow").await;

    assert_eq!(feed.message_ids(), ["late", "slow"]);
    assert_once(&feed);
}

#[tokio::test]
async fn what_was_written_while_it_was_switched_off_is_news_if_it_is_recent() {
    let launch = Launch::new();
    let path = file(&launch);
    let launch = launch.env("GNASTY_SINK_SQLITE_PATH", &path.display().to_string());
    let launch = launch.env("ELORA_TAILER_POLL_MS", POLL_MS).env("ELORA_INGEST_DRIVER", "none");
    let mut writer = Writer::start(&path).await;
    let server = launch.env("ELORA_TAILER_ENABLED", "1").start().await;
    server.until_it_says("harvester: reading").await;
    let mut feed = server.feed("?last=0").await;
    let switch = |enabled| serde_json::json!({ "tailer": { "enabled": enabled } });
    let put = |enabled| Request::new("PUT", "/api/config").json(&switch(enabled));

    assert_eq!(server.ask(put(false)).await.status, 200);
    server.until_it_says("harvester: not reading any more").await;
    writer.say_at("old", "half a year ago", now_ms() - HALF_A_YEAR_MS).await;
    writer.say("new", "while it rests").await;
    assert_eq!(server.ask(put(true)).await.status, 200);
    feed.event("new").await;

    assert!(!is_news(&server, "old").await);
    assert_eq!(feed.message_ids(), ["new"]);
}

#[tokio::test]
async fn what_comes_after_a_deleted_row_is_news_also_by_a_slower_clock() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    let (_server, mut feed) = watched(launch).await;
    writer.say("a", "stays").await;
    writer.say("b", "is deleted").await;
    feed.event("b").await;

    writer
        .sql(&format!(
            "begin; delete from messages where platform_msg_id = 'b';
             insert into messages (platform, platform_msg_id, ts, username, text)
             values ('YouTube', 'c', {}, '@ada', 'eight seconds before'); commit",
            now_ms() - 8000
        ))
        .await;
    feed.event("c").await;

    assert_eq!(feed.message_ids(), ["a", "b", "c"]);
}

#[tokio::test]
async fn rows_with_the_largest_number_or_without_a_time_are_read() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    let long_ago = now_ms() - HALF_A_YEAR_MS;
    writer.say_at("first", "said", long_ago).await;
    writer
        .sql(&format!(
            "insert into messages (platform, platform_msg_id, ts, username, text) values
               ('YouTube', 'timeless', 'some day', '@ada', 'said'), ('YouTube', 'next', {}, '@ada', 'said');
             insert into messages (id, platform, platform_msg_id, ts, username, text)
               values ({}, 'YouTube', 'last', {}, '@ada', 'said')",
            long_ago + 60_000,
            i64::MAX,
            long_ago + 120_000,
        ))
        .await;

    let (server, _feed) = watched(launch).await;
    for id in ["first", "timeless", "next"] {
        assert!(!is_news(&server, id).await, "{id}");
    }
    let at = server.column::<i64>("select at from events where native_id = 'timeless'");
    assert_eq!(at, [long_ago + 60_000], "it was said about when its neighbor was");
    let server = server.kill().await.start().await;
    server.until_it_says("harvester: reading").await;
}
