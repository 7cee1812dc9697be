//! Where the emotes of a text stand. Programs count in three ways: Twitch in code points with the last one included,
//! gnasty's YouTube in UTF-16 units with the end excluded, clients of old in code points. An emote's name tells which of
//! them fits. chat-downloader's YouTube has no places at all: there the name, `:like_this:`, stands in the text.

mod ruler;

use serde_json::Value;

use crate::chat::Fragment;
use crate::chat::fragments::{self, Placed};

use self::ruler::{Found, Ruler};

/// Emotes of one message that are looked at: far above what a platform lets people write.
const MOST_EMOTES: usize = 500;

/// The text as it is shown, and its fragments. What fits nowhere is left out alone.
///
/// The text differs where a platform has a picture for what is an emoji already: that is written as itself.
pub fn shown(text: &str, emotes: &[Value], provider: &str, bits: Option<u64>) -> (String, Vec<Fragment>) {
    if emotes.is_empty() {
        return (text.to_owned(), fragments::split(text, Vec::new(), bits));
    }
    let fragments = fragments::split(text, place(text, emotes, provider), bits);
    if !fragments.iter().any(|fragment| emoji(fragment).is_some()) {
        return (text.to_owned(), fragments);
    }
    let fragments = written(fragments);
    (fragments.iter().map(Fragment::text).collect(), fragments)
}

/// The emotes as fragments of `text`. Of those that overlap, the first stays.
fn place(text: &str, emotes: &[Value], provider: &str) -> Vec<Placed> {
    let ruler = Ruler::new(text);
    let mut found: Vec<Found> = emotes.iter().take(MOST_EMOTES).flat_map(|emote| ruler.find(emote)).collect();
    found.sort_by_key(|found| found.range.start);
    let mut end = 0;
    // Before anything is copied: a hostile list may place an emote over all of the text again and again.
    found.retain(|found| {
        let is_free = found.range.start >= end && !found.range.is_empty();
        end = if is_free { found.range.end } else { end };
        is_free
    });
    found.into_iter().map(|found| found.placed(text, provider)).collect()
}

impl Found {
    fn placed(self, text: &str, provider: &str) -> Placed {
        let text = text[self.range.clone()].to_owned();
        let name = if self.name.is_empty() { text.clone() } else { self.name };
        let provider = provider.to_owned();
        let fragment = Fragment::Emote { text, id: self.id, name, provider, animated: false, zero_width: false };
        Placed { range: self.range, fragment }
    }
}

/// The emoji that an emote is: platforms name those by themselves, and all others by letters.
fn emoji(fragment: &Fragment) -> Option<&str> {
    match fragment {
        Fragment::Emote { id, .. } if id.chars().all(|c| !c.is_ascii() && !c.is_alphanumeric()) => Some(id),
        _ => None,
    }
}

