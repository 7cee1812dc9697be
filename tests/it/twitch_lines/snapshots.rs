//! Every fixture's meaning, written down: one snapshot per file. Read before accepting.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use elora_chat::chat::{Channel, Kind, NewEvent, Platform};
use elora_chat::platforms::twitch::{Heard, Modes, RoomState, decode};

use super::{RECEIVED, fixtures};

#[test]
fn every_fixture_means_what_its_snapshot_says() {
    for (name, lines) in fixtures() {
        let heard: Vec<_> = lines.iter().map(|line| heard(&decode(line, RECEIVED))).collect();
        insta::assert_json_snapshot!(name, heard);
    }
}

#[test]
fn partial_room_states_add_up() {
    let (_, lines) = fixtures().into_iter().find(|(name, _)| name == "room_state").unwrap();
    let mut modes = Modes::default();

    let changed: Vec<_> = lines.iter().chain(lines.last()).map(|line| modes.merge(&state(line).modes)).collect();

    assert_eq!(changed, [true, true, true, false]);
    let event = modes.to_event(Channel::new(Platform::TWITCH, "countess"), RECEIVED);
    insta::assert_json_snapshot!("room_state_merged", body(&event.kind));
}

fn state(line: &str) -> RoomState {
    match decode(line, RECEIVED) {
        Heard::RoomState(state) => state,
        other => panic!("{line}: {other:?}"),
    }
}

/// An event as JSON; anything else as it prints itself.
fn heard(heard: &Heard<'_>) -> Value {
    match heard {
        Heard::Event(event) => written(event),
        other => json!(format!("{other:?}")),
    }
}

fn written(event: &NewEvent) -> Value {
    assert_eq!(event.received_at, RECEIVED);
    json!({
        "kind": event.kind.name(),
        "channel": event.channel,
        "native_id": event.native_id,
        "at": event.at.map(|at| at.to_string()),
        "shared": event.shared,
        "body": body(&event.kind),
    })
}

fn body(kind: &Kind) -> Value {
    let body = match kind {
        Kind::Message(message) => serde_json::to_value(message).inspect(|json| read_back(json, message)),
        Kind::Alert(alert) => serde_json::to_value(alert).inspect(|json| read_back(json, alert)),
        Kind::Removed(removed) => serde_json::to_value(removed),
        Kind::Cleared(cleared) => serde_json::to_value(cleared),
        Kind::Status(status) => serde_json::to_value(status),
        other => panic!("Twitch's lines never become {other:?}"),
    };
    body.unwrap()
}

/// What is written is what will be read from the store.
fn read_back<T: DeserializeOwned + PartialEq + std::fmt::Debug>(json: &Value, written: &T) {
    assert_eq!(serde_json::from_value::<T>(json.clone()).unwrap(), *written);
}
