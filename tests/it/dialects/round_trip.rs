//! What we tell of an event is read back as that event.

use std::collections::BTreeSet;
use std::fs;

use elora_chat::chat::color::Palette;
use elora_chat::chat::{Event, EventId, Kind, Millis, NewEvent, State};
use elora_chat::dialects::read_line;
use elora_chat::feed::{classic, wire};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{heard, read, received};
use crate::twitch_lines::fixtures;

/// An event as it is once stored.
fn stored(event: NewEvent, state: State) -> Event {
    let (at, received_at) = (event.happened_at(), Millis(1_767_225_600_000));
    let NewEvent { channel, native_id, shared, kind, .. } = event;
    Event { id: EventId(7), channel, native_id, at, received_at, shared, state, kind }
}

/// A line of our export.
fn exported(event: &Event) -> String {
    let text = match &event.kind {
        Kind::Message(message) => message.text.as_str(),
        _ => "",
    };
    json!({ "id": "7", "ts": event.at.to_rfc3339_trimmed(), "username": "x", "platform": event.channel.platform.title(),
            "text": text, "emotes_json": "[]", "raw_json": wire::event(event) })
    .to_string()
}

fn lines() -> Vec<String> {
    fixtures().into_iter().flat_map(|(_, lines)| lines).filter(|line| heard(line).is_some()).collect()
}

/// Whether an event survives being told, in both forms.
fn survives(event: &NewEvent) -> Result<(), TestCaseError> {
    let stored = stored(event.clone(), State::Visible);
    let whole = NewEvent { at: Some(event.happened_at()), ..event.clone() };
    prop_assert_eq!(read(&wire::event(&stored), &BTreeSet::new()), vec![whole.clone()]);
    let frame = wire::events("x", [wire::event(&stored).as_str()].into_iter());
    prop_assert_eq!(read(&frame, &BTreeSet::new()), vec![whole.clone()]);
    prop_assert_eq!(read(&exported(&stored), &BTreeSet::new()), vec![whole]);
    Ok(())
}

#[test]
fn every_event_we_tell_is_read_back() {
    let lines = lines();
    assert!(lines.len() > 60, "only {} lines", lines.len());
    for line in lines {
        let event = NewEvent { at: Some(Millis(1_767_225_600_005)), ..heard(&line).expect("an event") };
        survives(&event).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_text_we_tell_is_read_back(line in select(lines()), text in "(@ada |https://a\\.test |Kappa|😂|\\PC){1,30}") {
        let line = format!("{line} {text}");
        if let Some(event) = heard(&line) {
            survives(&NewEvent { at: Some(Millis(1)), ..event })?;
        }
    }
}

#[test]
fn what_clients_of_old_are_told_is_read_back() {
    let style = |envelope| classic::Style {
        envelope,
        drop_empty: false,
        show_badges: true,
        prefix_at: true,
        palette: Palette::default(),
    };
    let mut told = 0;
    for line in lines() {
        let event = heard(&line).expect("an event");
        let Some(bare) = classic::message(&stored(event.clone(), State::Visible), style(false)) else { continue };
        let enveloped = classic::message(&stored(event.clone(), State::Visible), style(true)).expect("it is told");
        let Kind::Message(said) = &event.kind else { panic!("{line}") };
        for frame in [bare, enveloped] {
            let read = read(&frame, &BTreeSet::new()).pop().expect("a message");

            let Kind::Message(message) = &read.kind else { panic!("{frame}") };
            assert_eq!(read.channel.login, event.channel.login, "{frame}");
            assert_eq!((&read.native_id, read.happened_at()), (&event.native_id, event.happened_at()), "{frame}");
            assert_eq!(message.author.id, said.author.id, "{frame}");
            assert_eq!(
                (&message.author.name, &message.text),
                (&said.author.name.trim().into(), &said.text.trim().into()),
                "{frame}"
            );
        }
        told += 1;
    }
    assert!(told > 30, "only {told} messages");
}

#[test]
fn the_examples_of_the_wire_are_read() {
    let mut read = 0;
    for entry in fs::read_dir("tests/fixtures/wire").expect("the examples") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a text");
        let example: Value = serde_json::from_str(&text).expect("JSON");
        if example.get("type").is_some() {
            continue;
        }

        let events = read_line(&text, &BTreeSet::new()).unwrap_or_else(|error| panic!("{error}: {}", path.display()));

        // What was taken away stays away.
        let is_gone = example["state"] == "removed" && matches!(example["kind"].as_str(), Some("message" | "alert"));
        assert_eq!(events.is_empty(), is_gone, "{}", path.display());
        for event in events.into_iter().map(received) {
            assert_eq!(event.kind.name(), example["kind"], "{}", path.display());
            assert_eq!(event.channel.login, example["channel"]["login"], "{}", path.display());
        }
        read += 1;
    }
    assert!(read > 15, "only {read} examples");
}

#[test]
fn what_was_taken_away_does_not_come_back() {
    let line = "@id=a1;display-name=Ada :ada!ada@ada PRIVMSG #lovelace :hi";
    let removed = stored(heard(line).expect("an event"), State::Removed);

    assert_eq!(read(&wire::event(&removed), &BTreeSet::new()), []);
    assert_eq!(read(&exported(&removed), &BTreeSet::new()), []);
}
