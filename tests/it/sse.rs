//! `/api/feed` as Server-Sent Events: the same frames, and the same place to come back to.

use serde_json::Value;

use crate::support::http::Request;
use crate::support::scene::watching;
use crate::support::server::Server;
use crate::support::source::Source;
use crate::support::twitch::ADA;

async fn open(server: &Server, query: &str, last_id: Option<&str>) -> Source {
    Source::open(server, &format!("/api/feed{query}"), last_id).await
}

async fn until_message(source: &mut Source, native_id: &str) {
    source.until(native_id, |source| messages(&source.frames).iter().any(|id| id == native_id)).await;
}

fn messages(frames: &[Value]) -> Vec<String> {
    let events = frames.iter().filter_map(|frame| frame["events"].as_array()).flatten();
    events.filter_map(|event| event["native_id"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn it_says_hello_and_goes_on_live() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let before = twitch.say("room", &ADA, "before").await;
    feed.event(&before).await;

    let mut source = open(&server, "", None).await;
    until_message(&mut source, &before).await;
    let after = twitch.say("room", &ADA, "after").await;
    until_message(&mut source, &after).await;

    assert!(source.head.starts_with("http/1.1 200"), "{}", source.head);
    assert!(source.head.contains("content-type: text/event-stream"), "{}", source.head);
    assert_eq!(source.frames[0]["type"], "hello");
    assert!(source.frames.iter().any(|frame| frame["topic"] == "sources"));
    feed.event(&after).await;
    assert_eq!(source.last_id, feed.cursor);
}

#[tokio::test]
async fn a_lost_connection_goes_on_where_it_stopped() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let mut source = open(&server, "?last=0", None).await;
    let seen = twitch.burst("room", 50, 1000).await;
    until_message(&mut source, &seen[49]).await;
    let last_id = source.last_id.clone();
    assert_eq!(messages(&source.frames), seen);
    drop(source);

    let missed = twitch.burst("room", 700, 2000).await;
    feed.until_all(&missed).await;
    let mut again = open(&server, "?last=0", Some(&last_id)).await;
    until_message(&mut again, &missed[699]).await;

    assert_eq!(again.frames[0]["resumed"], true);
    assert_eq!(messages(&again.frames), missed, "everything once and in order");
}

#[tokio::test]
async fn a_place_of_another_store_begins_anew() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let said = twitch.say("room", &ADA, "here").await;
    feed.event(&said).await;

    for wrong in ["nonsense", "other:1"] {
        let mut source = open(&server, "", Some(wrong)).await;
        until_message(&mut source, &said).await;
        assert_eq!(source.frames[0]["resumed"], false);
        assert!(source.frames.iter().any(|frame| frame["type"] == "reset"), "{wrong}");
    }
}

#[tokio::test]
async fn filters_are_those_of_the_socket() {
    let (twitch, server, mut feed) = watching(&["room", "other"]).await;
    let mut source = open(&server, "?last=0&channel=twitch:other", None).await;

    let here = twitch.say("room", &ADA, "not for you").await;
    let there = twitch.say("other", &ADA, "for you").await;
    feed.until_all(&[here, there.clone()]).await;
    until_message(&mut source, &there).await;

    assert_eq!(messages(&source.frames), [there]);
}

#[tokio::test]
async fn a_stop_delivers_what_there_is_and_ends_the_stream() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let mut source = open(&server, "?last=0", None).await;
    let said = twitch.say("room", &ADA, "the last word").await;
    feed.event(&said).await;

    let (ended, ()) = tokio::join!(server.stop(), async {
        until_message(&mut source, &said).await;
        while source.line().await.is_some() {}
    });

    assert_eq!(ended.code, Some(0), "{}", ended.said);
}

#[tokio::test]
async fn a_purge_is_told_and_its_cursor_is_a_new_one() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let said = twitch.say("room", &ADA, "soon gone").await;
    feed.event(&said).await;
    let mut source = open(&server, "", None).await;
    until_message(&mut source, &said).await;
    let old = source.last_id.clone();

    let body = serde_json::json!({ "before_ts": i64::MAX });
    let purged = server.ask(Request::new("POST", "/api/messages/purge").json(&body)).await;
    source.until("the purge", |source| source.frames.iter().any(|frame| frame["type"] == "reset")).await;
    source.until("a new place", |source| source.last_id != old).await;

    assert_eq!(purged.text(), "{\"deleted\":1}\n");
    for (place, is_resumed) in [(&old, false), (&source.last_id, true)] {
        let mut again = open(&server, "", Some(place)).await;
        again.until("hello", |again| !again.frames.is_empty()).await;
        assert_eq!(again.frames[0]["resumed"], is_resumed, "{place}");
    }
}
