//! Where the store lies and how SQLite keeps it.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::value;

/// The store.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub struct Store {
    pub path: PathBuf,
    #[serde(deserialize_with = "value::choice")]
    pub mode: Mode,
    #[serde(deserialize_with = "value::choice")]
    pub synchronous: Synchronous,
    #[serde(rename = "busy_timeout_ms", deserialize_with = "value::millis", serialize_with = "value::as_millis")]
    pub busy_timeout: Duration,
    /// In lower case.
    #[serde(deserialize_with = "value::journal_mode")]
    pub journal_mode: String,
    /// The operator's own pragmas for the writer, in order.
    #[serde(deserialize_with = "value::pragmas")]
    pub pragmas_extra: Vec<(String, String)>,
    /// How many queries may run at once. On a small machine more than the default only wait for each other, and each
    /// keeps up to 8 MiB of pages.
    #[serde(deserialize_with = "value::positive")]
    pub max_conns: usize,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            path: PathBuf::from("data/elora.db"),
            mode: Mode::Persistent,
            synchronous: Synchronous::Normal,
            busy_timeout: Duration::from_millis(5_000),
            journal_mode: "wal".to_owned(),
            pragmas_extra: Vec::new(),
            max_conns: 8,
        }
    }
}

/// Whether the store outlives the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Persistent,
    Ephemeral,
}

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    /// A power loss costs at most the last second.
    Normal,
    /// Every commit is on disk before anyone sees it.
    Full,
}

impl Synchronous {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Full => "full",
        }
    }
}
