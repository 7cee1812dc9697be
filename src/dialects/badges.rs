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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(column: &str) -> Vec<String> {
        let name = |badge: &Badge| match &badge.title {
            Some(title) => format!("{}/{} {title}", badge.set, badge.version),
            None => format!("{}/{}", badge.set, badge.version),
        };
        read(column).badges.iter().map(name).collect()
    }

    #[test]
    fn badges_are_read_in_every_form() {
        let cases = [
            (json!(["subscriber/12", "vip"]), vec!["subscriber/12", "vip/"]),
            (json!([" subscriber / 12 ", "", "/1"]), vec!["subscriber/12"]),
            (json!(["predictions/blue-1"]), vec!["predictions/blue-1"]),
            (json!([{ "id": "subscriber", "version": "12", "images": [{ "url": "x" }] }]), vec!["subscriber/12"]),
            (json!([{ "badge_id": 7, "badge_version": 3 }, { "slug": "vip" }]), vec!["7/3", "vip/"]),
            (json!([{ "name": "vip", "title": "VIP" }, { "_id": "x" }, {}, 7, null]), vec!["vip/ VIP", "x/"]),
            (
                json!({ "badges": [{ "platform": "youtube", "id": "member", "version": "6 months" }] }),
                vec!["member/6 months"],
            ),
            (json!({ "badges": ["vip/1"], "raw": { "twitch": { "badges": "" } } }), vec!["vip/1"]),
        ];
        for (column, expected) in cases {
            assert_eq!(names(&column.to_string()), expected, "{column}");
        }
    }

    #[test]
    fn what_is_no_list_of_badges_has_none() {
        for column in
            ["", "[]", "null", "{}", "7", "\"vip\"", r#"{"not":"array"}"#, r#"{"badges":{"a":1}}"#, "[1", "vip/1"]
        {
            assert_eq!(read(column), Worn::default(), "{column}");
        }
    }

    #[test]
    fn what_twitch_said_beats_what_was_made_of_it() {
        let column = json!({
            "badges": [{ "id": "subscriber", "version": "17" }, { "id": "broadcaster", "version": "lovelace" }],
            "raw": { "twitch": { "badges": "broadcaster/1,subscriber/12", "badge_info": "subscriber/17" } },
        });

        assert_eq!(names(&column.to_string()), ["broadcaster/1", "subscriber/12 17"]);
    }

    #[test]
    fn youtubes_badges_come_with_the_id_of_who_wears_them() {
        let raw =
            json!({ "badges": [], "raw": { "youtube": { "authorBadges": [], "authorExternalChannelId": "UC1" } } });

        assert_eq!(read(&raw.to_string()).author_id.as_deref(), Some("UC1"));
    }

    #[test]
    fn roles_come_from_badges_on_every_platform() {
        let cases = [
            (json!(["owner"]), vec![Role::BROADCASTER]),
            (json!(["broadcaster/1", "partner/1"]), vec![Role::BROADCASTER]),
            (json!(["member/6 months", "moderator", "verified"]), vec![Role::MODERATOR, Role::SUBSCRIBER]),
            (json!(["founder/0", "vip/1", "global_mod/1"]), vec![Role::STAFF, Role::VIP, Role::SUBSCRIBER]),
            (json!(["verified", "premium/1"]), vec![]),
        ];
        for (badges, expected) in cases {
            assert_eq!(roles(&list(&badges)), expected, "{badges}");
        }
    }
}
