//! How events leave: the feed's tailer and the classic socket.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::value;

/// Every reader of the feed may count on a frame this often, and takes a longer silence for a dead line.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

/// The tailer and `/api/feed`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub struct Feed {
    /// How often the store is asked without a wake-up.
    #[serde(rename = "poll_ms", deserialize_with = "value::millis", serialize_with = "value::as_millis")]
    pub poll: Duration,
    /// Most events read at once.
    #[serde(deserialize_with = "value::positive")]
    pub batch: usize,
    /// The longest silence on `/api/feed`.
    #[serde(rename = "keepalive_ms", deserialize_with = "keepalive", serialize_with = "value::as_millis")]
    pub keepalive: Duration,
}

impl Default for Feed {
    fn default() -> Self {
        Self { poll: Duration::from_millis(200), batch: 512, keepalive: LONGEST_SILENCE }
    }
}

fn keepalive<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let remedy = "pages would take the line for dead: write a whole number from 1 to 15000";
    value::millis(deserializer).ok().filter(|time| *time <= LONGEST_SILENCE).ok_or_else(|| D::Error::custom(remedy))
}

/// The classic socket `/ws/chat`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Socket {
    /// Each message is wrapped as `{"type":"chat","data":"…"}`.
    #[serde(deserialize_with = "value::flag")]
    pub envelope: bool,
    /// Messages without text and emotes are left out.
    #[serde(deserialize_with = "value::flag")]
    pub drop_empty: bool,
    #[serde(rename = "ping_interval_ms", deserialize_with = "value::millis", serialize_with = "value::as_millis")]
    pub ping_interval: Duration,
    #[serde(rename = "pong_wait_ms", deserialize_with = "value::millis", serialize_with = "value::as_millis")]
    pub pong_wait: Duration,
    /// As long as the pong wait, if it is 0.
    #[serde(
        rename = "write_deadline_ms",
        deserialize_with = "value::millis_or_none",
        serialize_with = "value::as_millis"
    )]
    pub write_deadline: Duration,
    /// Longest message a client may send.
    #[serde(deserialize_with = "value::positive")]
    pub max_message_bytes: usize,
}

impl Default for Socket {
    fn default() -> Self {
        Self {
            envelope: true,
            drop_empty: true,
            ping_interval: Duration::from_secs(25),
            pong_wait: Duration::from_secs(30),
            write_deadline: Duration::from_secs(5),
            max_message_bytes: 131_072,
        }
    }
}
