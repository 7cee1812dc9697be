//! What the tags of a person's line say, typed and borrowed: the same for PRIVMSG and USERNOTICE.
//! An empty tag and an absent one mean the same to Twitch, and are both None here.

use std::borrow::Cow;

use crate::chat::color::Color;
use crate::chat::{Millis, Shared};

use super::badges::{self, BadgeRef};
use super::emotes::{self, EmoteRange};
use super::irc::{Tags, unescape};

/// Stamps past the year 9999 are no dates.
const LAST_MILLIS: i64 = 253_402_300_799_999;

/// Every tag that says who spoke, when, and how.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MessageTags<'a> {
    pub id: Option<&'a str>,
    pub room_id: Option<&'a str>,
    pub user_id: Option<&'a str>,
    pub display_name: Option<Cow<'a, str>>,
    pub color: Option<Color>,
    pub badges: Vec<BadgeRef<'a>>,
    pub emotes: Vec<EmoteRange<'a>>,
    pub emote_only: bool,
    pub moderator: bool,
    pub subscriber: bool,
    pub turbo: bool,
    pub vip: bool,
    pub user_type: Option<&'a str>,
    /// The person's first message ever in this channel.
    pub first: bool,
    /// The person came back after a long absence.
    pub returning: bool,
    /// When Twitch took it. None for stamps that are missing or no dates: Twitch has sent negative ones.
    pub sent_at: Option<Millis>,
    /// The sender's own mark on it.
    pub nonce: Option<&'a str>,
    /// What AutoMod marked: `start-end:category.level`, as it stands.
    pub automod: Option<&'a str>,
    pub bits: Option<u64>,
    /// The channel-point reward it came with.
    pub reward_id: Option<&'a str>,
    /// A PRIVMSG's manner or a USERNOTICE's kind.
    pub msg_id: Option<&'a str>,
    pub animation_id: Option<&'a str>,
    pub reply: ReplyTags<'a>,
    pub paid: PaidTags<'a>,
    pub source: SourceTags<'a>,
}

impl<'a> MessageTags<'a> {
    /// Reads all tags in one pass; those it has no name for go to `other`.
    pub fn read(tags: Tags<'a>, mut other: impl FnMut(&'a str, &'a str)) -> Self {
        let mut all = Self::default();
        let (mut badges, mut badge_info) = ("", "");
        for (key, value) in tags {
            match key {
                "badges" => badges = value,
                "badge-info" => badge_info = value,
                _ if all.take(key, value) => {}
                _ => other(key, value),
            }
        }
        all.badges = badges::read(badges, badge_info);
        all
    }

    /// Takes one tag; false if it is none of these.
    fn take(&mut self, key: &str, value: &'a str) -> bool {
        if let Some(key) = key.strip_prefix("reply-") {
            return self.reply.take(key, value);
        }
        if let Some(key) = key.strip_prefix("source-") {
            return self.source.take(key, value);
        }
        if let Some(key) = key.strip_prefix("pinned-chat-paid-") {
            return self.paid.take(key, value);
        }
        match key {
            "id" => self.id = filled(value),
            "room-id" => self.room_id = filled(value),
            "user-id" => self.user_id = filled(value),
            "display-name" => self.display_name = filled(value).map(unescape),
            "color" => self.color = Color::parse(value),
            "emotes" => self.emotes = emotes::ranges(value).collect(),
            "emote-only" => self.emote_only = is_set(value),
            "mod" => self.moderator = is_set(value),
            "subscriber" => self.subscriber = is_set(value),
            "turbo" => self.turbo = is_set(value),
            "vip" => self.vip = is_set(value),
            "user-type" => self.user_type = filled(value),
            "first-msg" => self.first = is_set(value),
            "returning-chatter" => self.returning = is_set(value),
            "tmi-sent-ts" => self.sent_at = stamp(value),
            "client-nonce" => self.nonce = filled(value),
            "flags" => self.automod = filled(value),
            "bits" => self.bits = value.parse().ok(),
            "custom-reward-id" => self.reward_id = filled(value),
            "msg-id" => self.msg_id = filled(value),
            "animation-id" => self.animation_id = filled(value),
            _ => return false,
        }
        true
    }
}

