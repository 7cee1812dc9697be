//! A message as clients of old draw it: words, emotes, and the colors, effects, patterns and commands that a viewer may
//! write before them. Derived from the text and its emotes for this form alone; nothing of it is stored.

use serde::Serialize;

use crate::chat::Fragment;

const COLORS: [&str; 12] =
    ["yellow", "red", "green", "cyan", "purple", "white", "flash1", "flash2", "flash3", "glow1", "glow2", "glow3"];
const RAINBOW: &str = "rainbow";
const EFFECTS: [&str; 6] = ["wave", "wave2", "shake", "slide", "scroll", "cheddar"];
const PATTERN: &str = "pattern";
/// Steps of a pattern at most.
const MOST_STEPS: usize = 8;
/// Words before a colon that count: a color and an effect, in any order.
const MOST_PREFIXES: usize = 2;

/// Where a picture of an emote lies, for the one provider there is so far.
const TWITCH_EMOTES: &str = "https://static-cdn.jtvnw.net/emoticons/v2";
const EMOTE_SIZE: u32 = 28;

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    pub r#type: &'static str,
    pub text: String,
    /// Empty but for an emote.
    pub emote: Emote,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Emote {
    pub id: String,
    pub name: String,
    pub locations: Vec<String>,
    pub images: Vec<Image>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Image {
    pub url: String,
    pub width: u32,
    pub height: u32,
    pub id: String,
}

/// Every emote of a message once, with all its places: first and last character, counted from 0.
pub fn emotes(fragments: &[Fragment]) -> Vec<Emote> {
    let mut emotes: Vec<Emote> = Vec::new();
    let mut at = 0;
    for fragment in fragments {
        let length = fragment.text().chars().count();
        if let Fragment::Emote { id, name, provider, .. } = fragment {
            let place = format!("{at}-{}", at + length.saturating_sub(1));
            match emotes.iter_mut().find(|emote| emote.id == *id) {
                Some(known) => known.locations.push(place),
                None => emotes.push(emote(id, name, provider, place)),
            }
        }
        at += length;
    }
    emotes
}

fn emote(id: &str, name: &str, provider: &str, place: String) -> Emote {
    let image = || Image {
        url: format!("{TWITCH_EMOTES}/{id}/default/dark/1.0"),
        width: EMOTE_SIZE,
        height: EMOTE_SIZE,
        id: format!("{id}-1x"),
    };
    let images = if provider == "twitch" { vec![image()] } else { Vec::new() };
    Emote { id: id.to_owned(), name: name.to_owned(), locations: vec![place], images }
}

/// The tokens of a message. An emote is known by the word that stands for it.
pub fn tokens(text: &str, emotes: &[Emote]) -> Vec<Token> {
    let mut words = text.split_whitespace();
    let Some(first) = words.next() else { return Vec::new() };
    if first.len() > 1
        && let Some(name) = first.strip_prefix('!')
    {
        return vec![command(name, text)];
    }
    let mut line = Line { tokens: Vec::new(), run: String::new(), emotes };
    let rest = line.prefixes(first);
    line.word(rest);
    words.for_each(|word| line.word(word));
    line.flush();
    line.tokens
}

/// Two commands are known; they are drawn as such, and do nothing.
fn command(name: &str, text: &str) -> Token {
    let known = match name {
        "color" | "colour" => "color",
        "help" | "h" => "help",
        _ => return token("text", text.trim()),
    };
    let words: Vec<&str> = std::iter::once(known).chain(text.split_whitespace().skip(1)).collect();
    token("command", &words.join(" "))
}

fn token(r#type: &'static str, text: &str) -> Token {
    Token { r#type, text: text.to_owned(), emote: Emote::default() }
}

/// What has been read so far.
struct Line<'a> {
    tokens: Vec<Token>,
    /// Text that is not finished yet.
    run: String,
    emotes: &'a [Emote],
}

impl<'a> Line<'a> {
    fn emote(&self, word: &str) -> Option<&'a Emote> {
        self.emotes.iter().find(|emote| emote.name == word)
    }

    /// Takes `color:`, `effect:` and `patternabc:` off the first word, and gives what is left of it.
    fn prefixes<'w>(&mut self, word: &'w str) -> &'w str {
        let mut rest = word;
        for _ in 0..MOST_PREFIXES {
            if self.emote(rest).is_some() {
                break;
            }
            let Some((name, after)) = rest.split_once(':') else { break };
            if COLORS.contains(&name) || name == RAINBOW {
                self.tokens.push(token("colour", name));
            } else if EFFECTS.contains(&name) {
                self.tokens.push(token("effect", name));
            } else if let Some(steps) = name.strip_prefix(PATTERN).filter(|steps| is_pattern(steps)) {
                if !steps.is_empty() {
                    self.tokens.push(token("pattern", steps));
                }
            } else {
                break;
            }
            rest = after;
        }
        rest
    }

    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if let Some(emote) = self.emote(word) {
            return self.show(word, emote);
        }
        if !self.run.is_empty() {
            self.run.push(' ');
        }
        let mut rest = word;
        while let Some((before, name, after)) = self.inner(rest) {
            self.run.push_str(before);
            if let Some(emote) = self.emote(name) {
                self.show(name, emote);
            }
            rest = after;
        }
        self.run.push_str(rest);
    }

    /// The first `:name:` inside of a word that is an emote, with what stands before and after it.
    fn inner<'w>(&self, word: &'w str) -> Option<(&'w str, &'w str, &'w str)> {
        let mut from = 0;
        while let Some(open) = word[from..].find(':').map(|at| from + at) {
            let close = word[open + 1..].find(':').map(|at| open + 1 + at)?;
            if self.emote(&word[open..=close]).is_some() {
                return Some((&word[..open], &word[open..=close], &word[close + 1..]));
            }
            from = open + 1;
        }
        None
    }

    fn show(&mut self, word: &str, emote: &Emote) {
        self.flush();
        self.tokens.push(Token { r#type: "emote", text: word.to_owned(), emote: emote.clone() });
    }

    fn flush(&mut self) {
        let text = self.run.trim();
        if !text.is_empty() {
            self.tokens.push(token("text", text));
        }
        self.run.clear();
    }
}

fn is_pattern(steps: &str) -> bool {
    steps.len() <= MOST_STEPS && steps.bytes().all(|step| step.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 6] = ["Clap", "Clap2", "KEKW", "FeelsGoodMan", GOAT, ":_DayoHog:"];
    const GOAT: &str = ":goat-turqouise-white-horns:";

    /// `C white|T some text`: type and text of each token.
    fn read(text: &str) -> String {
        let emotes: Vec<Emote> = KNOWN.iter().map(|name| emote(name, name, "test", "0-1".to_owned())).collect();
        let letter = |token: &Token| match token.r#type {
            "text" => 'T',
            "emote" => 'E',
            "colour" => 'C',
            "effect" => 'F',
            "pattern" => 'P',
            _ => 'X',
        };
        let tokens = tokens(text, &emotes);
        tokens.iter().map(|token| format!("{} {}", letter(token), token.text)).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn lines_are_read_as_they_always_were() {
        let cases: &[(&str, &str)] = &[
            ("white:", "C white"),
            ("    white:", "C white"),
            ("wave2:", "F wave2"),
            ("white:text", "C white|T text"),
            ("white:  text", "C white|T text"),
            ("white:  Clap2", "C white|E Clap2"),
            ("rainbow:wave2:KEKW", "C rainbow|F wave2|E KEKW"),
            ("wave2:rainbow:KEKW", "F wave2|C rainbow|E KEKW"),
            ("wave2:rainbow:   KEKW", "F wave2|C rainbow|E KEKW"),
            ("wave2:KEKW:KEKW", "F wave2|T KEKW:KEKW"),
            (":cyan:text", "T :cyan:text"),
            (":::::::::", "T :::::::::"),
            (":jaja::#:!@#:", "T :jaja::#:!@#:"),
            (":   ", "T :"),
            ("wave2:::::::::", "F wave2|T ::::::::"),
            ("pattern:I am a bumblebee!!!", "T I am a bumblebee!!!"),
            ("pattern:", ""),
            ("patternq3q3q3q3:I am", "P q3q3q3q3|T I am"),
            ("patternq3q3q3q3q:I am", "T patternq3q3q3q3q:I am"),
            ("", ""),
            ("   \t ", ""),
            ("  2[qrp]3-4t[    #(YT$ jd  ", "T 2[qrp]3-4t[ #(YT$ jd"),
            ("KEKW KEKW    FeelsGoodMan  !!!", "E KEKW|E KEKW|E FeelsGoodMan|T !!!"),
            ("KEKWKEKWFeelsGoodMan!", "T KEKWKEKWFeelsGoodMan!"),
            ("gren:This is green!", "T gren:This is green!"),
            ("Hey, you guys know about Gunz: The Duel?", "T Hey, you guys know about Gunz: The Duel?"),
            ("Clap", "E Clap"),
            ("::goat-turqouise-white-horns:", "T :|E :goat-turqouise-white-horns:"),
            (
                ":::slk:j::goat-turqouise-white-horns::fj::fd:::",
                "T :::slk:j:|E :goat-turqouise-white-horns:|T :fj::fd:::",
            ),
            (":_DayoHog::_DayoHog::_DayoHog:", "E :_DayoHog:|E :_DayoHog:|E :_DayoHog:"),
            (
                "patternq3q3q3q3:wave2::goat-turqouise-white-horns::_DayoHog:",
                "P q3q3q3q3|F wave2|E :goat-turqouise-white-horns:|E :_DayoHog:",
            ),
            (
                "cyan:wave2: Lets Go! :goat-turqouise-white-horns: Woo :_DayoHog:",
                "C cyan|F wave2|T Lets Go!|E :goat-turqouise-white-horns:|T Woo|E :_DayoHog:",
            ),
            ("!  ", "T !"),
            ("!anInvalidCommand", "T !anInvalidCommand"),
            ("!color purple", "X color purple"),
            ("!colour   purple", "X color purple"),
            ("!h", "X help"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text), *expected, "{text:?}");
        }
    }

    #[test]
    fn any_text_is_read_without_losing_a_letter() {
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        for text in ["é:ü: ::", "a :KEKW: b", "💩:_DayoHog:💩 x", ":_DayoHog::", "::_DayoHog:x:"] {
            let emotes: Vec<Emote> = KNOWN.iter().map(|name| emote(name, name, "test", "0-1".to_owned())).collect();
            let together: String = tokens(text, &emotes).iter().map(|token| token.text.clone()).collect();
            assert_eq!(letters(&together), letters(text), "{text:?}");
        }
    }

    #[test]
    fn places_count_characters() {
        let emote = |text: &str| Fragment::Emote {
            text: text.to_owned(),
            id: "25".to_owned(),
            name: text.to_owned(),
            provider: "twitch".to_owned(),
            animated: false,
            zero_width: false,
        };
        let fragments = [
            Fragment::Text { text: "é ".to_owned() },
            emote("Kappa"),
            Fragment::Text { text: " ".to_owned() },
            emote("Kappa"),
        ];

        let emotes = emotes(&fragments);

        assert_eq!(emotes.len(), 1);
        assert_eq!(emotes[0].locations, ["2-6", "8-12"]);
        assert_eq!(emotes[0].images[0].id, "25-1x");
    }
}
