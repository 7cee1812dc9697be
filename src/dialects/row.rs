//! A row of a `messages` table, gnasty's or elora's, as an event.

use std::collections::BTreeSet;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::chat::{Author, Channel, Flag, Kind, Message, Millis, NewEvent, Platform};
use crate::platforms::twitch::decode::{Heard, decode};
use crate::platforms::twitch::text::{clean, unwrap_action};

use super::badges::Worn;
use super::payload::Payload;
use super::{Unreadable, badges, fields, place, spans};

/// A row as its columns have it. Where a table has no such column, it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    pub platform: String,
    pub platform_msg_id: Option<String>,
    pub ts: Option<Millis>,
    pub username: String,
    pub text: String,
    pub emotes_json: String,
    pub raw_json: String,
    pub badges_json: String,
    pub colour: String,
}

/// Bytes of a made-up id: enough that two rows never share one.
const ID_BYTES: usize = 16;

impl Row {
    /// The message of this row. It always has a native id: where the row has none, one is made of what the table holds
    /// to be unique, so that a row read twice stays one message.
    pub fn into_event(self, wanted: &BTreeSet<Channel>) -> Result<NewEvent, Unreadable> {
        let platform = Platform::new(&self.platform).map_err(|_| Unreadable::Wrong("platform"))?;
        let payload = Payload::read(&self.raw_json);
        if platform == Platform::TWITCH
            && let Some(event) = self.heard(&payload)
        {
            return Ok(event);
        }
        let channel = place::of(platform.clone(), place::in_payload(&platform, &payload), wanted);
        let native_id = self.own_id().or_else(|| payload.text("id")).unwrap_or_else(|| self.made_id(&platform));
        let at = self.ts;
        let kind = Kind::Message(self.message(&platform, &payload));
        Ok(NewEvent { native_id: Some(native_id), at, ..NewEvent::new(channel, kind) })
    }

    /// What Twitch said, where the row keeps its line and both tell of the same message: then it is the very event that
    /// we would have heard ourselves.
    fn heard(&self, payload: &Payload<'_>) -> Option<NewEvent> {
        let line = payload.text("line")?;
        let Heard::Event(event) = decode(&line, Millis::now()) else { return None };
        let Kind::Message(message) = &event.kind else { return None };
        let same = match (self.own_id(), &event.native_id) {
            (Some(own), Some(native)) => own == *native,
            _ => true,
        };
        // Whoever wrote the row cut blanks from its end, and kept the wrapping of `/me`.
        let (said, _) = unwrap_action(self.text.trim_end());
        if !same || clean(said).trim() != message.text.trim() {
            return None;
        }
        let native_id = event.native_id.clone().or_else(|| self.own_id());
        let native_id = native_id.unwrap_or_else(|| self.made_id(&event.channel.platform));
        Some(NewEvent { native_id: Some(native_id), at: self.ts.or(event.at), ..event })
    }

    fn own_id(&self) -> Option<String> {
        self.platform_msg_id.clone().filter(|id| !id.is_empty())
    }

    fn made_id(&self, platform: &Platform) -> String {
        let ts = self.ts.map(|ts| ts.0.to_string()).unwrap_or_default();
        made_id(platform, &ts, &self.username, &self.text)
    }

    fn message(&self, platform: &Platform, payload: &Payload<'_>) -> Message {
        let (text, is_action) = match unwrap_action(&self.text) {
            (text, is_action) if *platform == Platform::TWITCH => (clean(text).into_owned(), is_action),
            _ => (self.text.clone(), false),
        };
        let emotes: Vec<Value> = match self.emotes_json.trim() {
            "" | "[]" => Vec::new(),
            json => serde_json::from_str(json).unwrap_or_default(),
        };
        let (text, fragments) = spans::shown(&text, &emotes, platform.as_str(), None);
        let flags = if is_action { vec![Flag::ACTION] } else { Vec::new() };
        Message { author: self.author(platform, payload), text, fragments, reply: None, money: None, bits: None, flags }
    }

