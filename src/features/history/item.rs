//! A message as clients of old read it: seven texts.

use serde::Serialize;

use crate::chat::{Event, Kind};
use crate::feed::{classic, wire};

/// The names of the fields, in the order of a table's columns.
pub const COLUMNS: [&str; 7] = ["id", "ts", "username", "platform", "text", "emotes_json", "raw_json"];

#[derive(Serialize)]
pub struct Item {
    pub id: String,
    pub ts: String,
    pub username: String,
    pub platform: String,
    pub text: String,
    pub emotes_json: String,
    pub raw_json: String,
}

impl Item {
    pub fn new(event: &Event) -> Self {
        let message = match &event.kind {
            Kind::Message(message) => Some(message),
            _ => None,
        };
        Self {
            id: event.id.to_string(),
            ts: event.at.to_rfc3339_trimmed(),
            username: message.map(|message| message.author.name.clone()).unwrap_or_default(),
            platform: event.channel.platform.title().to_owned(),
            text: message.map(|message| message.text.clone()).unwrap_or_default(),
            emotes_json: message.map_or_else(|| "[]".to_owned(), |message| classic::emotes_json(&message.fragments)),
            raw_json: wire::event(event),
        }
    }

    /// The fields in the order of [`COLUMNS`].
    pub fn cells(&self) -> [&str; 7] {
        [&self.id, &self.ts, &self.username, &self.platform, &self.text, &self.emotes_json, &self.raw_json]
    }
}
