//! Where messages come from: a stand-in for Twitch that says what it is told as fast as its socket takes it, and the
//! same for the bare broadcast, which gets frames that were recorded from our feed.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use super::stamp::{self, Clock, Stamp};

const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(2);
/// People who speak, by turns.
const CHATTERS: u32 = 1000;
/// What they say, by turns: as long and as mixed as chat is.
const TEXTS: [(&str, &str); 8] = [
    ("", "first time here, hello everybody! what is this song called?"),
    ("25:0-4", "Kappa no way that worked, clip it before it is gone"),
    ("", "@ada_l have a look at https://example.org/guide it explains all of the second half, step by step"),
    ("", "lol"),
    ("425618:0-2,4-6/25:8-12", "LUL LUL Kappa"),
    ("", "I have been watching since last year and this is by far the best run so far, take your time and breathe"),
    ("", "gg"),
    ("", "wie spät ist es bei euch? hier wird es schon wieder hell und ich muss gleich los, gute Nacht zusammen"),
];

/// Waits for whoever wants to hear.
pub struct Listener(TcpListener);

/// Somebody who hears what is said.
pub struct Upstream {
    stream: Arc<Mutex<TcpStream>>,
    form: Form,
    clock: Clock,
    /// The number of the next message.
    pub next: u32,
    buffer: Vec<u8>,
}

pub enum Form {
    /// Lines as Twitch sends them, several in one WebSocket message.
    Chat,
    /// Our feed's frames with a line feed after each.
    Frames { recorded: Vec<Recorded>, joined: u32 },
}

/// One event as our feed sent it, in two parts: the stamp came in between.
pub struct Recorded {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Listener {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.set_nonblocking(true).expect("a listener can be asked without waiting");
        Self(listener)
    }

    pub fn addr(&self) -> SocketAddr {
        self.0.local_addr().expect("a bound socket has an address")
    }

    fn accept(&self) -> TcpStream {
        let began = Instant::now();
        loop {
            if let Ok((stream, _)) = self.0.accept() {
                stream.set_nonblocking(false).expect("a socket can be waited for");
                stream.set_nodelay(true).expect("a socket can send at once");
                return stream;
            }
            assert!(began.elapsed() < PATIENCE, "nobody wants to hear");
            std::thread::sleep(LOOK_AGAIN);
        }
    }

    /// Lets a client log in and join its first channel, and answers its PINGs from then on.
    pub fn chat(&self, clock: Clock) -> Upstream {
        let stream = self.accept();
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket has a deadline");
        let mut socket = tungstenite::accept(stream).expect("the client opens a WebSocket");
        while !is_in(&mut socket) {}
        let stream = socket.get_ref().try_clone().expect("a socket can be written and read at once");
        socket.get_ref().set_read_timeout(None).expect("a deadline can be lifted");
        let stream = Arc::new(Mutex::new(stream));
        let answering = Arc::clone(&stream);
        std::thread::spawn(move || answer(socket, &answering));
        Upstream { stream, form: Form::Chat, clock, next: 0, buffer: Vec::new() }
    }

    /// Takes the connection of a bare broadcast.
    pub fn frames(&self, recorded: Vec<Recorded>, clock: Clock) -> Upstream {
        let stream = Arc::new(Mutex::new(self.accept()));
        let form = Form::Frames { recorded, joined: 1 };
        Upstream { stream, form, clock, next: 0, buffer: Vec::new() }
    }
}

/// Answers what a client says; true once it has joined.
fn is_in(socket: &mut WebSocket<TcpStream>) -> bool {
    let message = socket.read().expect("the client logs in");
    let Ok(text) = message.to_text() else { return false };
    let mut joined = false;
    for line in text.lines() {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        let answer = match command {
            "CAP" => ":tmi.twitch.tv CAP * ACK :twitch.tv/tags twitch.tv/commands\r\n".to_owned(),
            "NICK" => format!(":tmi.twitch.tv 001 {rest} :Welcome, GLHF!\r\n:tmi.twitch.tv 376 {rest} :>\r\n"),
            "JOIN" => {
                joined = true;
                format!(
                    "@emote-only=0;followers-only=-1;r9k=0;room-id=7001;slow=0;subs-only=0 \
                     :tmi.twitch.tv ROOMSTATE {rest}\r\n"
                )
            }
            _ => continue,
        };
        socket.send(Message::text(answer)).expect("the client reads");
    }
    joined
}

