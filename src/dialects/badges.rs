//! Badges as other programs store them, and what their wearer may do.
//!
//! Forms: `["subscriber/12","vip"]`, a list of objects, and gnasty's `{"badges":[…],"raw":{…}}`, whose raw part is what
//! the platform itself said.

use serde_json::Value;

use crate::chat::{Badge, Role};
use crate::platforms::twitch::badges;

use super::fields::{Fields, first_label, label_of, text};

/// What a column of badges tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Worn {
    pub badges: Vec<Badge>,
    /// Who wears them: gnasty keeps YouTube's id of the author here.
    pub author_id: Option<String>,
}

/// Reads a column; what is no list of badges has none.
pub fn read(json: &str) -> Worn {
    // Most people wear none.
    if matches!(json.trim(), "" | "[]" | "null") {
        return Worn::default();
    }
    serde_json::from_str(json).map(|value| of(&value)).unwrap_or_default()
}

pub fn of(value: &Value) -> Worn {
    let raw = |path: &str| value.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty());
    let author_id = raw("/raw/youtube/authorExternalChannelId").map(str::to_owned);
    // Twitch's own words have the true version, also where somebody has made a month's count of it.
    let badges = match raw("/raw/twitch/badges") {
        Some(worn) => {
            let about = raw("/raw/twitch/badge_info").unwrap_or_default();
            badges::read(worn, about).iter().map(badges::BadgeRef::to_badge).collect()
        }
        None => list(value.get("badges").unwrap_or(value)),
    };
    Worn { badges, author_id }
}

/// A list of badges, each a text or an object.
pub fn list(value: &Value) -> Vec<Badge> {
    value.as_array().map(|badges| badges.iter().filter_map(badge).collect()).unwrap_or_default()
}

fn badge(value: &Value) -> Option<Badge> {
    match value {
        Value::String(text) => {
            let (set, version) = text.split_once('/').unwrap_or((text, ""));
            Some(Badge { set: set.trim().to_owned(), version: version.trim().to_owned(), title: None })
        }
        Value::Object(fields) => Some(worn(fields)?),
        _ => None,
    }
    .filter(|badge| !badge.set.is_empty())
}

fn worn(fields: &Fields) -> Option<Badge> {
    let set = first_label(fields, &["set", "id", "badge_id", "name", "slug", "_id"])?;
    let version = ["version", "badge_version"].iter().find_map(|key| label_of(fields.get(*key)?)).unwrap_or_default();
    Some(Badge { set, version, title: text(fields, "title").map(str::to_owned) })
}

/// What the badges say of their wearer, on every platform.
pub fn roles(badges: &[Badge]) -> Vec<Role> {
    let has = |sets: &[&str]| badges.iter().any(|badge| sets.contains(&badge.set.as_str()));
    let held = [
        (Role::BROADCASTER, has(&["broadcaster", "owner"])),
        (Role::STAFF, has(&["staff", "admin", "global_mod"])),
        (Role::MODERATOR, has(&["moderator"])),
        (Role::VIP, has(&["vip"])),
        (Role::SUBSCRIBER, has(&["subscriber", "founder", "member", "sponsor"])),
    ];
    held.into_iter().filter_map(|(role, is_held)| is_held.then_some(role)).collect()
}
