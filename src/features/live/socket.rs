//! What both sockets have in common: writing within a deadline, closing with a reason, reading what is ignored.

use std::pin::pin;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use futures_util::future::poll_immediate;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite;

use crate::feed::Text;
use crate::web::Problem;

/// Clients say little; a small buffer for each keeps an idle one cheap.
const READ_BUFFER: usize = 1024;
/// What is put is written when it comes to this, flushed or not. A client that was ever in a flood keeps the room.
const WRITE_BUFFER: usize = 64 * 1024;

/// The server stops: come back in a moment.
pub const RESTART: u16 = 1012;
/// The client sent more than it may.
const TOO_BIG: u16 = 1009;
/// The client does not read. It may come back with its cursor.
pub const STALLED: u16 = 4008;

/// How long a closing word may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// One client's socket. What is put into it goes out together with [`Socket::flush`].
pub struct Socket {
    socket: WebSocket,
    deadline: Duration,
}

/// Nobody takes what is written: the connection is broken, or its reader stalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    Broken,
    Stalled,
}

/// What a client did.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// A sign of life, whatever it said.
    Something,
    /// It said more than it may.
    TooMuch,
    Left,
}

/// Sets the limits of a socket that is to be opened, or says why it is none.
pub fn upgrade(
    asked: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    longest: usize,
) -> Result<WebSocketUpgrade, Problem> {
    let upgrade = asked.map_err(|refusal| {
        Problem::bad_request(format!("this address speaks WebSocket only: {}", refusal.body_text()))
    })?;
    let upgrade = upgrade.read_buffer_size(READ_BUFFER).write_buffer_size(WRITE_BUFFER);
    Ok(upgrade.max_message_size(longest).max_frame_size(longest))
}

impl Socket {
    /// `deadline` is how long a client may take nothing of what is written.
    pub fn new(socket: WebSocket, deadline: Duration) -> Self {
        Self { socket, deadline }
    }

    /// Puts a text into the next write.
    pub async fn put(&mut self, text: Text) -> Result<(), Gone> {
        within(self.deadline, self.socket.feed(Message::Text(text))).await
    }

    pub async fn ping(&mut self) -> Result<(), Gone> {
        within(self.deadline, self.socket.feed(Message::Ping(Bytes::new()))).await
    }

    pub async fn flush(&mut self) -> Result<(), Gone> {
        within(self.deadline, self.socket.flush()).await
    }

    /// The next thing the client does.
    pub async fn listen(&mut self) -> Said {
        match self.socket.next().await {
            Some(Ok(Message::Close(_))) | None => Said::Left,
            Some(Ok(_)) => Said::Something,
            Some(Err(error)) => {
                let cause = error.into_inner();
                let is_too_big = matches!(cause.downcast_ref(), Some(tungstenite::Error::Capacity(_)));
                if is_too_big { Said::TooMuch } else { Said::Left }
            }
        }
    }

    /// Says why it ends, if the other side will hear it.
    pub async fn close(&mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame { code, reason: reason.into() };
        let _ = tokio::time::timeout(FAREWELL, self.socket.send(Message::Close(Some(frame)))).await;
    }

    pub async fn close_too_big(&mut self) {
        self.close(TOO_BIG, "the message is too long").await;
    }
}

/// Nearly every write is done at once, and needs no clock.
async fn within(deadline: Duration, write: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Gone> {
    let mut write = pin!(write);
    let written = match poll_immediate(&mut write).await {
        Some(written) => written,
        // In a box, so that whoever never waits keeps no room for it.
        None => Box::pin(tokio::time::timeout(deadline, write)).await.map_err(|_| Gone::Stalled)?,
    };
    written.map_err(|_| Gone::Broken)
}