fn answer(mut socket: WebSocket<TcpStream>, stream: &Mutex<TcpStream>) {
    while let Ok(message) = socket.read() {
        for payload in message.to_text().unwrap_or_default().lines().filter_map(|line| line.strip_prefix("PING ")) {
            let mut pong = Vec::new();
            put_text(&mut pong, format!(":tmi.twitch.tv PONG tmi.twitch.tv {payload}\r\n").as_bytes());
            let written = stream.lock().expect("nobody panicked while writing").write_all(&pong);
            if written.is_err() {
                return;
            }
        }
    }
}

/// Puts one WebSocket text message, as a server sends it.
fn put_text(out: &mut Vec<u8>, payload: &[u8]) {
    out.push(0x81);
    match payload.len() {
        short @ ..126 => out.push(u8::try_from(short).expect("less than 126")),
        long => match u16::try_from(long) {
            Ok(long) => {
                out.push(126);
                out.extend_from_slice(&long.to_be_bytes());
            }
            Err(_) => {
                out.push(127);
                out.extend_from_slice(&(long as u64).to_be_bytes());
            }
        },
    }
    out.extend_from_slice(payload);
}

impl Upstream {
    /// Says the next `count` messages in one write.
    pub fn say(&mut self, count: u32) {
        self.buffer.clear();
        let numbers = self.next..self.next + count;
        let at = self.clock.now();
        match &self.form {
            Form::Chat => {
                let mut lines = Vec::new();
                numbers.for_each(|number| line(&mut lines, Stamp { number, at }));
                put_text(&mut self.buffer, &lines);
            }
            Form::Frames { recorded, joined } => {
                let numbers: Vec<u32> = numbers.collect();
                for some in numbers.chunks(*joined as usize) {
                    frame(&mut self.buffer, recorded, some, at);
                }
            }
        }
        self.next += count;
        let mut stream = self.stream.lock().expect("nobody panicked while writing");
        stream.write_all(&self.buffer).expect("the server reads");
    }

    /// How many events the bare broadcast gets in one frame.
    pub fn join(&mut self, events: u32) {
        if let Form::Frames { joined, .. } = &mut self.form {
            *joined = events.max(1);
        }
    }

    pub fn joined(&self) -> u32 {
        if let Form::Frames { joined, .. } = self.form { joined } else { 1 }
    }

    /// Says a message whenever one is due, for so long.
    pub fn pace(&mut self, per_second: u32, duration: Duration) {
        let began = Instant::now();
        let count = (duration.as_secs_f64() * f64::from(per_second)) as u32;
        for number in 0..count {
            let due = began + Duration::from_secs_f64(f64::from(number) / f64::from(per_second));
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            self.say(1);
        }
    }
}

fn line(out: &mut Vec<u8>, stamp: Stamp) {
    let (emotes, text) = TEXTS[stamp.number as usize % TEXTS.len()];
    let chatter = 4000 + stamp.number % CHATTERS;
    let sent = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970").as_millis();
    write!(
        out,
        "@badge-info=subscriber/14;badges=subscriber/12,premium/1;color=#2E8B57;display-name=Viewer_{chatter};\
         emotes={emotes};first-msg=0;flags=;id="
    )
    .expect("memory takes what is written");
    stamp.write(out);
    write!(
        out,
        ";mod=0;returning-chatter=0;room-id=7001;subscriber=1;tmi-sent-ts={sent};turbo=0;user-id={chatter};user-type= \
         :viewer_{chatter}!viewer_{chatter}@viewer_{chatter}.tmi.twitch.tv PRIVMSG #room :{text}\r\n"
    )
    .expect("memory takes what is written");
}

impl Recorded {
    /// Takes apart a frame with one event in it.
    pub fn new(frame: &str) -> Self {
        let (_, event) = frame.split_once(r#""events":["#).expect("a frame of events");
        let event = event.strip_suffix("]}").expect("a whole frame");
        let (before, id) = event.split_once(r#""native_id":""#).expect("an event with an id");
        let before = format!(r#"{before}"native_id":""#);
        assert!(!id.contains(r#""native_id""#), "one event only");
        Self { before: before.into_bytes(), after: id.as_bytes()[stamp::LENGTH..].to_vec() }
    }
}

fn frame(out: &mut Vec<u8>, recorded: &[Recorded], numbers: &[u32], at: u64) {
    out.extend_from_slice(br#"{"type":"events","cursor":"0123456789abcdef:1234567","events":["#);
    for (n, &number) in numbers.iter().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        let event = &recorded[number as usize % recorded.len()];
        out.extend_from_slice(&event.before);
        Stamp { number, at }.write(out);
        out.extend_from_slice(&event.after);
    }
    out.extend_from_slice(b"]}\n");
}

/// How many different texts there are: so many frames are worth recording.
pub const DIFFERENT: usize = TEXTS.len();
