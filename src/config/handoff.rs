//! Tokens that are handed on to programs beside this one: what a token looks like, in which files they find it, and who
//! is told. Nothing here writes.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Config, DriverKind, Secret, value};

/// The files that a harvester watches, in the folder it shares with us.
const ACCESS: &str = "twitch_irc.pass";
const REFRESH: &str = "twitch_refresh.pass";

/// What is handed on, and where to.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default)]
pub struct Handoff {
    /// Where a harvester's files lie; beside the store, unless it is named.
    pub data_dir: Option<PathBuf>,
    /// Whether a harvester is given tokens at all.
    #[serde(deserialize_with = "value::flag")]
    pub write_tokens: bool,
    /// Who is told that a token is new, if not gnasty where its configuration goes.
    #[serde(deserialize_with = "value::web_address", serialize_with = "value::as_address")]
    pub reload_url: Option<Url>,
}

impl Default for Handoff {
    fn default() -> Self {
        Self { data_dir: None, write_tokens: true, reload_url: None }
    }
}

/// The two files of a harvester.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassFiles {
    pub access: PathBuf,
    pub refresh: PathBuf,
}

impl Config {
    /// The files that a harvester finds tokens in; none where no harvester is in use or it shall have none.
    pub fn pass_files(&self) -> Option<PassFiles> {
        let in_use = self.ingest.driver == DriverKind::Gnasty
            || self.tailer.enabled
            || self.gnasty.admin_base.is_some()
            || self.handoff.reload_url.is_some();
        if !in_use || !self.handoff.write_tokens {
            return None;
        }
        let beside = || self.store.path.parent().map(Path::to_owned).unwrap_or_default();
        let folder = self.handoff.data_dir.clone().unwrap_or_else(beside);
        Some(PassFiles { access: folder.join(ACCESS), refresh: folder.join(REFRESH) })
    }
}

/// The first word without `oauth:`. What could smuggle in another line of a protocol or a file is no token.
pub fn bare_token(text: &str) -> Option<Secret<String>> {
    let word = text.split_whitespace().next()?;
    let token = word.strip_prefix("oauth:").unwrap_or(word);
    let is_printable = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    is_printable.then(|| Secret::new(token.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_cannot_bring_a_second_line() {
        for text in ["abc\r\nJOIN #a", "", "oauth:", "a\u{0}b"] {
            assert!(bare_token(text).is_none_or(|token| token.expose() == "abc"), "{text:?}");
        }
    }

    #[test]
    fn files_are_for_a_harvester_that_is_in_use() {
        let files = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.pass_files().map(|files| files.access.display().to_string())
        };
        let address = || "http://127.0.0.1:1".parse().ok();

        assert_eq!(files(|_| {}), None);
        assert_eq!(files(|config| config.handoff.data_dir = Some("/shared".into())), None);
        let beside = Some("data/twitch_irc.pass".to_owned());
        assert_eq!(files(|config| config.ingest.driver = DriverKind::Gnasty), beside);
        assert_eq!(files(|config| config.tailer.enabled = true), beside);
        let mut asked = Config::default();
        asked.gnasty.admin_base = address();
        assert!(asked.pass_files().is_some());
        asked.handoff.write_tokens = false;
        assert_eq!(asked.pass_files(), None);
        let handoff = Handoff { reload_url: address(), data_dir: Some("/shared".into()), ..Handoff::default() };
        let told = Config { handoff, ..Config::default() };
        let files = told.pass_files().expect("somebody is told");
        assert_eq!(
            (files.access, files.refresh),
            ("/shared/twitch_irc.pass".into(), "/shared/twitch_refresh.pass".into())
        );
    }
}
