//! One thing that happened in a chat. Everything in this program is a stream of these.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::alert::{Alert, AlertType};
use super::fragments::Fragment;
use super::message::Message;
use super::source::Channel;
use super::subscription::Gift;
use super::time::Millis;

/// A platform's stamp further than this from our clock does not say when something was sent.
pub const BOGUS_MS: i64 = 24 * 60 * 60 * 1000;

/// An event's place in the one order there is: the row id, which is also the only cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub i64);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a driver heard, before it has an id.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    pub channel: Channel,
    /// The platform's own id for it. None, never empty, where there is none: such events are never taken for duplicates.
    pub native_id: Option<String>,
    /// When it happened, by the platform's clock; none where the platform does not say, or says nonsense.
    pub at: Option<Millis>,
    pub received_at: Millis,
    pub shared: Option<Shared>,
    /// History that is brought in later. It gets an id below every other, so that no cursor and no live client takes it
    /// for news: history shows it by its time. Newest first, or its order by id is not that of its times.
    pub backfill: bool,
    pub kind: Kind,
}

impl NewEvent {
    /// An event heard now.
    pub fn new(channel: Channel, kind: Kind) -> Self {
        Self { channel, native_id: None, at: None, received_at: Millis::now(), shared: None, backfill: false, kind }
    }

    /// The platform's time, or ours where it gives none.
    pub fn happened_at(&self) -> Millis {
        self.at.unwrap_or(self.received_at)
    }

    /// The time that moderation compares: the platform's, unless it is so far off that it must be nonsense.
    pub fn sent_at(&self) -> Millis {
        let at = self.happened_at();
        if (at.0.saturating_sub(self.received_at.0)).abs() > BOGUS_MS { self.received_at } else { at }
    }
}

/// A stored event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: EventId,
    pub channel: Channel,
    pub native_id: Option<String>,
    pub at: Millis,
    pub received_at: Millis,
    pub shared: Option<Shared>,
    pub state: State,
    pub kind: Kind,
}

/// Whether an event may still be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Visible,
    Removed,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Message(Message),
    Alert(Alert),
    /// One message was taken away.
    Removed(Removed),
    /// A person's messages, or the whole chat, were taken away.
    Cleared(Cleared),
    /// A message was replaced by its author or the platform.
    Edited(Edited),
    /// The channel changed: modes, title, live or not.
    Status(Status),
    /// Something was missed, and this says what.
    Gap(Gap),
    /// A kind from a newer version of this program: passes through as it is.
    Other {
        kind: String,
        body: Map<String, Value>,
    },
}

impl Kind {
    /// The kind's name in the store and in JSON.
    pub fn name(&self) -> &str {
        match self {
            Self::Message(_) => "message",
            Self::Alert(_) => "alert",
            Self::Removed(_) => "removed",
            Self::Cleared(_) => "cleared",
            Self::Edited(_) => "edited",
            Self::Status(_) => "status",
            Self::Gap(_) => "gap",
            Self::Other { kind, .. } => kind,
        }
    }

    /// What a list of alerts calls it: an alert's type, [`BULK_GIFT`], [`CHEER`] or [`PAID`]; none for mere talk.
    pub fn alert(&self) -> Option<&'static str> {
        match self {
            Self::Alert(Alert { alert: AlertType::Gift(Gift { bulk_id: Some(_), .. }), .. }) => Some(BULK_GIFT),
            Self::Alert(told) => Some(told.alert.name()),
            Self::Message(said) if said.bits.is_some_and(|bits| bits > 0) => Some(CHEER),
            Self::Message(said) if said.money.is_some() => Some(PAID),
            _ => None,
        }
    }
}

/// One of many gifts, which were told together before.
pub const BULK_GIFT: &str = "bulk_gift";
/// A message with bits.
pub const CHEER: &str = "cheer";
/// A message with money.
pub const PAID: &str = "paid";

/// What a moderation event hit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The event's id here, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<EventId>,
    /// The message's id on its platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native_id: Option<String>,
    /// The person's id on the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_id: Option<String>,
    /// The person's login, where the platform names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_login: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    pub target: Target,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleared {
    /// Whose messages; nobody named means the whole chat.
    pub target: Target,
    /// Seconds of a timeout; none for a ban or a cleared chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edited {
    pub target: Target,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub fragments: Vec<Fragment>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// What changed: `modes` for the chat's restrictions.
    pub topic: String,
    pub values: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub from: Millis,
    pub to: Millis,
    pub reason: String,
}

/// A copy of something said in another channel of a shared session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// The id it has where it was typed. Copies of one message share it.
    pub source_id: String,
    /// The platform's id of the channel where it was typed.
    pub channel_id: String,
}
