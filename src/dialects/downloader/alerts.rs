//! YouTube's memberships and gifts, and what else happens there, by chat-downloader.

use std::collections::BTreeMap;

use crate::chat::subscription::{GiftBulk, Subscription};
use crate::chat::{Alert, AlertType};

use super::super::fields::{Fields, label, text};
use super::said;

/// The alert that an item of this type is. None where nothing is left to show.
pub fn read(kind: &str, fields: &Fields, provider: &str) -> Option<Alert> {
    let header = text(fields, "header_primary_text").or_else(|| text(fields, "header_secondary_text"));
    let (alert, system_text, spoken) = match kind {
        "membership_item" => (membership(fields), header, true),
        "sponsorships_gift_purchase_announcement" => (gifts(fields), text(fields, "message"), false),
        _ => (other(kind, fields), text(fields, "message").or(header), false),
    };
    let author = said::author(fields);
    let (said, fragments) = if spoken { said::shown(fields, provider) } else { Default::default() };
    let system_text = system_text.unwrap_or_default().to_owned();
    let money = said::money(fields);
    let is_empty = author.is_none() && system_text.is_empty() && money.is_none();
    (!is_empty).then_some(Alert { alert, system_text, author, text: said, fragments, money, bits: None, flags: vec![] })
}

/// A milestone says how long in its first line and names the tier in its second; a new member has the second alone.
fn membership(fields: &Fields) -> AlertType {
    match text(fields, "header_primary_text") {
        Some(primary) => AlertType::Resub(Subscription {
            months: only_number(primary),
            plan_name: text(fields, "header_secondary_text").map(str::to_owned),
            ..Subscription::default()
        }),
        None => AlertType::Sub(Subscription::default()),
    }
}

fn gifts(fields: &Fields) -> AlertType {
    let count = text(fields, "message").and_then(only_number);
    AlertType::GiftBulk(GiftBulk { count, ..GiftBulk::default() })
}

/// The number of a sentence in any language, if it has no other.
fn only_number(sentence: &str) -> Option<u32> {
    let mut numbers = sentence.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let number = numbers.next()?.parse().ok()?;
    numbers.next().is_none().then_some(number)
}

/// What else it says in plain words.
fn other(kind: &str, fields: &Fields) -> AlertType {
    const TOLD: [&str; 4] = ["icon", "header_primary_text", "header_secondary_text", "target_message_id"];
    let params: BTreeMap<_, _> = TOLD.iter().filter_map(|key| Some(((*key).to_owned(), label(fields, key)?))).collect();
    AlertType::Other { name: kind.to_owned(), params }
}
