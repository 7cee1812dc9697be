//! What somebody said.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::author::{Author, Person};
use super::fragments::Fragment;

/// A line of chat. `text` is what was said, `fragments` what is shown; the fragments' texts concatenate to `text`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub author: Author,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub fragments: Vec<Fragment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
    /// Bits cheered with this message, in total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<Flag>,
}

/// The message this one answers, as the platform quotes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    pub native_id: String,
    pub author: Person,
    pub text: String,
    /// The first message of the thread, where the platform says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
}

/// Real money. Bits and other play money are counts of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Millionths of the currency's unit: 5 dollars are 5,000,000.
    pub amount_micros: i64,
    /// ISO 4217.
    pub currency: String,
    /// As the platform prints it.
    pub display: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<u32>,
}

impl Money {
    /// From a count of the currency's smallest unit: 500 with exponent 2 and `USD` are 5 dollars, shown as `5.00 USD`.
    /// None where the code is not three letters or the sum is out of reach.
    pub fn of_minor(amount: i64, exponent: u32, currency: &str) -> Option<Self> {
        let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_alphabetic());
        let scale = MICRO_DIGITS.checked_sub(exponent).filter(|_| is_code)?;
        let amount_micros = amount.checked_mul(10_i64.pow(scale))?;
        let currency = currency.to_ascii_uppercase();
        let display = format!("{} {currency}", decimal(amount, exponent));
        Some(Self { amount_micros, currency, display, tier: None })
    }
}

/// A millionth is 10 to the minus this.
const MICRO_DIGITS: u32 = 6;

fn decimal(amount: i64, exponent: u32) -> String {
    let unit = 10_u64.pow(exponent);
    let (sign, amount) = (if amount < 0 { "-" } else { "" }, amount.unsigned_abs());
    match usize::try_from(exponent) {
        Ok(digits) if digits > 0 => format!("{sign}{}.{:0digits$}", amount / unit, amount % unit),
        _ => format!("{sign}{amount}"),
    }
}

/// Something true of a message that changes how it is shown. Open: platforms add their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flag(Cow<'static, str>);

impl Flag {
    /// `/me`: shown in the name's color or slanted.
    pub const ACTION: Self = Self(Cow::Borrowed("action"));
    pub const HIGHLIGHTED: Self = Self(Cow::Borrowed("highlighted"));
    pub const RETURNING: Self = Self(Cow::Borrowed("returning"));
    pub const EMOTE_ONLY: Self = Self(Cow::Borrowed("emote_only"));
    /// Came with a channel-point reward.
    pub const REWARD: Self = Self(Cow::Borrowed("reward"));
    pub const SKIP_SUBS_MODE: Self = Self(Cow::Borrowed("skip_subs_mode"));
    pub const USER_INTRO: Self = Self(Cow::Borrowed("user_intro"));
    pub const GIGANTIFIED: Self = Self(Cow::Borrowed("gigantified_emote"));
    pub const ANIMATED: Self = Self(Cow::Borrowed("animated"));
    /// In a shared chat, shown only where it was typed.
    pub const SOURCE_ONLY: Self = Self(Cow::Borrowed("source_only"));

    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(amount: i64, exponent: u32, currency: &str) -> Option<(i64, String)> {
        Money::of_minor(amount, exponent, currency).map(|money| (money.amount_micros, money.display))
    }

    #[test]
    fn a_sum_is_counted_in_millionths() {
        assert_eq!(shown(500, 2, "USD"), Some((5_000_000, "5.00 USD".to_owned())));
        assert_eq!(shown(1405, 2, "nok"), Some((14_050_000, "14.05 NOK".to_owned())));
        assert_eq!(shown(300, 0, "JPY"), Some((300_000_000, "300 JPY".to_owned())));
        assert_eq!(shown(-5, 2, "EUR"), Some((-50_000, "-0.05 EUR".to_owned())));
    }

    #[test]
    fn what_is_no_sum_is_none() {
        assert_eq!(shown(i64::MAX, 2, "USD"), None);
        assert_eq!(shown(1, 7, "USD"), None);
        assert_eq!(shown(1, 2, "US"), None);
        assert_eq!(shown(1, 2, "€uro"), None);
    }
}
