//! What the package chat-downloader makes of Twitch's lines and of YouTube's pages.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::PathBuf;

use elora_chat::chat::subscription::{GiftBulk, Subscription};
use elora_chat::chat::{AlertType, Channel, Cleared, Fragment, Kind, Message, NewEvent, Platform, Target};
use elora_chat::dialects::{Unreadable, read_line};
use serde_json::Value;

use super::{heard, read};
use crate::support::skip::skipped;

/// Messages of which the package drops something that cannot be had back, by how their ids begin.
const LOSSY: [(&str, &str); 13] = [
    ("4fbd6867", "a text without its colon"),
    ("1a0a7c59", "a text without its colon"),
    ("bf2ef25e", "how a recipient spells their name"),
    ("2af77ccd", "how a recipient spells their name"),
    ("636af909", "how a recipient spells their name"),
    ("a3c14870", "a login unlike the shown name"),
    ("ba0a5b5d", "a login unlike the shown name"),
    ("f18c8af2", "a login unlike the shown name"),
    ("dd20063d", "a login unlike the shown name"),
    ("216b6b31", "the login of who has no shown name"),
    ("53ee5d44", "the beginning of a /me without an end"),
    ("f69f54f1", "what badges say, but for a subscriber's"),
    ("7ff14a07", "what badges say, but for a subscriber's"),
];

/// What is told to the viewer of YouTube's page, or told again.
const PASSED_OVER: [&str; 6] =
    ["ticker_", "banner", "remove_banner", "tooltip", "viewer_engagement_message", "gift_message_view_model"];

#[test]
fn a_message_of_twitch_means_what_its_line_means() {
    let wanted = BTreeSet::from(["twitch:countess".parse::<Channel>().expect("a channel")]);
    let text = fs::read_to_string("tests/fixtures/dialects/chat-downloader-twitch.jsonl").expect("the fixture");
    let mut same = 0;
    for pair in text.lines() {
        let pair: Value = serde_json::from_str(pair).expect("JSON");
        let line = pair["line"].as_str().expect("a line");

        let (heard, read) = (heard(line), read(&pair["dict"].to_string(), &wanted).pop());

        let id = heard.as_ref().and_then(|event| event.native_id.clone()).unwrap_or_default();
        let loss = LOSSY.iter().find(|(lossy, _)| id.starts_with(lossy)).map(|(_, loss)| *loss);
        assert_eq!(heard != read, loss.is_some(), "{loss:?}: {line}\n{heard:?}\n{read:?}");
        same += usize::from(loss.is_none() && heard.is_some());
    }
    assert!(same > 60, "only {same} messages are the same");
}

#[test]
fn everything_on_youtube_means_what_its_record_says() {
    let wanted = BTreeSet::from(["youtube:@engine".parse::<Channel>().expect("a channel")]);
    let text = fs::read_to_string("tests/fixtures/dialects/chat-downloader-youtube.jsonl").expect("the fixture");
    for record in text.lines() {
        let record: Value = serde_json::from_str(record).expect("JSON");

        let read = read_line(&record["dict"].to_string(), &wanted);

        let means = match read {
            Ok(events) => {
                assert!(events.iter().all(|event| wanted.contains(&event.channel)), "{record}");
                events.iter().map(summary).collect::<Vec<_>>().into()
            }
            Err(error) => Value::from(error.to_string()),
        };
        assert_eq!(means, record["means"], "{record}");
    }
}

/// An event in a line: emotes in brackets, and only what there is.
fn summary(event: &NewEvent) -> String {
    let id = event.native_id.clone().unwrap_or_default();
    match &event.kind {
        Kind::Message(message) => {
            let Message { author, fragments, money, .. } = message;
            let badges = author.badges.iter().map(|badge| format!(" {}/{}", badge.set, badge.version));
            let roles = author.roles.iter().map(|role| format!(" {}", role.as_str()));
            let money =
                money.iter().map(|money| format!(" {} {} {}", money.amount_micros, money.currency, money.display));
            let rest: String = roles.chain(badges).chain(money).collect();
            let author_id = author.id.as_deref().unwrap_or("-");
            format!("message {id} {} {author_id} '{}'{rest}", author.login, drawn(fragments))
        }
        Kind::Alert(alert) => {
            let detail = match &alert.alert {
                AlertType::Resub(Subscription { months: Some(months), plan_name: Some(plan), .. }) => {
                    format!(" {months} {plan}")
                }
                AlertType::GiftBulk(GiftBulk { count: Some(count), .. }) => format!(" {count}"),
                AlertType::Other { name, .. } => format!(" {name}"),
                _ => String::new(),
            };
            let author = alert.author.as_ref().map_or("-", |author| author.login.as_str());
            format!("{}{detail} {id} {author} '{}' {}", alert.alert.name(), drawn(&alert.fragments), alert.system_text)
        }
        Kind::Edited(edited) => {
            let target = edited.target.native_id.as_deref().unwrap_or_default();
            format!("edited {target} '{}'", drawn(&edited.fragments))
        }
        Kind::Removed(removed) => format!("removed {}", removed.target.native_id.as_deref().unwrap_or_default()),
        Kind::Cleared(cleared) => format!("cleared {}", cleared.target.author_id.as_deref().unwrap_or_default()),
        other => other.name().to_owned(),
    }
}

