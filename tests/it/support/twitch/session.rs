//! One client's connection to the stand-in: log-in, joins, answers, and the faults it was told to have.

use std::sync::Arc;
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::book::{Book, Connection, End, Framing};
use super::fault::Fault;
use super::lines::{Line, room_id};

pub(super) const HOST: &str = "tmi.twitch.tv";
const SUBPROTOCOL: &str = "Sec-WebSocket-Protocol";

/// What a connection is told to do.
#[derive(Debug)]
pub enum Order {
    /// Write these lines of one channel, note them, and say when they are out.
    Lines(Vec<Line>, oneshot::Sender<()>),
    /// Write this line, which is not for the book.
    Raw(String),
    /// A frame of bytes, which need not be text.
    Bytes(Vec<u8>),
    /// Write half of this line in a frame that promises all of it, then hang up.
    TearOff(Line),
    /// Neither read nor write any more, and stay connected.
    Silence,
    Close,
}

/// Why a session's loop ends.
pub(super) enum Over {
    By(End),
    Silence,
}

pub(super) struct Session {
    pub(super) socket: WebSocketStream<TcpStream>,
    number: usize,
    pub(super) book: Arc<watch::Sender<Book>>,
    /// Between `CAP LS` and `CAP END` the welcome waits.
    pub(super) negotiating: bool,
}

/// Serves one client to its end.
pub async fn serve(
    stream: TcpStream,
    number: usize,
    book: Arc<watch::Sender<Book>>,
    mut orders: mpsc::Receiver<Order>,
) {
    let _ = stream.set_nodelay(true);
    let Ok(socket) = tokio_tungstenite::accept_hdr_async(stream, agree_on_irc).await else {
        return book.send_modify(|book| book.connections[number].closed = Some((Instant::now(), End::Client)));
    };
    let mut session = Session { socket, number, book, negotiating: false };
    let end = match session.talk(&mut orders).await {
        Ok(Over::By(end)) => end,
        Ok(Over::Silence) => session.sulk(&mut orders).await,
        Err(_) => End::Client,
    };
    session.note(|connection| connection.closed = Some((Instant::now(), end)));
}

pub(super) type Result<T> = std::result::Result<T, tokio_tungstenite::tungstenite::Error>;

impl Session {
    async fn talk(&mut self, orders: &mut mpsc::Receiver<Order>) -> Result<Over> {
        loop {
            tokio::select! {
                message = self.socket.next() => match message {
                    Some(Ok(Message::Text(text))) => {
                        if let Some(over) = self.hear(&text).await? {
                            return Ok(over);
                        }
                    }
                    Some(Ok(Message::Close(_))) | None => return Ok(Over::By(End::Client)),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(error),
                },
                order = orders.recv() => {
                    let Some(order) = order else { return Ok(Over::By(End::Server)) };
                    if let Some(over) = self.obey(order).await? {
                        return Ok(over);
                    }
                }
            }
        }
    }

    async fn hear(&mut self, text: &str) -> Result<Option<Over>> {
        for line in text.split("\r\n").filter(|line| !line.is_empty()) {
            self.note(|connection| connection.received.push((Instant::now(), line.to_owned())));
            if let Some(over) = self.answer(line).await? {
                return Ok(Some(over));
            }
        }
        Ok(None)
    }

    async fn answer(&mut self, line: &str) -> Result<Option<Over>> {
        let line = if line.starts_with('@') { line.split_once(' ').map_or("", |(_, rest)| rest) } else { line };
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command.to_ascii_uppercase().as_str() {
            "CAP" => self.capability(rest).await?,
            "PASS" => self.note(|c| c.token = Some(rest.trim_start_matches(':').to_owned())),
            "NICK" => return self.nick(rest).await,
            "PING" if self.book.borrow().rules.holds_pongs => self.note(|c| c.unanswered.push(rest.to_owned())),
            "PING" => self.write(vec![format!(":{HOST} PONG {HOST} {rest}")]).await?,
            "JOIN" => self.join(rest).await?,
            "PART" => self.part(rest).await?,
            "PRIVMSG" => self.privmsg(rest).await?,
            "USER" | "PONG" => {}
            "QUIT" => return Ok(Some(Over::By(End::Client))),
            other => {
                let nick = self.nickname();
                self.write(vec![format!(":{HOST} 421 {nick} {other} :Unknown command")]).await?;
            }
        }
        Ok(None)
    }

