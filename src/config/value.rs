//! How one value is read: each function takes the text of one key and says what would have been right.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serializer};
use url::Url;

use super::REDACTED;

/// A day: longer waits are a slip of the keyboard.
const LONGEST_MS: u64 = 86_400_000;

/// The parts of a comma list, trimmed, without blank ones.
pub fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

pub fn parsed<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<T, D::Error> {
    text(deserializer)?.parse().map_err(Error::custom)
}

/// `1/0/yes/no/on/off/true/false`, and the other words that older files use.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match text(deserializer)?.to_ascii_lowercase().as_str() {
        "1" | "yes" | "on" | "true" | "t" | "show" | "enable" => Ok(true),
        "0" | "no" | "off" | "false" | "f" | "hide" | "disable" => Ok(false),
        _ => Err(Error::custom("not a switch: write 1 or 0 (also yes/no, on/off, true/false)")),
    }
}

/// One of an enum's names, in any case. The error lists them.
pub fn choice<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    let name = text(deserializer)?.to_ascii_lowercase();
    T::deserialize(serde::de::value::StringDeserializer::<serde::de::value::Error>::new(name)).map_err(Error::custom)
}

pub fn list<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let text = text(deserializer)?;
    items(&text).map(|item| item.parse().map_err(|error| Error::custom(format!("`{item}`: {error}")))).collect()
}

pub fn positive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    match text(deserializer)?.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(Error::custom("not a whole number above 0")),
    }
}

pub fn millis<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match text(deserializer)?.parse() {
        Ok(number @ 1..=LONGEST_MS) => Ok(Duration::from_millis(number)),
        _ => Err(Error::custom("not a time in milliseconds: write a whole number from 1 to 86400000")),
    }
}

/// Like [`millis`], where no time at all has a meaning.
pub fn millis_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    match text(deserializer)?.parse() {
        Ok(number @ 0..=LONGEST_MS) => Ok(Duration::from_millis(number)),
        _ => Err(Error::custom("not a time in milliseconds: write a whole number from 0 to 86400000")),
    }
}

pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    text(deserializer)?.parse().map_err(|_| Error::custom("not a whole number from 0 to 4294967295"))
}

/// Words apart by commas, semicolons or blanks, in lower case, each once.
pub fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let text = text(deserializer)?.to_lowercase();
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';')).filter(|word| !word.is_empty()) {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_owned());
        }
    }
    Ok(words)
}

pub fn as_millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

pub fn web_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    address(deserializer, &["http", "https"], "not a web address: write it as https://chat.example.com").map(Some)
}

/// A web address that there always is.
pub fn base<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    address(deserializer, &["http", "https"], "not a web address: write it as https://host or http://127.0.0.1:port")
}

pub fn socket_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    upstream(deserializer).map(Some)
}

pub fn as_address<S: Serializer>(url: &Option<Url>, serializer: S) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => as_upstream(url, serializer),
        None => serializer.serialize_none(),
    }
}

/// An address may carry a password, which is nobody's business.
pub fn as_upstream<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
    let mut url = url.clone();
    if url.password().is_some() && url.set_password(Some(REDACTED)).is_err() {
        return serializer.serialize_str(REDACTED);
    }
    serializer.serialize_str(url.as_str())
}

pub fn upstream<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    address(deserializer, &["ws", "wss"], "not a WebSocket address: write it as wss://host:port or ws://host:port")
}

fn address<'de, D: Deserializer<'de>>(deserializer: D, schemes: &[&str], remedy: &str) -> Result<Url, D::Error> {
    let url = Url::parse(&text(deserializer)?).ok();
    url.filter(|url| schemes.contains(&url.scheme()) && url.has_host()).ok_or_else(|| Error::custom(remedy))
}

pub fn journal_mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    const MODES: [&str; 5] = ["wal", "delete", "truncate", "persist", "memory"];
    let mode = text(deserializer)?.to_ascii_lowercase();
    if MODES.contains(&mode.as_str()) {
        return Ok(mode);
    }
    Err(Error::custom(format!("not a journal mode: use one of {}", MODES.join(", "))))
}

pub fn log_level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let level = text(deserializer)?.to_ascii_lowercase();
    let level = if level == "warning" { "warn".to_owned() } else { level };
    match tracing_subscriber::EnvFilter::builder().parse(&level) {
        Ok(_) if is_known_level(&level) => Ok(level),
        _ => Err(Error::custom("not a log level: use error, warn, info, debug, trace or off")),
    }
}

/// The filter takes any single word for a module's name; a misspelled level must not pass as one.
fn is_known_level(level: &str) -> bool {
    let levels = ["error", "warn", "info", "debug", "trace", "off"];
    items(level).all(|item| item.contains('=') || levels.contains(&item))
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer)
}
