//! Things that happen in a chat besides talk: subscriptions, gifts, raids, announcements.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::author::Author;
use super::fragments::Fragment;
use super::message::{Flag, Money};

/// An alert: what happened, who did it, and what they wrote with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub alert: AlertType,
    /// The platform's own sentence about it, ready to show; empty where it sends none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub system_text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
    /// What the person wrote with it; empty where they wrote nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fragments: Vec<Fragment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
}

/// Kinds of alerts, named alike on every platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AlertType {
    /// An alert this program has no name for: kept as the platform said it.
    Other { name: String, params: BTreeMap<String, String> },
}
