//! What a message is shown as: runs of text, emotes, mentions, links and cheers. Never HTML.
//! [`split`] makes them, for every platform alike.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use url::Url;

/// One run of a message. The `text` of all fragments concatenates to the message's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Fragment {
    Text {
        text: String,
    },
    /// A picture named by (provider, id); each wire form derives its address from that.
    Emote {
        text: String,
        id: String,
        name: String,
        provider: String,
        #[serde(default)]
        animated: bool,
        /// Drawn over the emote before it.
        #[serde(default)]
        zero_width: bool,
    },
    /// `@name`; `login` is the name in lower case.
    Mention {
        text: String,
        login: String,
    },
    Link {
        text: String,
        url: String,
    },
    /// A cheer word such as `Cheer100`, only in messages that carry bits.
    Cheer {
        text: String,
        prefix: String,
        bits: u64,
    },
}

impl Fragment {
    pub fn text(&self) -> &str {
        match self {
            Self::Text { text }
            | Self::Emote { text, .. }
            | Self::Mention { text, .. }
            | Self::Link { text, .. }
            | Self::Cheer { text, .. } => text,
        }
    }
}

/// A fragment the platform has already found, by its byte range in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub range: Range<usize>,
    pub fragment: Fragment,
}

/// Splits a text: what the platform placed, and between that mentions, links, cheer words and plain text.
///
/// `cheered` is the message's total of bits; cheer words are only looked for where it is given. Of placed fragments
/// that overlap the first stays; one whose range does not fit the text is dropped. The fragments' texts concatenate
/// to `text`.
pub fn split(text: &str, mut placed: Vec<Placed>, cheered: Option<u64>) -> Vec<Fragment> {
    placed.sort_by_key(|placed| placed.range.start);
    let mut run = Run { text, cheered, fragments: Vec::with_capacity(placed.len() * 2 + 1), plain: 0..0 };
    for Placed { range, fragment } in placed {
        if !range.is_empty() && range.start >= run.plain.end && text.get(range.clone()) == Some(fragment.text()) {
            run.words(range.start);
            run.push(range.end, fragment);
        }
    }
    run.words(text.len());
    run.flush();
    run.fragments
}

/// A text being split. `plain` is what is read and not yet in a fragment; everything before it is.
struct Run<'a> {
    text: &'a str,
    cheered: Option<u64>,
    fragments: Vec<Fragment>,
    plain: Range<usize>,
}

impl Run<'_> {
    /// Reads words up to `end`.
    fn words(&mut self, end: usize) {
        // Nearly every message is plain: look closer only where a word could be more.
        let rest = &self.text[self.plain.end..end];
        if self.cheered.is_none() && memchr::memchr2(b'@', b':', rest.as_bytes()).is_none() {
            self.plain.end = end;
            return;
        }
        while self.plain.end < end {
            let rest = &self.text[self.plain.end..end];
            let word = rest.split(char::is_whitespace).next().unwrap_or(rest);
            let word_end = self.plain.end + word.len();
            if self.begins_word() {
                self.word(word_end);
            }
            self.plain.end = word_end;
            let space = self.text[word_end..end].chars().next().map_or(0, char::len_utf8);
            self.plain.end += space;
        }
    }

    /// Whether what comes next does not stick to an emote before it.
    fn begins_word(&self) -> bool {
        self.text[..self.plain.end].chars().next_back().is_none_or(char::is_whitespace)
    }

    /// Reads one word: what is special in it becomes a fragment, the rest stays to be read as plain.
    fn word(&mut self, end: usize) {
        let word = &self.text[self.plain.end..end];
        let body = word.trim_start_matches(OPENING);
        let body_start = end - body.len();
        let ends_word = self.text[end..].chars().next().is_none_or(char::is_whitespace);
        let found = match self.cheered {
            Some(total) if ends_word && body.len() == word.len() => cheer(word, total),
            _ => None,
        };
        if let Some(fragment) = found.or_else(|| mention(body)).or_else(|| link(body)) {
            self.plain.end = body_start;
            self.push(body_start + fragment.text().len(), fragment);
        }
    }

    /// Adds a fragment that ends at `end` and begins where reading stands.
    fn push(&mut self, end: usize, fragment: Fragment) {
        self.flush();
        self.fragments.push(fragment);
        self.plain = end..end;
    }

    fn flush(&mut self) {
        if !self.plain.is_empty() {
            self.fragments.push(Fragment::Text { text: self.text[self.plain.clone()].to_owned() });
        }
        self.plain.start = self.plain.end;
    }
}

/// What may stand before a mention or a link without being part of it.
const OPENING: [char; 6] = ['(', '[', '{', '<', '"', '\''];

/// What ends a sentence rather than an address.
const CLOSING: [char; 12] = ['.', ',', '!', '?', ';', ':', '\'', '"', ')', ']', '}', '>'];

fn mention(word: &str) -> Option<Fragment> {
    let name = word.strip_prefix('@')?;
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
    if end == 0 {
        return None;
    }
    Some(Fragment::Mention { text: word[..=end].to_owned(), login: name[..end].to_lowercase() })
}

fn link(word: &str) -> Option<Fragment> {
    let has_scheme = |scheme: &str| word.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if !has_scheme("https://") && !has_scheme("http://") {
        return None;
    }
    let text = address(word);
    let url = Url::parse(text).ok()?;
    Some(Fragment::Link { text: text.to_owned(), url: url.into() })
}

/// The word without the punctuation after it. A closing bracket stays if it was opened within.
fn address(word: &str) -> &str {
    let opened = word.matches('(').count();
    let mut closed = word.matches(')').count();
    let mut text = word;
    while let Some(last) = text.chars().next_back().filter(|last| CLOSING.contains(last)) {
        if last == ')' {
            if closed <= opened {
                break;
            }
            closed -= 1;
        }
        text = &text[..text.len() - last.len_utf8()];
    }
    text
}

/// A prefix and an amount as one whole word. Prefixes are open (`uni6`, `firstCheer100`, `shared9Cheer1`), so that any
/// is taken; no word cheers more than the whole message.
fn cheer(word: &str, total: u64) -> Option<Fragment> {
    let prefix = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_prefix =
        prefix.starts_with(|c: char| c.is_ascii_alphabetic()) && prefix.bytes().all(|b| b.is_ascii_alphanumeric());
    let amount = &word[prefix.len()..];
    let bits = amount.parse().ok().filter(|bits| (1..=total).contains(bits))?;
    let is_amount = !amount.starts_with('0');
    (is_prefix && is_amount).then(|| Fragment::Cheer { text: word.to_owned(), prefix: prefix.to_owned(), bits })
}
