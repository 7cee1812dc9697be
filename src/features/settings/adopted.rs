//! The settings that the earlier elora-chat kept in its own file, taken over once, where nothing was kept here yet.

use serde_json::{Map, Value};

use super::document::{Document, VERSION};
use super::{Kept, rules, sql, stored};
use crate::chat::{Channel, Millis};
use crate::store::{Db, Error};

/// A document of another program, with the version it gives it.
pub type Old = (i64, String);

/// Keeps a document of old, if all of it is good by our rules. Returns the sources it names, which have a list of their
/// own.
pub async fn adopt(db: &Db, seed: &Kept, (version, text): Old) -> Result<Vec<Channel>, Error> {
    let kept = match read(version, &text, seed) {
        Ok(kept) => kept,
        Err(problem) => {
            tracing::warn!(%problem, "the settings of the older file cannot be taken over; set them anew");
            return Ok(Vec::new());
        }
    };
    let document = stored::to_store(&kept, seed);
    db.write(move |tx| sql::keep(tx, &document, Millis::now())).await?;
    tracing::info!("config: the settings of the older file were taken over");
    Ok([kept.twitch, kept.youtube].into_iter().flatten().collect())
}

fn read(version: i64, text: &str, seed: &Kept) -> Result<Kept, String> {
    let known = Document::of(seed);
    if version != VERSION {
        return Err(format!("they are of version {version}, and this program knows {VERSION}"));
    }
    let Ok(fields) = serde_json::from_str::<Map<String, Value>>(text) else {
        return Err("they are no JSON object".to_owned());
    };
    let (kept, violations) = rules::read(&known.with(fields)?, &known, seed);
    match violations.first() {
        None => Ok(kept),
        Some(first) => Err(format!("{}: {}", first.field, first.message)),
    }
}
