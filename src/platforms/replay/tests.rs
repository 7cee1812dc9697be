//! The shipped recording keeps what it promises.

use std::collections::{BTreeMap, BTreeSet};

use super::recording::SHIPPED;
use crate::chat::{Alert, AlertType, Author, Channel, Fragment, Kind, Message, NewEvent, Platform};
use crate::dialects::read_line;

const MOST_BYTES: usize = 150 * 1024;

fn events() -> Vec<NewEvent> {
    let text = std::str::from_utf8(SHIPPED).expect("it is text");
    let read = |(n, line)| match read_line(line, &BTreeSet::new()) {
        Ok(events) if events.len() == 1 => events.into_iter(),
        other => panic!("line {n}: {other:?}"),
    };
    (1..).zip(text.lines()).flat_map(read).collect()
}

fn said(event: &NewEvent) -> Option<&Message> {
    match &event.kind {
        Kind::Message(message) => Some(message),
        _ => None,
    }
}

fn author(event: &NewEvent) -> Option<&Author> {
    match &event.kind {
        Kind::Message(message) => Some(&message.author),
        Kind::Alert(Alert { author, .. }) => author.as_ref(),
        _ => None,
    }
}

#[test]
fn every_line_of_it_is_an_event_with_a_time() {
    let events = events();

    assert!((150..=300).contains(&events.len()), "{}", events.len());
    assert!(SHIPPED.len() <= MOST_BYTES);
    let times: Vec<i64> = events.iter().map(|event| event.at.expect("every event has a time").0).collect();
    assert!(times.is_sorted());
    let seconds = (times[times.len() - 1] - times[0]) / 1_000;
    assert!((180..=300).contains(&seconds), "{seconds} s");
    let breaks = times.windows(2).map(|pair| pair[1] - pair[0]).max();
    assert!(breaks <= Some(3_000), "a lively chat is not silent for {breaks:?} ms");
}

#[test]
fn it_has_an_event_of_every_kind() {
    let events = events();
    let kinds: BTreeSet<&str> = events.iter().map(|event| event.kind.name()).collect();
    assert_eq!(kinds, BTreeSet::from(["alert", "cleared", "edited", "gap", "message", "removed", "status"]));

    let platforms: BTreeSet<&Platform> = events.iter().map(|event| &event.channel.platform).collect();
    assert_eq!(platforms, BTreeSet::from([&Platform::TWITCH, &Platform::YOUTUBE, &Platform::KICK]));

    let alerts = events.iter().filter_map(|event| match &event.kind {
        Kind::Alert(alert) => Some(alert.alert.name()),
        _ => None,
    });
    let alerts: BTreeSet<&str> = alerts.collect();
    for alert in ["sub", "resub", "gift", "gift_bulk", "raid", "announcement", "watch_streak", "bits_badge", "charity"]
    {
        assert!(alerts.contains(alert), "no {alert}");
    }
    let unnamed = |event: &&NewEvent| matches!(&event.kind, Kind::Alert(Alert { alert: AlertType::Other { .. }, .. }));
    assert_eq!(events.iter().find(unnamed), None);
}

#[test]
fn it_shows_all_that_a_message_can_be() {
    let events = events();
    let messages: Vec<&Message> = events.iter().filter_map(said).collect();
    let any =
        |what: &str, is_so: &dyn Fn(&Message) -> bool| assert!(messages.iter().any(|said| is_so(said)), "no {what}");

    any("reply", &|said| said.reply.is_some());
    any("cheer", &|said| said.bits.is_some());
    any("first message", &|said| said.author.first);
    any("action", &|said| said.flags.contains(&crate::chat::Flag::ACTION));
    any("highlight", &|said| said.flags.contains(&crate::chat::Flag::HIGHLIGHTED));
    any("long line", &|said| said.text.chars().count() > 250);
    any("name without a color", &|said| said.author.color.is_none());
    for (script, from, to) in [("Arabic", 'ء', 'ي'), ("kana", 'ぁ', 'ん'), ("Hangul", '가', '힣'), ("emoji", '🌀', '🫿')]
    {
        any(script, &|said| said.text.chars().any(|c| (from..=to).contains(&c)));
    }
    any("marks that combine", &|said| said.text.contains('\u{337}') || said.text.contains('\u{334}'));
    let currencies: BTreeSet<&str> =
        messages.iter().filter_map(|said| Some(said.money.as_ref()?.currency.as_str())).collect();
    assert!(currencies.len() >= 3, "{currencies:?}");
    let fragments = messages.iter().flat_map(|said| &said.fragments);
    let kinds: BTreeSet<&str> = fragments.clone().map(kind).collect();
    assert_eq!(kinds, BTreeSet::from(["cheer", "emote", "link", "mention", "text"]));
    let emotes = fragments.filter(|fragment| kind(fragment) == "emote").count();
    assert!(emotes >= 20, "only {emotes} emotes");
}

fn kind(fragment: &Fragment) -> &'static str {
    match fragment {
        Fragment::Text { .. } => "text",
        Fragment::Emote { .. } => "emote",
        Fragment::Mention { .. } => "mention",
        Fragment::Link { .. } => "link",
        Fragment::Cheer { .. } => "cheer",
    }
}

#[test]
fn moderators_and_replies_name_what_was_said_before() {
    let mut before: BTreeMap<String, String> = BTreeMap::new();
    for event in events() {
        let named = match &event.kind {
            Kind::Removed(removed) => removed.target.native_id.as_ref(),
            Kind::Edited(edited) => edited.target.native_id.as_ref(),
            Kind::Message(message) => message.reply.as_ref().map(|reply| &reply.native_id),
            _ => None,
        };
        assert!(named.is_none_or(|id| before.contains_key(id)), "{event:?}");
        if let (Some(reply), Some(id)) = (said(&event).and_then(|said| said.reply.as_ref()), named) {
            assert_eq!(before[id], reply.text);
        }
        if let (Some(said), Some(id)) = (said(&event), event.native_id.clone()) {
            assert_eq!(before.insert(id.clone(), said.text.clone()), None, "{id} is there twice");
        }
    }
}

/// Nobody can have a dash in a login of Twitch, or at the beginning of a handle of YouTube.
#[test]
fn nobody_in_it_can_be_somebody() {
    for event in events() {
        let Channel { platform, login, .. } = &event.channel;
        let is_unreal = |login: &str| match platform.as_str() {
            "youtube" => login.starts_with("@-"),
            _ => login.contains('-'),
        };
        assert!(is_unreal(login), "{login}");
        assert!(author(&event).is_none_or(|author| is_unreal(&author.login)), "{event:?}");
        let hosts = said(&event).into_iter().flat_map(|said| &said.fragments).filter_map(|fragment| match fragment {
            Fragment::Link { url, .. } => Some(url),
            _ => None,
        });
        for url in hosts {
            assert!(
                ["com", "net", "org"].iter().any(|end| url.starts_with(&format!("https://example.{end}/"))),
                "{url}"
            );
        }
    }
}