    async fn join(&mut self, rest: &str) -> Result<()> {
        for channel in rest.split(',').filter_map(|name| name.trim().strip_prefix('#')) {
            let (mut granted, mut again) = (false, false);
            self.book.send_modify(|book| {
                granted = book.grants_join(channel) && !book.is_ghost(channel);
                let connection = &mut book.connections[self.number];
                granted &= connection.welcomed;
                if granted {
                    again = connection.joined.insert(channel.to_owned(), Instant::now()).is_some();
                }
            });
            if granted && !again {
                self.confirm(channel).await?;
            }
        }
        Ok(())
    }

    async fn confirm(&mut self, channel: &str) -> Result<()> {
        let nick = self.nickname();
        let mut lines = vec![format!(":{nick}!{nick}@{nick}.{HOST} JOIN #{channel}")];
        if self.has("twitch.tv/commands") {
            let room = room_id(channel);
            let tags = format!("emote-only=0;followers-only=-1;r9k=0;room-id={room};slow=0;subs-only=0");
            lines.push(self.tagged(&tags, &format!(":{HOST} ROOMSTATE #{channel}")));
        }
        if self.has("twitch.tv/membership") {
            lines.push(format!(":{nick}.{HOST} 353 {nick} = #{channel} :{nick}"));
            lines.push(format!(":{nick}.{HOST} 366 {nick} #{channel} :End of /NAMES list"));
        }
        self.write(lines).await
    }

    async fn part(&mut self, rest: &str) -> Result<()> {
        let nick = self.nickname();
        for channel in rest.split(',').filter_map(|name| name.trim().strip_prefix('#')) {
            self.note(|connection| connection.joined.remove(channel));
            self.write(vec![format!(":{nick}!{nick}@{nick}.{HOST} PART #{channel}")]).await?;
        }
        Ok(())
    }

    /// What an account says is answered with its state, never echoed; what nobody says is dropped.
    async fn privmsg(&mut self, rest: &str) -> Result<()> {
        let nick = self.nickname();
        let channel = rest.split(' ').next().unwrap_or_default();
        if nick.starts_with("justinfan") || !self.has("twitch.tv/commands") {
            return Ok(());
        }
        let state = self.tagged("badge-info=;badges=;mod=0", &format!(":{HOST} USERSTATE {channel}"));
        self.write(vec![state]).await
    }

    async fn obey(&mut self, order: Order) -> Result<Option<Over>> {
        match order {
            Order::Lines(lines, done) => {
                self.deliver(lines).await?;
                let _ = done.send(());
            }
            Order::Raw(raw) => self.write(vec![raw]).await?,
            Order::Bytes(bytes) => self.socket.send(Message::binary(bytes)).await?,
            Order::TearOff(line) => {
                self.tear_off(&line).await?;
                return Ok(Some(Over::By(End::Server)));
            }
            Order::Silence if Fault::Silence.is_committed() => return Ok(Some(Over::Silence)),
            Order::Silence => self.note(|connection| connection.silent_since = Some(Instant::now())),
            Order::Close => {
                self.socket.close(None).await?;
                return Ok(Some(Over::By(End::Server)));
            }
        }
        Ok(None)
    }

    /// Writes lines as the rules lay them into frames. What the client did not ask for, it is not sent.
    async fn deliver(&mut self, lines: Vec<Line>) -> Result<()> {
        let lines: Vec<Line> = lines.into_iter().filter(|line| self.may_hear(line)).collect();
        let framing = self.book.borrow().rules.framing();
        let per_frame = if let Framing::Several(n) = framing { n.max(1) } else { 1 };
        for chunk in lines.chunks(per_frame) {
            let text: String = chunk.iter().map(|line| self.plain(&line.raw) + "\r\n").collect();
            self.lay(&text, framing).await?;
            self.note(|connection| connection.laid.insert(framing));
            self.book.send_modify(|book| {
                for line in chunk {
                    book.wrote(self.number, &line.channel, line.id.clone());
                }
            });
        }
        Ok(())
    }

