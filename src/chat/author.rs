//! Who said it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::color::Color;

/// A person in a chat, as they looked when they said it. Keyed by the platform's id; logins change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The platform's stable id; absent only in very old lines.
    pub id: Option<String>,
    pub login: String,
    /// What is shown: may hold any script and spaces.
    pub name: String,
    /// The platform's own color, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<Color>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub badges: Vec<Badge>,
    /// True for a person's first message ever in this channel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
}

/// Somebody named in passing: who is answered, who gets a gift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: Option<String>,
    pub login: String,
    pub name: String,
}

/// What a person may do or is in a channel. Open: platforms add their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Role(Cow<'static, str>);

impl Role {
    pub const BROADCASTER: Self = Self(Cow::Borrowed("broadcaster"));
    pub const MODERATOR: Self = Self(Cow::Borrowed("moderator"));
    pub const VIP: Self = Self(Cow::Borrowed("vip"));
    pub const SUBSCRIBER: Self = Self(Cow::Borrowed("subscriber"));
    pub const STAFF: Self = Self(Cow::Borrowed("staff"));

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A mark beside a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Badge {
    /// The set it belongs to: `subscriber`, `predictions`.
    pub set: String,
    /// The version within the set; not always a number (`blue-1`).
    pub version: String,
    /// What it says beyond its picture: true months, a prediction's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}
