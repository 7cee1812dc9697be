//! Alerts about subscriptions: bought, kept, given, passed on. What the platform does not say is None.

use serde::{Deserialize, Serialize};

use super::author::Person;

/// A subscription bought, or kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscription {
    /// The platform's name for the tier: on Twitch `Prime`, `1000`, `2000`, `3000`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The channel's own name for the tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_name: Option<String>,
    /// Months in total, this one too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub months: Option<u32>,
    /// Months without a break, where the person shares it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streak: Option<u32>,
    /// Months paid for at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_months: Option<u32>,
    /// Which of those months this is, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid_month: Option<u32>,
    /// Present where the month was a gift.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gifted: Option<Gifted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
}

/// A month that somebody else paid for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gifted {
    /// Nobody where the giver is anonymous.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gifter: Option<Person>,
    /// Months given at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub months: Option<u32>,
    /// Which of those months this is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub month: Option<u32>,
}

/// One subscription given to one person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gift {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_name: Option<String>,
    /// Months given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub months: Option<u32>,
    /// Months the recipient has subscribed in total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_months: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Person>,
    /// Gifts by this person in this channel so far, where they show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// The [`GiftBulk`] it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulk_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anonymous: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
}

/// Many subscriptions given at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GiftBulk {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// How many are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// Gifts by this person in this channel so far, where they show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// What the single gifts of it name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulk_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    /// Present where somebody else adds to the gifts.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub matched: Option<Match>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub anonymous: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
}

/// What is added to a bulk of gifts, and by whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Match {
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bonus: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<u32>,
    /// Who adds them, as shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A channel's goal and what this did for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Goal {
    /// What is counted: on Twitch `SUBS`, `NEW_SUB_POINTS`.
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<u64>,
    /// What this alert added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added: Option<u64>,
}

/// A gift that is now paid for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GiftUpgrade {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Nobody where the giver is anonymous.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gifter: Option<Person>,
    /// The promotion it is part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promo: Option<String>,
    /// Gifts made in the promotion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promo_total: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Upgrade {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Extension {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Months in total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub months: Option<u32>,
    /// The month of the year it now ends in, 1 to 12.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_month: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PayForward {
    /// Who gave to the author before; nobody where they are anonymous.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gifter: Option<Person>,
    /// Nobody where the gift goes to the whole community.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Person>,
}
