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
        if self.cheered.is_none() && memchr::memchr3(b'@', b':', b'.', rest.as_bytes()).is_none() {
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

/// Host names ending like this are addresses even alone.
const ENDINGS: [&str; 6] = ["com", "net", "org", "tv", "gg", "io"];

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
    let text = address(word);
    let url = if has_scheme("https://") || has_scheme("http://") {
        Url::parse(text).ok()?
    } else if is_bare_address(text) {
        Url::parse(&format!("https://{text}")).ok()?
    } else {
        return None;
    };
    Some(Fragment::Link { text: text.to_owned(), url: url.into() })
}

/// Whether a word without a scheme is an address: `www.…`, a host with a path, or a host that ends like most do.
/// People leave out the space after a full stop more often than they name rare endings.
fn is_bare_address(text: &str) -> bool {
    let host_end = text.find(['/', '?', '#', ':']).unwrap_or(text.len());
    let (host, rest) = text.split_at(host_end);
    let Some((name, ending)) = host.rsplit_once('.') else {
        return false;
    };
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_host = name.split('.').all(is_label) && ending.len() > 1 && ending.bytes().all(|b| b.is_ascii_alphabetic());
    let is_known = |known: &&str| ending.eq_ignore_ascii_case(known);
    is_host && (rest.starts_with('/') || name.starts_with("www.") || ENDINGS.iter().any(is_known))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A fragment as `kind:text` and what it adds.
    fn shown(fragment: &Fragment) -> String {
        match fragment {
            Fragment::Text { text } => text.clone(),
            Fragment::Emote { text, id, .. } => format!("emote:{text}:{id}"),
            Fragment::Mention { text, login } => format!("mention:{text}:{login}"),
            Fragment::Link { text, url } => format!("link:{text}:{url}"),
            Fragment::Cheer { text, prefix, bits } => format!("cheer:{text}:{prefix}:{bits}"),
        }
    }

    fn words(text: &str) -> Vec<String> {
        split(text, Vec::new(), None).iter().map(shown).collect()
    }

    fn cheers(text: &str, total: u64) -> Vec<String> {
        split(text, Vec::new(), Some(total)).iter().map(shown).filter(|shown| shown.starts_with("cheer:")).collect()
    }

    fn emote(text: &str, range: Range<usize>) -> Placed {
        let name = text.get(range.clone()).unwrap_or("?").to_owned();
        let fragment = Fragment::Emote {
            text: name.clone(),
            id: "1".to_owned(),
            name,
            provider: "test".to_owned(),
            animated: false,
            zero_width: false,
        };
        Placed { range, fragment }
    }

    #[test]
    fn plain_text_is_one_fragment_and_no_text_is_none() {
        assert_eq!(words("nothing special, e.g. 1.5 or so..."), ["nothing special, e.g. 1.5 or so..."]);
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn a_mention_stands_at_the_start_of_a_word() {
        assert_eq!(words("@Ada: hi"), ["mention:@Ada:ada", ": hi"]);
        assert_eq!(words("(@에이다)"), ["(", "mention:@에이다:에이다", ")"]);
        assert_eq!(words("me@example.org @ @! a@b"), ["me@example.org @ @! a@b"]);
    }

    #[test]
    fn a_link_leaves_the_sentence_its_punctuation() {
        assert_eq!(words("http://a.example/x."), ["link:http://a.example/x:http://a.example/x", "."]);
        assert_eq!(words("<https://a.example/(x)>"), ["<", "link:https://a.example/(x):https://a.example/(x)", ">"]);
        assert_eq!(words("(https://a.example/x))"), ["(", "link:https://a.example/x:https://a.example/x", "))"]);
        assert_eq!(words("https:// http://. javascript:x"), ["https:// http://. javascript:x"]);
    }

    #[test]
    fn an_address_needs_no_scheme_where_it_cannot_be_a_sentence() {
        assert_eq!(words("example.com!"), ["link:example.com:https://example.com/", "!"]);
        assert_eq!(words("youtu.be/x?t=1"), ["link:youtu.be/x?t=1:https://youtu.be/x?t=1"]);
        assert_eq!(words("www.example.museum"), ["link:www.example.museum:https://www.example.museum/"]);
        assert_eq!(words("yes.no and/or .com a..com x.y/z ünï.com"), ["yes.no and/or .com a..com x.y/z ünï.com"]);
    }

    #[test]
    fn a_cheer_is_a_whole_word_within_the_total() {
        assert_eq!(
            cheers("Cheer1 uni6 shared9Cheer1", 100),
            ["cheer:Cheer1:Cheer:1", "cheer:uni6:uni:6", "cheer:shared9Cheer1:shared9Cheer:1"]
        );
        assert_eq!(cheers("Cheer100. (Cheer1) 100 Cheer Cheer0 Cheer01 9a9 Cheer101 é1", 100), [""; 0]);
        assert_eq!(cheers("Cheer99999999999999999999999", u64::MAX), [""; 0]);
    }

    #[test]
    fn what_the_platform_placed_comes_first() {
        let text = "Kappa.@Ada Kappa";

        let placed = vec![emote(text, 11..16), emote(text, 0..5)];

        let shown: Vec<_> = split(text, placed, None).iter().map(shown).collect();
        assert_eq!(shown, ["emote:Kappa:1", ".@Ada ", "emote:Kappa:1"]);
    }

    #[test]
    fn a_placed_fragment_that_does_not_fit_is_dropped_alone() {
        let text = "é Kappa";

        let bad = [0..0, 1..2, 0..1, 3..99, 99..100, 5..8];
        let placed = bad.into_iter().chain(std::iter::once(3..8)).map(|range| emote(text, range)).collect();

        let shown: Vec<_> = split(text, placed, None).iter().map(shown).collect();
        assert_eq!(shown, ["é ", "emote:Kappa:1"]);
    }

    #[test]
    fn a_cheer_does_not_stick_to_an_emote() {
        let text = "KappaCheer1 Cheer1";

        let fragments = split(text, vec![emote(text, 0..5)], Some(2));

        let shown: Vec<_> = fragments.iter().map(shown).collect();
        assert_eq!(shown, ["emote:Kappa:1", "Cheer1 ", "cheer:Cheer1:Cheer:1"]);
    }
}
