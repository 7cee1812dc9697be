//! What the Python package chat-downloader makes of a chat: one dictionary for each thing that happened, and the line
//! that elora's first script made of those, and `/ws/chat` makes to this day. Every field may be missing; the platform
//! always is but in the last.

mod alerts;
mod names;
mod said;
mod twitch;
mod youtube;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::chat::{Channel, Millis, NewEvent, Platform};

use super::fields::{Fields, text};
use super::{Unreadable, place, stamp};

/// What it calls the actions of Twitch's chat; all others of its names with more than one word are YouTube's.
const ON_TWITCH: [&str; 9] = [
    "text_message",
    "user_notice",
    "clear_chat",
    "delete_message",
    "room_state",
    "user_state",
    "notice",
    "successful_login",
    "host_target",
];
const ON_YOUTUBE: [&str; 6] = ["_item", "_items", "_by_author", "_as_deleted", "_chat", "_tooltip"];

pub fn read(fields: &Fields, wanted: &BTreeSet<Channel>) -> Result<Vec<NewEvent>, Unreadable> {
    let platform = platform(fields).or_else(|| place::platform(wanted)).ok_or(Unreadable::Missing("platform"))?;
    let named = ["source_channel", "source_url"].iter().find_map(|key| fields.get(*key));
    let named = place::named(Some(&platform), named)?;
    match platform == Platform::TWITCH {
        true => twitch::read(fields, named, wanted).map(|event| event.into_iter().collect()),
        false => youtube::read(fields, platform, named, wanted),
    }
}

/// The platform that is told, or that an action's name gives away.
fn platform(fields: &Fields) -> Option<Platform> {
    let Some(action) = text(fields, "action_type") else {
        return Platform::new(text(fields, "source")?).ok();
    };
    if ON_TWITCH.contains(&action) {
        return Some(Platform::TWITCH);
    }
    ON_YOUTUBE.iter().any(|ending| action.ends_with(ending)).then_some(Platform::YOUTUBE)
}

/// When it happened, by either name.
fn at(fields: &Fields) -> Option<Millis> {
    ["timestamp", "ts"].iter().find_map(|key| stamp::of(fields.get(*key)?))
}

/// A part of a dictionary that is one itself.
fn part<'a>(fields: &'a Fields, key: &str) -> Option<&'a Fields> {
    fields.get(key).and_then(Value::as_object)
}
