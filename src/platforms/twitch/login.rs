//! Who we are to Twitch: nobody in particular, or an account by its token. A token that was refused is not tried again
//! until it changes; until then chat is read anonymously.

use std::path::Path;

use tokio::fs::File;
use tokio::io::AsyncReadExt;

use crate::config::{self, Secret};

/// A token file holds one line of a few dozen characters; what is longer is no token file.
const LONGEST_FILE: u64 = 4096;

/// How one connection introduces itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// Read only; the name carries a random number.
    Anonymous { nick: String },
    /// The token without its `oauth:`.
    Account { nick: String, token: Secret<String> },
}

impl Login {
    fn anonymous() -> Self {
        Self::Anonymous { nick: format!("justinfan{}", rand::random_range(10_000..1_000_000)) }
    }

    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous { .. })
    }

    pub fn nick(&self) -> &str {
        match self {
            Self::Anonymous { nick } | Self::Account { nick, .. } => nick,
        }
    }

    /// The lines to send, in order.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Anonymous { nick } => vec![format!("NICK {nick}")],
            Self::Account { nick, token } => vec![format!("PASS oauth:{}", token.expose()), format!("NICK {nick}")],
        }
    }
}

/// The account that was configured, if any, and what has become of it.
pub struct Credentials {
    config: config::Twitch,
    token: Option<Secret<String>>,
    /// The token that Twitch refused, and in which words.
    dead: Option<(Secret<String>, String)>,
    /// Why the token file gives no token.
    unreadable: Option<String>,
}

impl Credentials {
    pub fn new(config: config::Twitch) -> Self {
        let token = config.oauth_token.as_ref().and_then(|token| config::bare_token(token.expose()));
        Self { config, token, dead: None, unreadable: None }
    }

    /// How the next connection introduces itself.
    pub fn login(&self) -> Login {
        let alive = self.token.as_ref().filter(|token| !self.is_dead(token));
        match (&self.config.username, alive) {
            (Some(name), Some(token)) => Login::Account { nick: name.to_lowercase(), token: token.clone() },
            _ => Login::anonymous(),
        }
    }

    /// Why chat is read anonymously although an account was configured; None where all is as configured.
    pub fn fallback(&self) -> Option<String> {
        let asked = self.config.oauth_token.is_some() || self.config.token_file.is_some();
        if !asked {
            return None;
        }
        let why = match (&self.config.username, &self.token, &self.dead) {
            (None, ..) => "there is a token but no TWITCH_USERNAME".to_owned(),
            (_, None, _) => self.unreadable.clone().unwrap_or_else(|| "the token is empty".to_owned()),
            (_, Some(token), Some((dead, words))) if token == dead => format!("twitch refused the token: {words}"),
            _ => return None,
        };
        Some(format!("{why}; reading anonymously until it changes"))
    }

    /// Twitch refused this login. The token counts as dead from now on.
    pub fn refuse(&mut self, login: Login, words: String) {
        if let Login::Account { token, .. } = login {
            self.dead = Some((token, words));
        }
    }

    /// Reads the token file again, if there is one. True if it holds another token than before.
    pub async fn look(&mut self) -> bool {
        let Some(path) = &self.config.token_file else { return false };
        match read(path).await {
            Ok(None) => false,
            Ok(token) => {
                self.unreadable = None;
                let is_new = self.token != token;
                self.token = token;
                is_new
            }
            Err(error) => {
                self.unreadable = Some(format!("the token file cannot be read: {error}"));
                false
            }
        }
    }

    fn is_dead(&self, token: &Secret<String>) -> bool {
        self.dead.as_ref().is_some_and(|(dead, _)| dead == token)
    }
}

/// None for a file that is empty at this moment: whoever writes it may just have begun.
async fn read(path: &Path) -> std::io::Result<Option<Secret<String>>> {
    let mut text = String::new();
    File::open(path).await?.take(LONGEST_FILE).read_to_string(&mut text).await?;
    Ok(config::bare_token(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(token: &str) -> config::Twitch {
        let oauth_token = Some(Secret::new(token.to_owned()));
        config::Twitch { username: Some("SomeBody".into()), oauth_token, ..config::Twitch::default() }
    }

    fn tokens_of(credentials: &Credentials) -> Option<String> {
        match credentials.login() {
            Login::Anonymous { .. } => None,
            Login::Account { token, .. } => Some(token.expose().clone()),
        }
    }

    #[test]
    fn nobody_configured_is_anonymous_and_nothing_to_tell() {
        let credentials = Credentials::new(config::Twitch::default());

        let login = credentials.login();

        let digits = login.nick().strip_prefix("justinfan").expect("the anonymous name");
        assert!(digits.parse::<u32>().is_ok(), "{digits}");
        assert_eq!(login.lines(), [format!("NICK {}", login.nick())]);
        assert_eq!(credentials.fallback(), None);
    }

    #[test]
    fn an_account_logs_in_under_its_name_in_lower_case() {
        for token in ["oauth:abc", " abc \n"] {
            assert_eq!(Credentials::new(account(token)).login().lines(), ["PASS oauth:abc", "NICK somebody"]);
        }
    }

    #[test]
    fn a_refused_token_is_not_tried_again_and_says_so() {
        let mut credentials = Credentials::new(account("abc"));

        credentials.refuse(credentials.login(), "Login authentication failed".to_owned());

        assert_eq!(tokens_of(&credentials), None);
        let reason = credentials.fallback().expect("a reason");
        assert!(reason.contains("Login authentication failed") && !reason.contains("abc"), "{reason}");
    }

    #[tokio::test]
    async fn a_changed_token_file_gives_the_account_another_chance() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        let mut credentials = Credentials::new(config::Twitch { token_file: Some(path.clone()), ..account("abc") });
        assert!(!credentials.look().await);
        credentials.refuse(credentials.login(), "no".to_owned());

        std::fs::write(&path, "oauth:def\n").expect("it is writable");
        assert!(credentials.look().await);
        assert_eq!((tokens_of(&credentials).as_deref(), credentials.fallback()), (Some("def"), None));

        std::fs::write(&path, "").expect("it is writable");
        assert!(!credentials.look().await);
        assert_eq!(tokens_of(&credentials).as_deref(), Some("def"));
    }

    #[tokio::test]
    async fn a_token_file_that_is_not_there_is_told() {
        let path = Some("/nowhere/token".into());
        let mut credentials =
            Credentials::new(config::Twitch { token_file: path, oauth_token: None, ..account("abc") });

        assert!(!credentials.look().await);

        assert!(credentials.fallback().is_some_and(|reason| reason.contains("token file")));
    }
}
