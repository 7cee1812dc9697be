//! Clients on one thread of their own. Each asserts that it gets every message once and in order; all of them add to
//! one tally.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, mpsc};
use std::task::{Context, Poll, ready};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::scan::{FRONT, Scan};
use super::stamp::{Clock, Stamp};

/// Shared by all clients, since only one of them reads at a time.
const BUFFER: usize = 256 * 1024;
/// Whoever waits longer than this for a message waits in vain.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_micros(300);
/// A client's pong with nothing in it, as nothing is in the pings either.
const PONG: [u8; 6] = [0x8a, 0x80, 0, 0, 0, 0];

thread_local! {
    static READ: RefCell<Vec<u8>> = RefCell::new(vec![0; FRONT + BUFFER]);
}

/// What was counted since [`Crowd::begin`].
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Messages, each counted once per client.
    pub deliveries: u64,
    /// Frames with messages in them.
    pub frames: u64,
    pub reads: u64,
    pub bytes: u64,
    /// Microseconds from written upstream to read by a client, of each delivery.
    pub latencies: Vec<u32>,
}

struct Tally {
    clock: Clock,
    clients: u32,
    measured: Counts,
    keeps_latencies: bool,
    /// Clients that have each message, beginning with the first that not all have.
    under_way: VecDeque<u32>,
    /// So many messages have come to everybody.
    complete: u32,
    fault: Option<String>,
}

pub struct Crowd {
    tally: Arc<Mutex<Tally>>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// Connects that many clients, and returns once all of them are let in. The first message they get is number
    /// `first`.
    pub fn connect(addr: SocketAddr, path: &str, clients: usize, first: u32, clock: Clock) -> Self {
        let tally = Tally {
            clock,
            clients: u32::try_from(clients).expect("not so many clients"),
            measured: Counts::default(),
            keeps_latencies: false,
            under_way: VecDeque::new(),
            complete: first,
            fault: None,
        };
        let (tally, stop) = (Arc::new(Mutex::new(tally)), CancellationToken::new());
        let (connected, all_in) = mpsc::channel();
        let (shared, stopped, path) = (Arc::clone(&tally), stop.clone(), path.to_owned());
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
            runtime.block_on(async move {
                let mut readers = JoinSet::new();
                for _ in 0..clients {
                    let client = Client::connect(addr, &path, first, Arc::clone(&shared)).await;
                    readers.spawn(client.follow());
                }
                connected.send(()).expect("somebody waits for the clients");
                stopped.cancelled().await;
            });
        };
        let thread = std::thread::Builder::new().name("clients".to_owned()).spawn(run).expect("a thread starts");
        all_in.recv_timeout(PATIENCE).expect("all clients are let in");
        Self { tally, stop, thread: Some(thread) }
    }

    /// Counts from here.
    pub fn begin(&self, keeps_latencies: bool) {
        let mut tally = self.tally();
        tally.measured = Counts::default();
        tally.keeps_latencies = keeps_latencies;
    }

    /// What was counted since [`Crowd::begin`], which ends there.
    pub fn counted(&self) -> Counts {
        std::mem::take(&mut self.tally().measured)
    }

    /// So many messages have come to everybody.
    pub fn complete(&self) -> u32 {
        let tally = self.tally();
        if let Some(fault) = &tally.fault {
            panic!("{fault}");
        }
        tally.complete
    }

    /// Waits until so many messages have come to everybody.
    pub fn wait(&self, complete: u32) {
        let began = Instant::now();
        while self.complete() < complete {
            assert!(began.elapsed() < PATIENCE, "only {} of {complete} messages came to everybody", self.complete());
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().expect("no client panicked")
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Tally {
    fn delivered(&mut self, stamp: Stamp, now: u64) {
        self.measured.deliveries += 1;
        if self.keeps_latencies {
            self.measured.latencies.push(u32::try_from(now.saturating_sub(stamp.at)).unwrap_or(u32::MAX));
        }
        let place = stamp.number.wrapping_sub(self.complete) as usize;
        if place >= self.under_way.len() {
            self.under_way.resize(place + 1, 0);
        }
        self.under_way[place] += 1;
        while self.under_way.front() == Some(&self.clients) {
            self.under_way.pop_front();
            self.complete += 1;
        }
    }
}

struct Client {
    stream: TcpStream,
    scan: Scan,
    next: u32,
    tally: Arc<Mutex<Tally>>,
}

impl Client {
    async fn connect(addr: SocketAddr, path: &str, first: u32, tally: Arc<Mutex<Tally>>) -> Self {
        let mut stream = TcpStream::connect(addr).await.expect("the server takes connections");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.expect("the server reads");
        let mut answer = Vec::new();
        // Byte by byte, so that nothing of the first frame is taken.
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.expect("the server answers"));
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"), "no WebSocket: {}", String::from_utf8_lossy(&answer));
        Self { stream, scan: Scan::default(), next: first, tally }
    }

    async fn follow(mut self) {
        let ended = std::future::poll_fn(|context| self.poll(context)).await;
        let mut tally = self.tally.lock().expect("no client panicked");
        tally.fault.get_or_insert(ended);
    }

    /// Reads what is there, and ends with what went wrong.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<String> {
        loop {
            let fault = READ.with_borrow_mut(|buffer| {
                let mut into = ReadBuf::new(&mut buffer[FRONT..]);
                let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut into));
                let length = into.filled().len();
                Poll::Ready(match read {
                    Ok(()) if length > 0 => self.take(buffer, length).err(),
                    Ok(()) => Some("the server hung up on a client".to_owned()),
                    Err(error) => Some(format!("a client's connection broke: {error}")),
                })
            });
            if let Some(fault) = ready!(fault) {
                return Poll::Ready(fault);
            }
        }
    }

    fn take(&mut self, buffer: &mut [u8], read: usize) -> Result<(), String> {
        let mut tally = self.tally.lock().expect("no client panicked");
        let now = tally.clock.now();
        let mut fault = None;
        let found = self.scan.take(buffer, read, |stamp| {
            if stamp.number == self.next {
                self.next += 1;
                tally.delivered(stamp, now);
            } else {
                let _ = fault.get_or_insert((self.next, stamp.number));
            }
        });
        tally.measured.reads += 1;
        tally.measured.bytes += read as u64;
        tally.measured.frames += found.frames;
        drop(tally);
        for _ in 0..found.pings {
            // A full buffer is not worth waiting for: the next ping will do.
            let _ = self.stream.try_write(&PONG);
        }
        match fault {
            Some((wanted, got)) => Err(format!("a client got message {got} where {wanted} was due")),
            None => found.closed.map_or(Ok(()), |code| Err(format!("the server closed a client's socket with {code}"))),
        }
    }
}
