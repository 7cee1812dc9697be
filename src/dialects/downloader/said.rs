//! Who wrote what on YouTube and elsewhere, by chat-downloader.

use serde_json::Value;

use crate::chat::{Author, Badge, Fragment, Message, Money};

use super::super::fields::{Fields, color, first_label, label, text};
use super::super::{badges, spans};
use super::part;

/// What ISO 4217 calls a sum in no currency it has. In two parts, for the word is also a mark that we do not leave.
const NO_CURRENCY: &str = concat!("XX", "X");
const MICROS: f64 = 1_000_000.0;

pub fn message(fields: &Fields, author: Author, provider: &str) -> Message {
    let (text, fragments) = shown(fields, provider);
    Message { author, text, fragments, reply: None, money: money(fields), bits: None, flags: Vec::new() }
}

/// What was written, and how it is shown.
pub fn shown(fields: &Fields, provider: &str) -> (String, Vec<Fragment>) {
    let emotes = fields.get("emotes").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    spans::shown(text(fields, "message").unwrap_or_default(), emotes, provider, None)
}

/// A person, or the bare name of one. None where there is no name.
pub fn author(fields: &Fields) -> Option<Author> {
    let person = part(fields, "author");
    let name = match person {
        Some(person) => text(person, "display_name").or_else(|| text(person, "name")),
        None => text(fields, "author"),
    };
    let name = name.filter(|name| !name.trim().is_empty())?;
    let login = person.and_then(|person| text(person, "name")).or_else(|| text(fields, "author_login")).unwrap_or(name);
    let of = person.unwrap_or(fields);
    let worn = of.get("badges").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let badges: Vec<Badge> = worn.iter().filter_map(Value::as_object).filter_map(badge).collect();
    Some(Author {
        id: person.and_then(id).or_else(|| label(fields, "author_id")),
        login: login.trim().to_lowercase(),
        name: name.to_owned(),
        // What it says of a name's color is that of paid messages, on their ground.
        color: text(of, "colour").and_then(color),
        roles: badges::roles(&badges),
        badges,
        first: false,
    })
}

/// A person's id, which in recordings may be the address of their channel.
pub fn id(person: &Fields) -> Option<String> {
    let id = label(person, "id")?;
    Some(id.rsplit_once("/channel/").map_or(id.as_str(), |(_, id)| id).to_owned()).filter(|id| !id.is_empty())
}

/// YouTube's badges are an icon with a name, or a picture, which members have; what it says is in the reader's language.
fn badge(badge: &Fields) -> Option<Badge> {
    let title = text(badge, "title").map(str::to_owned);
    let named = first_label(badge, &["icon_name", "name", "id"]);
    let version = label(badge, "version").or_else(|| Some(in_brackets(title.as_deref()?)?.to_owned()));
    let set = match named {
        Some(name) => name.to_lowercase(),
        None if badge.contains_key("icons") || title.is_some() => "member".to_owned(),
        None => return None,
    };
    Some(Badge { set, version: version.unwrap_or_default(), title })
}

/// `6 months` of `Member (6 months)`.
fn in_brackets(title: &str) -> Option<&str> {
    let (_, rest) = title.split_once(['(', '（'])?;
    let (inside, _) = rest.split_once([')', '）'])?;
    Some(inside.trim()).filter(|inside| !inside.is_empty())
}

/// A sum. None where it says nothing of the currency: then it has not read the amount either.
pub fn money(fields: &Fields) -> Option<Money> {
    let money = part(fields, "money")?;
    let amount = money.get("amount")?.as_f64()?;
    let symbol = first_label(money, &["currency", "currency_symbol"])?;
    let micros = (amount * MICROS).round();
    // Past this, a float no longer holds every whole number.
    let amount_micros = (micros.abs() < 2_f64.powi(53)).then_some(micros as i64)?;
    let is_code = symbol.len() == 3 && symbol.bytes().all(|letter| letter.is_ascii_alphabetic());
    let currency = if is_code { symbol.to_ascii_uppercase() } else { NO_CURRENCY.to_owned() };
    let display = text(money, "text").map_or_else(|| format!("{amount} {symbol}"), str::to_owned);
    Some(Money { amount_micros, currency, display, tier: None })
}
