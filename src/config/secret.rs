//! A value that must not be shown: a token, a password.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// What stands where a secret would be.
pub const REDACTED: &str = "***";

/// Wraps a secret so that logs, dumps and documents print `***`. [`Secret::expose`] is the only way to it.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The secret itself, for the one place that needs it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("oauth:hunter2".to_owned());

        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(serde_json::to_string(&secret).ok().as_deref(), Some("\"***\""));
        assert_eq!(secret.expose(), "oauth:hunter2");
    }
}
