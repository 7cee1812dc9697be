//! The kinds of our own events.

use serde_json::Value;

use crate::chat::{Alert, AlertType, Cleared, Edited, Gap, Kind, Removed, Status, Target};

use super::super::fields::{Fields, count, first_label, label, text};
use super::super::{Unreadable, stamp};
use super::said::{self, Said, part};

/// What an event says beside its kind's own words.
const HEAD: [&str; 7] = ["id", "kind", "platform", "channel", "native_id", "at", "state"];
/// Letters in the name of a kind.
const LONGEST_KIND: usize = 32;

/// A line without a kind is a message.
pub fn read(fields: Fields) -> Result<Kind, Unreadable> {
    let kind = text(&fields, "kind").unwrap_or("message").to_owned();
    Ok(match kind.as_str() {
        "message" => Kind::Message(said::message(fields)?),
        "alert" => Kind::Alert(alert(fields)?),
        "removed" => Kind::Removed(Removed { target: target(&fields)? }),
        "cleared" => Kind::Cleared(Cleared { target: target(&fields)?, duration_s: count(&fields, "duration_s") }),
        "edited" => Kind::Edited(edited(fields)?),
        "status" => Kind::Status(status(fields)?),
        "gap" => Kind::Gap(gap(&fields)?),
        _ => other(kind, fields)?,
    })
}

fn alert(mut fields: Fields) -> Result<Alert, Unreadable> {
    let alert = alert_type(fields.remove("alert"))?;
    let author = fields.get("author").and_then(said::author);
    let none = Said { text: String::new(), fragments: Vec::new(), bits: count(&fields, "bits"), flags: Vec::new() };
    let Said { text: said, fragments, bits, flags } = said::said(&mut fields).unwrap_or(none);
    let money = part(&mut fields, "money");
    let system_text = text(&fields, "system_text").unwrap_or_default().to_owned();
    Ok(Alert { alert, system_text, author, text: said, fragments, money, bits, flags })
}

/// An alert that this program has no name for is kept as it came.
fn alert_type(value: Option<Value>) -> Result<AlertType, Unreadable> {
    let value = value.ok_or(Unreadable::Missing("alert"))?;
    if let Ok(known) = serde_json::from_value(value.clone()) {
        return Ok(known);
    }
    let (name, params) = match value {
        Value::String(name) => (Some(name), Fields::new()),
        Value::Object(fields) => (first_label(&fields, &["type", "name"]), fields),
        _ => (None, Fields::new()),
    };
    let name = name.ok_or(Unreadable::Wrong("alert"))?;
    let params = params.keys().filter(|key| *key != "type").filter_map(|key| Some((key.clone(), label(&params, key)?)));
    Ok(AlertType::Other { name, params: params.collect() })
}

/// What is hit, by the platform's names: our own number of it means nothing in another store.
fn target(fields: &Fields) -> Result<Target, Unreadable> {
    let target = fields.get("target").and_then(Value::as_object).ok_or(Unreadable::Missing("target"))?;
    Ok(Target {
        id: None,
        native_id: label(target, "native_id"),
        author_id: label(target, "author_id"),
        author_login: label(target, "author_login"),
    })
}

fn edited(mut fields: Fields) -> Result<Edited, Unreadable> {
    let target = target(&fields)?;
    let Some(Value::String(text)) = fields.remove("text") else { return Err(Unreadable::Missing("text")) };
    let fragments = said::fragments(&text, &mut fields, None);
    Ok(Edited { target, text, fragments })
}

fn status(mut fields: Fields) -> Result<Status, Unreadable> {
    part(&mut fields, "status").ok_or(Unreadable::Wrong("status"))
}

fn gap(fields: &Fields) -> Result<Gap, Unreadable> {
    let gap = fields.get("gap").and_then(Value::as_object).ok_or(Unreadable::Missing("gap"))?;
    let time = |key| gap.get(key).and_then(stamp::of).ok_or(Unreadable::Wrong("gap"));
    let reason = text(gap, "reason").unwrap_or_default().to_owned();
    Ok(Gap { from: time("from")?, to: time("to")?, reason })
}

fn other(kind: String, mut fields: Fields) -> Result<Kind, Unreadable> {
    let is_name = kind.len() <= LONGEST_KIND
        && kind.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    if !is_name {
        return Err(Unreadable::Wrong("kind"));
    }
    for key in HEAD.into_iter().chain(["received_at"]) {
        fields.remove(key);
    }
    Ok(Kind::Other { kind, body: fields })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kind(line: Value) -> Result<Kind, Unreadable> {
        let Value::Object(fields) = line else { panic!("an object") };
        read(fields)
    }

    #[test]
    fn an_alert_of_no_known_type_is_kept_as_it_came() {
        let alert = |value: Value| match kind(json!({ "kind": "alert", "alert": value })) {
            Ok(Kind::Alert(Alert { alert: AlertType::Other { name, params }, .. })) => {
                (name, params.into_iter().collect())
            }
            other => panic!("{other:?}"),
        };

        assert_eq!(alert(json!("poll")), ("poll".to_owned(), vec![]));
        let told = json!({ "type": "poll", "title": "tea?", "votes": 7, "choices": ["yes"] });
        let params = vec![("title".to_owned(), "tea?".to_owned()), ("votes".to_owned(), "7".to_owned())];
        assert_eq!(alert(told), ("poll".to_owned(), params));
    }

    #[test]
    fn a_kind_from_tomorrow_keeps_its_own_words_alone() {
        let line = json!({ "kind": "poll", "platform": "twitch", "id": "7", "received_at": "x", "votes": 7 });

        let expected = Fields::from_iter([("votes".to_owned(), Value::from(7))]);
        assert_eq!(kind(line), Ok(Kind::Other { kind: "poll".to_owned(), body: expected }));
    }

    #[test]
    fn what_a_kind_needs_must_be_there() {
        let cases = [
            (json!({ "kind": "removed" }), Unreadable::Missing("target")),
            (json!({ "kind": "cleared", "target": "ada" }), Unreadable::Missing("target")),
            (json!({ "kind": "edited", "target": {} }), Unreadable::Missing("text")),
            (json!({ "kind": "alert" }), Unreadable::Missing("alert")),
            (json!({ "kind": "alert", "alert": 7 }), Unreadable::Wrong("alert")),
            (json!({ "kind": "status", "status": {} }), Unreadable::Wrong("status")),
            (json!({ "kind": "gap", "gap": { "from": 1 } }), Unreadable::Wrong("gap")),
            (json!({ "kind": "two words" }), Unreadable::Wrong("kind")),
            (json!({ "kind": "message", "text": "hi" }), Unreadable::Missing("author")),
        ];
        for (line, expected) in cases {
            assert_eq!(kind(line.clone()), Err(expected), "{line}");
        }
    }

    #[test]
    fn our_number_of_a_target_is_not_taken_over() {
        let line = json!({ "kind": "removed", "target": { "id": "1001", "native_id": "a1", "author_id": 7 } });

        let target = Target { native_id: Some("a1".into()), author_id: Some("7".into()), ..Target::default() };
        assert_eq!(kind(line), Ok(Kind::Removed(Removed { target })));
    }
}
