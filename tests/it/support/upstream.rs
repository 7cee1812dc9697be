//! A stand-in for any HTTP server that the program asks: written answers, faults on order, and a book of what was asked.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::soon;

/// A trickling server sends a byte this often.
const TRICKLE: Duration = Duration::from_millis(100);

/// A running stand-in. It ends with its value.
pub struct Upstream {
    port: u16,
    book: Arc<watch::Sender<Vec<Asked>>>,
    accepting: AbortHandle,
}

/// What the program asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// What it is answered.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// Ends in the middle of the body, after as many bytes.
    Breaks(usize),
    /// Says nothing at all.
    Silent,
    /// Sends its body for ever, without saying how long it is.
    Endless,
    /// Sends its head, and then a byte now and then.
    Trickles,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into(), fault: Fault::None }
    }

    pub fn json(body: &serde_json::Value) -> Self {
        Self::new(200, "application/json", body.to_string())
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn breaks_after(mut self, bytes: usize) -> Self {
        self.fault = Fault::Breaks(bytes);
        self
    }

    pub fn silent(mut self) -> Self {
        self.fault = Fault::Silent;
        self
    }

    pub fn endless(mut self) -> Self {
        self.fault = Fault::Endless;
        self
    }

    pub fn trickles(mut self) -> Self {
        self.fault = Fault::Trickles;
        self
    }

    async fn write(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        if self.fault == Fault::Silent {
            return std::future::pending().await;
        }
        let mut head = format!("HTTP/1.1 {} Stand-In\r\nConnection: close\r\n", self.status);
        let named = |name: &str| self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        if !matches!(self.fault, Fault::Endless | Fault::Trickles)
            && !named("content-length")
            && !named("x-until-close")
        {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        self.headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        stream.write_all((head + "\r\n").as_bytes()).await?;
        match self.fault {
            Fault::Breaks(after) => stream.write_all(&self.body[..after]).await,
            Fault::Endless => loop {
                stream.write_all(&self.body).await?;
            },
            Fault::Trickles => {
                let mut beat = tokio::time::interval(TRICKLE);
                loop {
                    beat.tick().await;
                    stream.write_all(b"x").await?;
                }
            }
            Fault::None | Fault::Silent => stream.write_all(&self.body).await,
        }
    }
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl Upstream {
    /// Answers whatever is asked as `answer` says, on a free port of the loopback.
    pub async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let (book, answer) = (Arc::new(watch::Sender::default()), Arc::new(answer));
        let noted = Arc::clone(&book);
        let accept = async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&noted), Arc::clone(&answer)));
            }
        };
        Self { port, book, accepting: tokio::spawn(accept).abort_handle() }
    }

    /// `http://127.0.0.1:port`
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Everything that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.book.borrow().clone()
    }

    /// Waits until as many questions have come.
    pub async fn until_asked(&self, count: usize) {
        let mut book = self.book.subscribe();
        let come = book.wait_for(|asked| asked.len() >= count);
        soon(&format!("{count} questions come"), come).await.expect("the stand-in is alive");
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve<F: Fn(&Asked) -> Reply>(mut stream: TcpStream, book: Arc<watch::Sender<Vec<Asked>>>, answer: Arc<F>) {
    let Some(asked) = read(&mut stream).await else { return };
    let reply = answer(&asked);
    book.send_modify(|book| book.push(asked));
    // Whoever asked may have gone.
    let _ = reply.write(&mut stream).await;
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut raw = Vec::new();
    let end = loop {
        if let Some(end) = raw.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        (stream.read_buf(&mut raw).await.ok()? > 0).then_some(())?;
    };
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, length)| length.parse().ok());
    while raw.len() < end + 4 + length.unwrap_or(0) {
        (stream.read_buf(&mut raw).await.ok()? > 0).then_some(())?;
    }
    let body = String::from_utf8_lossy(&raw[end + 4..]).into_owned();
    Some(Asked { method, path, headers, body })
}
