//! A client of the classic socket.

use std::net::SocketAddr;

use futures_util::StreamExt;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::feed::upgrade;
use super::soon;

pub const KEEPALIVE: &str = "__keepalive__";

/// An open socket.
pub struct Classic {
    pub socket: WebSocketStream<TcpStream>,
}

impl Classic {
    pub async fn open(addr: SocketAddr, query: &str) -> Self {
        let path = format!("/ws/chat{query}");
        let socket = upgrade(addr, &path, &[]).await.unwrap_or_else(|status| panic!("{path} answers {status}"));
        Self { socket }
    }

    /// The next text message.
    pub async fn text(&mut self) -> String {
        soon("a message of the classic socket", async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) => return text.to_string(),
                    Some(Ok(Message::Close(frame))) => panic!("closed: {frame:?}"),
                    Some(Ok(_)) => {}
                    other => panic!("ended: {other:?}"),
                }
            }
        })
        .await
    }

    /// The next chat object, taken out of its envelope.
    pub async fn chat(&mut self) -> Value {
        loop {
            let text = self.text().await;
            if text != KEEPALIVE {
                return unwrap(&text);
            }
        }
    }

    pub async fn close(&mut self) -> Option<CloseFrame> {
        soon("the socket closes", async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Close(frame))) => return frame,
                    Some(Ok(_)) => {}
                    _ => return None,
                }
            }
        })
        .await
    }
}

fn unwrap(text: &str) -> Value {
    let envelope = json(text);
    assert_eq!(envelope["type"], "chat", "{text}");
    json(envelope["data"].as_str().expect("data is a string"))
}

pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}