fn drawn(fragments: &[Fragment]) -> String {
    let draw = |fragment: &Fragment| match fragment {
        Fragment::Emote { text, .. } => format!("[{text}]"),
        other => other.text().to_owned(),
    };
    fragments.iter().map(draw).collect()
}

#[test]
fn the_first_scripts_line_is_a_message_of_the_one_wanted_channel() {
    let line = r##"{"message":"hi :cat:","author":"Ada.L","emotes":[{"id":"UCx/cat","name":":cat:"}],
        "badges":[{"title":"Moderator","icon_name":"moderator"}],"colour":"#0000FF"}"##;
    let wanted = BTreeSet::from(["youtube:@engine".parse::<Channel>().expect("a channel")]);

    let events = read(line, &wanted);

    assert_eq!(events.iter().map(summary).collect::<Vec<_>>(), ["message  ada.l - 'hi [:cat:]' moderator moderator/"]);
    assert_eq!((events[0].native_id.as_deref(), events[0].at), (None, None));
    assert_eq!(read_line(line, &BTreeSet::new()), Err(Unreadable::Missing("platform")));
}

#[test]
fn a_ban_of_nobody_is_not_one_of_everybody() {
    let cleared = |line: &str| {
        read_line(line, &BTreeSet::new()).map(|events| events.into_iter().map(|event| event.kind).collect::<Vec<_>>())
    };
    let all = Kind::Cleared(Cleared { target: Target::default(), duration_s: None });

    assert_eq!(cleared(r#"{"action_type":"clear_chat","message_type":"clear_chat"}"#), Ok(vec![all]));
    assert_eq!(
        cleared(r#"{"action_type":"clear_chat","message_type":"ban_user"}"#),
        Err(Unreadable::Missing("banned_user"))
    );
}

#[test]
fn a_captured_line_of_youtube_is_read_or_passed_over_for_a_reason() {
    let folder = env::var_os("ELORA_CAPTURES").map_or_else(|| PathBuf::from("../shared/captures"), PathBuf::from);
    let path = folder.join("chat-downloader/youtube-from-fixtures.jsonl");
    let Ok(text) = fs::read_to_string(&path) else {
        return skipped(&format!("no captures at {}: set ELORA_CAPTURES to their folder", path.display()));
    };
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.len() > 100, "only {} lines", lines.len());

    for line in lines {
        let kind = line["message"]["message_type"].as_str().expect("a type");
        let events = read(&line["message"].to_string(), &BTreeSet::new());

        let is_passed_over = PASSED_OVER.iter().any(|passed| kind.starts_with(passed));
        assert_eq!(events.is_empty(), is_passed_over, "{line}");
        events.iter().for_each(|event| check(event, &line["message"]));
    }
}

/// What is true of every event that a line made.
fn check(event: &NewEvent, line: &Value) {
    assert_eq!(event.channel, Channel::unnamed(Platform::YOUTUBE), "{line}");
    let seconds = event.at.map(|at| at.0 / 1000);
    assert_eq!(seconds, line["timestamp"].as_i64().filter(|at| *at > 0).map(|at| at / 1_000_000), "{line}");
    let Kind::Message(message) = &event.kind else { return };
    assert_eq!(event.native_id.as_deref(), line["message_id"].as_str(), "{line}");
    let author = line["author"]["id"].as_str().map(|id| id.trim_start_matches("http://www.youtube.com/channel/"));
    assert_eq!(message.author.id.as_deref(), author, "{line}");
    assert_eq!(message.money.as_ref().map(|money| money.display.as_str()), line["money"]["text"].as_str(), "{line}");
}
