//! What the feed is held against: axum's WebSocket and tokio's broadcast channel, and nothing else. It passes on the
//! frames it gets, everything that is queued for a client in one flush. It runs as a process of its own.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;

/// The argument that makes this program the bare broadcast.
pub const ARGUMENT: &str = "--floor";
/// The variable with the address that frames come from; nothing comes where it is not set.
pub const SOURCE: &str = "FLOOR_SOURCE";
pub const PATH: &str = "/ws";

/// The same as ours.
const READ_BUFFER: usize = 1024;
/// Frames kept for a client that is behind; here nobody is so far behind.
const KEPT: usize = 8192;

type Frames = broadcast::Sender<Utf8Bytes>;

pub fn run() {
    tokio::runtime::Runtime::new().expect("a runtime starts").block_on(serve());
}

async fn serve() {
    let frames = Frames::new(KEPT);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("a bound socket has an address");
    if let Ok(source) = std::env::var(SOURCE) {
        let source = source.parse().expect("an address");
        tokio::spawn(pass_on(source, frames.clone()));
    }
    let router = Router::new().route(PATH, get(open)).route("/readyz", get(|| async { "ready" })).with_state(frames);
    println!("listening on http://{addr} ");
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await.expect("the listener works");
}

async fn pass_on(source: SocketAddr, frames: Frames) {
    let stream = TcpStream::connect(source).await.expect("the source takes connections");
    let mut lines = BufReader::with_capacity(64 * 1024, stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let _ = frames.send(line.into());
    }
}

async fn open(upgrade: WebSocketUpgrade, State(frames): State<Frames>) -> Response {
    let seat = frames.subscribe();
    upgrade.read_buffer_size(READ_BUFFER).on_upgrade(move |socket| watch(socket, seat))
}

async fn watch(socket: WebSocket, mut frames: broadcast::Receiver<Utf8Bytes>) {
    let (mut sink, mut stream) = socket.split();
    loop {
        tokio::select! {
            said = stream.next() => if !matches!(said, Some(Ok(_))) { return },
            frame = frames.recv() => {
                let mut next = frame.ok();
                while let Some(frame) = next {
                    if sink.feed(Message::Text(frame)).await.is_err() {
                        return;
                    }
                    next = frames.try_recv().ok();
                }
                if sink.flush().await.is_err() {
                    return;
                }
            }
        }
    }
}
