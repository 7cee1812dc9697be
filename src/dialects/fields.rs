//! A JSON object of somebody else's: what is not of the kind we look for counts as absent.

use serde_json::{Map, Value};

use crate::chat::color::Color;

pub type Fields = Map<String, Value>;

/// A text that is not empty.
pub fn text<'a>(fields: &'a Fields, key: &str) -> Option<&'a str> {
    fields.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// A text that may have been written as a number.
pub fn label(fields: &Fields, key: &str) -> Option<String> {
    label_of(fields.get(key)?)
}

pub fn label_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The first of these keys that holds a label.
pub fn first_label(fields: &Fields, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| label(fields, key))
}

/// A count, also one written as text.
pub fn count(fields: &Fields, key: &str) -> Option<u64> {
    match fields.get(key)? {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_u64(),
    }
}

/// JSON that some programs keep as text and others as it is.
pub fn json(fields: &Fields, keys: [&str; 2]) -> String {
    match keys.iter().filter_map(|key| fields.get(*key)).find(|value| !value.is_null()) {
        Some(Value::String(json)) => json.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

/// `#RRGGBB`, also with two more digits for how solid it is.
pub fn color(text: &str) -> Option<Color> {
    Color::parse(text).or_else(|| Color::parse(text.get(..7).filter(|_| text.len() == 9)?))
}
