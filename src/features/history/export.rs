//! `GET /api/messages/export`: the history as a file, NDJSON or CSV, newest first. It is written while it is read: what
//! is under way takes no more memory than two pages, however long the file.

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::{BoxFuture, poll_immediate, ready};
use futures_util::stream;
use rusqlite::Connection;
use serde::Deserialize;

use super::item::{COLUMNS, Item};
use super::page::bounds;
use crate::chat::{Event, Millis};
use crate::store::events::{self, Page};
use crate::store::{Db, Error};
use crate::web::Problem;
use crate::web::extract::{Query, limit};

const USUAL: usize = 1000;
const MOST: usize = 100_000;
/// Messages read at once.
const PAGE: usize = 500;

/// What was asked, as text: an empty value counts as absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Ask {
    format: String,
    limit: String,
    since_ts: String,
    before_ts: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Ndjson,
    Csv,
}

/// How far a file has come.
struct Progress {
    db: Db,
    format: Format,
    page: Page,
    /// Messages that may still follow.
    left: usize,
}

pub async fn export(State(db): State<Db>, Query(ask): Query<Ask>) -> Result<Response, Problem> {
    let format = match ask.format.as_str() {
        "" | "ndjson" => Format::Ndjson,
        "csv" => Format::Csv,
        other => return Err(Problem::bad_request(format!("format: {other} is neither ndjson nor csv"))),
    };
    let left = limit("limit", &ask.limit, USUAL, MOST)?;
    let (since, before) = bounds(&ask.since_ts, &ask.before_ts)?;
    let page = Page { since, before, before_id: None, limit: 0 };
    // The first page is read before the answer begins, so that a store that fails says so.
    let (first, next) = Progress { db, format, page, left }.step().await?;
    let first = [format.head(), first].concat();
    let rest = stream::try_unfold(read_ahead(next).await, async |running| {
        let Some(running) = running else { return Ok::<_, Error>(None) };
        let (piece, next) = running.await?;
        Ok(Some((piece, read_ahead(next).await)))
    });
    let begin = stream::once(async { Ok::<_, Error>(Bytes::from(first)) });
    let body = stream::StreamExt::chain(begin, stream::TryStreamExt::map_ok(rest, Bytes::from));
    Ok((format.headers(), Body::from_stream(body)).into_response())
}

/// A piece that is being made, and what follows it.
type Running = BoxFuture<'static, Result<(Vec<u8>, Option<Progress>), Error>>;

/// Begins the next piece, so that it is made while the former is sent. There is never more than one ahead.
async fn read_ahead(next: Option<Progress>) -> Option<Running> {
    let mut running: Running = Box::pin(next?.step());
    Some(match poll_immediate(&mut running).await {
        Some(made) => Box::pin(ready(made)),
        None => running,
    })
}

impl Progress {
    /// The next piece of the file, and what follows it.
    async fn step(mut self) -> Result<(Vec<u8>, Option<Self>), Error> {
        let (page, format) = (Page { limit: self.left.min(PAGE), ..self.page.clone() }, self.format);
        let read = move |connection: &Connection| {
            let mut found = events::page(connection, &page)?;
            let has_more = found.len() > page.limit;
            found.truncate(page.limit);
            let last = found.last().filter(|_| has_more).map(|event| (event.at, event.id.0));
            Ok((format.write(&found), found.len(), last))
        };
        let (piece, count, last) = self.db.read(read).await?;
        self.left -= count;
        let next = last.filter(|_| self.left > 0).map(|(at, id): (Millis, i64)| {
            self.page.before = Some(at);
            self.page.before_id = Some(id);
            self
        });
        Ok((piece, next))
    }
}

impl Format {
    fn headers(self) -> [(header::HeaderName, HeaderValue); 2] {
        let (kind, name) = match self {
            Self::Ndjson => ("application/x-ndjson; charset=utf-8", "attachment; filename=\"messages.ndjson\""),
            Self::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"messages.csv\""),
        };
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CONTENT_DISPOSITION, HeaderValue::from_static(name)),
        ]
    }

    fn head(self) -> Vec<u8> {
        match self {
            Self::Ndjson => Vec::new(),
            Self::Csv => (COLUMNS.join(",") + "\n").into_bytes(),
        }
    }

    fn write(self, events: &[Event]) -> Vec<u8> {
        let items = events.iter().map(Item::new);
        match self {
            Self::Ndjson => ndjson(items),
            Self::Csv => csv(items),
        }
    }
}

fn ndjson(items: impl Iterator<Item = Item>) -> Vec<u8> {
    let mut lines = Vec::new();
    for item in items {
        serde_json::to_writer(&mut lines, &item).expect("texts always serialize, and memory takes them");
        lines.push(b'\n');
    }
    lines
}

fn csv(items: impl Iterator<Item = Item>) -> Vec<u8> {
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    for item in items {
        table.write_record(item.cells().map(harmless)).expect("every row has seven cells, and memory takes them");
    }
    table.into_inner().expect("memory takes everything")
}

/// A spreadsheet would take such a text for a formula, and chat is written by strangers.
fn harmless(cell: &str) -> Cow<'_, [u8]> {
    let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if is_formula { format!("'{cell}").into_bytes().into() } else { cell.as_bytes().into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A"] {
            assert_eq!(harmless(formula), format!("'{formula}").as_bytes());
        }
        assert_eq!(harmless("1=1"), b"1=1".as_slice());
    }
}
