//! A line of an exported history: seven texts, the last of which is what the exporting program knew. From our own
//! exports that is the whole event; from others it is what the platform sent.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::chat::{Channel, NewEvent};

use super::fields::{Fields, json, label, text};
use super::row::Row;
use super::{Unreadable, ours, stamp};

/// None for a message that was taken away before it was exported.
pub fn read(fields: &Fields, wanted: &BTreeSet<Channel>) -> Result<Option<NewEvent>, Unreadable> {
    let raw_json = json(fields, ["raw_json", "raw"]);
    // Only our own events say when they were received.
    if raw_json.contains("\"received_at\"")
        && let Ok(Value::Object(event)) = serde_json::from_str(&raw_json)
        && event.contains_key("kind")
    {
        return ours::read(event, wanted);
    }
    let row = Row {
        platform: text(fields, "platform").ok_or(Unreadable::Missing("platform"))?.to_owned(),
        platform_msg_id: label(fields, "platform_msg_id").or_else(|| label(fields, "id").filter(|id| !is_count(id))),
        ts: fields.get("ts").and_then(stamp::of),
        username: text(fields, "username").unwrap_or_default().to_owned(),
        text: fields.get("text").and_then(Value::as_str).ok_or(Unreadable::Missing("text"))?.to_owned(),
        emotes_json: json(fields, ["emotes_json", "emotes"]),
        badges_json: json(fields, ["badges_json", "badges"]),
        colour: text(fields, "colour").unwrap_or_default().to_owned(),
        raw_json,
    };
    row.into_event(wanted).map(Some)
}

/// The number of a row in a table says nothing of the message outside of it.
fn is_count(id: &str) -> bool {
    id.bytes().all(|letter| letter.is_ascii_digit())
}
