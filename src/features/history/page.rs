//! `GET /api/messages`: history a page at a time, newest first, as clients of old expect it.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::item::Item;
use crate::chat::Millis;
use crate::store::Db;
use crate::store::events::{self, Page};
use crate::web::extract::{Query, limit, row, time};
use crate::web::{Json, Problem};

const USUAL: usize = 50;
const MOST: usize = 500;

/// What was asked, as text: an empty value counts as absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Ask {
    limit: String,
    since_ts: String,
    before_ts: String,
    before_rowid: String,
}

#[derive(Serialize)]
pub struct Answer {
    items: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_before_ts: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_before_rowid: Option<i64>,
}

pub async fn messages(State(db): State<Db>, Query(ask): Query<Ask>) -> Result<Json<Answer>, Problem> {
    let page = read(&ask)?;
    let limit = page.limit;
    let mut found = db.read(move |connection| events::page(connection, &page)).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| has_more);
    Ok(Json(Answer {
        next_before_ts: last.map(|event| event.at.0),
        next_before_rowid: last.map(|event| event.id.0),
        items: found.iter().map(Item::new).collect(),
    }))
}

fn read(ask: &Ask) -> Result<Page, Problem> {
    let (since, before) = bounds(&ask.since_ts, &ask.before_ts)?;
    let before_id = row("before_rowid", &ask.before_rowid)?;
    if before_id.is_some() && before.is_none() {
        return Err(Problem::bad_request("before_rowid needs before_ts: send both as the last page gave them"));
    }
    let limit = limit("limit", &ask.limit, USUAL, MOST)?;
    Ok(Page { since, before, before_id, limit })
}

/// From when, or up to when.
pub fn bounds(since: &str, before: &str) -> Result<(Option<Millis>, Option<Millis>), Problem> {
    let bounds = (time("since_ts", since)?, time("before_ts", before)?);
    if bounds.0.is_some() && bounds.1.is_some() {
        return Err(Problem::bad_request("since_ts and before_ts exclude each other: send one of them"));
    }
    Ok(bounds)
}
