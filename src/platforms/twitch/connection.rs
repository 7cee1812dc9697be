//! One connection: dials, logs in, keeps alive, turns lines into news for the session and items for the funnel.
//! It decides nothing about channels, and it ends at the first thing that goes wrong.
//!
//! Reading stops while the funnel is full; until then a PING is answered as soon as it is read, whatever the sink does.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::funnel::Item;
use super::keepalive::{Due, Keepalive};
use super::lines::{Lines, Odd};
use super::login::Login;
use super::overlap::Incoming;
use super::roster::ConnId;
use super::{Heard, NAME, Notice, decode};
use crate::chat::Millis;
use crate::config;
use crate::ingest::{Oddity, Sink};

/// Tags carry everything but the text; commands bring subscriptions, deletions, restrictions. Membership would bring
/// every viewer's coming and going, which nobody reads.
const CAPABILITIES: &str = "CAP REQ :twitch.tv/tags twitch.tv/commands";
/// No frame of Twitch's comes near this; a larger one ends the connection.
const LARGEST_FRAME: usize = 4 * 1024 * 1024;
/// Lines are short, and there may be several connections.
const READ_BUFFER: usize = 32 * 1024;
/// A close frame is a courtesy; it must not hold up the end.
const GOODBYE: Duration = Duration::from_millis(200);
/// The payload of our PINGs.
const ALIVE: &str = "alive";
/// The payload of the last one before leaving: once it is answered, everything sent before has been read.
const FAREWELL: &str = "farewell";

/// What a connection is told to do.
#[derive(Debug)]
pub enum Command {
    Join(String),
    Part(String),
    /// Hear what is still under way, then close.
    Leave,
}

/// What the session has to know.
#[derive(Debug)]
pub enum News {
    Ready,
    Joined(String),
    Parted(String),
    /// The channel will not have us, in Twitch's words.
    Refused {
        login: String,
        reason: String,
    },
    /// Twitch will close this connection soon.
    Reconnect,
    /// Whether an answer to our PING is overdue.
    Late(bool),
}

/// How a connection ended.
#[derive(Debug)]
pub enum Ended {
    /// As it was told to.
    Left,
    Lost(String),
    LoginRefused(String),
}

/// Where a connection says what it knows.
#[derive(Clone)]
pub struct Outlets {
    pub news: mpsc::Sender<(ConnId, News)>,
    pub items: mpsc::Sender<(ConnId, Item)>,
    pub sink: Sink,
}

/// What a connection needs to begin.
pub struct Opening {
    pub id: ConnId,
    pub follows: Option<ConnId>,
    pub login: Login,
    pub config: config::Twitch,
    pub commands: mpsc::Receiver<Command>,
    pub outlets: Outlets,
    pub stop: CancellationToken,
}

impl Opening {
    /// Lives through one connection, from dialing to its end.
    pub async fn run(self) -> (ConnId, Ended) {
        let (id, items) = (self.id, self.outlets.items.clone());
        let opened = Item::Opened { follows: self.follows };
        // That the funnel is closed shows again at the first line.
        let _ = items.send((id, opened)).await;
        let ended = match self.dial().await {
            Ok(connection) => connection.live().await,
            Err(ended) => ended,
        };
        let _ = items.send((id, Item::Gone)).await;
        (id, ended)
    }

    async fn dial(self) -> Result<Connection, Ended> {
        let within = self.config.connect_timeout;
        let settings = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .max_frame_size(Some(LARGEST_FRAME))
            .max_message_size(Some(LARGEST_FRAME));
        let dial = connect_async_tls_with_config(self.config.irc_url.as_str(), Some(settings), true, None);
        let dialed = tokio::select! {
            () = self.stop.cancelled() => return Err(Ended::Left),
            dialed = timeout(within, dial) => dialed,
        };
        let late = |_| Ended::Lost(format!("twitch did not answer the call within {} s", within.as_secs_f32()));
        let (socket, _) = dialed
            .map_err(late)?
            .map_err(|error| Ended::Lost(format!("twitch cannot be reached: {}", word(&error))))?;
        let now = Instant::now();
        Ok(Connection {
            keepalive: Keepalive::new(self.config.ping_interval, self.config.pong_wait, now),
            login_by: Some(now + within),
            farewell_by: None,
            socket,
            lines: Lines::default(),
            inbox: Inbox::new(self.login.nick()),
            opening: self,
        })
    }
}

struct Connection {
    opening: Opening,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    lines: Lines,
    inbox: Inbox,
    keepalive: Keepalive,
    /// Until when Twitch has to confirm the login; none once it has.
    login_by: Option<Instant>,
    /// Until when to hear what is still under way; none while there is no thought of leaving.
    farewell_by: Option<Instant>,
}

