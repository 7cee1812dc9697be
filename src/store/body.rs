//! What a kind keeps in its row beyond the columns, as JSON.
//!
//! The text has a column of its own, and a message that is one run of text needs no fragments: both are left out
//! here and put back when read.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::chat::message::{Flag, Money, Reply};
use crate::chat::{Alert, AlertType, Author, Edited, Fragment, Kind, Message, Target};

#[derive(Serialize)]
struct MessageBody<'a> {
    author: &'a Author,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fragments: &'a [Fragment],
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: &'a Option<Reply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    money: &'a Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    flags: &'a [Flag],
}

#[derive(Serialize)]
struct AlertBody<'a> {
    alert: &'a AlertType,
    #[serde(skip_serializing_if = "str::is_empty")]
    system_text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: &'a Option<Author>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fragments: &'a [Fragment],
    #[serde(skip_serializing_if = "Option::is_none")]
    money: &'a Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    flags: &'a [Flag],
}

#[derive(Serialize)]
struct EditedBody<'a> {
    target: &'a Target,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    fragments: &'a [Fragment],
}

/// The text column and the body column of a kind.
pub fn encode(kind: &Kind) -> (Option<&str>, String) {
    match kind {
        Kind::Message(m) => (Some(&m.text), json(&message(m))),
        Kind::Alert(a) => (Some(&a.text), json(&alert(a))),
        Kind::Edited(e) => {
            (Some(&e.text), json(&EditedBody { target: &e.target, fragments: shown(&e.text, &e.fragments) }))
        }
        Kind::Removed(removed) => (None, json(removed)),
        Kind::Cleared(cleared) => (None, json(cleared)),
        Kind::Status(status) => (None, json(status)),
        Kind::Gap(gap) => (None, json(gap)),
        Kind::Other { body, .. } => (None, json(body)),
    }
}

/// Reads a row back. A body that cannot be read any more passes through as it is, rather than being lost.
pub fn decode(kind: &str, text: Option<String>, body: &str) -> Kind {
    let text = text.unwrap_or_default();
    match kind {
        "message" => serde_json::from_str::<Message>(body).map(|mut message| {
            message.fragments = restored(&text, message.fragments);
            message.text = text;
            Kind::Message(message)
        }),
        "alert" => serde_json::from_str::<Alert>(body).map(|mut alert| {
            alert.fragments = restored(&text, alert.fragments);
            alert.text = text;
            Kind::Alert(alert)
        }),
        "edited" => serde_json::from_str::<Edited>(body).map(|mut edited| {
            edited.fragments = restored(&text, edited.fragments);
            edited.text = text;
            Kind::Edited(edited)
        }),
        "removed" => serde_json::from_str(body).map(Kind::Removed),
        "cleared" => serde_json::from_str(body).map(Kind::Cleared),
        "status" => serde_json::from_str(body).map(Kind::Status),
        "gap" => serde_json::from_str(body).map(Kind::Gap),
        _ => serde_json::from_str(body).map(|body| Kind::Other { kind: kind.to_owned(), body }),
    }
    .unwrap_or_else(|_| unreadable(kind, body))
}

fn unreadable(kind: &str, body: &str) -> Kind {
    let body = Map::from_iter([("unreadable".to_owned(), Value::String(body.to_owned()))]);
    Kind::Other { kind: kind.to_owned(), body }
}

fn message(m: &Message) -> MessageBody<'_> {
    MessageBody {
        author: &m.author,
        fragments: shown(&m.text, &m.fragments),
        reply: &m.reply,
        money: &m.money,
        bits: m.bits,
        flags: &m.flags,
    }
}

fn alert(a: &Alert) -> AlertBody<'_> {
    AlertBody {
        alert: &a.alert,
        system_text: &a.system_text,
        author: &a.author,
        fragments: shown(&a.text, &a.fragments),
        money: &a.money,
        bits: a.bits,
        flags: &a.flags,
    }
}

/// Nothing where one run of text says it all.
fn shown<'a>(text: &str, fragments: &'a [Fragment]) -> &'a [Fragment] {
    match fragments {
        [Fragment::Text { text: only }] if only == text => &[],
        _ => fragments,
    }
}

fn restored(text: &str, fragments: Vec<Fragment>) -> Vec<Fragment> {
    if fragments.is_empty() && !text.is_empty() {
        return vec![Fragment::Text { text: text.to_owned() }];
    }
    fragments
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("our own types have string keys and no failing serializers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada(text: &str, fragments: Vec<Fragment>) -> Kind {
        let author = Author {
            id: Some("7".to_owned()),
            login: "ada".to_owned(),
            name: "Ada".to_owned(),
            color: None,
            roles: vec![],
            badges: vec![],
            first: false,
        };
        let text = text.to_owned();
        Kind::Message(Message { author, text, fragments, reply: None, money: None, bits: None, flags: vec![] })
    }

    #[test]
    fn what_is_written_is_read_back() {
        let link = Fragment::Link { text: "https://a.test".to_owned(), url: "https://a.test/".to_owned() };
        for kind in [
            ada("hello", vec![Fragment::Text { text: "hello".to_owned() }]),
            ada("https://a.test", vec![link]),
            ada("", vec![]),
            Kind::Other { kind: "poll".to_owned(), body: Map::from_iter([("a".to_owned(), Value::from(1))]) },
        ] {
            let (text, body) = encode(&kind);
            assert_eq!(decode(kind.name(), text.map(str::to_owned), &body), kind);
        }
    }

    #[test]
    fn plain_text_is_stored_once() {
        let kind = ada("hello", vec![Fragment::Text { text: "hello".to_owned() }]);
        let (text, body) = encode(&kind);
        assert_eq!(text, Some("hello"));
        assert!(!body.contains("hello"), "{body}");
    }

    #[test]
    fn a_body_nobody_can_read_is_kept() {
        let kind = decode("message", Some("hi".to_owned()), "{}");
        assert_eq!(kind.name(), "message");
        assert!(matches!(kind, Kind::Other { .. }));
    }
}
