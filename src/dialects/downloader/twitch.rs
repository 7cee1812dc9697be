//! Twitch by chat-downloader. The package takes a line's tags apart and renames them; here they are put back, so that
//! such a message means exactly what it would mean had we heard the line ourselves.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::chat::{Channel, Millis, NewEvent, Platform};
use crate::platforms::twitch::decode::{Heard, decode};

use super::super::fields::{Fields, first_label, label, label_of, text};
use super::super::{Unreadable, place};
use super::{at, names, part};

const ACTION_START: &str = "\u{1}ACTION ";
const ACTION_END: char = '\u{1}';

/// None for what Twitch tells the program rather than the chat.
pub fn read(
    fields: &Fields,
    named: Option<Channel>,
    wanted: &BTreeSet<Channel>,
) -> Result<Option<NewEvent>, Unreadable> {
    // A comment of a recording has no action.
    let command = match text(fields, "action_type") {
        Some("text_message") | None => "PRIVMSG",
        Some("user_notice") => "USERNOTICE",
        Some("clear_chat") => "CLEARCHAT",
        Some("delete_message") => "CLEARMSG",
        Some(_) => return Ok(None),
    };
    let said = said(fields, command)?;
    let line = format!("@{} {} {command} #{UNNAMED} :{said}", tags(fields), prefix(fields));
    let Heard::Event(event) = decode(&line, Millis::now()) else { return Err(Unreadable::Wrong("action_type")) };
    let channel = channel(event.channel.id, named, wanted);
    Ok(Some(NewEvent { channel, at: at(fields), ..event }))
}

/// Stands in the line for the channel's login, which a dictionary does not have.
const UNNAMED: &str = "unnamed";

/// The wanted channel with this id, else the one that is named, else the only one.
fn channel(id: Option<String>, named: Option<Channel>, wanted: &BTreeSet<Channel>) -> Channel {
    let with_id =
        wanted.iter().find(|channel| channel.platform == Platform::TWITCH && id.is_some() && channel.id == id);
    let channel = with_id.cloned().unwrap_or_else(|| place::of(Platform::TWITCH, named, wanted));
    match id {
        // Only where there is a login: it would be taken from the channel that has this id.
        Some(id) if channel.id.is_none() && !channel.is_unnamed() => channel.with_id(id),
        _ => channel,
    }
}

/// What stands after the channel.
fn said(fields: &Fields, command: &str) -> Result<String, Unreadable> {
    let message = text(fields, "message").unwrap_or_default();
    let said = match command {
        "CLEARCHAT" if text(fields, "message_type") == Some("ban_user") => {
            // Nobody named would mean everybody.
            text(fields, "banned_user").ok_or(Unreadable::Missing("banned_user"))?.to_owned()
        }
        "CLEARCHAT" => String::new(),
        "CLEARMSG" if text(fields, "target_message_id").is_none() => {
            return Err(Unreadable::Missing("target_message_id"));
        }
        "PRIVMSG" if !fields.contains_key("author") => return Err(Unreadable::Missing("author")),
        // It cuts the beginning of `/me` off and leaves its end.
        _ if message.ends_with(ACTION_END) && !message.starts_with(ACTION_START) => format!("{ACTION_START}{message}"),
        _ => message.to_owned(),
    };
    Ok(said.replace(['\r', '\n', '\0'], " "))
}

/// `:login!…`, from a name that is one.
fn prefix(fields: &Fields) -> String {
    let name = match fields.get("author") {
        Some(Value::String(name)) => Some(name.trim().to_lowercase()),
        Some(Value::Object(author)) => text(author, "name").map(str::to_owned),
        _ => None,
    };
    let login = name.filter(|name| is_login(name));
    login.map_or_else(|| ":tmi.twitch.tv".to_owned(), |login| format!(":{login}!{login}@{login}"))
}

/// Shown names stand in for logins, and not all of them could be one.
fn is_login(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || matches!(c, '!' | '\\'))
}

