//! A stand-in for Twitch's chat server: IRC over WebSocket, as its documentation and captured lines show it,
//! with faults on order. It shares no code with the program; npm's tmi.js is its second witness (`stand_in.rs`).

mod book;
pub mod fault;
pub mod lines;
mod login;
pub mod plain;
mod session;
mod tcp;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::AbortHandle;

use super::soon;
pub use book::{Book, Connection, End, Framing, Rules};
use fault::Fault;
pub use lines::{ADA, BOB, Chatter, Line, MEI};
use session::{HOST, Order};

/// Orders a connection may have waiting; past it whoever speaks waits.
const WAITING_ORDERS: usize = 256;
/// A burst is written in this many steps a second.
const STEPS_PER_SECOND: usize = 100;
/// A burst that is none takes so many times as long.
const TRICKLE: usize = 4;

/// A running stand-in. It ends with its value.
pub struct Twitch {
    port: u16,
    book: Arc<watch::Sender<Book>>,
    accepting: AbortHandle,
    bridges: Mutex<Vec<AbortHandle>>,
}

impl Twitch {
    /// Listens on a free port of the loopback.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let book = Arc::new(watch::Sender::new(Book::default()));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&book))).abort_handle();
        Self { port, book, accepting, bridges: Mutex::default() }
    }

    /// Also takes clients that speak IRC without WebSocket, at another address.
    pub async fn listen_plainly(&self, ip: Ipv4Addr, port: u16) -> std::io::Result<()> {
        let bridge = tcp::listen(ip, port, self.port).await?;
        self.bridges.lock().expect("no test panicked in here").push(bridge);
        Ok(())
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes how the stand-in behaves from now on.
    pub fn rule<T>(&self, change: impl FnOnce(&mut Rules) -> T) {
        self.book.send_modify(|book| {
            change(&mut book.rules);
        });
    }

    /// Looks something up in the book.
    pub fn read<T>(&self, look: impl FnOnce(&Book) -> T) -> T {
        look(&self.book.borrow())
    }

    /// Waits until the book shows what is wanted, or fails naming it.
    pub async fn until(&self, what: &str, is_so: impl FnMut(&Book) -> bool) {
        soon(what, self.seen(is_so)).await;
    }

    /// Waits, with no limit of its own, until the book shows what is wanted.
    pub async fn seen(&self, mut is_so: impl FnMut(&Book) -> bool) {
        let mut changes = self.book.subscribe();
        changes.wait_for(|book| is_so(book)).await.expect("the stand-in is alive");
    }

    /// Waits until some client has joined a channel.
    pub async fn joined(&self, channel: &str) {
        self.until(&format!("a client joins #{channel}"), |book| book.has_listener(channel)).await;
    }

    /// Somebody says something; returns its id once it has been written to every listener.
    pub async fn say(&self, channel: &str, who: &Chatter, text: &str) -> String {
        let line = lines::privmsg(channel, who, text);
        let id = line.id.clone().expect("a message has an id");
        self.send(line).await;
        id
    }

    /// Writes a line to every connection that has joined its channel, and returns when it is out.
    pub async fn send(&self, line: Line) {
        self.send_all(vec![line]).await;
    }

    /// Writes lines of one channel to every connection that has joined it, and returns when they are out.
    pub async fn send_all(&self, lines: Vec<Line>) {
        let Some(first) = lines.first() else { return };
        let listeners = self.read(|book| book.listeners(&first.channel).map(|c| c.orders.clone()).collect::<Vec<_>>());
        let mut done = Vec::new();
        for orders in listeners {
            let (written, told) = oneshot::channel();
            // A connection that has just ended takes no more orders, and is owed nothing.
            if orders.send(Order::Lines(lines.clone(), written)).await.is_ok() {
                done.push(told);
            }
        }
        for told in done {
            let _ = soon("the stand-in writes to its listeners", told).await;
        }
    }

    /// Says `count` numbered messages at `per_second`, whoever listens, and returns their ids.
    pub async fn burst(&self, channel: &str, count: usize, per_second: usize) -> Vec<String> {
        let per_second = if Fault::Flood.is_committed() { per_second } else { per_second / TRICKLE };
        let step = (per_second / STEPS_PER_SECOND).max(1);
        let mut beat = tokio::time::interval(Duration::from_secs(1) * step as u32 / per_second as u32);
        let mut ids = Vec::with_capacity(count);
        while ids.len() < count {
            beat.tick().await;
            let from = ids.len();
            let lines: Vec<_> = (from..count.min(from + step))
                .map(|n| lines::privmsg(channel, &[ADA, BOB, MEI][n % 3], &format!("line {n} of {count}")))
                .collect();
            ids.extend(lines.iter().filter_map(|line| line.id.clone()));
            self.send_all(lines).await;
        }
        ids
    }

    /// Sends `PING :tmi.twitch.tv` to every client.
    pub async fn ping(&self) {
        if Fault::Ping.is_committed() {
            self.order_all(|| Order::Raw("PING :tmi.twitch.tv".to_owned())).await;
        }
    }

    /// Answers the PINGs that were held, and from now on all of them.
    pub async fn answer_pings(&self) {
        self.rule(|rules| rules.holds_pongs = false);
        let mut held = Vec::new();
        self.book.send_modify(|book| {
            held = book.connections.iter_mut().map(|c| (c.orders.clone(), std::mem::take(&mut c.unanswered))).collect();
        });
        for (orders, unanswered) in held {
            for said in unanswered {
                let _ = orders.send(Order::Raw(format!(":{HOST} PONG {HOST} {said}"))).await;
            }
        }
    }

    /// Announces to every client that its connection will end soon. It goes on until the client leaves.
    pub async fn reconnect(&self) {
        if Fault::Reconnect.is_committed() {
            self.order_all(|| Order::Raw(":tmi.twitch.tv RECONNECT".to_owned())).await;
        }
    }

    /// Sends every client a line that belongs to no channel, or one that is not for the book.
    pub async fn send_raw(&self, raw: &str) {
        self.order_all(|| Order::Raw(raw.to_owned())).await;
    }

    /// Sends every client a frame of bytes, which need not be text.
    pub async fn send_bytes(&self, bytes: &[u8]) {
        self.order_all(|| Order::Bytes(bytes.to_vec())).await;
    }

    /// Cuts every connection in the middle of a line, and of the frame it comes in.
    pub async fn drop_mid_line(&self, channel: &str) {
        if Fault::Cut.is_committed() {
            self.order_all(|| Order::TearOff(lines::privmsg(channel, &ADA, "this line is never finished"))).await;
        }
    }

    /// Closes every connection as a server does that goes away.
    pub async fn close_all(&self) {
        if Fault::Close.is_committed() {
            self.order_all(|| Order::Close).await;
        }
    }

    /// Closes one connection and leaves the others alone.
    pub async fn close(&self, number: usize) {
        let orders = self.read(|book| book.connections[number].orders.clone());
        let _ = orders.send(Order::Close).await;
    }

    /// Stops answering on every open connection, and keeps them open: half-open, as after a lost route.
    pub async fn go_silent(&self) {
        self.order_all(|| Order::Silence).await;
        self.until("every connection has gone silent", |book| {
            book.connections.iter().all(|c| !c.is_open() || c.silent_since.is_some())
        })
        .await;
    }

    async fn order_all(&self, order: impl Fn() -> Order) {
        let open = |book: &Book| book.connections.iter().filter(|c| c.is_open()).map(|c| c.orders.clone()).collect();
        let connections: Vec<mpsc::Sender<Order>> = self.read(open);
        for orders in connections {
            let _ = orders.send(order()).await;
        }
    }
}

impl Drop for Twitch {
    fn drop(&mut self) {
        self.accepting.abort();
        self.bridges.get_mut().expect("no test panicked in here").iter().for_each(AbortHandle::abort);
    }
}

async fn accept(listener: TcpListener, book: Arc<watch::Sender<Book>>) {
    let mut sessions = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (orders, waiting) = mpsc::channel(WAITING_ORDERS);
        let mut number = 0;
        book.send_modify(|book| {
            number = book.connections.len();
            book.connections.push(Connection::new(orders));
        });
        sessions.spawn(session::serve(stream, number, Arc::clone(&book), waiting));
    }
}
