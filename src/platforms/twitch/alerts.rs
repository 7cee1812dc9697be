//! Which alert each kind of USERNOTICE is, and where its fields stand. A kind without a name here is kept as it came.

use std::str::FromStr;

use crate::chat::alert::{AlertType, Announcement, CheerCash, PrimeGift, Raid, RewardGift, WatchStreak};
use crate::chat::subscription::{
    Extension, Gift, GiftBulk, GiftUpgrade, Gifted, Goal, Match, PayForward, Subscription, Upgrade,
};
use crate::chat::{Money, Person};

use super::irc::unescape;

/// The account that stands for everybody who gives without a name.
const ANONYMOUS_ID: &str = "274598607";

/// An announcement that names no color has this one.
const DEFAULT_COLOR: &str = "PRIMARY";

/// A notice's own fields by name, without `msg-param-`; values are raw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Extend<(&'a str, &'a str)> for Params<'a> {
    fn extend<I: IntoIterator<Item = (&'a str, &'a str)>>(&mut self, params: I) {
        self.0.extend(params);
    }
}

impl Params<'_> {
    fn raw(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().rev().find(|(key, _)| *key == name)?;
        Some(*value).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.raw(name).map(|value| unescape(value).into_owned())
    }

    fn number<N: FromStr>(&self, name: &str) -> Option<N> {
        self.raw(name)?.parse().ok()
    }

    /// A count where Twitch writes 0 for what it does not tell.
    fn count(&self, name: &str) -> Option<u32> {
        self.number(name).filter(|count| *count > 0)
    }

    fn is(&self, name: &str) -> bool {
        matches!(self.raw(name), Some("1" | "true"))
    }

    /// Somebody by id, login and shown name; each name stands in for the other. None where there is neither.
    fn person(&self, id: &str, login: &str, name: &str) -> Option<Person> {
        let (login, name) = (self.text(login), self.text(name));
        Some(Person {
            id: self.text(id),
            login: login.clone().or_else(|| name.as_deref().map(str::to_lowercase))?,
            name: name.or(login)?,
        })
    }
}

/// The alert that a kind with these fields is; `user_id` is its author's.
pub fn of(kind: &str, params: &Params<'_>, user_id: Option<&str>) -> AlertType {
    let anonymous = user_id == Some(ANONYMOUS_ID) || hides_author(kind);
    match kind {
        "sub" => AlertType::Sub(subscription(params)),
        "resub" => AlertType::Resub(subscription(params)),
        "subgift" | "anonsubgift" => AlertType::Gift(gift(params, anonymous)),
        "submysterygift" | "anonsubmysterygift" => AlertType::GiftBulk(gift_bulk(params, anonymous)),
        "giftpaidupgrade" | "anongiftpaidupgrade" => AlertType::GiftUpgrade(gift_upgrade(params)),
        "primepaidupgrade" => AlertType::PrimeUpgrade(Upgrade { plan: params.text("sub-plan") }),
        "extendsub" => AlertType::SubExtend(extension(params)),
        "standardpayforward" | "communitypayforward" => AlertType::PayForward(pay_forward(params)),
        "raid" => AlertType::Raid(raid(params)),
        "unraid" => AlertType::Unraid {},
        "announcement" => AlertType::Announcement(announcement(params)),
        "bitsbadgetier" => params
            .number("threshold")
            .map_or_else(|| other(kind, params), |threshold| AlertType::BitsBadge { threshold }),
        "viewermilestone" => watch_streak(params).unwrap_or_else(|| other(kind, params)),
        "ritual" => AlertType::Ritual { name: params.text("ritual-name").unwrap_or_default() },
        "rewardgift" => AlertType::RewardGift(reward_gift(params)),
        "charitydonation" => AlertType::Charity { charity: params.text("charity-name").unwrap_or_default() },
        "midnightsquid" => AlertType::CheerCash(cheer_cash(params)),
        "primecommunitygiftreceived" => AlertType::PrimeGift(prime_gift(params)),
        _ => other(kind, params),
    }
}

/// Whether a kind names the channel itself in place of a giver without a name, as Twitch did before it had an account
/// for them.
pub fn hides_author(kind: &str) -> bool {
    matches!(kind, "anonsubgift" | "anonsubmysterygift")
}

/// The money that changed hands.
pub fn money(kind: &str, params: &Params<'_>) -> Option<Money> {
    let (amount, currency) = match kind {
        "charitydonation" => ("donation-amount", "donation-currency"),
        "midnightsquid" => ("amount", "currency"),
        _ => return None,
    };
    Money::of_minor(params.number(amount)?, params.number("exponent")?, params.raw(currency)?)
}

