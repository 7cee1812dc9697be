//! From one IRC line to what it means: the only door between Twitch's wire and the driver. Pure; keeps no state.
//!
//! ```
//! use elora_chat::chat::Millis;
//! use elora_chat::platforms::twitch::{Heard, decode};
//!
//! match decode("PING :tmi.twitch.tv", Millis::now()) {
//!     Heard::Ping(payload) => assert_eq!(payload, "tmi.twitch.tv"), // answer `PONG :{payload}`
//!     _ => unreachable!("a PING is a PING"),
//! }
//! ```
//!
//! `fn decode(line: &str, received_at: Millis) -> Heard<'_>` takes one line without its neighbors (split frames at
//! `\r\n`; a line end left on it does no harm). It never fails: what has no meaning here is [`Heard::Ignored`].
//!
//! - An event whose `native_id` is None cannot be told from its copy on another connection: while two connections
//!   overlap, the driver takes such lines from one of them only.
//! - [`Heard::RoomState`] is partial after the first: keep one [`Modes`](super::Modes) per channel, `merge`, and send
//!   `to_event` when it returns true.
//! - [`Heard::AuthFailed`] is said of `NOTICE *` from the server alone, never of chat.

use crate::chat::{Millis, NewEvent};

use super::irc::Line;
use super::moderation;
use super::notice::{self, Notice};
use super::privmsg::Privmsg;
use super::room::RoomState;
use super::usernotice::Usernotice;

/// What a line means to a driver.
#[expect(clippy::large_enum_variant, reason = "an event is moved once, from here to the sink; boxing it costs more")]
#[derive(Debug, Clone, PartialEq)]
pub enum Heard<'a> {
    /// Something happened in a chat: pass it on.
    Event(NewEvent),
    /// The chat's restrictions: all after a JOIN, later only what changed.
    RoomState(RoomState),
    /// Twitch asks whether we are there: answer with this payload.
    Ping(&'a str),
    /// Twitch answers our own PING with its payload.
    Pong(&'a str),
    /// Twitch will close this connection soon: open the next one first.
    Reconnect,
    /// We are logged in (001), under this name.
    Welcome(&'a str),
    /// Twitch refuses our login, in these words.
    AuthFailed(&'a str),
    /// Somebody has joined: ourselves, unless membership was asked for.
    Joined { channel: &'a str, login: &'a str },
    /// Somebody has left: ourselves, unless membership was asked for.
    Parted { channel: &'a str, login: &'a str },
    /// Twitch says something to us.
    Notice(Notice<'a>),
    /// The answer to CAP REQ: these capabilities, granted or not.
    Cap { granted: bool, names: &'a str },
    /// Nothing this program has a use for.
    Ignored,
}

/// Reads one line. See the module's text.
pub fn decode(line: &str, received_at: Millis) -> Heard<'_> {
    match Line::parse(line) {
        Some(line) => meaning(&line, received_at).unwrap_or(Heard::Ignored),
        None => Heard::Ignored,
    }
}

fn meaning<'a>(line: &Line<'a>, received_at: Millis) -> Option<Heard<'a>> {
    match line.command {
        "PRIVMSG" => Privmsg::read(line).map(|said| Heard::Event(said.into_event(received_at))),
        "USERNOTICE" => Usernotice::read(line).map(|notice| Heard::Event(notice.into_event(received_at))),
        "CLEARCHAT" => moderation::cleared(line, received_at).map(Heard::Event),
        "CLEARMSG" => moderation::removed(line, received_at).map(Heard::Event),
        "ROOMSTATE" => RoomState::read(line).map(Heard::RoomState),
        "NOTICE" if notice::is_auth_failure(line) => line.text().map(Heard::AuthFailed),
        "NOTICE" => Some(Heard::Notice(Notice::read(line))),
        "PING" => Some(Heard::Ping(line.params().last().unwrap_or_default())),
        "PONG" => Some(Heard::Pong(line.params().last().unwrap_or_default())),
        "RECONNECT" => Some(Heard::Reconnect),
        "001" => Some(Heard::Welcome(line.params().next().unwrap_or_default())),
        "JOIN" => membership(line).map(|(channel, login)| Heard::Joined { channel, login }),
        "PART" => membership(line).map(|(channel, login)| Heard::Parted { channel, login }),
        "CAP" => capabilities(line),
        _ => None,
    }
}

fn membership<'a>(line: &Line<'a>) -> Option<(&'a str, &'a str)> {
    Some((line.channel()?, line.prefix?.nick()?))
}

/// `CAP * ACK :…`, `CAP * NAK :…`; a listing (`LS`) is nothing we asked for.
fn capabilities<'a>(line: &Line<'a>) -> Option<Heard<'a>> {
    let mut params = line.params().skip(1);
    let granted = match params.next()? {
        "ACK" => true,
        "NAK" => false,
        _ => return None,
    };
    Some(Heard::Cap { granted, names: params.next().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(line: &str) -> Heard<'_> {
        decode(line, Millis(1))
    }

    #[test]
    fn a_ping_is_answered_with_its_own_payload() {
        assert_eq!(heard("PING :tmi.twitch.tv\r\n"), Heard::Ping("tmi.twitch.tv"));
        assert_eq!(heard(":tmi.twitch.tv PING"), Heard::Ping(""));
        assert_eq!(heard(":tmi.twitch.tv PONG tmi.twitch.tv :ours"), Heard::Pong("ours"));
    }

    #[test]
    fn what_is_about_no_channel_is_no_event() {
        for line in [
            "PRIVMSG ada :psst",
            "PRIVMSG # :psst",
            "PRIVMSG",
            "USERNOTICE :x",
            "CLEARCHAT *",
            "CLEARMSG",
            "ROOMSTATE",
            "JOIN #lovelace",
            "CAP * LS :twitch.tv/tags",
            "privmsg #lovelace :x",
        ] {
            assert_eq!(heard(line), Heard::Ignored, "{line}");
        }
    }

    #[test]
    fn a_message_without_text_is_still_a_message() {
        assert!(matches!(heard(":ada!ada@ada PRIVMSG #lovelace"), Heard::Event(_)));
    }
}
