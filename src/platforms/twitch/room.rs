//! ROOMSTATE: the restrictions of a chat. All of them on joining, later only the one that changed.

use serde_json::{Map, Value, json};

use crate::chat::{Channel, Kind, Millis, NewEvent, Status};

use super::irc::{Line, Tags};
use super::person::channel_of;

/// The topic of a status event about restrictions.
const TOPIC: &str = "modes";

/// What one ROOMSTATE says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomState {
    /// With its id: this is where a driver learns it.
    pub channel: Channel,
    /// What changed; None is unchanged.
    pub modes: Modes,
}

impl RoomState {
    /// None where the line names no channel.
    pub fn read(line: &Line<'_>) -> Option<Self> {
        let channel = channel_of(line.channel()?, line.tags.filled("room-id"));
        Some(Self { channel, modes: Modes::read(line.tags) })
    }
}

/// Restrictions on who may write, and what. None where nothing was heard about one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Modes {
    pub emote_only: Option<bool>,
    pub followers_only: Option<Followers>,
    /// No message twice (`r9k`).
    pub unique: Option<bool>,
    /// Seconds between a person's messages; 0 is off.
    pub slow_s: Option<u32>,
    pub subscribers_only: Option<bool>,
}

/// Who may write by how long they have followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followers {
    Off,
    /// Followers of this many minutes; 0 is every follower.
    Minutes(u32),
}

impl Modes {
    fn read(tags: Tags<'_>) -> Self {
        let is_on = |key| tags.find(key).map(|value| value == "1");
        Self {
            emote_only: is_on("emote-only"),
            followers_only: tags.find("followers-only").and_then(followers),
            unique: is_on("r9k"),
            slow_s: tags.find("slow").and_then(|seconds| seconds.parse().ok()),
            subscribers_only: is_on("subs-only"),
        }
    }

    /// Takes over what `change` says; true if anything is different now.
    pub fn merge(&mut self, change: &Self) -> bool {
        let before = self.clone();
        self.emote_only = change.emote_only.or(self.emote_only);
        self.followers_only = change.followers_only.or(self.followers_only);
        self.unique = change.unique.or(self.unique);
        self.slow_s = change.slow_s.or(self.slow_s);
        self.subscribers_only = change.subscribers_only.or(self.subscribers_only);
        *self != before
    }

    /// What is known of the restrictions, as an event: `emote_only`, `followers_only` (minutes, null is off), `unique`,
    /// `slow` (seconds, 0 is off), `subscribers_only`.
    pub fn to_event(&self, channel: Channel, received_at: Millis) -> NewEvent {
        let followers = self.followers_only.map(|followers| match followers {
            Followers::Off => Value::Null,
            Followers::Minutes(minutes) => json!(minutes),
        });
        let known = [
            ("emote_only", self.emote_only.map(Value::from)),
            ("followers_only", followers),
            ("unique", self.unique.map(Value::from)),
            ("slow", self.slow_s.map(Value::from)),
            ("subscribers_only", self.subscribers_only.map(Value::from)),
        ];
        let values: Map<_, _> = known.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let kind = Kind::Status(Status { topic: TOPIC.to_owned(), values });
        NewEvent { channel, native_id: None, at: None, received_at, shared: None, backfill: false, kind }
    }
}

/// Twitch writes -1 for off.
fn followers(value: &str) -> Option<Followers> {
    match value.parse::<i64>().ok()? {
        ..0 => Some(Followers::Off),
        minutes => u32::try_from(minutes).ok().map(Followers::Minutes),
    }
}
