//! Properties on lines nobody would send: nothing panics, nothing of a text is lost.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use elora_chat::chat::fragments::{Fragment, Placed, split};
use elora_chat::chat::{Kind, NewEvent};
use elora_chat::platforms::twitch::{Heard, decode};

use super::{RECEIVED, captures, fixtures};

/// What a hostile line is put together from, besides pieces of real ones.
const PIECES: [&str; 24] = [
    "@",
    ":",
    ";",
    "=",
    " ",
    "#",
    ",",
    "/",
    "-",
    "\\",
    "\\s",
    "!",
    "\u{1}ACTION ",
    "\u{1}",
    "\u{E0000}",
    "\u{E0002}",
    "😂",
    "é",
    "emotes=25:0-4",
    "bits=9",
    "PRIVMSG #countess :",
    "Cheer1",
    "@ada ",
    "https://example.com/(",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_line_panics(line in ".*") {
        check(&line);
    }

    #[test]
    fn no_line_of_likely_pieces_panics(pieces in prop::collection::vec(select(PIECES.as_slice()), 0..40)) {
        check(&pieces.concat());
    }

    #[test]
    fn no_mutation_of_a_fixture_panics(
        line in select(lines()),
        at in any::<Index>(),
        length in 0_usize..20,
        piece in select(PIECES.as_slice()),
    ) {
        check(&mutated(&line, at, length, piece));
    }

    #[test]
    fn emotes_anywhere_leave_the_text_whole(
        text in "(Kappa|😂|é|\\PC){0,30}",
        ranges in prop::collection::vec((any::<u8>(), any::<u8>()), 0..8),
        bits in any::<bool>(),
    ) {
        let ranges: Vec<_> = ranges.iter().map(|(first, last)| format!("{}-{}", first % 40, last % 40)).collect();
        let bits = if bits { ";bits=50" } else { "" };
        let line = format!("@emotes=25:{}{bits} :ada!ada@ada PRIVMSG #countess :{text}", ranges.join(","));
        check(&line);
    }

    #[test]
    fn fragments_placed_anywhere_leave_the_text_whole(
        text in ".{0,40}",
        places in prop::collection::vec((any::<Index>(), any::<Index>()), 0..8),
        cheered in prop::option::of(any::<u64>()),
    ) {
        let place = |(start, end): &(Index, Index)| {
            let range = start.index(text.len() + 2)..end.index(text.len() + 2);
            let text = text.get(range.clone()).unwrap_or("?").to_owned();
            Placed { range, fragment: Fragment::Mention { login: "x".to_owned(), text } }
        };
        let fragments = split(&text, places.iter().map(place).collect(), cheered);
        prop_assert_eq!(concatenated(&fragments), text);
        prop_assert!(fragments.iter().all(|fragment| !fragment.text().is_empty()));
    }
}

#[test]
fn no_real_line_is_lost() {
    let Some(lines) = captures() else { return };
    let carries_an_event = ["PRIVMSG", "USERNOTICE", "CLEARCHAT", "CLEARMSG"];
    let mut events = 0;
    for line in &lines {
        let is_event = check(line);
        let is_due = carries_an_event.iter().any(|command| line.contains(&format!(" {command} #")));
        assert_eq!(is_event, is_due, "{line}");
        events += usize::from(is_event);
    }
    eprintln!("{} captured lines, {events} events", lines.len());
    assert!(events > 150, "only {events} events in {} lines", lines.len());
}

/// Decodes a line and holds its event to what is true of every event; true if there was one.
fn check(line: &str) -> bool {
    match decode(line, RECEIVED) {
        Heard::Event(event) => {
            check_event(&event, line);
            true
        }
        _ => false,
    }
}

fn check_event(event: &NewEvent, line: &str) {
    assert_ne!(event.native_id.as_deref(), Some(""), "{line}");
    assert_ne!(event.channel.id.as_deref(), Some(""), "{line}");
    assert_ne!(event.channel.login, "", "{line}");
    assert!(event.at.is_none_or(|at| at.0 > 0), "{line}");
    let (text, fragments) = match &event.kind {
        Kind::Message(message) => (&message.text, &message.fragments),
        Kind::Alert(alert) => (&alert.text, &alert.fragments),
        _ => return,
    };
    assert_eq!(concatenated(fragments), *text, "{line}");
    assert!(fragments.iter().all(|fragment| !fragment.text().is_empty()), "{line}");
    let two_texts = fragments.windows(2).any(|pair| matches!(pair, [Fragment::Text { .. }, Fragment::Text { .. }]));
    assert!(!two_texts, "text beside text: {line}");
}

fn concatenated(fragments: &[Fragment]) -> String {
    fragments.iter().map(Fragment::text).collect()
}

fn lines() -> Vec<String> {
    fixtures().into_iter().flat_map(|(_, lines)| lines).collect()
}

/// The line with some characters replaced by a piece.
fn mutated(line: &str, at: Index, length: usize, piece: &str) -> String {
    let count = line.chars().count();
    let at = at.index(count);
    let before = line.chars().take(at);
    before.chain(piece.chars()).chain(line.chars().skip(at + length)).collect()
}
