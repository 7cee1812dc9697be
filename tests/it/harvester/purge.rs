//! What the owner purges goes from the harvester's file, too: a little at a time, and to the end.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;

use super::{file, reading, texts, watched};
use crate::support::harvester::{Writer, flood};
use crate::support::http::Request;
use crate::support::server::{Server, asked_until};

const OLD: i64 = 1_700_000_000_000;
const BEFORE: i64 = OLD + 1_000_000;

/// Fills the file with rows of long ago.
async fn fill(writer: &mut Writer, count: i64) {
    let sql = format!(
        "with recursive n(n) as (select 1 union all select n + 1 from n where n < {count})
         insert into messages (platform, platform_msg_id, ts, username, text)
         select 'YouTube', 'old-' || n, {OLD} + n, '@ada', 'said ' || n from n"
    );
    writer.sql(&sql).await;
}

async fn purge(server: &Server) -> u64 {
    let answer = server.ask(Request::new("POST", "/api/messages/purge").json(&json!({ "before_ts": BEFORE }))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["deleted"].as_u64().unwrap()
}

fn old_rows(writer: &Writer) -> i64 {
    let connection = Connection::open(&writer.path).unwrap();
    let count = format!("select count(*) from messages where ts < {BEFORE}");
    connection.query_row(&count, [], |row| row.get(0)).unwrap()
}

async fn until_all_is_there(server: &Server, count: i64) {
    let query = "select count(*) from events where kind = 'message'";
    asked_until("the history is there", server, "/healthz", |_| server.column::<i64>(query) == [count]).await;
}

#[tokio::test]
async fn rows_go_in_small_parts_and_the_reading_goes_on() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    fill(&mut writer, 2000).await;
    let (server, mut feed) = watched(launch).await;
    until_all_is_there(&server, 2000).await;

    let begun = Instant::now();
    assert_eq!(purge(&server).await, 2000);
    writer.say("meanwhile", "said").await;
    feed.event("meanwhile").await;
    asked_until("the file is purged", &server, "/healthz", |_| old_rows(&writer) == 0).await;

    assert!(begun.elapsed() > Duration::from_millis(300), "all at once: {} ms", begun.elapsed().as_millis());
    server.until_it_says("the harvester's file was purged").await;
    let answer = writer.ask(flood("after", 200, 400)).await;
    assert!(answer["longest_us"].is_number());
    // The last of a flood has no id to wait for.
    writer.say("last", "said").await;
    feed.event("last").await;
    assert_eq!(texts(&feed).len(), 202);
    assert!(server.column::<String>("select key from meta where key like 'purge%:%'").is_empty());
}

#[tokio::test]
async fn a_purge_of_the_file_goes_on_after_a_kill() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    fill(&mut writer, 3000).await;
    let (server, _feed) = watched(launch).await;
    until_all_is_there(&server, 3000).await;

    purge(&server).await;
    let left = old_rows(&writer);
    let server = server.kill().await.start().await;
    asked_until("the rest goes", &server, "/healthz", |_| old_rows(&writer) == 0).await;

    assert!(left > 0, "it was finished before the kill");
}

#[tokio::test]
async fn a_file_that_is_gone_holds_up_nothing() {
    let launch = reading();
    let mut writer = Writer::start(&file(&launch)).await;
    fill(&mut writer, 10).await;
    let (server, _feed) = watched(launch).await;
    until_all_is_there(&server, 10).await;
    std::fs::remove_file(writer.stop()).unwrap();

    assert_eq!(purge(&server).await, 10);

    server.until_it_says("the harvester's file was purged").await;
}