    async fn lay(&mut self, text: &str, framing: Framing) -> Result<()> {
        let middle = (text.len() / 2..).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (first, second) = text.split_at(middle);
        let part =
            |text: &str, code, last| Message::Frame(Frame::message(text.as_bytes().to_vec(), OpCode::Data(code), last));
        match framing {
            Framing::OnePerFrame | Framing::Several(_) => self.socket.send(Message::text(text)).await,
            Framing::Fragmented => {
                self.socket.send(part(first, Data::Text, false)).await?;
                self.socket.send(part(second, Data::Continue, true)).await
            }
            Framing::Torn => {
                self.socket.send(Message::text(first)).await?;
                self.socket.send(Message::text(second)).await
            }
        }
    }

    /// A frame that promises a whole line, half of it, and the end of the stream.
    /// Reads on until the client is gone, so that nothing it has yet to read is thrown away by a reset.
    async fn tear_off(&mut self, line: &Line) -> Result<()> {
        let text = format!("{}\r\n", line.raw).into_bytes();
        let length = u16::try_from(text.len()).expect("a line is shorter than 64 KiB").to_be_bytes();
        let stream = self.socket.get_mut();
        stream.write_all(&[0x81, 126, length[0], length[1]]).await?;
        stream.write_all(&text[..text.len() / 2]).await?;
        stream.shutdown().await?;
        self.note(|connection| connection.torn = line.id.clone());
        self.read_to_end(None).await;
        Ok(())
    }

    /// Answers nothing until the client gives up, which it notes.
    async fn sulk(&mut self, orders: &mut mpsc::Receiver<Order>) -> End {
        self.note(|connection| connection.silent_since = Some(Instant::now()));
        self.read_to_end(Some(orders)).await;
        End::Client
    }

    async fn read_to_end(&mut self, mut orders: Option<&mut mpsc::Receiver<Order>>) {
        let mut unread = [0_u8; 4096];
        loop {
            let ignored = async {
                match orders.as_deref_mut() {
                    Some(orders) => orders.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                read = self.socket.get_mut().read(&mut unread) => if matches!(read, Ok(0) | Err(_)) { return },
                order = ignored => if order.is_none() { return },
            }
        }
    }

    pub(super) async fn write(&mut self, lines: Vec<String>) -> Result<()> {
        let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        self.socket.send(Message::text(text)).await
    }

    fn may_hear(&self, line: &Line) -> bool {
        let is_command = !line.raw.contains(" PRIVMSG #");
        (self.has("twitch.tv/commands") || !is_command) && self.look(|c| c.joined.contains_key(&line.channel))
    }

    /// The line with its tags, for a client that asked for them.
    fn plain(&self, raw: &str) -> String {
        if self.has("twitch.tv/tags") { raw.to_owned() } else { bare(raw).to_owned() }
    }

    pub(super) fn tagged(&self, tags: &str, line: &str) -> String {
        if self.has("twitch.tv/tags") { format!("@{tags} {line}") } else { line.to_owned() }
    }

    pub(super) fn has(&self, capability: &str) -> bool {
        self.look(|connection| connection.capabilities.contains(capability))
    }

    pub(super) fn nickname(&self) -> String {
        self.look(|connection| connection.nick.clone()).unwrap_or_else(|| "*".to_owned())
    }

    pub(super) fn look<T>(&self, look: impl FnOnce(&Connection) -> T) -> T {
        look(&self.book.borrow().connections[self.number])
    }

    pub(super) fn note<T>(&self, change: impl FnOnce(&mut Connection) -> T) {
        self.book.send_modify(|book| {
            change(&mut book.connections[self.number]);
        });
    }
}

/// Browsers' and node's sockets ask for the subprotocol `irc`, and hang up on a server that does not grant it.
#[expect(clippy::result_large_err, reason = "the handshake's signature")]
fn agree_on_irc(asked: &Request, mut granted: Response) -> std::result::Result<Response, ErrorResponse> {
    if asked.headers().get(SUBPROTOCOL).is_some_and(|wanted| wanted == "irc") {
        granted.headers_mut().insert(SUBPROTOCOL, HeaderValue::from_static("irc"));
    }
    Ok(granted)
}

fn bare(raw: &str) -> &str {
    if raw.starts_with('@') { raw.split_once(' ').map_or("", |(_, rest)| rest) } else { raw }
}
