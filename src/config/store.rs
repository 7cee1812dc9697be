//! Where the store lies and how SQLite keeps it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::value;

/// The store.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub struct Store {
    pub path: PathBuf,
    /// Whether a harvester is to write a file of this path, so that ours lies beside it.
    #[serde(skip)]
    pub is_shared: bool,
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
    #[serde(deserialize_with = "value::list")]
    pub pragmas_extra: Vec<Pragma>,
    /// How many queries may run at once. On a small machine more than the default only wait for each other, and each
    /// keeps up to 8 MiB of pages.
    #[serde(deserialize_with = "value::positive")]
    pub max_conns: usize,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            path: PathBuf::from("data/elora.db"),
            is_shared: false,
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

/// `name=value` or `name(value)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pragma {
    /// In lower case.
    pub name: String,
    pub value: String,
    /// As it was written.
    given: String,
}

impl FromStr for Pragma {
    type Err = &'static str;

    /// Only words and numbers: a pragma cannot be bound, so nothing else may reach SQL.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const REMEDY: &str = "not a pragma: write name=value or name(value), with commas between them, \
            such as mmap_size=268435456,temp_store=memory";
        let is_word = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        let called = || text.strip_suffix(')')?.split_once('(');
        let (name, value) = text.split_once('=').or_else(called).ok_or(REMEDY)?;
        let (name, value) = (name.trim(), value.trim());
        if !is_word(name) || !is_word(value) {
            return Err(REMEDY);
        }
        Ok(Self { name: name.to_ascii_lowercase(), value: value.to_owned(), given: text.to_owned() })
    }
}

impl fmt::Display for Pragma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

impl Serialize for Pragma {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Pragma {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        value::parsed(deserializer)
    }
}
