//! The settings as clients send and read them. Only the shape: what a value must be is the rules' business.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Kept;
use super::spelling::canonical;
use crate::config::settings::text;
use crate::config::{self, Origins};

/// The version of the document, whatever a client says.
pub const VERSION: i64 = 2;

/// Every setting. Times in milliseconds unless their name says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    pub schema_version: i64,
    pub api_base_url: String,
    pub ws_url: String,
    pub allowed_origins: Vec<String>,
    /// The first source of Twitch in the list, by its login.
    pub twitch_channel: String,
    /// The first source of YouTube, by its address.
    pub youtube_source_url: String,
    pub features: Features,
    pub tailer: Tailer,
    pub websocket: Websocket,
    pub ingest: Ingest,
    pub gnasty: Gnasty,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the switches of the contract")]
pub struct Features {
    pub show_badges: bool,
    #[serde(rename = "hideYouTubeAt")]
    pub hide_youtube_at: bool,
    pub ws_envelope: bool,
    pub ws_drop_empty: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tailer {
    pub enabled: bool,
    pub poll_interval_ms: i64,
    pub max_batch: i64,
    pub max_lag_ms: i64,
    pub persist_offsets: bool,
    pub offset_path: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Websocket {
    pub ping_interval_ms: i64,
    pub pong_wait_ms: i64,
    pub write_deadline_ms: i64,
    pub max_message_bytes: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ingest {
    pub gnasty_bin: String,
    /// As they may be shown.
    pub gnasty_args: Vec<String>,
    pub backoff_base_ms: i64,
    pub backoff_max_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Gnasty {
    pub sinks: Sinks,
    pub twitch: Twitch,
    pub youtube: Youtube,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sinks {
    pub enabled: Vec<String>,
    pub batch_size: i64,
    pub flush_max_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Twitch {
    pub nick: String,
    pub tls: bool,
    pub debug_drops: bool,
    pub backoff_min_ms: i64,
    pub backoff_max_ms: i64,
    pub refresh_backoff_min_ms: i64,
    pub refresh_backoff_max_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Youtube {
    pub retry_seconds: i64,
    pub dump_unhandled: bool,
    pub poll_timeout_secs: i64,
    pub poll_interval_ms: i64,
    pub debug: bool,
}

impl Document {
    /// What is kept, as it is shown.
    pub fn of(kept: &Kept) -> Self {
        let settings = &kept.settings;
        Self {
            schema_version: VERSION,
            api_base_url: text(&settings.api_base),
            ws_url: text(&settings.ws_url),
            allowed_origins: origins(&settings.allowed_origins),
            twitch_channel: kept.twitch.as_ref().map_or_else(String::new, |channel| channel.login.clone()),
            youtube_source_url: kept.youtube.as_ref().map_or_else(String::new, canonical),
            features: Features {
                show_badges: settings.ui.show_badges,
                hide_youtube_at: !settings.ui.yt_prefix_at,
                ws_envelope: settings.socket.envelope,
                ws_drop_empty: settings.socket.drop_empty,
            },
            tailer: Tailer::of(&settings.tailer),
            websocket: Websocket::of(&settings.socket),
            ingest: Ingest::of(settings),
            gnasty: Gnasty::of(&settings.gnasty, &settings.gnasty_nick),
        }
    }

    /// This document with what was sent put over it. What is not sent stays; so does what is `null`, except that a list
    /// is then empty.
    pub fn with(&self, sent: Map<String, Value>) -> Result<Self, String> {
        if sent.contains_key("config") {
            return Err("send the object that is under `config`, without what is around it".to_owned());
        }
        let mut whole = self.to_value();
        put_over(&mut whole, Value::Object(sent), "")?;
        serde_json::from_value(whole).map_err(|error| error.to_string())
    }

    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("texts, numbers and switches always serialize")
    }
}

/// The name of a setting, as `tailer.maxBatch`.
pub fn under(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// `known` is of the right shape, so whatever is sent must be of the same.
fn put_over(known: &mut Value, sent: Value, path: &str) -> Result<(), String> {
    match (known, sent) {
        (Value::Array(known), Value::Null) => known.clear(),
        (_, Value::Null) => {}
        (Value::Object(known), Value::Object(sent)) => {
            for (key, value) in sent {
                let path = under(path, &key);
                let Some(known) = known.get_mut(&key) else { return Err(format!("{path}: there is no such setting")) };
                put_over(known, value, &path)?;
            }
        }
        (known, sent) if is_alike(known, &sent) => *known = sent,
        (known, _) => return Err(format!("{path}: must be {}", kind(known))),
    }
    Ok(())
}

fn is_alike(known: &Value, sent: &Value) -> bool {
    match (known, sent) {
        (Value::Bool(_), Value::Bool(_)) | (Value::String(_), Value::String(_)) => true,
        (Value::Number(_), Value::Number(sent)) => sent.is_i64(),
        (Value::Array(_), Value::Array(sent)) => sent.iter().all(Value::is_string),
        _ => false,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list of texts",
        Value::Object(_) | Value::Null => "an object",
    }
}

/// The pages that are trusted; a star for all of them.
fn origins(origins: &Origins) -> Vec<String> {
    let star = origins.any.then(|| "*".to_owned());
    star.into_iter().chain(origins.list.iter().map(ToString::to_string)).collect()
}

impl Tailer {
    fn of(tailer: &config::Tailer) -> Self {
        Self {
            enabled: tailer.enabled,
            poll_interval_ms: millis(tailer.poll),
            max_batch: tailer.max_batch.into(),
            max_lag_ms: millis(tailer.max_lag),
            persist_offsets: tailer.persist_offsets,
            offset_path: tailer.offset_path.as_ref().map_or_else(String::new, |path| path.display().to_string()),
        }
    }
}

impl Websocket {
    fn of(socket: &config::Socket) -> Self {
        Self {
            ping_interval_ms: millis(socket.ping_interval),
            pong_wait_ms: millis(socket.pong_wait),
            write_deadline_ms: millis(socket.write_deadline),
            max_message_bytes: i64::try_from(socket.max_message_bytes).unwrap_or(i64::MAX),
        }
    }
}

impl Ingest {
    fn of(settings: &config::Settings) -> Self {
        let gnasty = &settings.gnasty;
        Self {
            gnasty_bin: gnasty.bin.as_ref().map_or_else(String::new, |path| path.display().to_string()),
            gnasty_args: gnasty.shown_args(),
            backoff_base_ms: millis(settings.backoff_base),
            backoff_max_ms: millis(settings.backoff_max),
        }
    }
}

impl Gnasty {
    fn of(gnasty: &config::Gnasty, nick: &str) -> Self {
        Self {
            sinks: Sinks {
                enabled: gnasty.sinks.clone(),
                batch_size: gnasty.sink_batch_size.into(),
                flush_max_ms: gnasty.sink_flush_max_ms.into(),
            },
            twitch: Twitch {
                nick: nick.to_owned(),
                tls: gnasty.twitch_tls,
                debug_drops: gnasty.twitch_debug_drops,
                backoff_min_ms: gnasty.twitch_backoff_min_ms.into(),
                backoff_max_ms: gnasty.twitch_backoff_max_ms.into(),
                refresh_backoff_min_ms: gnasty.twitch_refresh_backoff_min_ms.into(),
                refresh_backoff_max_ms: gnasty.twitch_refresh_backoff_max_ms.into(),
            },
            youtube: Youtube {
                retry_seconds: gnasty.yt_retry_secs.into(),
                dump_unhandled: gnasty.yt_dump_unhandled,
                poll_timeout_secs: gnasty.yt_poll_timeout_secs.into(),
                poll_interval_ms: gnasty.yt_poll_interval_ms.into(),
                debug: gnasty.yt_debug,
            },
        }
    }
}

fn millis(time: std::time::Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
