//! The recording that the driver `replay` plays, and how.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value;

/// What is played.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Replay {
    /// None is the recording that ships with the program.
    pub file: Option<PathBuf>,
    #[serde(deserialize_with = "value::parsed")]
    pub speed: Speed,
    #[serde(rename = "loop", deserialize_with = "flag")]
    repeats: Option<bool>,
}

impl Replay {
    /// Whether it begins again at its end. Unless somebody says so, only what ships does, and not where that would be a
    /// flood without an end.
    pub fn repeats(&self) -> bool {
        self.repeats.unwrap_or(self.file.is_none() && self.speed != Speed::Max)
    }
}

fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    value::flag(deserializer).map(Some)
}

/// How fast time passes in a recording.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// This many times as fast as it was.
    Times(f64),
    /// As fast as the store takes it.
    Max,
}

impl Default for Speed {
    fn default() -> Self {
        Self::Times(1.0)
    }
}

impl FromStr for Speed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("max") {
            return Ok(Self::Max);
        }
        match text.parse() {
            Ok(times) if f64::is_finite(times) && times > 0.0 => Ok(Self::Times(times)),
            _ => Err("not a speed: write a number above 0, such as 1, 0.5 or 10, or max for as fast as it goes"),
        }
    }
}

impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(times) => times.fmt(f),
            Self::Max => f.write_str("max"),
        }
    }
}

impl Serialize for Speed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
