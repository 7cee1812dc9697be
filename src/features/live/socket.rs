//! One client's WebSocket: writing within a deadline, closing with a reason, reading what is ignored.

use std::pin::pin;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use futures_util::future::poll_immediate;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite;
use tokio_util::sync::CancellationToken;

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

/// The store does not answer.
pub const BLIND: u16 = 4001;

/// How long a closing word may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// How long a write may still take once the house closes.
pub const HURRY: Duration = Duration::from_secs(2);

/// One client's socket. What is put into it goes out together with [`Socket::flush`].
pub struct Socket {
    socket: WebSocket,
    deadline: Duration,
    stop: CancellationToken,
    /// A write had to wait for the client, and went on when it read.
    has_waited: bool,
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
    /// `deadline` is how long a client may take nothing of what is written; after `stop` it is short.
    pub fn new(socket: WebSocket, deadline: Duration, stop: CancellationToken) -> Self {
        Self { socket, deadline, stop, has_waited: false }
    }

    /// Puts a text into the next write.
    pub async fn put(&mut self, text: Text) -> Result<(), Gone> {
        self.has_waited |= within(self.deadline, &self.stop, self.socket.feed(Message::Text(text))).await?;
        Ok(())
    }

    pub async fn ping(&mut self) -> Result<(), Gone> {
        self.has_waited |= within(self.deadline, &self.stop, self.socket.feed(Message::Ping(Bytes::new()))).await?;
        Ok(())
    }

    /// True if the client was seen to read: what was written had to wait until it did.
    pub async fn flush(&mut self) -> Result<bool, Gone> {
        let has_waited = within(self.deadline, &self.stop, self.socket.flush()).await?;
        Ok(std::mem::take(&mut self.has_waited) | has_waited)
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

    /// Sends the answer to a client's own closing word, which was put when that was heard.
    pub async fn part(&mut self) {
        let _ = tokio::time::timeout(FAREWELL, self.socket.flush()).await;
    }

    pub async fn close_too_big(&mut self) {
        self.close(TOO_BIG, "the message is too long").await;
    }
}

/// Nearly every write is done at once, and needs no clock. True if it was not.
async fn within(
    deadline: Duration,
    stop: &CancellationToken,
    write: impl Future<Output = Result<(), axum::Error>>,
) -> Result<bool, Gone> {
    let mut write = pin!(write);
    if let Some(written) = poll_immediate(&mut write).await {
        return written.map(|()| false).map_err(|_| Gone::Broken);
    }
    let hurried = async {
        stop.cancelled().await;
        sleep(HURRY).await;
    };
    // In a box, so that whoever never waits keeps no room for it.
    Box::pin(async {
        tokio::select! {
            biased;
            written = write => written.map(|()| true).map_err(|_| Gone::Broken),
            () = sleep(deadline) => Err(Gone::Stalled),
            () = hurried => Err(Gone::Stalled),
        }
    })
    .await
}
