//! CLEARCHAT and CLEARMSG: what a moderator took away. The text of a removed message is not kept.

use crate::chat::{Cleared, Kind, Millis, NewEvent, Removed, Target};

use super::irc::Line;
use super::person::room;
use super::said::{filled, stamp};

/// CLEARCHAT: a timeout, a ban, or, naming nobody, the whole chat.
pub fn cleared(line: &Line<'_>, received_at: Millis) -> Option<NewEvent> {
    let target = Target {
        author_id: line.tags.filled("target-user-id").map(str::to_owned),
        author_login: line.text().and_then(filled).map(str::to_ascii_lowercase),
        ..Target::default()
    };
    let duration_s = line.tags.filled("ban-duration").and_then(|seconds| seconds.parse().ok());
    event(line, Kind::Cleared(Cleared { target, duration_s }), received_at)
}

/// CLEARMSG: one message. None where it does not say which.
pub fn removed(line: &Line<'_>, received_at: Millis) -> Option<NewEvent> {
    let target = Target {
        native_id: Some(line.tags.filled("target-msg-id")?.to_owned()),
        author_login: line.tags.filled("login").map(str::to_owned),
        ..Target::default()
    };
    event(line, Kind::Removed(Removed { target }), received_at)
}

/// These lines have no id of their own.
fn event(line: &Line<'_>, kind: Kind, received_at: Millis) -> Option<NewEvent> {
    Some(NewEvent {
        channel: room(line.channel()?, line.tags.filled("room-id")),
        native_id: None,
        at: line.tags.find("tmi-sent-ts").and_then(stamp),
        received_at,
        shared: None,
        kind,
    })
}
