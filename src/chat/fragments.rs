//! What a message is shown as: runs of text, emotes, mentions, links and cheers. Never HTML.

use serde::{Deserialize, Serialize};

/// One run of a message. The `text` of all fragments concatenates to the message's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Fragment {
    Text {
        text: String,
    },
    /// A picture named by (provider, id); each wire form derives its address from that.
    Emote {
        text: String,
        id: String,
        name: String,
        provider: String,
        #[serde(default)]
        animated: bool,
        /// Drawn over the emote before it.
        #[serde(default)]
        zero_width: bool,
    },
    /// `@name`; `login` is the name in lower case.
    Mention {
        text: String,
        login: String,
    },
    Link {
        text: String,
        url: String,
    },
    /// A cheer word such as `Cheer100`, only in messages that carry bits.
    Cheer {
        text: String,
        prefix: String,
        bits: u64,
    },
}

impl Fragment {
    pub fn text(&self) -> &str {
        match self {
            Self::Text { text }
            | Self::Emote { text, .. }
            | Self::Mention { text, .. }
            | Self::Link { text, .. }
            | Self::Cheer { text, .. } => text,
        }
    }
}
