//! Looking for stamps and frame heads in what a WebSocket server sends, without unpacking it: a client must cost as
//! little as possible, since it shares the machine with the server.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::stamp::{self, Stamp};

const KEY: &[u8] = br#""native_id":""#;
const EVENTS: &[u8] = br#"{"type":"events""#;
/// Room before what is read, for the end of what was read before.
pub const FRONT: usize = 128;
const CLOSE: u8 = 8;
const PING: u8 = 9;

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(KEY));

/// Where one connection's stream stands.
#[derive(Default)]
pub struct Scan {
    /// The end of what was read, which may be half a stamp or half a frame's head.
    carry: Vec<u8>,
    /// From the carry's beginning to the next frame's head.
    next_head: usize,
}

/// What was in one read, besides its stamps.
#[derive(Default)]
pub struct Found {
    /// Frames of events.
    pub frames: u64,
    pub pings: u32,
    /// The code of a close frame.
    pub closed: Option<u16>,
}

struct Head {
    /// Head and payload together.
    length: usize,
    carries_events: bool,
    is_ping: bool,
    closes: Option<u16>,
}

impl Scan {
    /// Looks through `read` bytes that lie in the buffer from [`FRONT`] on.
    pub fn take(&mut self, buffer: &mut [u8], read: usize, stamp: impl FnMut(Stamp)) -> Found {
        let start = FRONT - self.carry.len();
        buffer[start..FRONT].copy_from_slice(&self.carry);
        let view = &buffer[start..FRONT + read];
        let mut found = Found::default();
        let keep = stamps(view, stamp).min(self.heads(view, &mut found));
        self.next_head -= keep;
        self.carry.clear();
        self.carry.extend_from_slice(&view[keep..]);
        found
    }

    /// Steps from head to head; gives from where on the view is still needed.
    fn heads(&mut self, view: &[u8], found: &mut Found) -> usize {
        while let Some(rest) = view.get(self.next_head..) {
            let Some(head) = head(rest) else { break };
            found.frames += u64::from(head.carries_events);
            found.pings += u32::from(head.is_ping);
            found.closed = found.closed.or(head.closes);
            self.next_head += head.length;
        }
        self.next_head.min(view.len())
    }
}

/// Reads a frame's head and how its payload begins; none until all of that is there.
fn head(bytes: &[u8]) -> Option<Head> {
    let (first, second) = (bytes.first()?, bytes.get(1)?);
    let (before, payload) = match second & 0x7f {
        126 => (4, usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        short => (2, usize::from(short)),
    };
    let beginning = bytes.get(before..before + payload.min(EVENTS.len()))?;
    let code = beginning.get(..2).map_or(0, |code| u16::from_be_bytes([code[0], code[1]]));
    let opcode = first & 0x0f;
    Some(Head {
        length: before + payload,
        carries_events: beginning == EVENTS,
        is_ping: opcode == PING,
        closes: (opcode == CLOSE).then_some(code),
    })
}

/// Passes on every stamp; gives from where on the view is still needed.
fn stamps(view: &[u8], mut stamp: impl FnMut(Stamp)) -> usize {
    let mut done = 0;
    for at in FINDER.find_iter(view) {
        let from = at + KEY.len();
        let Some(text) = view.get(from..from + stamp::LENGTH) else { return at };
        if let Some(read) = Stamp::read(text) {
            stamp(read);
        }
        done = from + stamp::LENGTH;
    }
    done.max(view.len().saturating_sub(KEY.len() - 1))
}