impl Connection {
    async fn live(mut self) -> Ended {
        let mut turn = self.introduce().await;
        while turn.is_ok() {
            turn = self.turn().await;
        }
        let ended = turn.err().unwrap_or(Ended::Left);
        if !matches!(ended, Ended::Lost(_)) {
            let _ = timeout(GOODBYE, self.socket.close(None)).await;
        }
        // The funnel may be full for long, and nobody reads any more.
        drop(self.socket);
        for item in self.inbox.items {
            let _ = self.opening.outlets.items.send((self.opening.id, item)).await;
        }
        ended
    }

    async fn introduce(&mut self) -> Result<(), Ended> {
        self.write(CAPABILITIES.to_owned()).await?;
        for line in self.opening.login.lines() {
            self.write(line).await?;
        }
        Ok(())
    }

    /// Waits for the next thing to do, and does it.
    async fn turn(&mut self) -> Result<(), Ended> {
        let is_full = !self.inbox.items.is_empty();
        let deadline = self.login_by.or(self.farewell_by).unwrap_or_else(|| self.keepalive.next());
        tokio::select! {
            biased;
            () = self.opening.stop.cancelled() => Err(Ended::Left),
            command = self.opening.commands.recv() => self.obey(command.unwrap_or(Command::Leave)).await,
            // Before the frames: a flood of them must not keep us from asking.
            () = sleep_until(deadline), if !is_full => self.tick(Instant::now()).await,
            () = capacity(&self.opening.outlets.items), if is_full => {
                self.pass_on()?;
                self.resume(Instant::now());
                Ok(())
            }
            message = self.socket.next(), if !is_full => self.read(message).await,
        }
    }

    async fn obey(&mut self, command: Command) -> Result<(), Ended> {
        match command {
            Command::Join(login) => self.write(format!("JOIN #{login}")).await,
            Command::Part(login) => self.write(format!("PART #{login}")).await,
            // Whoever gave commands is gone, or says so for the second time.
            Command::Leave if self.login_by.is_some() || self.farewell_by.is_some() => Err(Ended::Left),
            Command::Leave => {
                self.farewell_by = Some(Instant::now() + self.opening.config.pong_wait);
                self.write(format!("PING :{FAREWELL}")).await
            }
        }
    }

    async fn tick(&mut self, now: Instant) -> Result<(), Ended> {
        if self.login_by.is_some_and(|by| by <= now) {
            return Err(Ended::Lost("twitch did not confirm the login".to_owned()));
        }
        if self.farewell_by.is_some_and(|by| by <= now) {
            return Err(Ended::Left);
        }
        match self.keepalive.due(now) {
            Some(Due::Ping) => self.write(format!("PING :{ALIVE}")).await,
            Some(Due::Late) => {
                self.tell(News::Late(true)).await;
                Ok(())
            }
            Some(Due::Dead) => {
                let waited = self.opening.config.pong_wait.as_secs_f32();
                Err(Ended::Lost(format!("twitch has left a PING unanswered for {waited} s")))
            }
            None => Ok(()),
        }
    }

    async fn read(&mut self, message: Option<tungstenite::Result<Message>>) -> Result<(), Ended> {
        let bytes = match message {
            Some(Ok(Message::Text(text))) => text.into(),
            Some(Ok(Message::Binary(bytes))) => bytes,
            Some(Ok(Message::Close(frame))) => {
                let code = frame.map_or_else(|| "no code".to_owned(), |frame| format!("code {}", frame.code));
                return Err(Ended::Lost(format!("twitch closed the connection ({code})")));
            }
            // The library answers a WebSocket ping by itself.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => return Ok(()),
            Some(Err(error)) => return Err(Ended::Lost(format!("the connection to twitch broke: {}", word(&error)))),
            None => return Err(Ended::Lost("twitch closed the connection".to_owned())),
        };
        let received_at = Millis::now();
        let Odd { cut, not_utf8 } = self.lines.feed(&bytes, |line| self.inbox.take(decode(line, received_at)));
        (0..cut).for_each(|_| self.opening.outlets.sink.odd(NAME, Oddity::LineCut));
        (0..not_utf8).for_each(|_| self.opening.outlets.sink.odd(NAME, Oddity::NotUtf8));
        self.answer().await?;
        self.pass_on()
    }

    /// Does what the last frame asks for, its PINGs first.
    async fn answer(&mut self) -> Result<(), Ended> {
        for payload in std::mem::take(&mut self.inbox.pings) {
            self.write(format!("PONG :{payload}")).await?;
        }
        if std::mem::take(&mut self.inbox.is_welcome) && self.login_by.take().is_some() {
            let config = &self.opening.config;
            self.keepalive = Keepalive::new(config.ping_interval, config.pong_wait, Instant::now());
            self.tell(News::Ready).await;
        }
        if std::mem::take(&mut self.inbox.is_answered) && self.keepalive.pong() {
            self.tell(News::Late(false)).await;
        }
        for news in std::mem::take(&mut self.inbox.news) {
            self.tell(news).await;
        }
        match self.inbox.refusal.take() {
            Some(words) => Err(Ended::LoginRefused(words)),
            None if self.inbox.has_farewell => Err(Ended::Left),
            None => Ok(()),
        }
    }

