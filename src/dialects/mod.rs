//! How other programs write chat down, and what it is in our words: a line or a row of theirs in, [`NewEvent`]s out.
//! Pure: opens no file, keeps nothing between two lines, and never panics, whatever it is given.
//!
//! A program need not know us: only who spoke and what was said must be there. What a line does not say of its channel
//! is taken from what is wanted, and where that does not tell either, the channel stays unnamed.

mod badges;
mod downloader;
mod fields;
mod gnasty;
mod item;
mod ours;
mod payload;
mod place;
mod row;
mod spans;
pub mod stamp;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::chat::{Channel, Millis, NewEvent};
use crate::platforms::twitch::decode::{Heard, decode};

use self::fields::Fields;
pub use self::row::Row;

/// Why something could not be read. Names fields, never what stands in them: that may be chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it is not a JSON object")]
    NotJson,
    #[error("it has no shape of a chat message: `author` and `text` are the least")]
    Unknown,
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("`{0}` is not what it should be")]
    Wrong(&'static str),
}

/// What one line says, whichever dialect it is in; often one event, and none where it says nothing that is kept.
///
/// Read are: our own events as `/api/feed` and `/ws/chat` write them, also in their frames; exported messages; what
/// gnasty's server prints; what chat-downloader makes of a chat; and IRC lines of Twitch as they were sent.
pub fn read_line(line: &str, wanted: &BTreeSet<Channel>) -> Result<Vec<NewEvent>, Unreadable> {
    let line = line.trim_start_matches('\u{feff}').trim_start();
    if line.trim_end().is_empty() {
        return Ok(Vec::new());
    }
    if line.starts_with(['@', ':']) {
        return Ok(heard(line));
    }
    match serde_json::from_str(line) {
        Ok(Value::Object(fields)) => read(fields, wanted),
        _ => Err(Unreadable::NotJson),
    }
}

/// An IRC line; the server's own talk is no event.
fn heard(line: &str) -> Vec<NewEvent> {
    match decode(line, Millis::now()) {
        Heard::Event(event) => vec![event],
        _ => Vec::new(),
    }
}

fn read(mut fields: Fields, wanted: &BTreeSet<Channel>) -> Result<Vec<NewEvent>, Unreadable> {
    let has = |keys: &[&str]| keys.iter().any(|key| fields.contains_key(*key));
    if fields.get("type").is_some_and(Value::is_string) && !has(&["text", "message"]) {
        return frame(&mut fields, wanted);
    }
    if has(&["action_type", "message_type"]) || (has(&["message"]) && !has(&["kind", "text", "Text"])) {
        return downloader::read(&fields, wanted);
    }
    let read = if has(&["emotes_json", "raw_json"]) {
        item::read(&fields, wanted)
    } else if has(&["Text"]) {
        gnasty::read(&fields, wanted).map(Some)
    } else if has(&["kind", "text"]) {
        ours::read(fields, wanted)
    } else {
        Err(Unreadable::Unknown)
    };
    read.map(|event| event.into_iter().collect())
}

