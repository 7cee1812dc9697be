//! `GET /api/debug/raw-messages`: the newest messages as rows, by id, for whoever wonders what came in. It exists where
//! `ELORA_DEBUG_RAW_MESSAGES` says so, and never in production.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::chat::{Event, Kind, Millis};
use crate::store::Db;
use crate::store::events::{self, Rows};
use crate::web::extract::{Query, limit};
use crate::web::{Json, Problem};

const USUAL: usize = 100;
const MOST: usize = 500;

/// What was asked, as text: an empty value counts as absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Ask {
    limit: String,
    platform: String,
    before_ts: String,
    after_ts: String,
}

/// A row as clients of old read it.
#[derive(Serialize)]
pub struct Raw {
    rowid: i64,
    platform: String,
    username: String,
    text: String,
    ts: String,
}

pub async fn raw_messages(State(db): State<Db>, Query(ask): Query<Ask>) -> Result<Json<Vec<Raw>>, Problem> {
    let rows = Rows {
        // In any case, as the rows spell it or as everything else does.
        platform: Some(ask.platform.trim().to_lowercase()).filter(|platform| !platform.is_empty()),
        after: millis("after_ts", &ask.after_ts)?,
        before: millis("before_ts", &ask.before_ts)?,
        limit: limit("limit", &ask.limit, USUAL, MOST)?,
    };
    let found = db.read(move |connection| events::messages(connection, &rows)).await?;
    Ok(Json(found.into_iter().map(Raw::new).collect()))
}

impl Raw {
    fn new(event: Event) -> Self {
        let (username, text) = match event.kind {
            Kind::Message(message) => (message.author.name, message.text),
            _ => Default::default(),
        };
        let (platform, ts) = (event.channel.platform.title().to_owned(), event.at.to_rfc3339_trimmed());
        Self { rowid: event.id.0, platform, username, text, ts }
    }
}

fn millis(name: &str, text: &str) -> Result<Option<Millis>, Problem> {
    let wrong = || Problem::bad_request(format!("{name}: {text} is not milliseconds since 1970"));
    match text.trim() {
        "" => Ok(None),
        text => text.parse().ok().filter(|millis| *millis >= 0).map(|millis| Some(Millis(millis))).ok_or_else(wrong),
    }
}
