//! `GET /api/messages/export`: the history as a file that programs and spreadsheets read.

use serde_json::Value;

use crate::support::scene::watching;
use crate::support::server::Server;
use crate::support::twitch::lines::{Line, clearmsg, now_ms, privmsg};
use crate::support::twitch::{ADA, BOB, Twitch};

const COLUMNS: [&str; 7] = ["id", "ts", "username", "platform", "text", "emotes_json", "raw_json"];
/// 2026-01-01T00:00:00Z.
const NEW_YEAR: i64 = 1_767_225_600_000;

/// A server whose store has these messages, oldest first, a second apart.
async fn said(texts: &[&str]) -> (Twitch, Server) {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let at = |n: usize| NEW_YEAR + 1000 * i64::try_from(n).expect("a few messages");
    let lines: Vec<Line> = texts.iter().enumerate().map(|(n, text)| privmsg("room", &ADA, text).sent(at(n))).collect();
    let ids: Vec<String> = lines.iter().filter_map(|line| line.id.clone()).collect();
    twitch.send_all(lines).await;
    feed.until_all(&ids).await;
    (twitch, server)
}

async fn ndjson(server: &Server, query: &str) -> Vec<Value> {
    let answer = server.get(&format!("/api/messages/export{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    assert!(text.is_empty() || text.ends_with('\n'), "every line has an end");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

fn texts(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["text"].as_str().expect("a text")).collect()
}

#[tokio::test]
async fn a_line_has_the_seven_fields_newest_first() {
    let (_twitch, server) = said(&["first", "second"]).await;

    let answer = server.get("/api/messages/export").await;
    let items = ndjson(&server, "?format=ndjson").await;

    assert_eq!(answer.header("content-type"), Some("application/x-ndjson; charset=utf-8"));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"messages.ndjson\""));
    assert_eq!(texts(&items), ["second", "first"]);
    let keys: Vec<&String> = items[0].as_object().expect("an object").keys().collect();
    assert_eq!(keys.len(), COLUMNS.len());
    assert!(COLUMNS.iter().all(|column| items[0][column].is_string()), "{}", items[0]);
    assert_eq!(items[1]["ts"], "2026-01-01T00:00:00Z");
    assert_eq!(items[1]["username"], ADA.name);
}

#[tokio::test]
async fn a_table_has_its_header_also_when_it_is_empty() {
    let (_twitch, server) = said(&[]).await;

    let answer = server.get("/api/messages/export?format=csv").await;

    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"messages.csv\""));
    assert_eq!(answer.text(), COLUMNS.join(",") + "\n");
    assert!(ndjson(&server, "").await.is_empty());
}

#[tokio::test]
async fn hostile_texts_stay_in_their_cells_and_are_no_formulas() {
    let hostile = ["=HYPERLINK(\"http://x\")", "a,b;c", "say \"hi\"", "@SUM(1)", "+1", "-2", "🦀 ünï"];
    let (_twitch, server) = said(&hostile).await;

    let answer = server.get("/api/messages/export?format=csv").await;

    let bytes = answer.text().into_bytes();
    let mut table = csv::Reader::from_reader(&bytes[..]);
    let rows: Vec<csv::StringRecord> = table.records().map(|row| row.expect("a whole row")).collect();
    let cells: Vec<&str> = rows.iter().rev().map(|row| &row[4]).collect();
    let expected = ["'=HYPERLINK(\"http://x\")", "a,b;c", "say \"hi\"", "'@SUM(1)", "'+1", "'-2", "🦀 ünï"];
    assert_eq!(cells, expected);
}

#[tokio::test]
async fn a_table_says_what_the_lines_say() {
    let spoken = [
        "plain",
        "a,b;c\td",
        "\"quoted\"",
        "\"",
        "''",
        "=1",
        "tail\\",
        "你好 🦀",
        " lead and trail ",
        "\u{1}ACTION waves\u{1}",
    ];
    let (_twitch, server) = said(&spoken).await;

    let lines = ndjson(&server, "?limit=4").await;
    let table = server.get("/api/messages/export?format=csv&limit=4").await.text();
    assert_eq!((lines.len(), table.lines().count()), (4, 5), "as many as were asked for, and a header");
    let lines = ndjson(&server, "").await;
    let table = server.get("/api/messages/export?format=csv").await.text();

    let mut table = csv::Reader::from_reader(table.as_bytes());
    assert_eq!(table.headers().expect("a header"), &csv::StringRecord::from(COLUMNS.to_vec()));
    let rows: Vec<csv::StringRecord> = table.records().map(|row| row.expect("a whole row")).collect();
    assert_eq!((rows.len(), lines.len()), (spoken.len(), spoken.len()));
    for (row, line) in rows.iter().zip(&lines) {
        for (cell, column) in row.iter().zip(COLUMNS) {
            let said = line[column].as_str().expect("a text");
            let guard = if said.starts_with('=') { "'" } else { "" };
            assert_eq!(cell, format!("{guard}{said}"), "{column}");
        }
    }
}

#[tokio::test]
async fn a_long_file_has_everything_once_and_ends_where_it_was_asked_to() {
    let all: Vec<String> = (0..1300).map(|n| format!("m{n}")).collect();
    let (_twitch, server) = said(&all.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let newest = |count: usize| -> Vec<&str> { all.iter().rev().take(count).map(String::as_str).collect() };

    assert_eq!(texts(&ndjson(&server, "").await), newest(1000), "a thousand unless asked otherwise");
    assert_eq!(texts(&ndjson(&server, "?limit=5000").await), newest(1300));
    assert_eq!(texts(&ndjson(&server, "?limit=500").await), newest(500));
    assert_eq!(texts(&ndjson(&server, "?limit=501").await), newest(501));
    let since = NEW_YEAR + 1_298_000;
    assert_eq!(texts(&ndjson(&server, &format!("?since_ts={since}")).await), newest(2), "from that time on");
    let before = NEW_YEAR + 2000;
    assert_eq!(texts(&ndjson(&server, &format!("?before_ts={before}")).await), ["m1", "m0"], "before that time");
}

#[tokio::test]
async fn what_was_taken_away_is_in_no_file() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let id = twitch.say("room", &BOB, "unspeakable").await;
    feed.event(&id).await;
    twitch.send(clearmsg("room", BOB.login, &id, "unspeakable")).await;
    feed.event_like("the removal", |event| event["kind"] == "removed").await;

    for format in ["ndjson", "csv"] {
        let answer = server.get(&format!("/api/messages/export?format={format}")).await;
        assert!(!answer.text().contains("unspeakable"), "{format}");
    }
}

#[tokio::test]
async fn senseless_questions_are_told_so() {
    let (_twitch, server) = said(&["one"]).await;
    let now = now_ms();

    for query in [
        "?format=xml".to_owned(),
        "?format=CSV".to_owned(),
        "?limit=0".to_owned(),
        "?limit=many".to_owned(),
        "?since_ts=yesterday".to_owned(),
        format!("?since_ts={now}&before_ts={now}"),
    ] {
        let answer = server.get(&format!("/api/messages/export{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        assert!(answer.json()["detail"].is_string(), "{query}");
    }
    assert_eq!(ndjson(&server, "?limit=1000000").await.len(), 1, "more is cut to the most");
}
