//! What is for those who work on the program or its pages: doors that an ordinary server does not have.

use serde::{Deserialize, Serialize};

use super::value;

/// Names of an environment where none of this is let in, in lower case.
const IN_EARNEST: [&str; 2] = ["production", "prod"];

/// What developers switch on.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Dev {
    /// Lines that nobody typed may be put into the store.
    #[serde(deserialize_with = "value::flag")]
    pub seed: bool,
    /// The newest rows may be read as they lie in the store.
    #[serde(deserialize_with = "value::flag")]
    pub raw_messages: bool,
    /// What kind of place this server runs in; empty where nobody says.
    pub environment: String,
}

impl Dev {
    /// Whether the routes that put lines into the store exist.
    pub fn allows_seed(&self) -> bool {
        self.seed && !self.is_in_earnest()
    }

    /// Whether the route that shows rows exists.
    pub fn allows_raw_messages(&self) -> bool {
        self.raw_messages && !self.is_in_earnest()
    }

    fn is_in_earnest(&self) -> bool {
        IN_EARNEST.iter().any(|name| self.environment.eq_ignore_ascii_case(name))
    }
}
