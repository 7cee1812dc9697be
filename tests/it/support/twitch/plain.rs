//! A client that knows nothing but bytes: it shows what really goes over the wire, frame by frame.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::soon;

/// A raw connection to the stand-in.
pub struct Plain {
    stream: TcpStream,
    /// Bytes read and not yet looked at.
    unread: Vec<u8>,
}

/// One WebSocket frame as it came, whole or cut off.
#[derive(Debug, PartialEq, Eq)]
pub struct Wire {
    pub is_final: bool,
    pub opcode: u8,
    /// The length its head promises.
    pub promised: usize,
    pub payload: String,
}

impl Wire {
    pub fn is_whole(&self) -> bool {
        self.payload.len() == self.promised
    }
}

impl Plain {
    pub async fn connect(port: u16) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the stand-in takes connections");
        let head = format!(
            "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.expect("the stand-in reads");
        let mut plain = Self { stream, unread: Vec::new() };
        soon("the stand-in upgrades", async {
            while !plain.unread.windows(4).any(|four| four == b"\r\n\r\n") {
                assert!(plain.more().await, "the stand-in hung up during the upgrade");
            }
        })
        .await;
        let end = plain.unread.windows(4).position(|four| four == b"\r\n\r\n").expect("just seen");
        assert!(plain.unread.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&plain.unread));
        plain.unread.drain(..end + 4);
        plain
    }

    /// Connects, logs in without an account, and joins channels.
    pub async fn join(port: u16, capabilities: &str, channels: &[&str]) -> Self {
        let mut plain = Self::connect(port).await;
        if !capabilities.is_empty() {
            plain.say(&format!("CAP REQ :{capabilities}")).await;
        }
        plain.say("NICK justinfan1").await;
        plain.until_line(" 376 ").await;
        for channel in channels {
            plain.say(&format!("JOIN #{channel}")).await;
            plain.until_line(&format!(" JOIN #{channel}")).await;
        }
        plain
    }

    /// Sends a line, masked with zeros.
    pub async fn say(&mut self, line: &str) {
        let length = u8::try_from(line.len() + 2).ok().filter(|length| *length < 126).expect("a short line");
        let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
        frame.extend_from_slice(line.as_bytes());
        frame.extend_from_slice(b"\r\n");
        self.stream.write_all(&frame).await.expect("the stand-in reads");
    }

    /// The next frame; none at the end of the stream. A frame that was cut off comes with what there was of it.
    pub async fn frame(&mut self) -> Option<Wire> {
        loop {
            if let Some(end) = self.whole() {
                let wire = self.parse();
                self.unread.drain(..end);
                return Some(wire);
            }
            if !self.more().await {
                return (self.unread.len() >= 2).then(|| {
                    let wire = self.parse();
                    self.unread.clear();
                    wire
                });
            }
        }
    }

    /// Reads frames until one has a line with this part, and gives it.
    pub async fn until_line(&mut self, part: &str) -> Wire {
        soon(&format!("the stand-in sends `{part}`"), async {
            loop {
                let wire = self.frame().await.expect("the stand-in has not hung up");
                if wire.payload.contains(part) {
                    return wire;
                }
            }
        })
        .await
    }

    async fn more(&mut self) -> bool {
        self.stream.read_buf(&mut self.unread).await.is_ok_and(|count| count > 0)
    }

    fn head(&self) -> Option<(usize, usize)> {
        match *self.unread.get(1)? {
            126 => Some((4, usize::from(u16::from_be_bytes([*self.unread.get(2)?, *self.unread.get(3)?])))),
            127 => panic!("the stand-in sends no frames above 64 KiB"),
            short => Some((2, usize::from(short))),
        }
    }

    fn whole(&self) -> Option<usize> {
        self.head().map(|(head, length)| head + length).filter(|end| self.unread.len() >= *end)
    }

    fn parse(&self) -> Wire {
        let (head, promised) = self.head().unwrap_or((self.unread.len(), 0));
        let end = self.unread.len().min(head + promised);
        let payload = String::from_utf8_lossy(&self.unread[head..end]).into_owned();
        Wire { is_final: self.unread[0] & 0x80 != 0, opcode: self.unread[0] & 0x0f, promised, payload }
    }
}
