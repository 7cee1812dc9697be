//! The JSON of `/ws/chat`, as clients of old read it: one message, its words as tokens, in an envelope whose data is
//! a string.

use serde::Serialize;
use serde_json::{Value, json};

use crate::chat::color::Color;
use crate::chat::{Author, Event, Fragment, Kind, Message, Platform, State};

/// Where a picture of an emote lies, for the one provider there is so far.
const TWITCH_EMOTES: &str = "https://static-cdn.jtvnw.net/emoticons/v2";
const EMOTE_SIZE: u32 = 28;

/// How the operator wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four switches of the configuration")]
pub struct Style {
    pub envelope: bool,
    pub drop_empty: bool,
    pub show_badges: bool,
    /// Keep the `@` before YouTube names.
    pub prefix_at: bool,
}

/// The text frame of a message; none for what this socket does not show.
pub fn message(event: &Event, style: Style) -> Option<String> {
    let Kind::Message(message) = &event.kind else { return None };
    if event.state == State::Removed || (style.drop_empty && message.text.trim().is_empty()) {
        return None;
    }
    let chat = chat(event, message, style).to_string();
    // Clients look at how it begins, so the order of the two counts.
    Some(if style.envelope { format!(r#"{{"type":"chat","data":{}}}"#, Value::from(chat)) } else { chat })
}

/// The emotes of a text as these clients store them: a JSON list.
pub fn emotes_json(fragments: &[Fragment]) -> String {
    serde_json::to_string(&emotes(fragments)).expect("texts and numbers always serialize")
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
struct Emote {
    id: String,
    name: String,
    locations: Vec<String>,
    images: Vec<Image>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Image {
    url: String,
    width: u32,
    height: u32,
    id: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Token {
    r#type: &'static str,
    text: String,
    emote: Emote,
}

fn chat(event: &Event, message: &Message, style: Style) -> Value {
    let channel = &event.channel;
    let author = &message.author;
    let color = author.color.unwrap_or_else(|| Color::of_name(&author.login)).readable().to_string();
    let badges = if style.show_badges { badges(author, &channel.platform) } else { Vec::new() };
    let mut chat = json!({
        "author": name(author, channel.platform.as_str(), style),
        "message": message.text.trim(),
        "fragments": tokens(&message.fragments),
        "emotes": emotes(&message.fragments),
        "badges": badges,
        "source": source(&channel.platform),
        "colour": color,
        "username_color": color,
        "id": event.id.to_string(),
        "ts": event.at.0,
    });
    if channel.platform == Platform::TWITCH {
        chat["source_channel"] = channel.login.clone().into();
    }
    if !author.badges.is_empty() {
        chat["badges_raw"] = raw_badges(author, &channel.platform);
    }
    chat
}

/// The platform's name as these clients spell it.
fn source(platform: &Platform) -> &str {
    match platform.as_str() {
        "twitch" => "Twitch",
        "youtube" => "YouTube",
        "kick" => "Kick",
        other => other,
    }
}

fn name<'a>(author: &'a Author, platform: &str, style: Style) -> &'a str {
    let name = author.name.trim();
    let strips = platform == "youtube" && !style.prefix_at;
    if strips { name.strip_prefix('@').unwrap_or(name) } else { name }
}

fn badges(author: &Author, platform: &Platform) -> Vec<Value> {
    let badge = |badge: &crate::chat::Badge| {
        let mut value = json!({ "id": badge.set, "platform": platform.as_str() });
        if !badge.version.is_empty() {
            value["version"] = badge.version.clone().into();
        }
        value
    };
    author.badges.iter().map(badge).collect()
}

fn raw_badges(author: &Author, platform: &Platform) -> Value {
    let joined = |part: fn(&crate::chat::Badge) -> Option<String>| {
        author.badges.iter().filter_map(part).collect::<Vec<_>>().join(",")
    };
    let badges = joined(|badge| Some(format!("{}/{}", badge.set, badge.version)));
    let titles = joined(|badge| badge.title.as_ref().map(|title| format!("{}/{title}", badge.set)));
    json!({ platform.as_str(): { "badges": badges, "badge_info": titles } })
}

/// Runs of text with single spaces, and emotes.
fn tokens(fragments: &[Fragment]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut run = String::new();
    let mut at = 0;
    for fragment in fragments {
        match fragment {
            Fragment::Emote { text, id, name, provider, .. } => {
                flush(&mut tokens, &mut run);
                let emote = emote(id, name, provider, vec![place(at, text)]);
                tokens.push(Token { r#type: "emote", text: text.clone(), emote });
            }
            other => run.push_str(other.text()),
        }
        at += fragment.text().chars().count();
    }
    flush(&mut tokens, &mut run);
    tokens
}

fn flush(tokens: &mut Vec<Token>, run: &mut String) {
    let text = run.split_whitespace().collect::<Vec<_>>().join(" ");
    run.clear();
    if !text.is_empty() {
        tokens.push(Token { r#type: "text", text, emote: Emote::default() });
    }
}

/// Every emote once, with all its places.
fn emotes(fragments: &[Fragment]) -> Vec<Emote> {
    let mut emotes: Vec<Emote> = Vec::new();
    let mut at = 0;
    for fragment in fragments {
        if let Fragment::Emote { text, id, name, provider, .. } = fragment {
            match emotes.iter_mut().find(|emote| emote.id == *id) {
                Some(known) => known.locations.push(place(at, text)),
                None => emotes.push(emote(id, name, provider, vec![place(at, text)])),
            }
        }
        at += fragment.text().chars().count();
    }
    emotes
}

/// First and last character, counted from 0.
fn place(at: usize, text: &str) -> String {
    format!("{at}-{}", at + text.chars().count().saturating_sub(1))
}

fn emote(id: &str, name: &str, provider: &str, locations: Vec<String>) -> Emote {
    let image = || Image {
        url: format!("{TWITCH_EMOTES}/{id}/default/dark/1.0"),
        width: EMOTE_SIZE,
        height: EMOTE_SIZE,
        id: format!("{id}-1x"),
    };
    let images = if provider == "twitch" { vec![image()] } else { Vec::new() };
    Emote { id: id.to_owned(), name: name.to_owned(), locations, images }
}
