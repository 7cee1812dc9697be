//! NOTICE: what Twitch says to us rather than to the chat.

use super::irc::{Line, Prefix};
use super::said::filled;

/// Only this server speaks about our login.
const SERVER: &str = "tmi.twitch.tv";

/// How Twitch refuses a login. There is no id to tell it by; spelled with and without capitals over the years.
const AUTH_FAILURES: [&str; 5] = [
    "login authentication failed",
    "login unsuccessful",
    "improperly formatted auth",
    "error logging in",
    "invalid nick",
];

/// A notice about one channel, or about the connection where `channel` is None.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice<'a> {
    pub channel: Option<&'a str>,
    /// What kind it is: `msg_channel_suspended`, `slow_on`. None before login.
    pub id: Option<&'a str>,
    pub text: &'a str,
}

impl<'a> Notice<'a> {
    pub fn read(line: &Line<'a>) -> Self {
        let id = line.tags.find("msg-id").and_then(filled);
        Self { channel: line.channel(), id, text: line.text().unwrap_or_default() }
    }

    /// Whether the channel will not have us, now or ever: waiting for its ROOMSTATE is in vain.
    pub fn refuses_join(&self) -> bool {
        matches!(self.id, Some("msg_channel_suspended" | "msg_banned" | "msg_room_not_found" | "tos_ban"))
    }
}

/// Whether the line refuses our login: only `NOTICE *` from the server itself, or any chatter could write us out.
pub fn is_auth_failure(line: &Line<'_>) -> bool {
    let from_server = line.prefix.map(Prefix::as_str) == Some(SERVER);
    let to_us = line.params().next() == Some("*");
    let text = line.text().unwrap_or_default();
    let refuses = |known: &&str| text.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known));
    from_server && to_us && AUTH_FAILURES.iter().any(|known| refuses(&known))
}
