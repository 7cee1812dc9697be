//! Programs that are run to listen: what is started, and what of this environment they get.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use super::{DriverKind, Secret, arguments, value};

/// What every program gets: where it is, how it writes, and how it reaches the net.
const EVERYBODY: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_*",
    "TZ",
    "TMPDIR", // proxies, in both spellings that programs look for
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    // whom to trust
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
];
/// What gnasty reads besides.
const GNASTY: &[&str] = &["GNASTY_*", "GN_SQLITE_TUNING", "TWITCH_*", "YOUTUBE_URL"];
/// What a Python finds its packages by.
const PYTHON: &[&str] = &["PYTHONPATH", "VIRTUAL_ENV"];

/// A program per source, or one that hears them all.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub struct Exec {
    /// The program of the driver `exec` and its arguments.
    #[serde(deserialize_with = "value::list", serialize_with = "as_arguments")]
    pub command: Vec<String>,
    /// Names of variables that it gets besides.
    #[serde(deserialize_with = "value::list")]
    pub env: Vec<String>,
    /// The Python that has `chat_downloader`.
    pub python: String,
    /// All that the driver's program gets of this environment.
    #[serde(skip)]
    pub passed: BTreeMap<String, Secret<String>>,
}

impl Default for Exec {
    fn default() -> Self {
        Self { command: Vec::new(), env: Vec::new(), python: "python3".to_owned(), passed: BTreeMap::new() }
    }
}

impl Exec {
    /// Whether a driver's program gets the variable of this name. Whatever is not named here may be a secret.
    pub fn passes(&self, driver: DriverKind, name: &str) -> bool {
        let own = match driver {
            DriverKind::Gnasty => GNASTY,
            DriverKind::Chatdownloader => PYTHON,
            _ => &[],
        };
        let fits = |known: &&str| match known.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => *known == name,
        };
        EVERYBODY.iter().chain(own).any(fits) || self.env.iter().any(|known| known == name)
    }

    /// The command as it may be shown.
    pub fn shown_command(&self) -> Vec<String> {
        arguments::shown(&self.command)
    }
}

fn as_arguments<S: Serializer>(args: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    arguments::shown(args).serialize(serializer)
}