/// The fragments with emoji as text, joined to the text around them.
fn written(fragments: Vec<Fragment>) -> Vec<Fragment> {
    let mut written: Vec<Fragment> = Vec::with_capacity(fragments.len());
    for fragment in fragments {
        let fragment = match emoji(&fragment) {
            Some(emoji) => Fragment::Text { text: emoji.to_owned() },
            None => fragment,
        };
        match (written.last_mut(), fragment) {
            (Some(Fragment::Text { text }), Fragment::Text { text: more }) => text.push_str(&more),
            (_, fragment) => written.push(fragment),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::ruler::LONGEST_NAME;
    use super::*;

    /// The fragments as they read: emotes in brackets, with their id.
    fn drawn(text: &str, emotes: &Value) -> String {
        let emotes = emotes.as_array().expect("a list").clone();
        let (text, fragments) = shown(text, &emotes, "youtube", None);
        assert_eq!(text, fragments.iter().map(Fragment::text).collect::<String>());
        let draw = |fragment: &Fragment| match fragment {
            Fragment::Emote { text, id, .. } => format!("[{text} {id}]"),
            other => other.text().to_owned(),
        };
        fragments.iter().map(draw).collect()
    }

    #[test]
    fn every_way_of_counting_finds_its_emote() {
        let bounds = |name: &str, start: usize, end: usize| json!([{ "id": "e", "name": name, "locations": [{ "start": start, "end": end }] }]);
        let cases = [
            ("Kappa Kappa", json!(["25:0-4,6-10"]), "[Kappa 25] [Kappa 25]"),
            ("Kappa Keepo", json!(["25:0-4/1902:6-10"]), "[Kappa 25] [Keepo 1902]"),
            ("😂 Kappa", json!(["25:2-6"]), "😂 [Kappa 25]"),
            // The end excluded, in UTF-16 units: alone, after an emoji, after combining marks.
            (":x: ho", bounds(":x:", 0, 3), "[:x: e] ho"),
            ("😂:x:", bounds(":x:", 2, 5), "😂[:x: e]"),
            ("👩‍💻e\u{301} :x:", bounds(":x:", 8, 11), "👩‍💻e\u{301} [:x: e]"),
            // The last included, in code points.
            ("😂:x: a", bounds(":x:", 1, 3), "😂[:x: e] a"),
            ("hi Kappa", bounds("Kappa", 3, 7), "hi [Kappa e]"),
            ("😂 Kappa", bounds("Kappa", 2, 6), "😂 [Kappa e]"),
            // A name that says nothing: code points, the last included.
            ("hi Kappa", json!([{ "id": 25, "locations": [{ "start": 3, "end": 7 }] }]), "hi [Kappa 25]"),
            (
                "😂:x:",
                json!([{ "id": "e", "name": ":x:", "locations": [{ "startIndex": 2, "endIndex": 5 }] }]),
                "😂[:x: e]",
            ),
            (
                "😂:x:",
                json!([{ "id": "e", "name": ":x:", "locations": [{ "start_index": 1, "end_index": 4 }] }]),
                "😂[:x: e]",
            ),
            (
                "😂 Kappa a Kappa",
                json!([{ "id": "25", "name": "Kappa", "locations": ["2-6", "10-14"] }]),
                "😂 [Kappa 25] a [Kappa 25]",
            ),
            ("Kappa Kappa", json!([{ "id": "25", "name": "Kappa", "locations": "0-4,6-10" }]), "[Kappa 25] [Kappa 25]"),
        ];
        for (text, emotes, expected) in cases {
            assert_eq!(drawn(text, &emotes), expected, "{emotes}");
        }
    }

    #[test]
    fn emotes_that_touch_are_two() {
        let placed = json!([
            { "id": "UC/b", "name": ":b:", "locations": [{ "start": 3, "end": 6 }] },
            { "id": "UC/a", "name": ":a:", "locations": [{ "start": 0, "end": 3 }] },
        ]);
        let named = json!([{ "id": "UC/a", "name": ":a:" }, { "id": "UC/b", "name": ":b:", "locations": null }]);

        for emotes in [placed, named] {
            assert_eq!(drawn(":a::b:", &emotes), "[:a: UC/a][:b: UC/b]");
        }
    }

    #[test]
    fn what_is_an_emoji_is_written_as_one() {
        let face = json!([{ "id": "😳", "name": ":flushed_face:", "shortcuts": [":flushed_face:", ":flushed:"] }]);

        assert_eq!(drawn("oh:flushed_face::flushed_face: no", &face), "oh😳😳 no");
        let both = json!([
            { "id": "❤", "name": ":heart:", "locations": [{ "start": 0, "end": 7 }] },
            { "id": "UC/a", "name": ":a:", "locations": [{ "start": 7, "end": 10 }] },
        ]);
        assert_eq!(drawn(":heart::a:", &both), "❤[:a: UC/a]");
    }

    #[test]
    fn what_fits_nowhere_is_left_out_alone() {
        let bad = json!([
            "25:5-2", "25:0-99", ":0-1", 7, null, {}, { "name": "x" }, { "id": "e", "locations": 3 },
            { "id": "e", "name": "x", "locations": [{ "start": 9, "end": 3 }, { "start": -1, "end": 3 }, "a-b", "0", 4] },
            { "id": "e", "name": "x", "locations": [{ "start": 0, "end": u64::MAX }] },
            { "id": "word", "name": "ho" }, { "id": "e", "name": "" }, "1902:3-7",
        ]);

        assert_eq!(drawn("oh Keepo", &bad), "oh [Keepo 1902]");
    }

    #[test]
    fn a_place_taken_twice_stays_with_the_first() {
        let both = json!(["25:0-4", "1902:2-6", "86:6-7"]);

        assert_eq!(drawn("Kappa hi", &both), "[Kappa 25] [hi 86]");
        // Nothing is copied for those that are dropped.
        assert_eq!(place("Kappa hi", both.as_array().expect("a list"), "x").len(), 2);
    }

    #[test]
    fn a_name_too_long_for_an_emote_is_none() {
        let id = "x".repeat(LONGEST_NAME + 1);

        assert_eq!(
            drawn("Kappa", &json!([format!("{id}:0-4"), { "id": id, "name": "Kappa", "locations": ["0-4"] }])),
            "Kappa"
        );
    }
}
