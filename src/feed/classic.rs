//! The JSON of `/ws/chat`, as clients of old read it: one message, its words as tokens, in an envelope whose data is
//! a string.

use std::time::Duration;

use serde_json::{Value, json};

use super::tokens::{emotes, tokens};
use crate::chat::color::{Color, Palette};
use crate::chat::{Author, Cleared, Event, Fragment, Kind, Message, Platform, Removed, Role, Shared, State};
use crate::config::Settings;

/// How the operator wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "four switches of the configuration")]
pub struct Style {
    pub envelope: bool,
    pub drop_empty: bool,
    pub show_badges: bool,
    /// Keep the `@` before YouTube names.
    pub prefix_at: bool,
    /// For names without a color.
    pub palette: Palette,
}

impl Style {
    pub fn of(settings: &Settings) -> Self {
        Self {
            envelope: settings.socket.envelope,
            drop_empty: settings.socket.drop_empty,
            show_badges: settings.ui.show_badges,
            prefix_at: settings.ui.yt_prefix_at,
            palette: settings.ui.palette,
        }
    }
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

/// What takes something away, for clients that ask to be told; none for anything else.
pub fn change(event: &Event) -> Option<String> {
    let mut frame = match &event.kind {
        Kind::Removed(Removed { target }) => {
            json!({ "type": "removed", "id": target.id.map(|id| id.to_string()), "native_id": target.native_id,
                    "author_id": target.author_id })
        }
        Kind::Cleared(Cleared { target, duration_s }) => {
            json!({ "type": "cleared", "author_id": target.author_id, "author_login": target.author_login,
                    "duration_s": duration_s })
        }
        _ => return None,
    };
    frame["source"] = event.channel.platform.title().into();
    if !event.channel.is_unnamed() {
        frame["source_channel"] = event.channel.login.clone().into();
    }
    frame["ts"] = event.at.0.into();
    Some(frame.to_string())
}

/// What says that everything before was replayed, and what follows is new; for clients that ask to be told of changes.
pub fn live(cursor: &str, keepalive: Duration) -> String {
    json!({ "type": "live", "cursor": cursor, "keepalive_ms": keepalive.as_millis() }).to_string()
}

/// The emotes of a text as these clients store them: a JSON list.
pub fn emotes_json(fragments: &[Fragment]) -> String {
    serde_json::to_string(&emotes(fragments)).expect("texts and numbers always serialize")
}

fn chat(event: &Event, message: &Message, style: Style) -> Value {
    let channel = &event.channel;
    let author = &message.author;
    let color = color(author, &channel.platform, style.palette).readable().to_string();
    let badges = if style.show_badges { badges(author, &channel.platform) } else { Vec::new() };
    let emotes = emotes(&message.fragments);
    let mut chat = json!({
        "author": name(author, channel.platform.as_str(), style),
        "message": message.text.trim(),
        "fragments": tokens(&message.text, &emotes),
        "emotes": emotes,
        "badges": badges,
        "source": channel.platform.title(),
        "colour": color,
        "username_color": color,
        "id": event.id.to_string(),
        "native_id": event.native_id,
        "author_id": author.id,
        "author_login": author.login,
        "ts": event.at.0,
    });
    // On Twitch alone, as ever: clients of old may take it for a channel of Twitch wherever they find it.
    if channel.platform == Platform::TWITCH && !channel.is_unnamed() {
        chat["source_channel"] = channel.login.clone().into();
    }
    if channel.platform == Platform::YOUTUBE && !channel.is_unnamed() {
        chat["source_url"] = channel.url().into();
    }
    if !author.badges.is_empty() {
        chat["badges_raw"] = raw_badges(author, &channel.platform);
    }
    // As the feed has it. A removal names the id that a line has where it was typed.
    if let Some(Shared { source_id, channel_id }) = &event.shared {
        chat["shared"] = json!({ "source_id": source_id, "channel": { "id": channel_id } });
    }
    chat
}

/// What YouTube paints a role in comes before anything else.
fn color(author: &Author, platform: &Platform, palette: Palette) -> Color {
    let youtube = [
        (Role::BROADCASTER, Color::YOUTUBE_OWNER),
        (Role::MODERATOR, Color::YOUTUBE_MODERATOR),
        (Role::SUBSCRIBER, Color::YOUTUBE_MEMBER),
    ];
    let of_role = youtube.iter().find(|(role, _)| *platform == Platform::YOUTUBE && author.roles.contains(role));
    let own = of_role.map(|(_, color)| *color).or(author.color);
    own.unwrap_or_else(|| Color::of_name(&author.login, palette))
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
    // YouTube has no picture for an owner's badge; clients of old draw their own by the raw form.
    let is_drawn = |badge: &&crate::chat::Badge| *platform != Platform::YOUTUBE || badge.set != "owner";
    author.badges.iter().filter(is_drawn).map(badge).collect()
}

fn raw_badges(author: &Author, platform: &Platform) -> Value {
    let joined = |part: fn(&crate::chat::Badge) -> Option<String>| {
        author.badges.iter().filter_map(part).collect::<Vec<_>>().join(",")
    };
    let badges = joined(|badge| Some(format!("{}/{}", badge.set, badge.version)));
    let titles = joined(|badge| badge.title.as_ref().map(|title| format!("{}/{title}", badge.set)));
    json!({ platform.as_str(): { "badges": badges, "badge_info": titles } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Badge, Channel, EventId, Millis};

    const BARE: Style =
        Style { envelope: false, drop_empty: false, show_badges: true, prefix_at: false, palette: Palette::Fifteen };

    fn said(platform: Platform, text: &str, roles: &[Role]) -> Event {
        let badge = Badge { set: "moderator".to_owned(), version: String::new(), title: None };
        let color = Color::parse("#00FF7F");
        let author = Author {
            id: None,
            login: "ada".to_owned(),
            name: " @Ada ".to_owned(),
            color,
            roles: roles.to_vec(),
            badges: vec![badge],
            first: false,
        };
        let text = text.to_owned();
        let message = Message { author, text, fragments: vec![], reply: None, money: None, bits: None, flags: vec![] };
        Event {
            id: EventId(7),
            channel: Channel::new(platform, "room"),
            native_id: None,
            at: Millis(1_767_225_600_000),
            received_at: Millis(0),
            shared: None,
            state: State::Visible,
            kind: Kind::Message(message),
        }
    }

    fn sent(event: &Event, style: Style) -> Value {
        let text = message(event, style).expect("it is sent");
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn the_envelope_holds_the_bare_object_as_a_string() {
        let event = said(Platform::TWITCH, "hello", &[]);

        let bare = message(&event, BARE).expect("it is sent");
        let wrapped = sent(&event, Style { envelope: true, ..BARE });

        assert_eq!(wrapped, json!({ "type": "chat", "data": bare }));
    }

    #[test]
    fn what_is_empty_comes_trimmed_with_empty_lists_where_it_is_wanted() {
        let empty = said(Platform::YOUTUBE, "  ", &[]);

        let chat = sent(&empty, BARE);

        assert_eq!(message(&empty, Style { drop_empty: true, ..BARE }), None);
        assert_eq!(
            (&chat["message"], &chat["source"], &chat["author"]),
            (&"".into(), &"YouTube".into(), &"Ada".into())
        );
        assert_eq!((&chat["fragments"], &chat["emotes"]), (&json!([]), &json!([])));
        let unbadged = sent(&empty, Style { show_badges: false, prefix_at: true, ..BARE });
        assert_eq!((&unbadged["badges"], &unbadged["author"]), (&json!([]), &"@Ada".into()));
        assert_eq!(sent(&said(Platform::TWITCH, " hi ", &[]), BARE)["message"], "hi");
    }

    #[test]
    fn on_youtube_the_color_of_the_highest_role_wins() {
        let (owner, moderator, member) = (Role::BROADCASTER, Role::MODERATOR, Role::SUBSCRIBER);
        let color = |platform: Platform, roles: &[Role]| sent(&said(platform, "hi", roles), BARE)["colour"].clone();

        assert_eq!(color(Platform::YOUTUBE, &[member.clone(), moderator.clone(), owner]), "#FFD600");
        assert_eq!(color(Platform::YOUTUBE, &[member.clone(), moderator.clone()]), "#5E84F1");
        assert_eq!(color(Platform::YOUTUBE, &[member]), "#0F9D58");
        assert_eq!(color(Platform::YOUTUBE, &[]), "#00FF7F");
        assert_eq!(color(Platform::TWITCH, &[moderator]), "#00FF7F");
    }

    #[test]
    fn youtubes_owner_has_no_badge_but_its_raw_form() {
        let mut said = said(Platform::YOUTUBE, "hi", &[Role::BROADCASTER]);
        let Kind::Message(message) = &mut said.kind else { panic!("a message") };
        message.author.badges[0].set = "owner".to_owned();

        let chat = sent(&said, BARE);

        assert_eq!(chat["badges"], json!([]));
        assert_eq!(chat["badges_raw"]["youtube"]["badges"], "owner/");
    }

    #[test]
    fn a_row_names_its_own_channel() {
        let (twitch, youtube) = (said(Platform::TWITCH, "hi", &[]), said(Platform::YOUTUBE, "hi", &[]));

        let (twitch, youtube) = (sent(&twitch, BARE), sent(&youtube, BARE));

        assert_eq!((&twitch["source_channel"], twitch.get("source_url")), (&"room".into(), None));
        assert!(youtube["source_url"].as_str().is_some_and(|url| url.starts_with("https://www.youtube.com/")));
        assert_eq!(youtube.get("source_channel"), None);
    }

    #[test]
    fn a_row_that_knows_no_channel_names_none() {
        for platform in [Platform::TWITCH, Platform::YOUTUBE] {
            let mut said = said(platform, "hi", &[]);
            said.channel.login.clear();

            let chat = sent(&said, BARE);

            assert_eq!((chat.get("source_channel"), chat.get("source_url")), (None, None));
        }
    }
}
