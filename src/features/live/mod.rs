//! What goes on as long as somebody watches: `/api/feed`, which resumes by cursor, and for clients of old `/ws/chat` and
//! the stream of alerts. And the schema of what the feed carries.

mod alerts;
mod ask;
mod classic;
mod feed;
mod socket;
mod sse;
mod watcher;

use std::sync::Arc;

use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::chat::EventId;
use crate::config::Config;
use crate::feed::{Cursor, Forms, Hub};
use crate::stages::Stage;
use crate::store::Db;
use crate::telemetry::Metrics;
use crate::web::Routes;

const SCHEMA: &str = include_str!("event.schema.json");

/// What sockets need.
pub struct Live {
    db: Db,
    hub: Hub,
    forms: Forms,
    metrics: Metrics,
    /// Sockets are counted here, so that the house waits for them.
    stage: Stage,
    feed: crate::config::Feed,
}

impl Live {
    pub fn new(config: &Config, db: Db, hub: Hub, forms: Forms, metrics: Metrics, stage: Stage) -> Self {
        Self { db, hub, forms, metrics, stage, feed: config.feed.clone() }
    }

    fn cursor(&self, after: EventId) -> String {
        Cursor { epoch: self.db.epoch().to_owned(), after }.to_string()
    }

    pub fn routes(self) -> Routes {
        Routes::new()
            .get("/api/feed", feed::open)
            .get("/ws/chat", classic::open)
            .get("/api/alerts/stream", alerts::open)
            .get("/api/schema/event.json", schema)
            .with_state(Arc::new(self))
    }
}

async fn schema() -> Response {
    ([(header::CONTENT_TYPE, "application/schema+json")], SCHEMA).into_response()
}

#[cfg(test)]
mod tests {
    use super::SCHEMA;

    #[test]
    fn every_fixture_of_an_event_fits_the_schema() {
        let schema: serde_json::Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
        let validator = jsonschema::validator_for(&schema).expect("the schema is one");
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wire");
        let mut checked = 0;
        for file in std::fs::read_dir(folder).expect("the fixtures are there") {
            let path = file.expect("a readable folder").path();
            if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("event-")) {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a readable fixture");
            let event = serde_json::from_str(&text).expect("a fixture is JSON");
            let faults: Vec<String> = validator.iter_errors(&event).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{}: {faults:?}", path.display());
            checked += 1;
        }
        assert!(checked > 10, "{checked} fixtures");
    }
}
