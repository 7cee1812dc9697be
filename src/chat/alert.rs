//! Things that happen in a chat besides talk: subscriptions, gifts, raids, announcements.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::author::Author;
use super::fragments::Fragment;
use super::message::{Flag, Money};
use super::subscription::{Extension, Gift, GiftBulk, GiftUpgrade, PayForward, Subscription, Upgrade};

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

/// Kinds of alerts, named alike on every platform. What the platform does not say is None.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AlertType {
    /// Somebody subscribed for the first time.
    Sub(Subscription),
    /// Somebody goes on subscribing and says so.
    Resub(Subscription),
    /// One subscription given to one person.
    Gift(Gift),
    /// Many given at once. A [`Gift`] for each follows with the same `bulk_id`.
    GiftBulk(GiftBulk),
    /// Somebody goes on paying for what was a gift.
    GiftUpgrade(GiftUpgrade),
    /// Somebody pays for what came with Prime.
    PrimeUpgrade(Upgrade),
    /// Somebody paid ahead.
    SubExtend(Extension),
    /// Somebody who was given a subscription gives one on.
    PayForward(PayForward),
    /// Viewers arrive from the author's channel.
    Raid(Raid),
    /// A raid was called off.
    Unraid {},
    Announcement(Announcement),
    /// Somebody earned the badge for so many bits.
    BitsBadge {
        threshold: u64,
    },
    /// Somebody watched so many streams in a row.
    WatchStreak(WatchStreak),
    /// A greeting the platform offers, such as `new_chatter`.
    Ritual {
        name: String,
    },
    /// A gift brought rewards to others in the chat.
    RewardGift(RewardGift),
    /// Somebody gave to a charity; the sum is the alert's money.
    Charity {
        charity: String,
    },
    /// A cheer paid in money; the sum is the alert's money.
    CheerCash(CheerCash),
    /// A gift made to the chat through Prime.
    PrimeGift(PrimeGift),
    /// An alert this program has no name for: kept as the platform said it.
    Other {
        name: String,
        params: BTreeMap<String, String>,
    },
}

impl AlertType {
    /// The name it has in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sub(_) => "sub",
            Self::Resub(_) => "resub",
            Self::Gift(_) => "gift",
            Self::GiftBulk(_) => "gift_bulk",
            Self::GiftUpgrade(_) => "gift_upgrade",
            Self::PrimeUpgrade(_) => "prime_upgrade",
            Self::SubExtend(_) => "sub_extend",
            Self::PayForward(_) => "pay_forward",
            Self::Raid(_) => "raid",
            Self::Unraid {} => "unraid",
            Self::Announcement(_) => "announcement",
            Self::BitsBadge { .. } => "bits_badge",
            Self::WatchStreak(_) => "watch_streak",
            Self::Ritual { .. } => "ritual",
            Self::RewardGift(_) => "reward_gift",
            Self::Charity { .. } => "charity",
            Self::CheerCash(_) => "cheer_cash",
            Self::PrimeGift(_) => "prime_gift",
            Self::Other { .. } => "other",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Raid {
    pub viewers: u32,
    /// The raider's picture; `%s` in it stands for a size such as `70x70`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Announcement {
    /// On Twitch `PRIMARY`, `BLUE`, `GREEN`, `ORANGE` or `PURPLE`.
    pub color: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WatchStreak {
    pub streams: u32,
    /// Channel points earned by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RewardGift {
    /// What set it off, such as `SUBGIFT` or `CHEER`, and how much of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger_amount: Option<u32>,
    /// How many got a reward.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// The promotion it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promo: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CheerCash {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emote_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pill: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub highlighted: bool,
}

/// Names as the platform shows them; it gives no ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PrimeGift {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gift: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Through whom it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_the_json() {
        let all = [
            AlertType::Sub(Subscription::default()),
            AlertType::Resub(Subscription::default()),
            AlertType::Gift(Gift::default()),
            AlertType::GiftBulk(GiftBulk::default()),
            AlertType::GiftUpgrade(GiftUpgrade::default()),
            AlertType::PrimeUpgrade(Upgrade::default()),
            AlertType::SubExtend(Extension::default()),
            AlertType::PayForward(PayForward::default()),
            AlertType::Raid(Raid::default()),
            AlertType::Unraid {},
            AlertType::Announcement(Announcement::default()),
            AlertType::BitsBadge { threshold: 1 },
            AlertType::WatchStreak(WatchStreak::default()),
            AlertType::Ritual { name: String::new() },
            AlertType::RewardGift(RewardGift::default()),
            AlertType::Charity { charity: String::new() },
            AlertType::CheerCash(CheerCash::default()),
            AlertType::PrimeGift(PrimeGift::default()),
            AlertType::Other { name: String::new(), params: BTreeMap::new() },
        ];
        for alert in all {
            let json = serde_json::to_value(&alert).expect("our own types serialize");
            assert_eq!(json["type"], alert.name());
        }
    }
}
