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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Fragment, Kind, Platform};

    fn said(line: &serde_json::Value) -> NewEvent {
        read(line.as_object().expect("an object"), &BTreeSet::new()).expect("it is readable")
    }

    #[test]
    fn a_printed_message_is_the_row_it_is_stored_as() {
        let emotes = json!(["25:0-4,8-12"]);
        let badges = json!([{ "platform": "twitch", "id": "subscriber", "version": "3072" }]);
        let raw = json!({ "twitch": { "badges": "subscriber/3072", "badge_info": "subscriber/80" } });
        let head = json!({ "ID": "1", "PlatformMsgID": "a1", "TimestampMS": 1_662_204_423_418_i64, "Username": "ada",
                           "Platform": "Twitch", "Text": "Kappa 😂 Kappa", "Colour": "#CC44FF" });
        let with = |more: serde_json::Value| {
            let mut line = head.clone();
            line.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            let event = said(&line);
            NewEvent { received_at: event.at.expect("a time"), ..event }
        };

        let stored = with(json!({ "EmotesJSON": emotes.to_string(), "RawJSON": "",
                                  "BadgesJSON": json!({ "badges": badges, "raw": raw }).to_string() }));
        let printed = with(json!({ "Emotes": emotes, "Raw": null, "badges": badges, "badges_raw": raw,
                                   "Ts": "2022-09-03T11:27:03.418Z", "TimestampMS": null }));

        assert_eq!(stored, printed);
        assert_eq!((stored.native_id.as_deref(), &stored.channel.platform), (Some("a1"), &Platform::TWITCH));
        let Kind::Message(message) = stored.kind else { panic!("a message") };
        let texts: Vec<_> = message.fragments.iter().map(Fragment::text).collect();
        assert_eq!(texts, ["Kappa", " 😂 ", "Kappa"]);
        assert_eq!(message.author.badges[0].title.as_deref(), Some("80"));
    }
}