/// A frame of our feed, or of the socket of old. One event in it that cannot be read does not take the others away.
fn frame(fields: &mut Fields, wanted: &BTreeSet<Channel>) -> Result<Vec<NewEvent>, Unreadable> {
    if let Some(Value::String(chat)) = fields.get("data") {
        let chat: Fields = serde_json::from_str(chat).map_err(|_| Unreadable::Wrong("data"))?;
        return downloader::read(&chat, wanted);
    }
    let Some(Value::Array(events)) = fields.remove("events") else { return Ok(Vec::new()) };
    let (mut heard, mut unreadable) = (Vec::new(), None);
    for event in events {
        match event {
            Value::Object(event) => match ours::read(event, wanted) {
                Ok(event) => heard.extend(event),
                Err(error) => unreadable = Some(error),
            },
            _ => unreadable = Some(Unreadable::Wrong("events")),
        }
    }
    unreadable.filter(|_| heard.is_empty()).map_or(Ok(heard), Err)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chat::{Kind, Platform};

    fn said(line: &str) -> (Channel, String, String) {
        let wanted = BTreeSet::from(["twitch:lovelace".parse().expect("a channel")]);
        let events = read_line(line, &wanted).expect("it is readable");
        let [event] = <[NewEvent; 1]>::try_from(events).expect("one event");
        match event.kind {
            Kind::Message(message) => (event.channel, message.author.name, message.text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_dialect_says_the_same() {
        let lovelace: Channel = "twitch:lovelace".parse().expect("a channel");
        let lines = [
            json!({ "author": "Ada", "text": "hi" }),
            json!({ "platform": "twitch", "channel": "Lovelace", "author": { "name": "Ada" }, "text": "hi" }),
            json!({ "type": "events", "cursor": "x", "events": [{ "author": "Ada", "text": "hi", "kind": "message" }] }),
            json!({ "Platform": "Twitch", "Username": "Ada", "Text": "hi", "Ts": "2026-01-01T00:00:00Z" }),
            json!({ "id": "1", "ts": "2026-01-01T00:00:00Z", "username": "Ada", "platform": "Twitch", "text": "hi",
                    "emotes_json": "[]", "raw_json": "" }),
        ];
        for line in lines.map(|line| line.to_string()) {
            assert_eq!(said(&line), (lovelace.clone(), "Ada".to_owned(), "hi".to_owned()), "{line}");
        }
        let irc = "@display-name=Ada :ada!ada@ada PRIVMSG #lovelace :hi";
        assert_eq!(said(irc), (lovelace, "Ada".to_owned(), "hi".to_owned()));
    }

    #[test]
    fn a_line_names_its_platform_and_channel_itself() {
        let kick = Channel::new(Platform::KICK, "name");
        let line = r#"{"platform":"kick","channel":"name","author":"x","text":"hi"}"#;

        assert_eq!(said(line).0, kick);
        assert_eq!(said(r#"{"platform":"kick","author":"x","text":"hi"}"#).0, Channel::unnamed(Platform::KICK));
        assert_eq!(said(r#"{"channel":"https://kick.com/name","author":"x","text":"hi"}"#).0, kick);
    }

    #[test]
    fn a_login_of_our_own_event_is_taken_as_it_is() {
        let channel = |login: &str| {
            let line = format!(r#"{{"platform":"twitch","channel":{{"login":"{login}"}},"author":"x","text":"hi"}}"#);
            read_line(&line, &BTreeSet::new()).map(|events| events[0].channel.login.clone())
        };

        assert_eq!(channel("-demo-"), Ok("-demo-".to_owned()));
        for login in ["two words", "a:b", "https://kick.com/name"] {
            assert_eq!(channel(login), Err(Unreadable::Wrong("channel")), "{login}");
        }
    }

    #[test]
    fn what_says_nothing_is_no_event() {
        let quiet = ["", "  \r\n", "\u{feff}", ":tmi.twitch.tv 001 ada :hi", r#"{"type":"keepalive","cursor":"x"}"#];
        for line in quiet {
            assert_eq!(read_line(line, &BTreeSet::new()), Ok(vec![]), "{line}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_what_is_wrong_and_nothing_of_the_chat() {
        let cases = [
            ("hi there", Unreadable::NotJson),
            ("[1]", Unreadable::NotJson),
            ("{}", Unreadable::Unknown),
            (r#"{"text":"hi","platform":"twitch"}"#, Unreadable::Missing("author")),
            (r#"{"author":"ada","kind":"message","platform":"twitch"}"#, Unreadable::Missing("text")),
            (r#"{"author":"ada","text":"hi"}"#, Unreadable::Missing("platform")),
            (r#"{"author":"ada","text":"hi","platform":"two words"}"#, Unreadable::Wrong("platform")),
            (r#"{"author":"ada","text":"hi","platform":"twitch","channel":"two words"}"#, Unreadable::Wrong("channel")),
            (r#"{"Username":"ada","Text":"hi"}"#, Unreadable::Missing("Platform")),
        ];
        for (line, expected) in cases {
            assert_eq!(read_line(line, &BTreeSet::new()), Err(expected), "{line}");
        }
    }
}
