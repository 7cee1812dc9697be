//! A browser's `EventSource`, as far as it matters here.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::server::Server;
use super::soon;

/// An open stream of events and everything it has said.
pub struct Source {
    lines: BufReader<TcpStream>,
    /// Status line and headers, in lower case.
    pub head: String,
    /// The newest id, which a browser would come back with.
    pub last_id: String,
    /// The events' data, in the order they came.
    pub frames: Vec<Value>,
    /// The names of the events, empty where they have none.
    pub names: Vec<String>,
    name: String,
}

impl Source {
    pub async fn open(server: &Server, path: &str, last_id: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(server.addr).await.expect("the server takes connections");
        let last_id = last_id.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let addr = server.addr;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\nAccept: text/event-stream\r\n{last_id}\r\n");
        stream.write_all(request.as_bytes()).await.expect("the request is sent");
        let (head, last_id, name) = Default::default();
        let mut source = Self { lines: BufReader::new(stream), head, last_id, frames: vec![], names: vec![], name };
        loop {
            let line = source.line().await.expect("an answer has a head");
            if line.is_empty() {
                return source;
            }
            source.head += &(line.to_lowercase() + "\n");
        }
    }

    /// The next line; none at the end.
    pub async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = soon("the server says something", self.lines.read_line(&mut line)).await.unwrap_or(0);
        (read > 0).then(|| line.trim_end().to_owned())
    }

    /// Reads until what it has seen satisfies.
    pub async fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) {
        while !is_so(self) {
            let line = self.line().await.unwrap_or_else(|| panic!("the stream ended before: {what}"));
            if let Some(id) = line.strip_prefix("id: ") {
                id.clone_into(&mut self.last_id);
            } else if let Some(name) = line.strip_prefix("event: ") {
                name.clone_into(&mut self.name);
            } else if let Some(data) = line.strip_prefix("data: ") {
                self.frames.push(serde_json::from_str(data).expect("data is JSON"));
                self.names.push(std::mem::take(&mut self.name));
            }
        }
    }
}
