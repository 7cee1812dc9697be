//! `/ws/chat`: one message a frame, in the envelope that clients of old know.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use serde::Deserialize;

use super::Live;
use super::socket;
use super::watcher::{End, Form, Pace, Watcher, admit};
use crate::chat::{Event, EventId};
use crate::feed::{Batch, Text, classic};
use crate::web::Problem;
use crate::web::extract;
use crate::web::layers::Correlation;

const KEEPALIVE: &str = "__keepalive__";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    source: String,
}

pub async fn open(
    State(live): State<Arc<Live>>,
    Extension(corr): Extension<Correlation>,
    extract::Query(query): extract::Query<Query>,
    asked: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = socket::upgrade(asked, live.socket.max_message_bytes)?;
    let source = query.source.trim().to_lowercase();
    Ok(admit(Classic { source }, live, upgrade, corr))
}

struct Classic {
    /// In lower case; empty for every platform.
    source: String,
}

impl Classic {
    fn wants(&self, platform: &str) -> bool {
        self.source.is_empty() || self.source == platform
    }
}

impl Form for Classic {
    const KIND: &'static str = "classic";
    const NAME: &'static str = "classic socket";
    const TELLS_TOPICS: bool = false;
    const ONLY_WHEN_QUIET: bool = false;

    fn pace(live: &Live) -> Pace {
        let socket = &live.socket;
        Pace {
            keepalive: socket.ping_interval,
            ping: socket.ping_interval,
            silence: socket.pong_wait,
            stall: socket.write_deadline,
        }
    }

    async fn greet(_: &mut Watcher<Self>) -> Result<(), End> {
        Ok(())
    }

    fn fresh<'a>(&'a self, batch: &'a Batch, after: EventId) -> impl Iterator<Item = Text> + Send + 'a {
        let wanted = move |frame: &&crate::feed::Frame| frame.id() > after && self.wants(frame.platform().as_str());
        batch.frames().iter().filter(wanted).filter_map(|frame| frame.classic().cloned())
    }

    fn stored(&self, live: &Live, events: Vec<Event>, _: EventId) -> Vec<(EventId, Text)> {
        let wanted = events.iter().filter(|event| self.wants(event.channel.platform.as_str()));
        let frame = |event: &Event| Some((event.id, classic::message(event, live.forms.classic)?.into()));
        let frames: Vec<(EventId, Text)> = wanted.filter_map(frame).collect();
        live.forms.serialized.again.inc_by(frames.len() as u64);
        frames
    }

    fn keepalive(&self, _: &Live, _: EventId) -> Text {
        Text::from_static(KEEPALIVE)
    }
}
