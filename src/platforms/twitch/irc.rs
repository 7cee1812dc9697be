//! One line of IRC, borrowed: tags, prefix, command, parameters. Nothing is copied until a value is unescaped.
//! Knows the grammar and no command.

use std::borrow::Cow;

use memchr::memchr;

/// A line's parts, as they stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    pub tags: Tags<'a>,
    pub prefix: Option<Prefix<'a>>,
    pub command: &'a str,
    /// Everything after the command.
    rest: &'a str,
}

impl<'a> Line<'a> {
    /// Reads one line, with or without its line end. None where it names no command.
    ///
    /// Runs of spaces between the parts count as one.
    pub fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim_end_matches(['\r', '\n']);
        let (tags, line) = match line.strip_prefix('@') {
            Some(tagged) => cut(tagged),
            None => ("", line),
        };
        let (prefix, line) = match line.strip_prefix(':') {
            Some(prefixed) => {
                let (prefix, line) = cut(prefixed);
                (Some(Prefix(prefix)), line)
            }
            None => (None, line),
        };
        let (command, rest) = cut(line);
        (!command.is_empty()).then_some(Self { tags: Tags(tags), prefix, command, rest })
    }

    pub fn params(&self) -> Params<'a> {
        Params(self.rest)
    }

    /// The channel's login: the first parameter without its `#`. None where the line is about no channel.
    pub fn channel(&self) -> Option<&'a str> {
        self.params().next()?.strip_prefix('#').filter(|login| !login.is_empty())
    }

    /// What was said: the parameter after the channel.
    ///
    /// Services that write lines anew leave out the colon before a single word, so a middle parameter counts too.
    pub fn text(&self) -> Option<&'a str> {
        self.params().nth(1)
    }
}

/// Who sent a line: `nick!user@host`, or a server's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix<'a>(&'a str);

impl<'a> Prefix<'a> {
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// The person's login. None for a server.
    pub fn nick(self) -> Option<&'a str> {
        let at = memchr(b'!', self.0.as_bytes())?;
        Some(&self.0[..at]).filter(|nick| !nick.is_empty())
    }
}

/// A line's parameters in order; the last may hold spaces.
#[derive(Debug, Clone)]
pub struct Params<'a>(&'a str);

impl<'a> Iterator for Params<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        if let Some(trailing) = self.0.strip_prefix(':') {
            self.0 = "";
            return Some(trailing);
        }
        let (param, rest) = cut(self.0);
        self.0 = rest;
        Some(param)
    }
}

/// A line's tags, in the order they stand in it. Values are raw: see [`unescape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tags<'a>(&'a str);

impl<'a> Tags<'a> {
    /// The raw value of one tag; empty where the tag has none. The last of several wins.
    pub fn find(self, key: &str) -> Option<&'a str> {
        self.into_iter().filter(|(name, _)| *name == key).last().map(|(_, value)| value)
    }

    /// The raw value of one tag. None where it is absent or empty, which Twitch uses alike.
    pub fn filled(self, key: &str) -> Option<&'a str> {
        self.find(key).filter(|value| !value.is_empty())
    }
}

impl<'a> IntoIterator for Tags<'a> {
    type Item = (&'a str, &'a str);
    type IntoIter = TagIter<'a>;

    fn into_iter(self) -> TagIter<'a> {
        TagIter(self.0)
    }
}

/// Tags as (key, raw value).
#[derive(Debug, Clone)]
pub struct TagIter<'a>(&'a str);

impl<'a> Iterator for TagIter<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            let (tag, rest) = match memchr(b';', self.0.as_bytes()) {
                Some(end) => (&self.0[..end], &self.0[end + 1..]),
                None => (self.0, ""),
            };
            self.0 = rest;
            if !tag.is_empty() {
                // Keys are short: a plain scan for `=` beats a vector search.
                return Some(match tag.bytes().position(|byte| byte == b'=') {
                    Some(end) => (&tag[..end], &tag[end + 1..]),
                    None => (tag, ""),
                });
            }
        }
        None
    }
}

