//! What other programs write down, through the room's public door: their records beside what we hear ourselves.

mod downloader;
mod harvested;
mod hostile;
mod round_trip;

use std::collections::BTreeSet;

use elora_chat::chat::{Channel, Millis, NewEvent};
use elora_chat::dialects::read_line;
use elora_chat::platforms::twitch::decode::{Heard, decode};

/// Reads a line that must be readable.
fn read(line: &str, wanted: &BTreeSet<Channel>) -> Vec<NewEvent> {
    let events = read_line(line, wanted).unwrap_or_else(|error| panic!("{error}: {line}"));
    events.into_iter().map(received).collect()
}

/// What we hear in a line of Twitch.
fn heard(line: &str) -> Option<NewEvent> {
    match decode(line, Millis(0)) {
        Heard::Event(event) => Some(received(event)),
        _ => None,
    }
}

/// Two events that differ in nothing but when we came by them are the same.
fn received(event: NewEvent) -> NewEvent {
    NewEvent { received_at: Millis(0), ..event }
}
