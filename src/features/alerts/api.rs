//! The routes, and what they are asked.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::feed::alerts::Filter;
use crate::store::Db;
use crate::store::alerts::{self, Span};
use crate::web::extract::{Query, limit, time};
use crate::web::{Json, Problem};

const USUAL: usize = 50;
const MOST: usize = 500;

/// What was asked, as text: an empty value counts as absent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Ask {
    platform: String,
    r#type: String,
    limit: String,
    since_ts: String,
    before_ts: String,
}

#[derive(Serialize)]
pub struct Count {
    count: i64,
}

impl Ask {
    fn filter(&self) -> Result<Filter, Problem> {
        Filter::parse(&self.platform, &self.r#type).map_err(|error| Problem::bad_request(error.to_string()))
    }

    fn span(&self) -> Result<Span, Problem> {
        Ok(Span { since: time("since_ts", &self.since_ts)?, before: time("before_ts", &self.before_ts)? })
    }

    fn limit(&self) -> Result<usize, Problem> {
        limit("limit", &self.limit, USUAL, MOST)
    }
}

/// A JSON array, newest first.
pub async fn list(State(db): State<Db>, Query(ask): Query<Ask>) -> Result<Response, Problem> {
    let (filter, span, limit) = (ask.filter()?, ask.span()?, ask.limit()?);
    let json = db.read(move |connection| {
        let passes = |platform: &str, alert: &str| filter.passes(platform, alert);
        let found = alerts::newest(connection, span, limit, passes)?;
        let items: Vec<String> = found.iter().filter_map(|event| filter.json(event)).collect();
        Ok(format!("[{}]\n", items.join(",")))
    });
    Ok(([(header::CONTENT_TYPE, "application/json")], json.await?).into_response())
}

pub async fn count(State(db): State<Db>, Query(ask): Query<Ask>) -> Result<Json<Count>, Problem> {
    let (filter, span) = (ask.filter()?, ask.span()?);
    let passes = move |platform: &str, alert: &str| filter.passes(platform, alert);
    let count = db.read(move |connection| alerts::count(connection, span, passes)).await?;
    Ok(Json(Count { count }))
}
