//! CLEARCHAT and CLEARMSG: what a moderator took away. The text of a removed message is not kept.

use crate::chat::{Cleared, Kind, Millis, NewEvent, Removed, Target};

use super::irc::Line;
use super::person::channel_of;
use super::tags::{filled, stamp};

/// CLEARCHAT: a timeout, a ban, or, naming nobody, the whole chat.
pub fn cleared(line: &Line<'_>, received_at: Millis) -> Option<NewEvent> {
    let target = Target {
        author_id: line.tags.filled("target-user-id").map(str::to_owned),
        author_login: line.text().and_then(filled).map(str::to_ascii_lowercase),
        ..Target::default()
    };
    let duration_s = line.tags.filled("ban-duration").and_then(|seconds| seconds.parse().ok());
    event(line, Kind::Cleared(Cleared { target, duration_s }), received_at)
}

/// CLEARMSG: one message. None where it does not say which.
pub fn removed(line: &Line<'_>, received_at: Millis) -> Option<NewEvent> {
    let target = Target {
        native_id: Some(line.tags.filled("target-msg-id")?.to_owned()),
        author_login: line.tags.filled("login").map(str::to_owned),
        ..Target::default()
    };
    event(line, Kind::Removed(Removed { target }), received_at)
}

/// These lines have no id of their own.
fn event(line: &Line<'_>, kind: Kind, received_at: Millis) -> Option<NewEvent> {
    Some(NewEvent {
        channel: channel_of(line.channel()?, line.tags.filled("room-id")),
        native_id: None,
        at: line.tags.find("tmi-sent-ts").and_then(stamp),
        received_at,
        shared: None,
        backfill: false,
        kind,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_767_225_600_000);

    fn clear(line: &str) -> NewEvent {
        cleared(&Line::parse(line).expect(line), NOW).expect(line)
    }

    #[test]
    fn a_clear_that_names_nobody_clears_the_chat() {
        for line in ["@room-id=1 :tmi.twitch.tv CLEARCHAT #lovelace", "@room-id=1 :tmi.twitch.tv CLEARCHAT #lovelace :"]
        {
            let Kind::Cleared(cleared) = clear(line).kind else { panic!("{line}") };
            assert_eq!(cleared, Cleared { target: Target::default(), duration_s: None }, "{line}");
        }
    }

    #[test]
    fn a_timeout_has_a_length_and_a_ban_has_none() {
        let duration = |tags: &str| match clear(&format!("@target-user-id=7{tags} CLEARCHAT #lovelace :Ada")).kind {
            Kind::Cleared(cleared) => (cleared.target.author_login, cleared.duration_s),
            other => panic!("{other:?}"),
        };

        assert_eq!(duration(";ban-duration=600"), (Some("ada".to_owned()), Some(600)));
        assert_eq!(duration(";ban-duration="), (Some("ada".to_owned()), None));
    }

    #[test]
    fn a_stamp_before_the_epoch_is_none() {
        let event = clear("@room-id=;tmi-sent-ts=-6795364578871 CLEARCHAT #Lovelace");

        assert_eq!((event.at, event.happened_at()), (None, NOW));
        assert_eq!((event.channel.login.as_str(), event.channel.id), ("lovelace", None));
    }

    #[test]
    fn a_removal_that_names_no_message_is_none() {
        let line = Line::parse("@login=ada;target-msg-id= CLEARMSG #lovelace :x").expect("a line");

        assert_eq!(removed(&line, NOW), None);
    }
}
