//! The person behind a line, and the channel it was said in.

use crate::chat::{Author, Channel, Platform, Role};

use super::badges::BadgeRef;
use super::tags::MessageTags;

/// The channel of a line. The id is Twitch's; logins change.
pub fn channel_of(login: &str, room_id: Option<&str>) -> Channel {
    let channel = Channel::new(Platform::TWITCH, login.to_ascii_lowercase());
    match room_id {
        Some(id) => channel.with_id(id),
        None => channel,
    }
}

/// Who spoke. Lines cut down by hand or by services lack one name or the other: each stands in for the other.
pub fn author(tags: &MessageTags<'_>, login: Option<&str>) -> Author {
    let name = tags.display_name.as_deref().filter(|name| !name.trim().is_empty());
    Author {
        id: tags.user_id.map(str::to_owned),
        login: login.map(str::to_owned).or_else(|| name.map(str::to_lowercase)).unwrap_or_default(),
        name: name.or(login).unwrap_or_default().to_owned(),
        color: tags.color,
        roles: roles(tags),
        badges: tags.badges.iter().map(BadgeRef::to_badge).collect(),
        first: tags.first,
    }
}

/// Badges and tags together: the broadcaster has `mod=0`, a founder is a subscriber with `subscriber=0`.
fn roles(tags: &MessageTags<'_>) -> Vec<Role> {
    let has = |sets: &[&str]| tags.badges.iter().any(|badge| sets.contains(&badge.set));
    let is_staff = matches!(tags.user_type, Some("staff" | "admin" | "global_mod"));
    let held = [
        (Role::BROADCASTER, has(&["broadcaster"])),
        (Role::STAFF, is_staff || has(&["staff", "admin", "global_mod"])),
        (Role::MODERATOR, tags.moderator || tags.user_type == Some("mod") || has(&["moderator"])),
        (Role::VIP, tags.vip || has(&["vip"])),
        (Role::SUBSCRIBER, tags.subscriber || has(&["subscriber", "founder"])),
    ];
    held.into_iter().filter_map(|(role, is_held)| is_held.then_some(role)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::irc::Line;
    use super::*;

    fn of(tags: &str, login: Option<&str>) -> Author {
        let line = format!("@{tags} PRIVMSG #lovelace :x");
        let line = Line::parse(&line).expect("a line");
        author(&MessageTags::read(line.tags, |_, _| {}), login)
    }

    fn roles_of(tags: &str) -> Vec<Role> {
        of(tags, Some("ada")).roles
    }

    #[test]
    fn names_stand_in_for_each_other() {
        let names = |author: Author| (author.login, author.name);

        assert_eq!(names(of("display-name=", Some("ada"))), ("ada".into(), "ada".into()));
        assert_eq!(names(of(r"display-name=\s", Some("ada"))), ("ada".into(), "ada".into()));
        assert_eq!(names(of("display-name=에이다", Some("ada"))), ("ada".into(), "에이다".into()));
        assert_eq!(names(of("display-name=Ada", None)), ("ada".into(), "Ada".into()));
        assert_eq!(names(of(r"display-name=Ada\sL\s", Some("adal"))), ("adal".into(), "Ada L ".into()));
    }

    #[test]
    fn roles_come_from_badges_and_tags() {
        assert_eq!(roles_of("badges=broadcaster/1;mod=0"), [Role::BROADCASTER]);
        assert_eq!(roles_of("mod=1;vip=1;subscriber=1"), [Role::MODERATOR, Role::VIP, Role::SUBSCRIBER]);
        assert_eq!(roles_of("badges=founder/0;subscriber=0;vip=0"), [Role::SUBSCRIBER]);
        assert_eq!(roles_of("user-type=staff"), [Role::STAFF]);
        assert_eq!(roles_of("badges=premium/1,partner/1"), []);
    }

    #[test]
    fn a_room_without_an_id_is_known_by_its_login_alone() {
        assert_eq!(channel_of("Lovelace", None), Channel::new(Platform::TWITCH, "lovelace"));
        assert_eq!(channel_of("lovelace", Some("1815")).id.as_deref(), Some("1815"));
    }
}
