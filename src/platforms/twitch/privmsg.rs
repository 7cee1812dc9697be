//! PRIVMSG: what a person said. Typed and borrowed first, then as an event of the house.

use crate::chat::fragments::{self, Fragment};
use crate::chat::{Flag, Kind, Message, Millis, Money, NewEvent, Person, Reply};

use super::emotes;
use super::irc::{Line, Prefix};
use super::person::{author, channel_of};
use super::tags::{MessageTags, PaidTags, ReplyTags};
use super::text::{clean, unwrap_action};

/// A message as it stands in its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Privmsg<'a> {
    pub channel: &'a str,
    /// None where a server speaks.
    pub login: Option<&'a str>,
    /// What was said, freed from the wrapping of `/me`. Emote ranges count from its start.
    pub text: &'a str,
    pub is_action: bool,
    pub tags: MessageTags<'a>,
}

impl<'a> Privmsg<'a> {
    /// None where the line names no channel.
    pub fn read(line: &Line<'a>) -> Option<Self> {
        let mut params = line.params();
        let channel = params.next()?.strip_prefix('#').filter(|login| !login.is_empty())?;
        let (text, is_action) = unwrap_action(params.next().unwrap_or_default());
        let login = line.prefix.and_then(Prefix::nick);
        Some(Self { channel, login, text, is_action, tags: MessageTags::read(line.tags, |_, _| {}) })
    }

    pub fn into_event(self, received_at: Millis) -> NewEvent {
        let Self { channel, login, text, is_action, tags } = self;
        let (text, fragments) = shown(text, &tags);
        let message = Message {
            author: author(&tags, login),
            text,
            fragments,
            reply: reply(&tags.reply),
            money: money(&tags.paid),
            bits: tags.bits,
            flags: flags(&tags, is_action).into_iter().chain(manner(&tags)).collect(),
        };
        event(channel, &tags, Kind::Message(message), received_at)
    }
}

/// An event with the place, id and time that the tags of a person's line say.
pub fn event(channel: &str, tags: &MessageTags<'_>, kind: Kind, received_at: Millis) -> NewEvent {
    NewEvent {
        channel: channel_of(channel, tags.room_id),
        native_id: tags.id.map(str::to_owned),
        at: tags.sent_at,
        received_at,
        shared: tags.source.shared(tags.room_id),
        backfill: false,
        kind,
    }
}

/// The text as it is shown and its fragments.
pub fn shown(text: &str, tags: &MessageTags<'_>) -> (String, Vec<Fragment>) {
    let text = clean(text);
    let fragments = fragments::split(&text, emotes::place(&text, &tags.emotes), tags.bits);
    (text.into_owned(), fragments)
}

/// How it was said. Manners this program has no name for keep Twitch's, in the house's spelling.
pub fn flags(tags: &MessageTags<'_>, is_action: bool) -> Vec<Flag> {
    let facts = [
        (is_action, Flag::ACTION),
        (tags.returning, Flag::RETURNING),
        (tags.emote_only, Flag::EMOTE_ONLY),
        (tags.reward_id.is_some(), Flag::REWARD),
        (tags.source.only, Flag::SOURCE_ONLY),
        (tags.paid.system_message, Flag::new("system_message")),
    ];
    facts.into_iter().filter_map(|(is_so, flag)| is_so.then_some(flag)).collect()
}

/// What a PRIVMSG's `msg-id` says of it; a USERNOTICE's is its kind instead.
fn manner(tags: &MessageTags<'_>) -> impl Iterator<Item = Flag> {
    let manner = tags.msg_id.map(|id| match id {
        "highlighted-message" => Flag::HIGHLIGHTED,
        "skip-subs-mode-message" => Flag::SKIP_SUBS_MODE,
        "user-intro" => Flag::USER_INTRO,
        "gigantified-emote-message" => Flag::GIGANTIFIED,
        "animated-message" => Flag::ANIMATED,
        other => Flag::new(other.replace('-', "_")),
    });
    let animation = tags.animation_id.map(|id| Flag::new(id.replace('-', "_")));
    manner.into_iter().chain(animation)
}

/// The message this one answers. The text keeps its leading `@name`: emote ranges count it.
fn reply(tags: &ReplyTags<'_>) -> Option<Reply> {
    let name = tags.display_name.as_deref().or(tags.user_login).unwrap_or_default();
    let author = Person {
        id: tags.user_id.map(str::to_owned),
        login: tags.user_login.map_or_else(|| name.to_lowercase(), str::to_owned),
        name: name.to_owned(),
    };
    let (body, _) = unwrap_action(tags.body.as_deref().unwrap_or_default());
    Some(Reply {
        native_id: tags.msg_id?.to_owned(),
        author,
        text: clean(body).into_owned(),
        thread_id: tags.thread_msg_id.map(str::to_owned),
    })
}

/// What a Hype Chat cost. None where the amount, its exponent or the currency is not readable: no sum is better than a
/// wrong one.
fn money(paid: &PaidTags<'_>) -> Option<Money> {
    let money = Money::of_minor(paid.amount?, paid.exponent?, paid.currency?)?;
    Some(Money { tier: paid.level, ..money })
}
