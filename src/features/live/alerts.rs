//! `/api/alerts/stream`: alerts as they come, each an event named `alert`. The cursor is the event's id, and goes on in
//! silence as well, so that whoever comes back need not look through what was talk.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use rusqlite::Connection;
use serde::Deserialize;

use super::Live;
use super::feed::place;
use super::sse::{self, Line, Reader};
use crate::chat::{Event, EventId};
use crate::feed::alerts::Filter;
use crate::feed::{Batch, Cursor};
use crate::store::alerts;
use crate::web::Problem;
use crate::web::extract;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    platform: String,
    r#type: String,
}

struct Alerts {
    filter: Filter,
    /// Where its reader was before; the inner none is no place of ours.
    since: Option<Option<Cursor>>,
}

pub async fn open(
    State(live): State<Arc<Live>>,
    extract::Query(query): extract::Query<Query>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let filter = Filter::parse(&query.platform, &query.r#type);
    let filter = filter.map_err(|error| Problem::bad_request(error.to_string()))?;
    Ok(sse::open(Alerts { filter, since: sse::last_id(&headers) }, live))
}

impl Alerts {
    fn lines<'a>(&self, events: impl Iterator<Item = &'a Event>) -> Vec<(EventId, Line)> {
        let line = |event: &Event| Some((event.id, Line::Named("alert", self.filter.json(event)?.into())));
        events.filter_map(line).collect()
    }
}

impl sse::Form for Alerts {
    const TELLS_TOPICS: bool = false;

    async fn greet(reader: &mut Reader<Self>) -> Option<()> {
        let place = place(&reader.live, reader.form.since.as_ref(), reader.position);
        reader.position = place.unwrap_or(reader.position);
        reader.push(reader.position, Line::Silent);
        Some(())
    }

    fn missed(connection: &Connection, after: EventId, limit: usize) -> rusqlite::Result<Vec<Event>> {
        alerts::after(connection, after, limit)
    }

    fn fresh(&self, batch: &Batch, after: EventId) -> Vec<(EventId, Line)> {
        self.lines(batch.frames().iter().map(|frame| &frame.event).filter(|event| event.id > after))
    }

    fn stored(&self, _: &Live, events: Vec<Event>, _: EventId) -> Vec<(EventId, Line)> {
        self.lines(events.iter())
    }

    fn keepalive(&self, _: &Live, _: EventId) -> Line {
        Line::Silent
    }
}
