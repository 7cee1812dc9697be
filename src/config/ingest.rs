//! What is listened to, and how.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Secret, value};

/// The driver, its queue and its retries.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub struct Ingest {
    #[serde(deserialize_with = "value::parsed")]
    pub driver: DriverKind,
    #[serde(rename = "backoff_base_ms", deserialize_with = "value::millis", serialize_with = "value::as_millis")]
    pub backoff_base: Duration,
    #[serde(rename = "backoff_max_ms", deserialize_with = "value::millis", serialize_with = "value::as_millis")]
    pub backoff_max: Duration,
    /// Events that may wait for the writer before drivers wait too.
    #[serde(deserialize_with = "value::positive")]
    pub queue: usize,
}

impl Default for Ingest {
    fn default() -> Self {
        Self {
            driver: DriverKind::Native,
            backoff_base: Duration::from_millis(500),
            backoff_max: Duration::from_secs(30),
            queue: 8192,
        }
    }
}

/// Who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DriverKind {
    /// This program itself.
    Native,
    /// gnasty, which this program starts, or which writes a file that this program reads.
    Gnasty,
    /// `chat_downloader`, in a Python of this machine.
    Chatdownloader,
    /// Any program that prints a line per message.
    Exec,
    /// A recording.
    Replay,
    /// Nobody: the server shows what the store already holds.
    None,
}

impl DriverKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Gnasty => "gnasty",
            Self::Chatdownloader => "chatdownloader",
            Self::Exec => "exec",
            Self::Replay => "replay",
            Self::None => "none",
        }
    }
}

impl std::str::FromStr for DriverKind {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name.to_ascii_lowercase().as_str() {
            "native" => Ok(Self::Native),
            "none" => Ok(Self::None),
            "gnasty" => Ok(Self::Gnasty),
            "chatdownloader" => Ok(Self::Chatdownloader),
            "exec" => Ok(Self::Exec),
            "replay" => Ok(Self::Replay),
            _ => Err(
                "no such driver: there are native (listens by itself), gnasty, chatdownloader, exec, replay and none",
            ),
        }
    }
}

/// Twitch chat.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub struct Twitch {
    #[serde(deserialize_with = "value::upstream", serialize_with = "value::as_upstream")]
    pub irc_url: Url,
    /// Without it, or without a token, chat is read anonymously.
    pub username: Option<String>,
    pub oauth_token: Option<Secret<String>>,
    /// Read again whenever it changes; wins over `oauth_token`.
    pub token_file: Option<PathBuf>,
    #[serde(deserialize_with = "value::base", serialize_with = "value::as_upstream")]
    pub api_url: Url,
    #[serde(deserialize_with = "value::base", serialize_with = "value::as_upstream")]
    pub id_url: Url,
    /// The application that asks Twitch's API and signs people in.
    pub client_id: Option<String>,
    pub client_secret: Option<Secret<String>>,
    #[serde(deserialize_with = "value::web_address", serialize_with = "value::as_address")]
    pub redirect_url: Option<Url>,
    #[serde(rename = "ping_interval_ms", deserialize_with = "value::millis", serialize_with = "value::as_millis")]
    pub ping_interval: Duration,
    #[serde(rename = "pong_wait_ms", deserialize_with = "value::millis", serialize_with = "value::as_millis")]
    pub pong_wait: Duration,
    #[serde(rename = "connect_timeout_ms", deserialize_with = "value::millis", serialize_with = "value::as_millis")]
    pub connect_timeout: Duration,
    /// How long a JOIN may stay unconfirmed before it is sent again.
    #[serde(rename = "join_timeout_ms", deserialize_with = "value::millis", serialize_with = "value::as_millis")]
    pub join_timeout: Duration,
    /// JOINs per ten seconds. Twitch takes 20 of an ordinary account; the default leaves a margin.
    #[serde(deserialize_with = "value::positive")]
    pub joins_per_10s: usize,
}

impl Default for Twitch {
    fn default() -> Self {
        Self {
            irc_url: Url::parse("wss://irc-ws.chat.twitch.tv:443").expect("the address is a constant"),
            username: None,
            oauth_token: None,
            token_file: None,
            api_url: Url::parse("https://api.twitch.tv").expect("the address is a constant"),
            id_url: Url::parse("https://id.twitch.tv").expect("the address is a constant"),
            client_id: None,
            client_secret: None,
            redirect_url: None,
            ping_interval: Duration::from_secs(30),
            pong_wait: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(10),
            join_timeout: Duration::from_secs(10),
            joins_per_10s: 18,
        }
    }
}
