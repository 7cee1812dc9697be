//! What the Python package chat-downloader makes of a chat: one dictionary for each thing that happened, and the line
//! that elora's first script made of those. Every field may be missing, and the platform always is.

mod alerts;
mod names;
mod said;
mod twitch;
mod youtube;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::chat::{Channel, NewEvent, Platform};

use super::fields::{Fields, text};
use super::{Unreadable, place};

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
    match platform == Platform::TWITCH {
        true => twitch::read(fields, wanted).map(|event| event.into_iter().collect()),
        false => youtube::read(fields, platform, wanted),
    }
}

/// The platform that an action's name gives away.
fn platform(fields: &Fields) -> Option<Platform> {
    let action = text(fields, "action_type")?;
    if ON_TWITCH.contains(&action) {
        return Some(Platform::TWITCH);
    }
    ON_YOUTUBE.iter().any(|ending| action.ends_with(ending)).then_some(Platform::YOUTUBE)
}

/// A part of a dictionary that is one itself.
fn part<'a>(fields: &'a Fields, key: &str) -> Option<&'a Fields> {
    fields.get(key).and_then(Value::as_object)
}
