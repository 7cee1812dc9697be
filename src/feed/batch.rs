//! Events committed one after another, and their bytes in every form that somebody has asked for. Each event is
//! turned into bytes once per form, however many watch.

use std::sync::OnceLock;
use std::time::Instant;

use super::{Cursor, Text, classic, wire};
use crate::chat::{Event, EventId, Platform};
use crate::config::Current;
use crate::telemetry::Serialized;

/// How events are turned into bytes, and the counters of how often that happened.
#[derive(Debug, Clone)]
pub struct Forms {
    pub settings: Current,
    pub serialized: Serialized,
}

impl Forms {
    /// How the classic socket shows messages from now on.
    pub fn classic(&self) -> classic::Style {
        classic::Style::of(&self.settings.now())
    }
}

/// One event.
#[derive(Debug)]
pub struct Frame {
    pub event: Event,
    style: classic::Style,
    serialized: Serialized,
    feed: OnceLock<Box<str>>,
    classic: OnceLock<Option<Text>>,
    change: OnceLock<Option<Text>>,
}

/// At least one event, in order.
#[derive(Debug)]
pub struct Batch {
    frames: Vec<Frame>,
    cursor: Cursor,
    committed_at: Instant,
    whole: OnceLock<Text>,
}

impl Frame {
    fn new(event: Event, style: classic::Style, serialized: Serialized) -> Self {
        let (feed, classic, change) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { event, style, serialized, feed, classic, change }
    }

    pub fn id(&self) -> EventId {
        self.event.id
    }

    pub fn platform(&self) -> &Platform {
        &self.event.channel.platform
    }

    /// The event as one JSON object of `/api/feed`.
    pub fn feed(&self) -> &str {
        self.feed.get_or_init(|| {
            self.serialized.feed.inc();
            wire::event(&self.event).into()
        })
    }

    /// The text frame of the classic socket; none where it shows nothing.
    pub fn classic(&self) -> Option<&Text> {
        let made = self.classic.get_or_init(|| {
            let text = classic::message(&self.event, self.style)?;
            self.serialized.classic.inc();
            Some(text.into())
        });
        made.as_ref()
    }

    /// For clients of the classic socket that want to know what was taken away.
    pub fn change(&self) -> Option<&Text> {
        self.change.get_or_init(|| classic::change(&self.event).map(Text::from)).as_ref()
    }
}

impl Batch {
    /// None without events. `committed_at` is when the last of them was committed.
    pub fn new(epoch: &str, events: Vec<Event>, forms: &Forms, committed_at: Instant) -> Option<Self> {
        let cursor = Cursor { epoch: epoch.to_owned(), after: events.last()?.id };
        // The settings are looked at once for all of them.
        let style = forms.classic();
        let frames = events.into_iter().map(|event| Frame::new(event, style, forms.serialized.clone())).collect();
        Some(Self { frames, cursor, committed_at, whole: OnceLock::new() })
    }

    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The oldest id.
    pub fn first(&self) -> EventId {
        self.frames.first().map_or(self.cursor.after, Frame::id)
    }

    /// The newest id.
    pub fn last(&self) -> EventId {
        self.cursor.after
    }

    pub fn committed_at(&self) -> Instant {
        self.committed_at
    }

    /// The `events` frame of `/api/feed` with those that pass; none where nothing does. Whoever wants all of them
    /// shares the same bytes.
    pub fn frame(&self, passes: impl Fn(&Event) -> bool) -> Option<Text> {
        let asked = || self.frames.iter().filter(|frame| passes(&frame.event));
        match asked().count() {
            0 => None,
            all if all == self.frames.len() => Some(self.whole.get_or_init(|| self.join(self.frames.iter())).clone()),
            _ => Some(self.join(asked())),
        }
    }

    fn join<'a>(&self, frames: impl Iterator<Item = &'a Frame>) -> Text {
        wire::events(&self.cursor.to_string(), frames.map(Frame::feed)).into()
    }
}
