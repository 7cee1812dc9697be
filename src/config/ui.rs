//! What people see: the program's own log, and the front end's settings.

use serde::{Deserialize, Serialize};

use super::value;
use crate::chat::color::Palette;

/// The log on stderr.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub struct Log {
    /// A level (`info`), or directives of tracing's filter (`info,elora_chat::ingest=debug`).
    #[serde(deserialize_with = "value::log_level")]
    pub level: String,
    #[serde(deserialize_with = "value::choice")]
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// What the front end starts with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct Ui {
    /// Keep the `@` before YouTube names.
    #[serde(deserialize_with = "value::flag")]
    pub yt_prefix_at: bool,
    #[serde(deserialize_with = "value::flag")]
    pub show_badges: bool,
    /// For names without a color of their own, on the classic socket.
    #[serde(deserialize_with = "value::choice")]
    pub palette: Palette,
}

impl Default for Ui {
    fn default() -> Self {
        Self { yt_prefix_at: false, show_badges: true, palette: Palette::default() }
    }
}
