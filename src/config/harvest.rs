//! What a harvester beside this program is told: the reader of its file, and gnasty's own knobs.
//! Nothing here harvests.

use std::path::PathBuf;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::{Secret, arguments, value};

/// A file that a harvester writes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Harvester {
    /// The store's own path, unless it is named.
    pub path: Option<PathBuf>,
}

/// The reader of a harvester's file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Tailer {
    #[serde(deserialize_with = "value::flag")]
    pub enabled: bool,
    #[serde(rename = "poll_ms", deserialize_with = "value::millis_or_none", serialize_with = "value::as_millis")]
    pub poll: Duration,
    #[serde(deserialize_with = "value::number")]
    pub max_batch: u32,
    /// A lag above it is worth a warning, of whatever comes to the feed; none at all, if it is 0.
    #[serde(rename = "max_lag_ms", deserialize_with = "value::millis_or_none", serialize_with = "value::as_millis")]
    pub max_lag: Duration,
    #[serde(deserialize_with = "value::flag")]
    pub persist_offsets: bool,
    /// Where it keeps its place, if not beside the store.
    pub offset_path: Option<PathBuf>,
}

impl Default for Tailer {
    fn default() -> Self {
        Self {
            enabled: false,
            poll: Duration::from_secs(1),
            max_batch: 200,
            max_lag: Duration::ZERO,
            persist_offsets: false,
            offset_path: None,
        }
    }
}

/// gnasty: how it is started, what it is told, and where it listens. Nothing is called that nobody configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "gnasty's own switches")]
pub struct Gnasty {
    pub bin: Option<PathBuf>,
    #[serde(deserialize_with = "value::list", serialize_with = "as_arguments")]
    pub args: Vec<String>,
    /// Where it takes its configuration, as a web address.
    #[serde(deserialize_with = "value::web_address", serialize_with = "value::as_address")]
    pub admin_base: Option<Url>,
    #[serde(deserialize_with = "value::words")]
    pub sinks: Vec<String>,
    #[serde(deserialize_with = "value::number")]
    pub sink_batch_size: u32,
    #[serde(deserialize_with = "value::number")]
    pub sink_flush_max_ms: u32,
    #[serde(deserialize_with = "value::flag")]
    pub twitch_tls: bool,
    #[serde(deserialize_with = "value::flag")]
    pub twitch_debug_drops: bool,
    #[serde(deserialize_with = "value::number")]
    pub twitch_backoff_min_ms: u32,
    #[serde(deserialize_with = "value::number")]
    pub twitch_backoff_max_ms: u32,
    #[serde(deserialize_with = "value::number")]
    pub twitch_refresh_backoff_min_ms: u32,
    #[serde(deserialize_with = "value::number")]
    pub twitch_refresh_backoff_max_ms: u32,
    #[serde(deserialize_with = "value::number")]
    pub yt_retry_secs: u32,
    #[serde(deserialize_with = "value::flag")]
    pub yt_dump_unhandled: bool,
    #[serde(deserialize_with = "value::number")]
    pub yt_poll_timeout_secs: u32,
    #[serde(deserialize_with = "value::number")]
    pub yt_poll_interval_ms: u32,
    #[serde(deserialize_with = "value::flag")]
    pub yt_debug: bool,
}

impl Default for Gnasty {
    fn default() -> Self {
        Self {
            bin: None,
            args: Vec::new(),
            admin_base: None,
            sinks: vec!["sqlite".to_owned()],
            sink_batch_size: 1,
            sink_flush_max_ms: 0,
            twitch_tls: true,
            twitch_debug_drops: false,
            twitch_backoff_min_ms: 1000,
            twitch_backoff_max_ms: 60_000,
            twitch_refresh_backoff_min_ms: 1000,
            twitch_refresh_backoff_max_ms: 60_000,
            yt_retry_secs: 30,
            yt_dump_unhandled: false,
            yt_poll_timeout_secs: 15,
            yt_poll_interval_ms: 10_000,
            yt_debug: false,
        }
    }
}

/// YouTube.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Youtube {
    pub api_key: Option<Secret<String>>,
    /// Channels to begin with, instead of those the program knows.
    #[serde(deserialize_with = "suggestions")]
    pub suggestions: Option<Vec<Suggestion>>,
}

/// A channel that is suggested.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Suggestion {
    pub display_name: String,
    pub url: String,
}

/// A JSON array; of its entries those that say both.
fn suggestions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Suggestion>>, D::Error> {
    const REMEDY: &str = "not a JSON array of {\"display_name\":…,\"url\":…}";
    let entries: Vec<serde_json::Value> =
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(|_| Error::custom(REMEDY))?;
    let entries = entries.into_iter().filter_map(|entry| serde_json::from_value::<Suggestion>(entry).ok());
    Ok(Some(entries.filter(|entry| !entry.display_name.trim().is_empty() && !entry.url.trim().is_empty()).collect()))
}

impl Gnasty {
    /// The arguments as they may be shown.
    pub fn shown_args(&self) -> Vec<String> {
        arguments::shown(&self.args)
    }
}

fn as_arguments<S: Serializer>(args: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    arguments::shown(args).serialize(serializer)
}
