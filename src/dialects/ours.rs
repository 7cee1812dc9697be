//! Our own events as `/api/feed` writes them, and whatever a small program prints that looks alike. Read leniently: who
//! spoke and what was said is enough. What we said of an event ourselves (its number, when it came) is not taken over.

mod kinds;
mod said;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::chat::{Channel, NewEvent, Platform, Shared};

use super::fields::{Fields, label, text};
use super::{Unreadable, place, stamp};

/// None for what was taken away: it does not come back by being read.
pub fn read(mut fields: Fields, wanted: &BTreeSet<Channel>) -> Result<Option<NewEvent>, Unreadable> {
    let platform = match fields.get("platform") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(Platform::new(name).map_err(|_| Unreadable::Wrong("platform"))?),
        Some(_) => return Err(Unreadable::Wrong("platform")),
    };
    let named = place::named(platform.as_ref(), fields.get("channel"))?;
    let platform = platform
        .or_else(|| named.as_ref().map(|channel| channel.platform.clone()))
        .or_else(|| place::platform(wanted))
        .ok_or(Unreadable::Missing("platform"))?;
    if text(&fields, "state") == Some("removed") && !fields.contains_key("target") {
        return Ok(None);
    }
    let native_id = label(&fields, "native_id");
    let at = fields.get("at").and_then(stamp::of);
    let shared = fields.remove("shared").and_then(shared);
    let kind = kinds::read(fields)?;
    let channel = place::of(platform, named, wanted);
    Ok(Some(NewEvent { native_id, at, shared, ..NewEvent::new(channel, kind) }))
}

fn shared(value: Value) -> Option<Shared> {
    let Value::Object(fields) = value else { return None };
    let channel = fields.get("channel")?.as_object()?;
    Some(Shared { source_id: label(&fields, "source_id")?, channel_id: label(channel, "id")? })
}
