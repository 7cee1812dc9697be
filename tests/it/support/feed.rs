//! A viewer: a WebSocket client that collects what the feed sends, until it has seen what it waits for.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{DEADLINE, soon, within};

/// An open feed and everything it has said.
pub struct Feed {
    socket: WebSocketStream<TcpStream>,
    pub hello: Value,
    /// Every event in the order it came.
    pub events: Vec<Value>,
    /// Every frame that is not `events`, in the order it came.
    pub others: Vec<Value>,
    pub cursor: String,
    /// The code the server closed with, once it has.
    pub closed: Option<u16>,
    pub reset: bool,
}

/// Opens a WebSocket with the given headers; the status where the server refuses.
pub async fn upgrade(
    addr: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<WebSocketStream<TcpStream>, u16> {
    let mut request = format!("ws://{addr}{path}").into_client_request().expect("a WebSocket address");
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        request.headers_mut().insert(name, HeaderValue::from_str(value).expect("a header's value"));
    }
    let stream = TcpStream::connect(addr).await.expect("the server takes connections");
    match soon("a WebSocket opens", tokio_tungstenite::client_async(request, stream)).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("no WebSocket at {path}: {error}"),
    }
}

/// Opens a WebSocket whose receive buffer is as small as the system allows.
pub async fn upgrade_narrow(addr: SocketAddr, path: &str) -> WebSocketStream<TcpStream> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(2048).expect("a receive buffer");
    let stream = socket.connect(addr).await.expect("the server takes connections");
    let opened = tokio_tungstenite::client_async(format!("ws://{addr}{path}"), stream);
    soon("a WebSocket opens", opened).await.expect("the server upgrades").0
}

impl Feed {
    /// Opens `/api/feed` with a query such as `?last=0` and reads its hello.
    pub async fn open(addr: SocketAddr, query: &str) -> Self {
        Self::open_with(addr, query, &[]).await
    }

    pub async fn open_with(addr: SocketAddr, query: &str, headers: &[(&str, &str)]) -> Self {
        let socket = upgrade(addr, &format!("/api/feed{query}"), headers).await;
        Self::greet(socket.unwrap_or_else(|status| panic!("the feed answers {status}"))).await
    }

    /// Takes over an open socket, reading its hello.
    pub async fn greet(socket: WebSocketStream<TcpStream>) -> Self {
        let mut feed = Self {
            socket,
            hello: Value::Null,
            events: Vec::new(),
            others: Vec::new(),
            cursor: String::new(),
            closed: None,
            reset: false,
        };
        soon("the feed says hello", async {
            while feed.hello.is_null() {
                assert!(feed.read().await, "the feed closed before its hello");
            }
        })
        .await;
        feed
    }

    /// Reads one message; false once the server has closed.
    pub async fn read(&mut self) -> bool {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => self.take(&text),
            Some(Ok(Message::Close(frame))) => {
                self.closed = Some(frame.map_or(1005, |frame| frame.code.into()));
                return false;
            }
            Some(Ok(_)) => {}
            Some(Err(_)) | None => {
                self.closed.get_or_insert(1006);
                return false;
            }
        }
        true
    }

    fn take(&mut self, text: &str) {
        let mut frame: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"));
        if let Some(cursor) = frame["cursor"].as_str() {
            cursor.clone_into(&mut self.cursor);
        }
        match frame["type"].as_str() {
            Some("hello") => self.hello = frame,
            Some("events") => match frame["events"].take() {
                Value::Array(events) => self.events.extend(events),
                other => panic!("events is a list, not {other}"),
            },
            kind => {
                self.reset |= kind == Some("reset");
                self.others.push(frame);
            }
        }
    }

    /// Reads until what it has seen satisfies, or fails naming what it waited for.
    pub async fn until(&mut self, what: &str, is_so: impl FnMut(&Self) -> bool) {
        self.until_within(DEADLINE, what, is_so).await;
    }

    pub async fn until_within(&mut self, limit: Duration, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let reading = async {
            while !is_so(self) {
                if !self.read().await {
                    assert!(is_so(self), "the feed closed ({:?}) before: {what}", self.closed);
                    return;
                }
            }
        };
        within(limit, what, reading).await;
    }

    /// Reads until the server closes, and says with which code.
    pub async fn until_closed(&mut self) -> u16 {
        soon("the feed closes", async { while self.read().await {} }).await;
        self.closed.expect("a closed feed has a code")
    }

    /// Reads until an event with this native id has come, and gives it.
    pub async fn event(&mut self, native_id: &str) -> Value {
        self.until(&format!("the event {native_id}"), |feed| feed.has(native_id)).await;
        self.find(native_id).expect("it has just been seen").clone()
    }

    /// Reads until every one of these native ids has come.
    pub async fn until_all(&mut self, ids: &[String]) {
        self.until_all_within(DEADLINE, ids).await;
    }

    pub async fn until_all_within(&mut self, limit: Duration, ids: &[String]) {
        let mut missing: std::collections::HashSet<&str> = ids.iter().map(String::as_str).collect();
        let mut seen = 0;
        let what = format!("all of {} events", ids.len());
        self.until_within(limit, &what, |feed| {
            for event in &feed.events[seen..] {
                if let Some(id) = event["native_id"].as_str() {
                    missing.remove(id);
                }
            }
            seen = feed.events.len();
            missing.is_empty()
        })
        .await;
    }

    /// Reads until an event satisfies, and gives it.
    pub async fn event_like(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        self.until(what, |feed| feed.events.iter().any(&is_it)).await;
        self.events.iter().find(|event| is_it(event)).expect("it has just been seen").clone()
    }

    pub fn find(&self, native_id: &str) -> Option<&Value> {
        self.events.iter().find(|event| event["native_id"] == native_id)
    }

    pub fn has(&self, native_id: &str) -> bool {
        self.find(native_id).is_some()
    }

    /// Row ids in the order they came.
    pub fn ids(&self) -> Vec<i64> {
        self.events.iter().map(|event| event["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")).collect()
    }

    /// Native ids of messages in the order they came.
    pub fn message_ids(&self) -> Vec<String> {
        let messages = self.events.iter().filter(|event| event["kind"] == "message");
        messages.filter_map(|event| event["native_id"].as_str().map(str::to_owned)).collect()
    }

    /// The last state frame of a topic.
    pub fn state(&self, topic: &str) -> Option<&Value> {
        let of_topic = |frame: &&Value| frame["type"] == "state" && frame["topic"] == topic;
        self.others.iter().rev().find(of_topic).map(|frame| &frame["data"])
    }

    pub async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("the feed takes messages");
    }

    /// Says that it leaves, and gives the code of the server's answer.
    pub async fn part(mut self) -> u16 {
        let word = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        self.socket.send(Message::Close(Some(word))).await.expect("the feed takes messages");
        self.until_closed().await
    }

    /// Leaves without a word.
    pub fn leave(self) -> String {
        self.cursor
    }
}