/// A tag's value as it was meant: `\:` is `;`, `\s` a space, `\r` and `\n` line ends, any other `\x` is `x`,
/// and a lone `\` at the end is nothing.
pub fn unescape(value: &str) -> Cow<'_, str> {
    let Some(first) = memchr(b'\\', value.as_bytes()) else {
        return Cow::Borrowed(value);
    };
    let mut text = String::with_capacity(value.len());
    text.push_str(&value[..first]);
    let mut chars = value[first..].chars();
    while let Some(c) = chars.next() {
        let meant = if c == '\\' { chars.next().map(escaped) } else { Some(c) };
        text.extend(meant);
    }
    Cow::Owned(text)
}

fn escaped(c: char) -> char {
    match c {
        ':' => ';',
        's' => ' ',
        'r' => '\r',
        'n' => '\n',
        other => other,
    }
}

/// Splits at the first run of spaces.
fn cut(text: &str) -> (&str, &str) {
    match memchr(b' ', text.as_bytes()) {
        Some(end) => (&text[..end], text[end..].trim_start_matches(' ')),
        None => (text, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line<'_> {
        Line::parse(text).expect(text)
    }

    #[test]
    fn a_line_falls_into_its_parts() {
        let line = line("@a=1;b=2 :ada!ada@ada.tmi.twitch.tv PRIVMSG #lovelace :hello : there\r\n");

        assert_eq!(line.tags.into_iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
        assert_eq!(line.prefix.and_then(Prefix::nick), Some("ada"));
        assert_eq!(line.command, "PRIVMSG");
        assert_eq!(line.channel(), Some("lovelace"));
        assert_eq!(line.text(), Some("hello : there"));
    }

    #[test]
    fn every_part_but_the_command_may_be_missing() {
        assert_eq!(line("PING").params().count(), 0);
        assert_eq!(line(":tmi.twitch.tv PING").prefix.map(Prefix::as_str), Some("tmi.twitch.tv"));
        assert_eq!(line("@a=1 PING :x").params().collect::<Vec<_>>(), ["x"]);
        for nothing in ["", "   ", "@a=1", "@a=1 ", ":tmi.twitch.tv", "@a=1 :tmi.twitch.tv ", "\r\n"] {
            assert_eq!(Line::parse(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_single_word_needs_no_colon() {
        assert_eq!(line("USERNOTICE #lovelace 🫣").text(), Some("🫣"));
        assert_eq!(line("USERNOTICE #lovelace").text(), None);
        assert_eq!(line("USERNOTICE #lovelace :").text(), Some(""));
    }

    #[test]
    fn text_keeps_its_own_spaces_and_runs_elsewhere_count_as_one() {
        assert_eq!(line("PRIVMSG  #lovelace  :  two  ").text(), Some("  two  "));
    }

    #[test]
    fn a_tag_may_lack_its_value_or_hold_more_equals_signs() {
        let tags = line("@empty=;bare;;url=https://example.com/?a=b;bare=late PING").tags;

        assert_eq!(tags.find("empty"), Some(""));
        assert_eq!(tags.filled("empty"), None);
        assert_eq!(tags.find("url"), Some("https://example.com/?a=b"));
        assert_eq!(tags.find("bare"), Some("late"));
        assert_eq!(tags.find("absent"), None);
        assert_eq!(line("@ PING").tags.into_iter().count(), 0);
    }

    #[test]
    fn a_value_is_unescaped_as_the_grammar_says() {
        let cases = [
            ("plain", "plain"),
            (r"a\sb\:c\\d", r"a b;c\d"),
            (r"\r\n", "\r\n"),
            (r"\x\é", "xé"),
            (r"tail\", "tail"),
            (r"\\s", r"\s"),
        ];
        for (raw, meant) in cases {
            assert_eq!(unescape(raw), meant, "{raw}");
        }
        assert!(matches!(unescape("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn only_a_person_has_a_nick() {
        assert_eq!(line(":tmi.twitch.tv PING").prefix.and_then(Prefix::nick), None);
        assert_eq!(line(":!x@y PING").prefix.and_then(Prefix::nick), None);
    }
}
