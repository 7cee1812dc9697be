//! What was said, freed from how it was sent: `/me`, and the marks that clients add.

use std::borrow::Cow;

use memchr::memchr;

const ACTION_START: &str = "\u{1}ACTION ";
const ACTION_END: char = '\u{1}';

/// Clients end a repeated message with a space and this, because Twitch refuses the same text twice in a row.
const REPEAT_MARK: char = '\u{E0000}';

/// Some clients send the joiner of emoji as this, because Twitch takes the joiner away.
const JOINER_STAND_IN: char = '\u{E0002}';
const JOINER: &str = "\u{200D}";

/// Takes the wrapping of `/me` away; true if there was one. The end mark may be missing.
pub fn unwrap_action(text: &str) -> (&str, bool) {
    match text.strip_prefix(ACTION_START) {
        Some(said) => (said.strip_suffix(ACTION_END).unwrap_or(said), true),
        None => (text, false),
    }
}

/// The text without the repeat mark and with whole emoji. Counts the same code points up to its end, so that emote
/// ranges still hold.
pub fn clean(text: &str) -> Cow<'_, str> {
    // Nearly every message ends in neither mark; both begin with the same byte.
    if memchr(0xF3, text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let said = match text.ends_with(REPEAT_MARK) {
        true => text.trim_end_matches([REPEAT_MARK, ' ']),
        false => text,
    };
    if said.contains(JOINER_STAND_IN) {
        return Cow::Owned(said.replace(JOINER_STAND_IN, JOINER));
    }
    Cow::Borrowed(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_unwrapped_with_or_without_its_end() {
        assert_eq!(unwrap_action("\u{1}ACTION waves\u{1}"), ("waves", true));
        assert_eq!(unwrap_action("\u{1}ACTION waves"), ("waves", true));
        assert_eq!(unwrap_action("ACTION waves"), ("ACTION waves", false));
        assert_eq!(unwrap_action("\u{1}ACTION \u{1}"), ("", true));
    }

    #[test]
    fn the_repeat_mark_is_taken_from_the_end_only() {
        assert_eq!(clean("+join \u{E0000}"), "+join");
        assert_eq!(clean("+join \u{E0000} \u{E0000}"), "+join");
        assert_eq!(clean("a \u{E0000} b "), "a \u{E0000} b ");
        assert_eq!(clean("ends in a space "), "ends in a space ");
    }

    #[test]
    fn emoji_get_their_joiner_back() {
        assert_eq!(clean("👩\u{E0002}💻"), "👩\u{200D}💻");
    }
}
