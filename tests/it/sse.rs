//! `/api/feed` as Server-Sent Events: the same frames, and the same place to come back to.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::support::scene::watching;
use crate::support::server::Server;
use crate::support::soon;
use crate::support::twitch::ADA;

/// A browser's `EventSource`, as far as it matters here.
struct Source {
    lines: BufReader<TcpStream>,
    head: String,
    /// The id of the newest event that had one.
    last_id: String,
    frames: Vec<Value>,
}

impl Source {
    async fn open(server: &Server, query: &str, last_id: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(server.addr).await.expect("the server takes connections");
        let last_id = last_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let addr = server.addr;
        let request =
            format!("GET /api/feed{query} HTTP/1.1\r\nHost: {addr}\r\nAccept: text/event-stream\r\n{last_id}\r\n");
        stream.write_all(request.as_bytes()).await.expect("the request is sent");
        let mut source =
            Self { lines: BufReader::new(stream), head: String::new(), last_id: String::new(), frames: vec![] };
        loop {
            let line = source.line().await.expect("an answer has a head");
            if line.is_empty() {
                return source;
            }
            source.head += &(line.to_lowercase() + "\n");
        }
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = soon("the server says something", self.lines.read_line(&mut line)).await.unwrap_or(0);
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Reads until the frames are as wanted.
    async fn until(&mut self, what: &str, is_so: impl Fn(&[Value]) -> bool) {
        while !is_so(&self.frames) {
            let line = self.line().await.unwrap_or_else(|| panic!("the stream ended before: {what}"));
            if let Some(id) = line.strip_prefix("id: ") {
                id.clone_into(&mut self.last_id);
            } else if let Some(data) = line.strip_prefix("data: ") {
                self.frames.push(serde_json::from_str(data).expect("data is JSON"));
            }
        }
    }

    async fn until_message(&mut self, native_id: &str) {
        self.until(native_id, |frames| messages(frames).iter().any(|id| id == native_id)).await;
    }
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

    let mut source = Source::open(&server, "", None).await;
    source.until_message(&before).await;
    let after = twitch.say("room", &ADA, "after").await;
    source.until_message(&after).await;

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
    let mut source = Source::open(&server, "?last=0", None).await;
    let seen = twitch.burst("room", 50, 1000).await;
    source.until_message(&seen[49]).await;
    let last_id = source.last_id.clone();
    assert_eq!(messages(&source.frames), seen);
    drop(source);

    let missed = twitch.burst("room", 700, 2000).await;
    feed.until_all(&missed).await;
    let mut again = Source::open(&server, "?last=0", Some(&last_id)).await;
    again.until_message(&missed[699]).await;

    assert_eq!(again.frames[0]["resumed"], true);
    assert_eq!(messages(&again.frames), missed, "everything once and in order");
}

#[tokio::test]
async fn a_place_of_another_store_begins_anew() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let said = twitch.say("room", &ADA, "here").await;
    feed.event(&said).await;

    for wrong in ["nonsense", "other:1"] {
        let mut source = Source::open(&server, "", Some(wrong)).await;
        source.until_message(&said).await;
        assert_eq!(source.frames[0]["resumed"], false);
        assert!(source.frames.iter().any(|frame| frame["type"] == "reset"), "{wrong}");
    }
}

#[tokio::test]
async fn filters_are_those_of_the_socket() {
    let (twitch, server, mut feed) = watching(&["room", "other"]).await;
    let mut source = Source::open(&server, "?last=0&channel=twitch:other", None).await;

    let here = twitch.say("room", &ADA, "not for you").await;
    let there = twitch.say("other", &ADA, "for you").await;
    feed.until_all(&[here, there.clone()]).await;
    source.until_message(&there).await;

    assert_eq!(messages(&source.frames), [there]);
}

#[tokio::test]
async fn a_stop_delivers_what_there_is_and_ends_the_stream() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let mut source = Source::open(&server, "?last=0", None).await;
    let said = twitch.say("room", &ADA, "the last word").await;
    feed.event(&said).await;

    let (ended, ()) = tokio::join!(server.stop(), async {
        source.until_message(&said).await;
        while source.line().await.is_some() {}
    });

    assert_eq!(ended.code, Some(0), "{}", ended.said);
}
