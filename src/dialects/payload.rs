//! What a platform sent, as a harvester kept it beside a message. Read shallowly: most rows need one field of many.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The fields of a JSON object, each still unread. Empty for anything else.
#[derive(Debug, Default)]
pub struct Payload<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Payload<'a> {
    pub fn read(json: &'a str) -> Self {
        if !json.trim_start().starts_with('{') {
            return Self::default();
        }
        serde_json::from_str(json).map(Self).unwrap_or_default()
    }

    /// A text that is not empty.
    pub fn text(&self, key: &str) -> Option<String> {
        // Looking at the quote first spares reading what may be a whole tree.
        let json = self.0.get(key)?.get();
        if !json.starts_with('"') {
            return None;
        }
        serde_json::from_str(json).ok().filter(|text: &String| !text.is_empty())
    }

    /// The fields of an object in it.
    pub fn part(&self, key: &str) -> Payload<'a> {
        self.0.get(key).map(|json| Payload::read(json.get())).unwrap_or_default()
    }

    /// What stands there, as JSON; empty for nothing.
    pub fn json(&self, key: &str) -> &'a str {
        self.0.get(key).map(|json| json.get()).unwrap_or_default()
    }

    /// The first text under one of these names, which programs spell with or without capitals and lines between words.
    pub fn named(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.0.keys().filter(|key| is_spelling(key, name)).find_map(|key| self.text(key)))
    }
}

fn is_spelling(key: &str, name: &str) -> bool {
    let letters = key.bytes().filter(u8::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase());
    letters.eq(name.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_every_spelling() {
        for json in [r#"{"video_id":"x"}"#, r#"{"videoId":"x"}"#, r#"{"a":{"b":[1]},"VIDEO-ID":"x","videoid":3}"#] {
            assert_eq!(Payload::read(json).named(&["videoid"]).as_deref(), Some("x"), "{json}");
        }
    }

    #[test]
    fn what_is_no_object_is_empty() {
        for json in ["", "null", "[1]", "\"a\"", "{\"a\":", "{\"a\":1}x"] {
            assert!(Payload::read(json).0.is_empty(), "{json}");
        }
    }
}
