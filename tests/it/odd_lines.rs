//! Lines no platform should send: too long, with controls in them, or beyond any frame. They cost at most themselves.

use crate::support::scene::watching;
use crate::support::twitch::lines::{privmsg, privmsg_with};
use crate::support::twitch::{ADA, BOB, Chatter};

const MIB: usize = 1024 * 1024;
/// What a long line may leave behind in the server, in KiB: its copies on the way, once.
const GROWTH_KIB: u64 = 32 * 1024;

#[tokio::test]
async fn names_of_any_length_and_script_come_through() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let long = "芽".repeat(200);
    let people = [
        Chatter { id: 1, name: Box::leak(long.clone().into_boxed_str()), ..BOB },
        Chatter { id: 2, name: "\u{202e}gnorw\u{2066}", ..BOB },
        Chatter { id: 3, name: "<script>alert(1)</script>", ..BOB },
        Chatter { id: 4, name: "a\\sb\\:c\\\\d", ..BOB },
    ];

    for (who, shown) in people.iter().zip([long.as_str(), people[1].name, people[2].name, "a b;c\\d"]) {
        let id = twitch.say("room", who, "hello").await;
        assert_eq!(feed.event(&id).await["author"]["name"], shown);
    }

    let items = server.get("/api/messages").await.json();
    assert_eq!(items["items"][3]["username"], long.as_str());
}

#[tokio::test]
async fn controls_inside_a_line_reach_the_viewer_as_they_are() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let odd =
        ["a\0b", "\u{1b}[31mred\u{1b}[0m", "tab\tand\u{7f}", "\u{85}\u{2028}\u{2029}\u{feff}", "\u{1}x\u{1}", "\r"];

    let mut ids = Vec::new();
    for text in odd {
        ids.push(twitch.say("room", &ADA, text).await);
    }
    let last = twitch.say("room", &ADA, "after").await;
    feed.event(&last).await;

    for (id, text) in ids.iter().zip(odd) {
        let event = feed.find(id).unwrap_or_else(|| panic!("{text:?} is lost"));
        let shown = if text == "\r" { "" } else { text };
        assert_eq!(event["text"], shown, "{text:?}");
    }
    let mut late = server.feed("?last=100").await;
    late.event(&last).await;
    assert_eq!(late.events, feed.events, "the store gives back what was live");
    let texts = server.get("/api/messages").await.json();
    assert!(texts["items"].as_array().is_some_and(|items| items.iter().any(|item| item["text"] == "a\0b")));
    assert!(!server.said().contains('\u{1b}') || !server.said().contains("red"), "chat stands in the log");
}

#[tokio::test]
async fn a_line_of_a_mebibyte_is_cut_and_the_next_one_is_whole() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    twitch.burst("room", 10, 1000).await;
    let before = server.rss_kib();

    for letter in ["é", "x", "\u{1f642}"] {
        let long = privmsg("room", &BOB, &letter.repeat(MIB / letter.len()));
        twitch.send_raw(&long.raw).await;
        let next = twitch.say("room", &ADA, "whole").await;
        assert_eq!(feed.event(&next).await["text"], "whole");
        let cut = feed.find(&long.native_id()).expect("what fits is kept");
        let text = cut["text"].as_str().expect("a text");
        assert!(text.len() > 10_000 && text.len() < 20_000 && !text.contains('\u{fffd}'), "{} bytes", text.len());
    }
    let long_tag = privmsg_with("room", &BOB, "never reached", &format!("reply-parent-msg-body={}", "y".repeat(MIB)));
    twitch.send_raw(&long_tag.raw).await;
    let last = twitch.say("room", &ADA, "after a long tag").await;
    feed.event(&last).await;

    assert!(!feed.has(&long_tag.native_id()), "a line cut inside its tags says nothing");
    assert_eq!(twitch.read(|book| book.connections.len()), 1, "the connection was given up");
    let grown = server.rss_kib().saturating_sub(before);
    assert!(grown <= GROWTH_KIB, "{grown} KiB for four long lines");
}

#[tokio::test]
async fn a_frame_beyond_all_bounds_costs_the_connection_and_no_line() {
    let (twitch, server, mut feed) = watching(&["room"]).await;
    let before = twitch.say("room", &ADA, "before").await;

    twitch.send_raw(&privmsg("room", &BOB, &"x".repeat(5 * MIB)).raw).await;
    twitch.until("the client is back", |book| book.connections.len() > 1 && book.has_listener("room")).await;
    let after = twitch.say("room", &ADA, "after").await;
    feed.event(&after).await;

    assert_eq!(feed.message_ids(), [before, after]);
    assert_eq!(server.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn garbage_between_lines_costs_nothing() {
    let (twitch, server, mut feed) = watching(&["room"]).await;

    for garbage in
        ["", "\0", "@", ":", "@;;;= :x PRIVMSG", "PRIVMSG #room", "@id= :!@ PRIVMSG #room :", "🙂🙂", " \r\n "]
    {
        twitch.send_raw(garbage).await;
        twitch.say("room", &ADA, "between").await;
    }
    let last = twitch.say("room", &ADA, "last").await;
    feed.event(&last).await;

    let owed = twitch.read(|book| book.owed_ids("room"));
    assert_eq!(feed.message_ids(), owed);
    assert_eq!(twitch.read(|book| book.connections.len()), 1);
    assert!(!server.said().contains("panicked"));
}