/// All tags, as Twitch would have sent them.
fn tags(fields: &Fields) -> String {
    let mut tags = Tags(String::new());
    for (key, value) in fields {
        match key.as_str() {
            // Of another form in a line, and written below; or ours to read.
            "message" | "message_type" | "emotes" | "author" | "in_reply_to" | "subscription_type" | "id" => {}
            "gifter_name" => tags.both("login", value),
            "gifter_display_name" => tags.both("name", value),
            _ => tags.add(&names::tag(key), value),
        }
    }
    if let Some(kind) = text(fields, "message_type").filter(|kind| Some(*kind) != text(fields, "action_type")) {
        let (kind, of_chat) = (names::kind(kind), matches!(kind, "text_message" | "ban_user"));
        tags.write("msg-id", if of_chat { "" } else { kind });
    }
    if let Some(plan) = text(fields, "subscription_type") {
        tags.write("msg-param-sub-plan", names::plan(plan));
    }
    match fields.get("author") {
        Some(Value::String(name)) => tags.write("display-name", name),
        Some(Value::Object(author)) => tags.author(author),
        _ => {}
    }
    tags.badges(fields);
    tags.emotes(fields);
    part(fields, "in_reply_to").into_iter().for_each(|reply| tags.reply(reply));
    tags.0
}

/// Tags being written.
struct Tags(String);

impl Tags {
    fn add(&mut self, tag: &str, value: &Value) {
        match value {
            Value::Bool(is_so) => self.write(tag, if *is_so { "1" } else { "0" }),
            value => self.write(tag, &label_of(value).unwrap_or_default()),
        }
    }

    /// Whoever gives is named in one of two places, by the kind of gift.
    fn both(&mut self, part: &str, value: &Value) {
        for who in ["sender", "gifter"] {
            self.add(&format!("msg-param-{who}-{part}"), value);
        }
    }

    /// The package undoes a few tags' escapes, and those but for the stroke itself: what has one left stays as it is.
    fn write(&mut self, tag: &str, value: &str) {
        if value.is_empty() || tag.is_empty() || !tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return;
        }
        if !self.0.is_empty() {
            self.0.push(';');
        }
        self.0.push_str(tag);
        self.0.push('=');
        for letter in value.chars() {
            match letter {
                ';' => self.0.push_str("\\:"),
                ' ' => self.0.push_str("\\s"),
                '\r' => self.0.push_str("\\r"),
                '\n' => self.0.push_str("\\n"),
                letter => self.0.push(letter),
            }
        }
    }

    fn author(&mut self, author: &Fields) {
        let names = [
            ("id", "user-id"),
            ("display_name", "display-name"),
            ("is_moderator", "mod"),
            ("is_subscriber", "subscriber"),
            ("is_turbo", "turbo"),
            ("colour", "color"),
            ("target_id", "target-user-id"),
        ];
        for (key, tag) in names {
            if let Some(value) = author.get(key) {
                self.add(tag, value);
            }
        }
        self.write("login", text(author, "name").filter(|name| is_login(name)).unwrap_or_default());
    }

    /// Badges stand with the author, or beside a bare name.
    fn badges(&mut self, fields: &Fields) {
        let of = part(fields, "author").unwrap_or(fields);
        let Some(badges) = of.get("badges").and_then(Value::as_array) else { return };
        let (mut worn, mut about) = (Vec::new(), Vec::new());
        for badge in badges.iter().filter_map(Value::as_object) {
            let Some(name) = first_label(badge, &["name", "id"]).filter(|name| !name.contains(['/', ','])) else {
                continue;
            };
            let name = names::badge(&name);
            worn.push(format!("{name}/{}", label(badge, "version").unwrap_or_default()));
            about.extend(label(badge, "months").map(|months| format!("{name}/{months}")));
        }
        self.write("badges", &worn.join(","));
        self.write("badge-info", &about.join(","));
    }

    fn emotes(&mut self, fields: &Fields) {
        let Some(emotes) = fields.get("emotes").and_then(Value::as_array) else { return };
        let placed = emotes.iter().filter_map(|emote| {
            let places = match emote.get("locations")? {
                Value::Array(places) => places.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
                places => places.as_str()?.to_owned(),
            };
            Some(format!("{}:{places}", label_of(emote.get("id")?)?))
        });
        self.write("emotes", &placed.collect::<Vec<_>>().join("/"));
    }

    fn reply(&mut self, reply: &Fields) {
        let author = part(reply, "author");
        let told = |key: &str| author.and_then(|author| text(author, key)).unwrap_or_default();
        self.write("reply-parent-msg-id", text(reply, "message_id").unwrap_or_default());
        self.write("reply-parent-msg-body", text(reply, "message").unwrap_or_default());
        self.write("reply-parent-user-id", told("id"));
        self.write("reply-parent-display-name", told("display_name"));
        self.write("reply-parent-user-login", told("name"));
    }
}
