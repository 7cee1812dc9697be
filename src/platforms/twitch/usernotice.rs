//! USERNOTICE: subscriptions, gifts, raids, announcements. Which alert a kind is, and with which fields, is in
//! `alerts.rs`.

use std::borrow::Cow;

use crate::chat::{Alert, Kind, Millis, NewEvent};

use super::alerts::{self, Params};
use super::emotes::EmoteRange;
use super::irc::{Line, unescape};
use super::person::author;
use super::privmsg::{event, flags, shown};
use super::tags::{MessageTags, filled};
use super::text::unwrap_action;

/// The kind a shared chat wraps the other channel's alert in.
const SHARED: &str = "sharedchatnotice";

/// `ACTION ` in code points.
const ACTION_LENGTH: u32 = 7;

/// Every kind's own fields begin with this.
const PARAM: &str = "msg-param-";

/// A notice as it stands in its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Usernotice<'a> {
    pub channel: &'a str,
    pub login: Option<&'a str>,
    /// Twitch's kind; behind a shared chat's wrapping the real one.
    pub kind: &'a str,
    /// Twitch's own English sentence about it.
    pub system_text: Cow<'a, str>,
    /// What the person wrote with it.
    pub text: &'a str,
    pub is_action: bool,
    pub tags: MessageTags<'a>,
    pub params: Params<'a>,
}

impl<'a> Usernotice<'a> {
    /// None where the line names no channel.
    pub fn read(line: &Line<'a>) -> Option<Self> {
        let channel = line.channel()?;
        let (text, is_action) = unwrap_action(line.text().unwrap_or_default());
        let (mut login, mut system, mut params) = (None, "", Params::default());
        let mut tags = MessageTags::read(line.tags, |key, value| match key {
            "login" => login = filled(value),
            "system-msg" => system = value,
            _ => params.extend(key.strip_prefix(PARAM).map(|name| (name, value))),
        });
        if is_action {
            count_from_text(&mut tags.emotes);
        }
        let kind = match tags.msg_id {
            Some(SHARED) => tags.source.msg_id.unwrap_or(SHARED),
            kind => kind.unwrap_or_default(),
        };
        Some(Self { channel, login, kind, system_text: unescape(system), text, is_action, tags, params })
    }

    pub fn into_event(self, received_at: Millis) -> NewEvent {
        let (text, fragments) = shown(self.text, &self.tags);
        let alert = Alert {
            alert: alerts::of(self.kind, &self.params, self.tags.user_id),
            system_text: self.system_text.trim_end().to_owned(),
            author: (!alerts::hides_author(self.kind)).then(|| author(&self.tags, self.login)),
            text,
            fragments,
            money: alerts::money(self.kind, &self.params),
            bits: self.tags.bits,
            flags: flags(&self.tags, self.is_action),
        };
        event(self.channel, &self.tags, Kind::Alert(alert), received_at)
    }
}

/// Twitch counts emotes in a notice's `/me` from the `A` of `ACTION `, not from the text as in a PRIVMSG.
/// Ranges that begin before the text show that it counted as it should.
fn count_from_text(emotes: &mut [EmoteRange<'_>]) {
    if emotes.iter().all(|emote| emote.first >= ACTION_LENGTH) {
        for emote in emotes {
            emote.first -= ACTION_LENGTH;
            emote.last -= ACTION_LENGTH;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(tags: &str, text: &str) -> Vec<(u32, u32)> {
        let line = format!("@msg-id=resub;{tags} USERNOTICE #lovelace :{text}");
        let line = Line::parse(&line).expect("a line");
        let notice = Usernotice::read(&line).expect("a notice");
        notice.tags.emotes.iter().map(|emote| (emote.first, emote.last)).collect()
    }

    #[test]
    fn ranges_of_an_action_are_counted_from_its_text() {
        assert_eq!(ranges("emotes=25:7-11", "\u{1}ACTION Kappa\u{1}"), [(0, 4)]);
        assert_eq!(ranges("emotes=25:0-4,7-11", "\u{1}ACTION Kappa  Kappa\u{1}"), [(0, 4), (7, 11)]);
        assert_eq!(ranges("emotes=25:7-11", "so cool Kappa"), [(7, 11)]);
    }

    #[test]
    fn a_shared_alert_is_of_the_kind_it_wraps() {
        let kind = |tags: &str| {
            let line = format!("@{tags} USERNOTICE #lovelace");
            let line = Line::parse(&line).expect("a line");
            Usernotice::read(&line).expect("a notice").kind.to_owned()
        };

        assert_eq!(kind("msg-id=sharedchatnotice;source-msg-id=raid"), "raid");
        assert_eq!(kind("source-msg-id=resub;msg-id=resub"), "resub");
        assert_eq!(kind("msg-id=sharedchatnotice"), "sharedchatnotice");
    }
}
