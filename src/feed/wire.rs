//! The JSON of `/api/feed`. What is always there is always there; what is absent is left out. Never HTML.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::chat::message::{Flag, Money, Reply};
use crate::chat::{
    Alert, AlertType, Author, Badge, Channel, Event, Fragment, Gap, Kind, Message, Role, State, Status, Target,
};

/// One event as a JSON object.
pub fn event(event: &Event) -> String {
    let whole = Whole { head: head(event), kind: part(&event.kind), shared: event.shared.as_ref().map(shared) };
    serde_json::to_string(&whole).expect("our own types have string keys and no failing serializers")
}

/// `{"type":"events",…}` joined from the JSON of events.
pub fn events<'a>(cursor: &str, events: impl Iterator<Item = &'a str>) -> String {
    let mut frame = format!(r#"{{"type":"events","cursor":"{cursor}","events":["#);
    for (n, event) in events.enumerate() {
        if n > 0 {
            frame.push(',');
        }
        frame.push_str(event);
    }
    frame.push_str("]}");
    frame
}

pub fn hello(epoch: &str, cursor: &str, resumed: bool) -> String {
    format!(r#"{{"type":"hello","epoch":"{epoch}","cursor":"{cursor}","resumed":{resumed}}}"#)
}

pub fn keepalive(cursor: &str) -> String {
    format!(r#"{{"type":"keepalive","cursor":"{cursor}"}}"#)
}

pub fn reset() -> String {
    r#"{"type":"reset"}"#.to_owned()
}

/// `data` is JSON already.
pub fn state(topic: &str, data: &str) -> String {
    format!(r#"{{"type":"state","topic":"{topic}","data":{data}}}"#)
}

#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    kind: Part<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shared: Option<SharedPart<'a>>,
}

#[derive(Serialize)]
struct Head<'a> {
    id: String,
    kind: &'a str,
    platform: &'a str,
    channel: ChannelPart<'a>,
    native_id: Option<&'a str>,
    at: String,
    received_at: String,
    state: &'static str,
}

#[derive(Serialize)]
struct ChannelPart<'a> {
    id: Option<&'a str>,
    login: &'a str,
    name: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Part<'a> {
    Message(MessagePart<'a>),
    Alert(AlertPart<'a>),
    Removed { target: TargetPart<'a> },
    Cleared { target: TargetPart<'a>, duration_s: Option<u64> },
    Edited { target: TargetPart<'a>, text: &'a str, fragments: &'a [Fragment] },
    Status { status: &'a Status },
    Gap { gap: GapPart<'a> },
    Other(&'a Map<String, Value>),
}

#[derive(Serialize)]
struct MessagePart<'a> {
    author: AuthorPart<'a>,
    text: &'a str,
    fragments: &'a [Fragment],
    flags: &'a [Flag],
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<&'a Reply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    money: Option<&'a Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<u64>,
}

#[derive(Serialize)]
struct AlertPart<'a> {
    author: Option<AuthorPart<'a>>,
    text: &'a str,
    fragments: &'a [Fragment],
    flags: &'a [Flag],
    #[serde(skip_serializing_if = "Option::is_none")]
    money: Option<&'a Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<u64>,
    alert: &'a AlertType,
    #[serde(skip_serializing_if = "str::is_empty")]
    system_text: &'a str,
}

#[derive(Serialize)]
struct AuthorPart<'a> {
    id: Option<&'a str>,
    login: &'a str,
    name: &'a str,
    color: Option<String>,
    roles: &'a [Role],
    badges: Vec<BadgePart<'a>>,
    first: bool,
}

#[derive(Serialize)]
struct BadgePart<'a> {
    set: &'a str,
    version: &'a str,
    title: Option<&'a str>,
}

#[derive(Serialize)]
struct TargetPart<'a> {
    id: Option<String>,
    native_id: Option<&'a str>,
    author_id: Option<&'a str>,
    /// Without an id, this alone tells a person from the whole chat.
    author_login: Option<&'a str>,
}

#[derive(Serialize)]
struct GapPart<'a> {
    from: String,
    to: String,
    reason: &'a str,
}

#[derive(Serialize)]
struct SharedPart<'a> {
    source_id: &'a str,
    channel: SharedChannel<'a>,
}

#[derive(Serialize)]
struct SharedChannel<'a> {
    id: &'a str,
}

fn head(event: &Event) -> Head<'_> {
    let Channel { platform, id, login, name } = &event.channel;
    Head {
        id: event.id.to_string(),
        kind: event.kind.name(),
        platform: platform.as_str(),
        channel: ChannelPart { id: id.as_deref(), login, name: name.as_deref() },
        native_id: event.native_id.as_deref(),
        at: event.at.to_string(),
        received_at: event.received_at.to_string(),
        state: match event.state {
            State::Visible => "visible",
            State::Removed => "removed",
        },
    }
}

fn part(kind: &Kind) -> Part<'_> {
    match kind {
        Kind::Message(said) => Part::Message(message(said)),
        Kind::Alert(told) => Part::Alert(alert(told)),
        Kind::Removed(removed) => Part::Removed { target: target(&removed.target) },
        Kind::Cleared(cleared) => Part::Cleared { target: target(&cleared.target), duration_s: cleared.duration_s },
        Kind::Edited(edited) => {
            Part::Edited { target: target(&edited.target), text: &edited.text, fragments: &edited.fragments }
        }
        Kind::Status(status) => Part::Status { status },
        Kind::Gap(missed) => Part::Gap { gap: gap(missed) },
        Kind::Other { body, .. } => Part::Other(body),
    }
}

fn message(said: &Message) -> MessagePart<'_> {
    MessagePart {
        author: author(&said.author),
        text: &said.text,
        fragments: &said.fragments,
        flags: &said.flags,
        reply: said.reply.as_ref(),
        money: said.money.as_ref(),
        bits: said.bits,
    }
}

fn alert(told: &Alert) -> AlertPart<'_> {
    AlertPart {
        author: told.author.as_ref().map(author),
        text: &told.text,
        fragments: &told.fragments,
        flags: &told.flags,
        money: told.money.as_ref(),
        bits: told.bits,
        alert: &told.alert,
        system_text: &told.system_text,
    }
}

fn author(author: &Author) -> AuthorPart<'_> {
    AuthorPart {
        id: author.id.as_deref(),
        login: &author.login,
        name: &author.name,
        color: author.color.map(|color| color.to_string()),
        roles: &author.roles,
        badges: author.badges.iter().map(badge).collect(),
        first: author.first,
    }
}

fn badge(badge: &Badge) -> BadgePart<'_> {
    BadgePart { set: &badge.set, version: &badge.version, title: badge.title.as_deref() }
}

fn target(target: &Target) -> TargetPart<'_> {
    TargetPart {
        id: target.id.map(|id| id.to_string()),
        native_id: target.native_id.as_deref(),
        author_id: target.author_id.as_deref(),
        author_login: target.author_login.as_deref(),
    }
}

fn gap(gap: &Gap) -> GapPart<'_> {
    GapPart { from: gap.from.to_string(), to: gap.to.to_string(), reason: &gap.reason }
}

fn shared(shared: &crate::chat::Shared) -> SharedPart<'_> {
    SharedPart { source_id: &shared.source_id, channel: SharedChannel { id: &shared.channel_id } }
}
