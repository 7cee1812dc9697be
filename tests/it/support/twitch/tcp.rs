//! Twitch's other door: the same IRC over plain TCP, as older clients have it. A relay to the stand-in.

use std::io;
use std::net::Ipv4Addr;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio_tungstenite::tungstenite::Message;

/// Relays whoever comes to the stand-in at `port`.
pub async fn listen(ip: Ipv4Addr, at: u16, port: u16) -> io::Result<AbortHandle> {
    let listener = TcpListener::bind((ip, at)).await?;
    let accepting = async move {
        let mut clients = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            clients.spawn(relay(stream, port));
        }
    };
    Ok(tokio::spawn(accepting).abort_handle())
}

/// Ends both sides as soon as one does.
async fn relay(stream: TcpStream, port: u16) -> Option<()> {
    let twitch = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
    let (socket, _) = tokio_tungstenite::client_async(format!("ws://127.0.0.1:{port}"), twitch).await.ok()?;
    let (mut to_twitch, mut from_twitch) = socket.split();
    let (lines, mut to_client) = stream.into_split();
    let mut lines = BufReader::new(lines).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => to_twitch.send(Message::text(line.ok()??)).await.ok()?,
            frame = from_twitch.next() => match frame?.ok()? {
                Message::Text(text) => {
                    let end = if text.ends_with("\r\n") { "" } else { "\r\n" };
                    to_client.write_all(format!("{text}{end}").as_bytes()).await.ok()?;
                }
                Message::Close(_) => return None,
                _ => {}
            },
        }
    }
}
