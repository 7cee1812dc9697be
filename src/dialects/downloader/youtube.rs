//! YouTube by chat-downloader, and the other sites it reads, whose dictionaries look the same.

use std::collections::BTreeSet;

use crate::chat::{Channel, Cleared, Edited, Kind, NewEvent, Platform, Removed, Target};

use super::super::fields::{Fields, first_label, label, text};
use super::super::{Unreadable, place};
use super::{alerts, at, part, said};

pub fn read(
    fields: &Fields,
    platform: Platform,
    named: Option<Channel>,
    wanted: &BTreeSet<Channel>,
) -> Result<Vec<NewEvent>, Unreadable> {
    let kinds = match text(fields, "action_type").unwrap_or("add_chat_item") {
        "add_chat_item" => item(fields, platform.as_str())?.into_iter().collect(),
        "replace_chat_item" => replacement(fields, platform.as_str())?,
        "mark_chat_item_as_deleted" | "remove_chat_item" => vec![removed(fields)?],
        "mark_chat_items_by_author_as_deleted" | "remove_chat_item_by_author" => vec![cleared(fields)?],
        // Tickers, banners and tooltips tell again what was told, or tell the viewer how to use the page.
        _ => Vec::new(),
    };
    let channel = place::of(platform, named, wanted);
    let at = at(fields);
    let id = first_label(fields, &["message_id", "native_id"]);
    let event = |kind: Kind| {
        let native_id = id.clone().filter(|_| matches!(kind, Kind::Message(_) | Kind::Alert(_)));
        NewEvent { native_id, at, ..NewEvent::new(channel.clone(), kind) }
    };
    Ok(kinds.into_iter().map(event).collect())
}

/// What is added to the chat. None for what only the viewer of the page is told.
fn item(fields: &Fields, provider: &str) -> Result<Option<Kind>, Unreadable> {
    let kind = text(fields, "message_type").unwrap_or("text_message");
    match kind {
        "viewer_engagement_message" | "placeholder" | "banner" | "tooltip" => return Ok(None),
        kind if kind.starts_with("ticker_") => return Ok(None),
        "text_message" | "paid_message" | "paid_sticker" => {
            let author = said::author(fields).ok_or(Unreadable::Missing("author"))?;
            return Ok(Some(Kind::Message(said::message(fields, author, provider))));
        }
        _ => {}
    }
    Ok(alerts::read(kind, fields, provider).map(Kind::Alert))
}

/// An item in place of another of the same id. That may have been a message or a mere placeholder, which is not kept:
/// the message is told, in case it is new, and then how it reads now.
fn replacement(fields: &Fields, provider: &str) -> Result<Vec<Kind>, Unreadable> {
    let Some(item) = item(fields, provider)? else { return Ok(Vec::new()) };
    let edited = match (&item, label(fields, "message_id")) {
        (Kind::Message(message), Some(native_id)) => Some(Kind::Edited(Edited {
            target: Target { native_id: Some(native_id), ..Target::default() },
            text: message.text.clone(),
            fragments: message.fragments.clone(),
        })),
        _ => None,
    };
    Ok([item].into_iter().chain(edited).collect())
}

fn removed(fields: &Fields) -> Result<Kind, Unreadable> {
    let native_id = label(fields, "target_message_id").ok_or(Unreadable::Missing("target_message_id"))?;
    Ok(Kind::Removed(Removed { target: Target { native_id: Some(native_id), ..Target::default() } }))
}

/// Everything of one author; without one it would mean the whole chat.
fn cleared(fields: &Fields) -> Result<Kind, Unreadable> {
    let author_id = part(fields, "author").and_then(said::id).ok_or(Unreadable::Missing("author"))?;
    let target = Target { author_id: Some(author_id), ..Target::default() };
    Ok(Kind::Cleared(Cleared { target, duration_s: None }))
}
