//! Properties on lines and rows nobody would write: nothing panics, and what is read is whole.

use std::collections::BTreeSet;

use elora_chat::chat::{Channel, Fragment, Kind, Millis, NewEvent};
use elora_chat::dialects::{Row, read_line};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value};

/// Names that mean something to one dialect or another.
const NAMES: [&str; 56] = [
    "author",
    "text",
    "kind",
    "platform",
    "channel",
    "at",
    "native_id",
    "state",
    "target",
    "fragments",
    "flags",
    "bits",
    "money",
    "reply",
    "alert",
    "status",
    "gap",
    "shared",
    "type",
    "events",
    "id",
    "login",
    "name",
    "badges",
    "roles",
    "color",
    "message",
    "action_type",
    "message_type",
    "message_id",
    "timestamp",
    "emotes",
    "locations",
    "start",
    "end",
    "startIndex",
    "endIndex",
    "target_message_id",
    "banned_user",
    "header_primary_text",
    "amount",
    "currency",
    "raw_json",
    "emotes_json",
    "badges_json",
    "ts",
    "username",
    "Text",
    "Platform",
    "Username",
    "EmotesJSON",
    "RawJSON",
    "raw",
    "youtube",
    "twitch",
    "received_at",
];

/// Values that mean something to one dialect or another.
const WORDS: [&str; 32] = [
    "twitch",
    "YouTube",
    "kick",
    "marker",
    "ada",
    "hi :x: Kappa 😂",
    ":x:",
    "x",
    "😂",
    "25:0-4,6-10",
    "0-4",
    "removed",
    "message",
    "alert",
    "cleared",
    "edited",
    "gap",
    "status",
    "add_chat_item",
    "replace_chat_item",
    "text_message",
    "user_notice",
    "clear_chat",
    "delete_message",
    "ban_user",
    "paid_message",
    "membership_item",
    "subscriber/12",
    "2026-01-01T00:00:00Z",
    "[]",
    r#"{"line":"@id=1 :a!a@a PRIVMSG #b :hi","id":"x"}"#,
    "\u{1}ACTION x\u{1}",
];

const CHANNELS: [&str; 4] = ["twitch:ada", "twitch:grace", "youtube:@hedy", "kick:joan"];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0_u64..20).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        select(WORDS.as_slice()).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            object(inner).prop_map(Value::from)
        ]
    })
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![9 => select(NAMES.as_slice()).prop_map(str::to_owned), 1 => ".{0,10}"];
    prop::collection::vec((name, value), 0..12).prop_map(|fields| fields.into_iter().collect())
}

fn column() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,30}",
        select(WORDS.as_slice()).prop_map(str::to_owned),
        value().prop_map(|value| value.to_string()),
    ]
}

fn row() -> impl Strategy<Value = Row> {
    let (text, more) = ((column(), column(), column(), column()), (column(), column(), column()));
    let key = (prop::option::of(column()), prop::option::of(any::<i64>()));
    (text, more, key).prop_map(
        |((platform, username, text, colour), (emotes_json, raw_json, badges_json), (id, ts))| Row {
            platform,
            platform_msg_id: id,
            ts: ts.map(Millis),
            username,
            text,
            emotes_json,
            raw_json,
            badges_json,
            colour,
        },
    )
}

fn wanted() -> impl Strategy<Value = BTreeSet<Channel>> {
    prop::collection::btree_set(select(CHANNELS.as_slice()), 0..3)
        .prop_map(|names| names.into_iter().map(|name| name.parse().expect("a channel")).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_panics(line in ".*", wanted in wanted()) {
        check(&read_line(&line, &wanted).unwrap_or_default());
    }

    #[test]
    fn no_json_panics(line in object(value()), wanted in wanted()) {
        check(&read_line(&Value::from(line).to_string(), &wanted).unwrap_or_default());
    }

    #[test]
    fn no_row_panics(row in row(), wanted in wanted()) {
        check(&row.into_event(&wanted).into_iter().collect::<Vec<_>>());
    }
}

/// What is true of every event, wherever it came from.
fn check(events: &[NewEvent]) {
    for event in events {
        assert_ne!(event.native_id.as_deref(), Some(""), "{event:?}");
        let (text, fragments) = match &event.kind {
            Kind::Message(message) => (&message.text, &message.fragments),
            Kind::Alert(alert) => (&alert.text, &alert.fragments),
            Kind::Edited(edited) => (&edited.text, &edited.fragments),
            _ => continue,
        };
        assert_eq!(fragments.iter().map(Fragment::text).collect::<String>(), *text, "{event:?}");
    }
}