fn subscription(params: &Params<'_>) -> Subscription {
    let gifted = || Gifted {
        gifter: params.person("gifter-id", "gifter-login", "gifter-name").filter(|_| !params.is("anon-gift")),
        months: params.count("gift-months"),
        month: params.count("gift-month-being-redeemed"),
    };
    Subscription {
        plan: params.text("sub-plan"),
        plan_name: params.text("sub-plan-name"),
        // Lines before 2019 have the total in `months`, later ones a 0 there.
        months: params.count("cumulative-months").or(params.count("months")),
        streak: params.count("streak-months"),
        paid_months: params.count("multimonth-duration"),
        paid_month: params.count("multimonth-duration").and(params.number("multimonth-tenure")),
        gifted: params.is("was-gifted").then(gifted),
        goal: goal(params),
    }
}

fn gift(params: &Params<'_>, anonymous: bool) -> Gift {
    let recipient = |login| params.person("recipient-id", login, "recipient-display-name");
    Gift {
        plan: params.text("sub-plan"),
        plan_name: params.text("sub-plan-name"),
        months: params.count("gift-months"),
        recipient_months: params.count("months"),
        // The login's name has changed; either may be there.
        recipient: params.raw("recipient-name").and(recipient("recipient-name")).or(recipient("recipient-user-name")),
        total: params.count("sender-count"),
        bulk_id: params.text("community-gift-id"),
        theme: params.text("gift-theme"),
        anonymous,
        goal: goal(params),
    }
}

fn gift_bulk(params: &Params<'_>, anonymous: bool) -> GiftBulk {
    GiftBulk {
        plan: params.text("sub-plan"),
        count: params.count("mass-gift-count"),
        total: params.count("sender-count"),
        bulk_id: params.text("community-gift-id"),
        theme: params.text("gift-theme"),
        matched: gift_match(params),
        anonymous,
        goal: goal(params),
    }
}

fn gift_match(params: &Params<'_>) -> Option<Match> {
    let kind = params.text("gift-match")?;
    Some(Match {
        kind,
        bonus: params.number("gift-match-bonus-count").or(params.number("bonus-count")),
        extra: params.number("gift-match-extra-count").or(params.number("extra-count")),
        name: params.text("gift-match-gifter-display-name").or(params.text("gifter-display-name")),
    })
}

fn goal(params: &Params<'_>) -> Option<Goal> {
    Some(Goal {
        kind: params.text("goal-contribution-type")?,
        description: params.text("goal-description"),
        current: params.number("goal-current-contributions"),
        target: params.number("goal-target-contributions"),
        added: params.number("goal-user-contributions"),
    })
}

fn gift_upgrade(params: &Params<'_>) -> GiftUpgrade {
    GiftUpgrade {
        plan: params.text("sub-plan"),
        gifter: params.person("sender-id", "sender-login", "sender-name"),
        promo: params.text("promo-name"),
        promo_total: params.number("promo-gift-total"),
    }
}

fn extension(params: &Params<'_>) -> Extension {
    Extension {
        plan: params.text("sub-plan"),
        months: params.count("cumulative-months"),
        end_month: params.count("sub-benefit-end-month"),
    }
}

fn pay_forward(params: &Params<'_>) -> PayForward {
    let gifter = params.person("prior-gifter-id", "prior-gifter-user-name", "prior-gifter-display-name");
    PayForward {
        gifter: gifter.filter(|_| !params.is("prior-gifter-anonymous")),
        recipient: params.person("recipient-id", "recipient-user-name", "recipient-display-name"),
    }
}

fn raid(params: &Params<'_>) -> Raid {
    Raid { viewers: params.number("viewerCount").unwrap_or_default(), picture: params.text("profileImageURL") }
}

fn announcement(params: &Params<'_>) -> Announcement {
    Announcement { color: params.text("color").unwrap_or_else(|| DEFAULT_COLOR.to_owned()) }
}

/// None for milestones of another sort, and where the streak has no length.
fn watch_streak(params: &Params<'_>) -> Option<AlertType> {
    let streams = params.number("value").filter(|_| params.raw("category") == Some("watch-streak"))?;
    Some(AlertType::WatchStreak(WatchStreak { streams, points: params.count("copoReward") }))
}

fn reward_gift(params: &Params<'_>) -> RewardGift {
    RewardGift {
        trigger: params.text("trigger-type"),
        trigger_amount: params.number("trigger-amount"),
        count: params.number("selected-count"),
        total: params.number("total-reward-count"),
        promo: params.text("domain"),
    }
}

fn cheer_cash(params: &Params<'_>) -> CheerCash {
    CheerCash {
        emote_id: params.text("emote-id"),
        pill: params.text("pill-type"),
        highlighted: params.is("is-highlighted"),
    }
}

fn prime_gift(params: &Params<'_>) -> PrimeGift {
    PrimeGift {
        gift: params.text("gift-name"),
        sender: params.text("sender"),
        recipient: params.text("recipient"),
        through: params.text("middle-man"),
    }
}

/// A kind from tomorrow, with everything it says.
fn other(kind: &str, params: &Params<'_>) -> AlertType {
    let params = params.0.iter().map(|(name, value)| ((*name).to_owned(), unescape(value).into_owned())).collect();
    AlertType::Other { name: kind.to_owned(), params }
}