    /// Puts what was heard into the funnel, as far as there is room.
    fn pass_on(&mut self) -> Result<(), Ended> {
        while !self.inbox.items.is_empty() {
            match self.opening.outlets.items.try_reserve() {
                Ok(permit) => {
                    if let Some(item) = self.inbox.items.pop_front() {
                        permit.send((self.opening.id, item));
                    }
                }
                Err(mpsc::error::TrySendError::Full(())) => return Ok(()),
                Err(mpsc::error::TrySendError::Closed(())) => return Err(closed()),
            }
        }
        Ok(())
    }

    /// Reading goes on after a pause of our own: what Twitch owes us may lie unread.
    fn resume(&mut self, now: Instant) {
        self.keepalive.resume(now);
        if let Some(by) = &mut self.farewell_by {
            *by = now + self.opening.config.pong_wait;
        }
    }

    async fn write(&mut self, line: String) -> Result<(), Ended> {
        match timeout(self.opening.config.pong_wait, self.socket.send(Message::text(line))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Ended::Lost(format!("the connection to twitch broke: {}", word(&error)))),
            Err(_) => Err(Ended::Lost("twitch no longer takes what is sent".to_owned())),
        }
    }

    /// A session that is over needs no news.
    async fn tell(&self, news: News) {
        let _ = self.opening.outlets.news.send((self.opening.id, news)).await;
    }
}

/// Resolves when the funnel takes an item, or is closed.
async fn capacity(items: &mpsc::Sender<(ConnId, Item)>) {
    let _ = items.reserve().await;
}

fn closed() -> Ended {
    Ended::Lost("the writer has stopped".to_owned())
}

/// The reason as a person would say it: the system's word without its number.
fn word(error: &tungstenite::Error) -> String {
    match error {
        tungstenite::Error::Io(error) if error.raw_os_error().is_some() => error.kind().to_string(),
        // The resolver's errors have no kind of their own.
        tungstenite::Error::Io(error) if error.to_string().contains("lookup address") => {
            "its name cannot be looked up, this machine may be offline".to_owned()
        }
        other => other.to_string(),
    }
}

/// What the last frame brought, sorted by who needs it.
struct Inbox {
    /// Our name, as Twitch has it.
    nick: String,
    /// For the funnel; what it had no room for yet.
    items: VecDeque<Item>,
    /// For the session.
    news: Vec<News>,
    /// What Twitch wants to hear back.
    pings: Vec<String>,
    is_welcome: bool,
    is_answered: bool,
    has_farewell: bool,
    refusal: Option<String>,
}

impl Inbox {
    fn new(nick: &str) -> Self {
        Self {
            nick: nick.to_owned(),
            items: VecDeque::new(),
            news: Vec::new(),
            pings: Vec::new(),
            is_welcome: false,
            is_answered: false,
            has_farewell: false,
            refusal: None,
        }
    }

    fn take(&mut self, heard: Heard<'_>) {
        match heard {
            Heard::Event(event) => self.items.push_back(Item::Incoming(Incoming::Event(event))),
            Heard::RoomState(state) => {
                self.news.push(News::Joined(state.channel.login.clone()));
                self.items.push_back(Item::Incoming(Incoming::RoomState(state)));
            }
            Heard::Ping(payload) => self.pings.push(payload.to_owned()),
            Heard::Pong(payload) => self.pong(payload),
            Heard::Reconnect => self.news.push(News::Reconnect),
            Heard::Welcome(nick) => self.welcome(nick),
            Heard::AuthFailed(words) => self.refusal = Some(words.to_owned()),
            Heard::Joined { channel, login } if self.is_me(login) => self.news.push(News::Joined(lower(channel))),
            Heard::Parted { channel, login } if self.is_me(login) => self.news.push(News::Parted(lower(channel))),
            Heard::Notice(notice) => self.notice(&notice),
            Heard::Cap { granted: false, names } => warn!("twitch does not grant {names}: chat will lack details"),
            Heard::Cap { .. } | Heard::Joined { .. } | Heard::Parted { .. } | Heard::Ignored => {}
        }
    }

    fn pong(&mut self, payload: &str) {
        self.is_answered = true;
        self.has_farewell |= payload == FAREWELL;
    }

    /// The token decides who we are, not the name we gave.
    fn welcome(&mut self, nick: &str) {
        self.is_welcome = true;
        if !nick.is_empty() && nick != "*" {
            nick.clone_into(&mut self.nick);
        }
    }

    fn notice(&mut self, notice: &Notice<'_>) {
        let Some(login) = notice.channel.filter(|_| notice.refuses_join()) else {
            return debug!(id = notice.id, "twitch sent a notice");
        };
        let reason = if notice.text.is_empty() { "twitch does not let us in" } else { notice.text };
        self.news.push(News::Refused { login: lower(login), reason: reason.to_owned() });
    }

    fn is_me(&self, login: &str) -> bool {
        login.eq_ignore_ascii_case(&self.nick)
    }
}

fn lower(login: &str) -> String {
    login.to_ascii_lowercase()
}
