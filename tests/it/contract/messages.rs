//! History and tokens as older clients ask for them.

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::support::feed::upgrade;
use crate::support::scene::watching;
use crate::support::server::Server;
use crate::support::soon;
use crate::support::twitch::lines::{Line, privmsg, privmsg_with};
use crate::support::twitch::{ADA, Twitch};

/// 2026-01-01T00:00:00Z.
const NEW_YEAR: i64 = 1_767_225_600_000;

/// A server whose store has `count` messages, `m0` first, a second apart.
async fn said(count: i64) -> (Twitch, Server) {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let line = |n: i64| privmsg("room", &ADA, &format!("m{n}")).sent(NEW_YEAR + 1000 * n);
    let lines: Vec<Line> = (0..count).map(line).collect();
    let ids: Vec<String> = lines.iter().map(Line::native_id).collect();
    twitch.send_all(lines).await;
    feed.until_all(&ids).await;
    (twitch, server)
}

#[tokio::test]
async fn a_start_and_a_limit_give_the_newest_since_then() {
    let (_twitch, server) = said(6).await;

    let page = server.get(&format!("/api/messages?since_ts={}&limit=2", NEW_YEAR + 2000)).await.json();
    let all = server.get(&format!("/api/messages?since_ts={}&limit=50", NEW_YEAR + 4000)).await.json();

    let texts = |page: &Value| -> Vec<Value> {
        page["items"].as_array().unwrap().iter().map(|item| item["text"].clone()).collect()
    };
    assert_eq!(texts(&page), ["m5", "m4"]);
    assert_eq!(texts(&all), ["m5", "m4"], "nothing of before");
}

#[tokio::test]
async fn a_table_ends_where_it_was_asked_to() {
    let (_twitch, server) = said(12).await;

    let answer = server.get("/api/messages/export?format=csv&limit=4").await;

    assert!(answer.header("content-type").unwrap().starts_with("text/csv"));
    let bytes = answer.text().into_bytes();
    let mut table = csv::ReaderBuilder::new().has_headers(false).from_reader(&bytes[..]);
    let records: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 5);
    assert_eq!(&records[0][0], "id");
    assert_eq!((&records[1][4], &records[4][4]), ("m11", "m8"));
}

#[tokio::test]
async fn every_place_of_a_repeated_emote_is_a_token_of_its_own() {
    let (twitch, server, _feed) = watching(&["room"]).await;
    let mut classic = upgrade(server.addr, "/ws/chat", &[]).await.unwrap();

    twitch.send(privmsg_with("room", &ADA, "Kappa Kappa", "emotes=25:0-4,6-10")).await;

    let text = soon("a message of the classic socket", classic.next()).await.unwrap().unwrap();
    let Message::Text(text) = text else { panic!("{text:?}") };
    let envelope: Value = serde_json::from_str(&text).unwrap();
    let chat: Value = serde_json::from_str(envelope["data"].as_str().unwrap()).unwrap();
    let tokens = chat["fragments"].as_array().unwrap();
    assert_eq!(tokens.len(), 2, "{tokens:?}");
    for token in tokens {
        assert_eq!((&token["type"], &token["emote"]["id"]), (&"emote".into(), &"25".into()));
    }
    assert_eq!(chat["emotes"][0]["locations"], serde_json::json!(["0-4", "6-10"]));
}
