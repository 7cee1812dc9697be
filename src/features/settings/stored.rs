//! The settings as they lie in the store: only what was changed, so that all the rest follows the environment.

use serde_json::{Map, Value};

use super::Kept;
use super::document::{Document, VERSION, under};

const SCHEMA_VERSION: &str = "schemaVersion";

/// The fields that lie in the list of sources.
const OF_THE_LIST: [&str; 2] = ["twitchChannel", "youtubeSourceUrl"];

/// What differs from the environment's document, as text.
pub fn to_store(kept: &Kept, seed: &Kept) -> String {
    let mut changed = changed(kept, seed);
    changed.insert(SCHEMA_VERSION.to_owned(), VERSION.into());
    Value::Object(changed).to_string()
}

/// The names of the settings that differ from the environment's, as `tailer.maxBatch`.
pub fn names_of_changed(kept: &Kept, seed: &Kept) -> Vec<String> {
    let mut names = Vec::new();
    name_leaves(&Value::Object(changed(kept, seed)), "", &mut names);
    names
}

/// But for the sources, which have a list of their own.
fn changed(kept: &Kept, seed: &Kept) -> Map<String, Value> {
    let (Value::Object(kept), Value::Object(seed)) = (Document::of(kept).to_value(), Document::of(seed).to_value())
    else {
        return Map::new();
    };
    let mut changed = difference(kept, &seed);
    changed.retain(|key, _| !OF_THE_LIST.contains(&key.as_str()));
    changed
}

/// The fields that differ. A list is one value, and an object in which nothing differs is left out.
fn difference(fields: Map<String, Value>, from: &Map<String, Value>) -> Map<String, Value> {
    let differing = |(key, value)| match (value, from.get(&key)) {
        (value, Some(from)) if value == *from => None,
        (Value::Object(fields), Some(Value::Object(from))) => Some((key, difference(fields, from).into())),
        (value, _) => Some((key, value)),
    };
    fields.into_iter().filter_map(differing).collect()
}

fn name_leaves(value: &Value, path: &str, names: &mut Vec<String>) {
    let Value::Object(fields) = value else { return names.push(path.to_owned()) };
    for (key, value) in fields {
        name_leaves(value, &under(path, key), names);
    }
}

/// The settings in a stored document, over those of the environment. Its sources are none of its business.
pub fn from_store(text: &str, seed: &Document) -> Result<Document, String> {
    let stored: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Value::Object(stored) = stored else { return Err("it is no JSON object".to_owned()) };
    match stored.get(SCHEMA_VERSION).and_then(Value::as_i64) {
        Some(VERSION) => seed.with(stored),
        other => Err(format!("its schemaVersion is {other:?}, and this program knows {VERSION}")),
    }
}