    /// Who it was, by the columns; what they leave open, the payload may tell.
    fn author(&self, platform: &Platform, payload: &Payload<'_>) -> Author {
        let Worn { badges, author_id } = match badges::read(&self.badges_json) {
            none if none == Worn::default() => badges::read(payload.json("badges")),
            worn => worn,
        };
        let tags = || payload.part("tags");
        let told = || payload.named(&["authorexternalchannelid", "authorid", "userid"]);
        let nick = payload.text("prefix").and_then(|prefix| Some(prefix.split_once('!')?.0.to_owned()));
        let nick = nick.filter(|nick| *platform == Platform::TWITCH && !nick.is_empty());
        let painted = || payload.named(&["usernamecolor", "colour", "color"]).or_else(|| tags().text("color"));
        Author {
            id: author_id.or_else(told).or_else(|| tags().text("user-id")),
            login: nick.unwrap_or_else(|| self.username.trim().to_lowercase()),
            color: fields::color(&self.colour).or_else(|| fields::color(&painted()?)),
            roles: badges::roles(&badges),
            badges,
            first: false,
            name: self.username.clone(),
        }
    }
}

/// An id for what has none, from all that makes it one.
fn made_id(platform: &Platform, ts: &str, username: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    for part in [platform.as_str(), ts, username, text] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    digest.iter().take(ID_BYTES).fold("made-".to_owned(), |id, byte| format!("{id}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Fragment, Role};

    const LINE: &str = "@badge-info=;badges=moderator/1;color=#0000FF;display-name=Ada;emotes=25:6-10;id=a1;mod=1;room-id=1815;tmi-sent-ts=1662204423418;user-id=7 :ada!ada@ada.tmi.twitch.tv PRIVMSG #lovelace :hello Kappa  ";

    fn row(platform: &str, text: &str) -> Row {
        let ts = Some(Millis(1_662_204_423_418));
        let (platform, username, text) = (platform.to_owned(), "Ada".to_owned(), text.to_owned());
        Row { platform, platform_msg_id: Some("a1".to_owned()), ts, username, text, ..Row::default() }
    }

    fn with_line(text: &str, line: &str) -> Row {
        Row {
            raw_json: serde_json::json!({ "line": line, "prefix": "ada!ada@x", "tags": {} }).to_string(),
            ..row("Twitch", text)
        }
    }

    fn event(row: Row) -> NewEvent {
        row.into_event(&BTreeSet::new()).expect("it is readable")
    }

    fn message(event: NewEvent) -> Message {
        match event.kind {
            Kind::Message(message) => message,
            other => panic!("{other:?}"),
        }
    }

    fn heard(line: &str) -> NewEvent {
        match decode(line, Millis::now()) {
            Heard::Event(event) => event,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_row_with_its_line_is_what_we_would_have_heard() {
        let action = LINE.replace("hello Kappa  ", "\u{1}ACTION hello Kappa \u{1}");
        for (text, line) in [("hello Kappa", LINE), ("\u{1}ACTION hello Kappa \u{1}", &action)] {
            let received_at = Millis(0);

            let (stored, heard) = (event(with_line(text, line)), heard(line));

            assert_eq!(NewEvent { received_at, ..stored }, NewEvent { received_at, ..heard });
        }
    }

    #[test]
    fn a_line_that_tells_of_another_message_is_not_believed() {
        let other_id = LINE.replace("id=a1;", "id=a2;");
        for (text, line) in
            [("hello there", LINE), ("hello Kappa", &other_id), ("hello Kappa", "PING :x"), ("hello Kappa", "")]
        {
            let event = event(with_line(text, line));

            assert_eq!((event.native_id.as_deref(), &event.channel), (Some("a1"), &Channel::unnamed(Platform::TWITCH)));
            assert_eq!(message(event).text, text);
        }
    }

    #[test]
    fn the_columns_alone_tell_who_said_what_how() {
        let badges_json = r#"["moderator/1","subscriber/12"]"#.to_owned();
        let (emotes_json, colour) = (r#"["25:7-11","1902:0-4"]"#.to_owned(), "#0000ff".to_owned());
        let stored = Row { badges_json, emotes_json, colour, ..row("Twitch", "\u{1}ACTION Keepo😂 Kappa\u{1}") };

        let said = message(event(stored));

        assert_eq!((said.text.as_str(), said.flags.as_slice()), ("Keepo😂 Kappa", &[Flag::ACTION][..]));
        assert_eq!(said.author.roles, [Role::MODERATOR, Role::SUBSCRIBER]);
        assert_eq!(said.author.color.map(|color| color.to_string()).as_deref(), Some("#0000FF"));
        let texts: Vec<_> = said.fragments.iter().map(Fragment::text).collect();
        assert_eq!(texts, ["Keepo", "😂 ", "Kappa"]);
    }

    #[test]
    fn the_payload_tells_what_the_columns_leave_open() {
        let of = |platform: &str, raw: Value| {
            let event = event(Row { raw_json: raw.to_string(), badges_json: "[]".to_owned(), ..row(platform, "hi") });
            (event.channel.clone(), message(event).author)
        };

        let (channel, author) = of(
            "Twitch",
            serde_json::json!({
                "source_channel": "Lovelace", "colour": "#ff0000", "badges": [{ "id": "vip", "version": "1" }],
            }),
        );
        assert_eq!((channel.login.as_str(), author.roles), ("lovelace", vec![Role::VIP]));
        assert_eq!(author.color.map(|color| color.to_string()).as_deref(), Some("#FF0000"));

        let (channel, author) = of(
            "YouTube",
            serde_json::json!({
                "videoId": "jfKfPfyJRdk", "authorExternalChannelId": "UC1",
                "message": { "runs": [{ "navigationEndpoint": { "url": "https://youtu.be/aaaaaaaaaaa" } }] },
            }),
        );
        assert_eq!((channel.login.as_str(), author.id.as_deref()), ("v:jfKfPfyJRdk", Some("UC1")));

        let tags = serde_json::json!({ "tags": { "color": "#00ff00", "user-id": "7" }, "prefix": "ada!ada@x" });
        let (_, author) = of("Twitch", tags);
        assert_eq!((author.id.as_deref(), author.login.as_str()), (Some("7"), "ada"));
        assert_eq!(author.color.map(|color| color.to_string()).as_deref(), Some("#00FF00"));
    }

    #[test]
    fn badges_of_the_columns_beat_those_of_the_payload() {
        for raw in [r#"{"badges":[]}"#, r#"{"badges":["staff/1"]}"#] {
            let stored =
                Row { badges_json: r#"["vip/1"]"#.to_owned(), raw_json: raw.to_owned(), ..row("Twitch", "hi") };

            assert_eq!(message(event(stored)).author.roles, [Role::VIP], "{raw}");
        }
    }

    #[test]
    fn a_payload_is_not_taken_for_the_message() {
        let raw =
            serde_json::json!({ "message": "other", "text": "other", "author": "Eve", "fragments": [{ "text": "x" }] });

        let said = message(event(Row { raw_json: raw.to_string(), ..row("Twitch", "hi") }));

        assert_eq!((said.text.as_str(), said.author.name.as_str()), ("hi", "Ada"));
        assert_eq!(said.fragments, [Fragment::Text { text: "hi".to_owned() }]);
    }

    #[test]
    fn a_row_of_youtube_keeps_its_emotes_and_badges() {
        let emotes_json = r#"[{"id":"UC/a","name":":a:","locations":[{"start":0,"end":3}]},
            {"id":"UC/b","name":":b:","locations":[{"start":3,"end":6}]}]"#;
        let badges_json = r#"{"badges":[{"platform":"youtube","id":"member","version":"6 months"}],
            "raw":{"youtube":{"authorExternalChannelId":"UC1"}}}"#;
        let (emotes_json, badges_json) = (emotes_json.to_owned(), badges_json.to_owned());

        let said = message(event(Row { emotes_json, badges_json, ..row("YouTube", ":a::b:") }));

        let emotes = said.fragments.iter().filter(|fragment| matches!(fragment, Fragment::Emote { .. })).count();
        assert_eq!((emotes, said.author.id.as_deref()), (2, Some("UC1")));
        assert_eq!(said.author.roles, [Role::SUBSCRIBER]);
    }

    #[test]
    fn what_has_no_id_gets_the_same_one_each_time() {
        let made = |platform: &str, text: &str| {
            event(Row { platform_msg_id: None, ..row(platform, text) }).native_id.expect("it has one")
        };

        assert_eq!(made("Kick", "hi"), made("kick", "hi"));
        assert_ne!(made("Kick", "hi"), made("Kick", "ho"));
        assert_ne!(made("Kick", "hi"), made("Other", "hi"));
    }

    #[test]
    fn any_platform_is_kept_whose_name_can_be_one() {
        assert_eq!(event(row("Marker", "x")).channel, Channel::unnamed(Platform::new("marker").expect("a name")));
        for name in ["", "two words", "a_name_that_is_far_too_long"] {
            assert_eq!(row(name, "x").into_event(&BTreeSet::new()), Err(Unreadable::Wrong("platform")), "{name}");
        }
    }
}
