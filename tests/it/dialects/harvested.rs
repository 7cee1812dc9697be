//! Rows as a harvester of Twitch's lines writes them, beside the lines.

use std::collections::BTreeSet;

use elora_chat::chat::{Kind, Message, NewEvent};
use elora_chat::dialects::Row;
use elora_chat::platforms::twitch::irc::Line;
use serde_json::json;

use super::{heard, received};
use crate::twitch_lines::fixtures;

#[test]
fn a_harvested_message_is_the_one_we_hear() {
    let mut rows = 0;
    for line in fixtures().into_iter().flat_map(|(_, lines)| lines) {
        let Some(heard) = heard(&line) else { continue };
        let Kind::Message(message) = &heard.kind else { continue };
        // Without an id or a time of its own, a harvester makes them up.
        let (Some(_), Some(_)) = (&heard.native_id, heard.at) else { continue };

        let read = row(&line, &heard, message).into_event(&BTreeSet::new()).map(received);

        assert_eq!(read, Ok(heard), "{line}");
        rows += 1;
    }
    assert!(rows > 30, "only {rows} rows");
}

/// The columns by the rules of gnasty: the text as it came, with blanks cut from its end.
fn row(line: &str, heard: &NewEvent, message: &Message) -> Row {
    let parsed = Line::parse(line).expect("a line");
    Row {
        platform: "Twitch".to_owned(),
        platform_msg_id: heard.native_id.clone(),
        ts: heard.at,
        username: message.author.name.clone(),
        text: parsed.text().unwrap_or_default().trim_end().to_owned(),
        raw_json: json!({ "line": line, "prefix": "x!x@x", "tags": { "id": "x" } }).to_string(),
        ..Row::default()
    }
}
