//! NOTICE: what Twitch says to us rather than to the chat.

use super::irc::{Line, Prefix};
use super::tags::filled;

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
    from_server && to_us && AUTH_FAILURES.iter().any(refuses)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line<'_> {
        Line::parse(text).expect(text)
    }

    #[test]
    fn every_known_refusal_of_a_login_is_told() {
        for text in [
            "Login authentication failed",
            "Login unsuccessful",
            "Improperly formatted auth",
            "Improperly formatted AUTH",
            "Error logging in",
            "Invalid NICK",
        ] {
            assert!(is_auth_failure(&line(&format!(":tmi.twitch.tv NOTICE * :{text}"))), "{text}");
        }
    }

    #[test]
    fn nobody_but_the_server_can_write_us_out() {
        for text in [
            ":tmi.twitch.tv NOTICE #lovelace :Login authentication failed",
            ":ada!ada@ada.tmi.twitch.tv NOTICE * :Login authentication failed",
            "NOTICE * :Login authentication failed",
            ":tmi.twitch.tv NOTICE * :They say: Login authentication failed",
            ":tmi.twitch.tv NOTICE *",
        ] {
            assert!(!is_auth_failure(&line(text)), "{text}");
        }
    }

    #[test]
    fn a_suspended_channel_refuses_to_be_joined_and_slow_mode_does_not() {
        let notice = |id: &str| Notice { channel: Some("lovelace"), id: Some(id), text: "" }.refuses_join();

        assert!(notice("msg_channel_suspended"));
        assert!(!notice("slow_on"));
    }
}
