//! What gnasty's server prints: a message under the names its program has for the columns.

use std::collections::BTreeSet;

use serde_json::json;

use crate::chat::{Channel, NewEvent};

use super::fields::{Fields, json, label, text};
use super::row::Row;
use super::{Unreadable, stamp};

pub fn read(fields: &Fields, wanted: &BTreeSet<Channel>) -> Result<NewEvent, Unreadable> {
    let said = fields.get("Text").and_then(|text| text.as_str()).ok_or(Unreadable::Missing("Text"))?;
    let named = |key: &str| text(fields, key).unwrap_or_default().to_owned();
    let row = Row {
        platform: text(fields, "Platform").ok_or(Unreadable::Missing("Platform"))?.to_owned(),
        platform_msg_id: label(fields, "PlatformMsgID").or_else(|| label(fields, "PlatformMsgId")),
        ts: ["TimestampMS", "Ts", "Timestamp"].iter().find_map(|key| stamp::of(fields.get(*key)?)),
        username: named("Username"),
        text: said.to_owned(),
        emotes_json: json(fields, ["EmotesJSON", "Emotes"]),
        raw_json: json(fields, ["RawJSON", "Raw"]),
        badges_json: badges(fields),
        colour: named("Colour"),
    };
    row.into_event(wanted)
}

/// Printed apart, stored together.
fn badges(fields: &Fields) -> String {
    let stored = json(fields, ["BadgesJSON", "BadgesJson"]);
    if !stored.is_empty() {
        return stored;
    }
    match (fields.get("badges").or(fields.get("Badges")), fields.get("badges_raw")) {
        (None, None) => String::new(),
        (badges, raw) => json!({ "badges": badges, "raw": raw }).to_string(),
    }
}