/// The message this one answers: `reply-…`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplyTags<'a> {
    pub msg_id: Option<&'a str>,
    pub user_id: Option<&'a str>,
    pub user_login: Option<&'a str>,
    pub display_name: Option<Cow<'a, str>>,
    pub body: Option<Cow<'a, str>>,
    pub thread_msg_id: Option<&'a str>,
    pub thread_user_id: Option<&'a str>,
    pub thread_user_login: Option<&'a str>,
    pub thread_display_name: Option<Cow<'a, str>>,
}

impl<'a> ReplyTags<'a> {
    fn take(&mut self, key: &str, value: &'a str) -> bool {
        match key {
            "parent-msg-id" => self.msg_id = filled(value),
            "parent-user-id" => self.user_id = filled(value),
            "parent-user-login" => self.user_login = filled(value),
            "parent-display-name" => self.display_name = filled(value).map(unescape),
            "parent-msg-body" => self.body = filled(value).map(unescape),
            "thread-parent-msg-id" => self.thread_msg_id = filled(value),
            "thread-parent-user-id" => self.thread_user_id = filled(value),
            "thread-parent-user-login" => self.thread_user_login = filled(value),
            "thread-parent-display-name" => self.thread_display_name = filled(value).map(unescape),
            _ => return false,
        }
        true
    }
}

/// A Hype Chat: `pinned-chat-paid-…`. It ended in 2024 and lives on in recordings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaidTags<'a> {
    /// In the currency's smallest unit, see `exponent`. None where it is no number: recordings hold `5-00`.
    pub amount: Option<i64>,
    pub canonical_amount: Option<i64>,
    pub currency: Option<&'a str>,
    pub exponent: Option<u32>,
    pub level: Option<u32>,
    /// The person wrote nothing; the text is the platform's.
    pub system_message: bool,
}

impl<'a> PaidTags<'a> {
    fn take(&mut self, key: &str, value: &'a str) -> bool {
        match key {
            "amount" => self.amount = value.parse().ok(),
            "canonical-amount" => self.canonical_amount = value.parse().ok(),
            "currency" => self.currency = filled(value),
            "exponent" => self.exponent = value.parse().ok(),
            "level" => self.level = level(value),
            "is-system-message" => self.system_message = is_set(value),
            _ => return false,
        }
        true
    }
}

/// Where a copy in a shared chat comes from: `source-…`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceTags<'a> {
    pub id: Option<&'a str>,
    pub room_id: Option<&'a str>,
    /// The alert's real kind behind a `sharedchatnotice`.
    pub msg_id: Option<&'a str>,
    /// The person's badges in the other channel, as they stand.
    pub badges: Option<&'a str>,
    pub badge_info: Option<&'a str>,
    /// Shown only where it was typed.
    pub only: bool,
}

impl<'a> SourceTags<'a> {
    fn take(&mut self, key: &str, value: &'a str) -> bool {
        match key {
            "id" => self.id = filled(value),
            "room-id" => self.room_id = filled(value),
            "msg-id" => self.msg_id = filled(value),
            "badges" => self.badges = filled(value),
            "badge-info" => self.badge_info = filled(value),
            "only" => self.only = is_set(value),
            _ => return false,
        }
        true
    }

    /// The id all copies share, also in the channel where it was typed, so that they fold together.
    pub fn shared(&self, room_id: Option<&str>) -> Option<Shared> {
        let (source_id, channel_id) = (self.id?, self.room_id.or(room_id)?);
        Some(Shared { source_id: source_id.to_owned(), channel_id: channel_id.to_owned() })
    }
}

/// `tmi-sent-ts` as a date.
pub fn stamp(value: &str) -> Option<Millis> {
    value.parse().ok().filter(|ms| (1..=LAST_MILLIS).contains(ms)).map(Millis)
}

pub fn filled(value: &str) -> Option<&str> {
    Some(value).filter(|value| !value.is_empty())
}

fn is_set(value: &str) -> bool {
    value == "1"
}

/// Hype Chat levels are words.
fn level(word: &str) -> Option<u32> {
    const WORDS: [&str; 10] = ["ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN"];
    let at = WORDS.iter().position(|known| *known == word)?;
    u32::try_from(at + 1).ok()
}
