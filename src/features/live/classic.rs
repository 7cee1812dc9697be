//! `/ws/chat`: one message a frame, in the envelope that clients of old know.

use std::sync::Arc;
use std::time::Duration;

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
use crate::feed::{Batch, Frame, Text, classic, wire};
use crate::store::events::{self, Page};
use crate::web::Problem;
use crate::web::extract;
use crate::web::layers::Correlation;

const KEEPALIVE: &str = "__keepalive__";
/// A client may take this long to answer a ping, whatever the settings: they can ask for an answer before the question.
const LEAST_ANSWER: Duration = Duration::from_millis(250);
/// Messages a client that asks for it begins with.
const REPLAYED: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    source: String,
    replay: String,
    events: String,
}

pub async fn open(
    State(live): State<Arc<Live>>,
    Extension(corr): Extension<Correlation>,
    extract::Query(query): extract::Query<Query>,
    asked: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = socket::upgrade(asked, live.forms.settings.now().socket.max_message_bytes)?;
    let classic = Classic {
        source: query.source.trim().to_lowercase(),
        is_replayed: is_on(&query.replay),
        has_changes: is_on(&query.events),
    };
    Ok(admit(classic, live, upgrade, corr))
}

fn is_on(flag: &str) -> bool {
    matches!(flag.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on")
}

struct Classic {
    /// In lower case; empty for every platform.
    source: String,
    /// Begins with what was said before.
    is_replayed: bool,
    /// Is told what is taken away.
    has_changes: bool,
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
        let socket = &live.forms.settings.now().socket;
        let silence = socket.pong_wait.max(socket.ping_interval + LEAST_ANSWER);
        Pace {
            keepalive: socket.ping_interval,
            ping: socket.ping_interval,
            silence,
            stall: if socket.write_deadline.is_zero() { silence } else { socket.write_deadline },
        }
    }

    async fn greet(watcher: &mut Watcher<Self>) -> Result<(), End> {
        // Scripts look for the beginning of this line.
        tracing::info!(open = watcher.live.metrics.clients(Self::KIND).get(), "ws: WebSocket opened");
        if watcher.form.is_replayed {
            replay(watcher).await?;
        }
        if watcher.form.has_changes {
            let cursor = watcher.live.cursor(watcher.position);
            watcher.socket.put(classic::live(&cursor, watcher.pace.keepalive).into()).await?;
            watcher.flush().await?;
        }
        Ok(())
    }

    fn fresh<'a>(&'a self, batch: &'a Batch, after: EventId) -> impl Iterator<Item = Text> + Send + 'a {
        let wanted = move |frame: &&Frame| frame.id() > after && self.wants(frame.platform().as_str());
        let text = |frame: &Frame| match frame.classic() {
            None if self.has_changes => frame.change().cloned(),
            text => text.cloned(),
        };
        batch.frames().iter().filter(wanted).filter_map(text)
    }

    fn stored(&self, live: &Live, events: Vec<Event>, _: EventId) -> Vec<(EventId, Text)> {
        let wanted = events.iter().filter(|event| self.wants(event.channel.platform.as_str()));
        let change = |event: &Event| if self.has_changes { classic::change(event) } else { None };
        let style = live.forms.classic();
        let frame = |event: &Event| {
            let text = classic::message(event, style).or_else(|| change(event))?;
            Some((event.id, text.into()))
        };
        let frames: Vec<(EventId, Text)> = wanted.filter_map(frame).collect();
        live.forms.serialized.again.inc_by(frames.len() as u64);
        frames
    }

    fn keepalive(&self, _: &Live, _: EventId) -> Text {
        Text::from_static(KEEPALIVE)
    }

    /// Only those who are told of changes know a way to forget. What was not sent yet still follows, to everyone.
    async fn begin_anew(watcher: &mut Watcher<Self>) -> Result<(), End> {
        if watcher.form.has_changes {
            watcher.socket.put(wire::reset().into()).await?;
            watcher.flush().await?;
        }
        watcher.catch_up().await
    }
}

async fn replay(watcher: &mut Watcher<Classic>) -> Result<(), End> {
    // What comes meanwhile must not count among them.
    let page = Page { limit: 2 * REPLAYED, ..Page::default() };
    let said = watcher.live.db.read(move |connection| events::page(connection, &page)).await;
    let mut said = said.map_err(|_| End::Blind)?;
    let head = watcher.position;
    // What is newer comes by itself.
    said.retain(|event| event.id <= head);
    said.truncate(REPLAYED);
    said.reverse();
    watcher.send_stored(said, head).await
}
