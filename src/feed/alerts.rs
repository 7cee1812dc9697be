//! The JSON of `/api/alerts`, as clients of old read it, and which of our alerts they have a name for. Knows neither
//! list nor stream.
//!
//! | theirs | ours | `amount` |
//! |---|---|---|
//! | `subs`, on YouTube `members` | `sub`, `resub`, `gift_upgrade`, `prime_upgrade`, `sub_extend` | |
//! | `gifted_subs`, on YouTube `gifted_members` | `gift`, `gift_bulk` | how many |
//! | `bits` | a message with bits | bits |
//! | `raids` | `raid` | viewers |
//! | `super_chats`, on YouTube only | a message with money | the sum in whole units of `currency` |
//!
//! Left out is what has no counterpart, and the single gifts of a bulk, which the bulk has counted. Alerts of platforms
//! that clients of old never heard of have the names of Twitch.

use serde::Serialize;
use serde_json::Value;

use crate::chat::event::{CHEER, PAID};
use crate::chat::{AlertType, Event, Kind, Message, Money, Platform, State};

/// A name of theirs, and ours that it stands for.
type Name = (&'static str, &'static [&'static str]);

const SUBSCRIBED: &[&str] = &["sub", "resub", "gift_upgrade", "prime_upgrade", "sub_extend"];
const GAVE: &[&str] = &["gift", "gift_bulk"];

const TWITCH: &[Name] = &[("subs", SUBSCRIBED), ("gifted_subs", GAVE), ("bits", &[CHEER]), ("raids", &["raid"])];
const YOUTUBE: &[Name] = &[("members", SUBSCRIBED), ("super_chats", &[PAID]), ("gifted_members", GAVE)];

/// Millionths in one unit of a currency.
const MICROS: i64 = 1_000_000;

/// Which alerts somebody asked for. Nothing named means every one that has a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    platforms: Vec<Platform>,
    /// With the platform of a type that names one, as in `twitch.bits`.
    types: Vec<(Option<Platform>, &'static str)>,
}

/// Why a filter is none: what it says, and what it could.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unknown(String);

impl Filter {
    /// Reads lists by comma: `twitch,youtube` and `twitch.bits,raids`.
    pub fn parse(platforms: &str, types: &str) -> Result<Self, Unknown> {
        Ok(Self {
            platforms: items(platforms).map(platform).collect::<Result<_, _>>()?,
            types: items(types).map(type_of).collect::<Result<_, _>>()?,
        })
    }

    /// Whether an alert that we call so on a platform was asked for.
    pub fn passes(&self, platform: &str, alert: &str) -> bool {
        let Some(theirs) = name(platform, alert) else { return false };
        let is_asked = |(of, one): &(Option<Platform>, &str)| {
            *one == theirs && of.as_ref().is_none_or(|of| of.as_str() == platform)
        };
        (self.platforms.is_empty() || self.platforms.iter().any(|one| one.as_str() == platform))
            && (self.types.is_empty() || self.types.iter().any(is_asked))
    }

    /// The JSON of an event, if it is an alert that was asked for and was not taken away.
    pub fn json(&self, event: &Event) -> Option<String> {
        let alert = event.kind.alert().filter(|_| event.state == State::Visible)?;
        let platform = event.channel.platform.as_str();
        let theirs = name(platform, alert).filter(|_| self.passes(platform, alert))?;
        Some(serde_json::to_string(&told(event, theirs)).expect("texts and numbers always serialize"))
    }
}

/// What clients of old call it.
fn name(platform: &str, alert: &str) -> Option<&'static str> {
    let names = if platform == Platform::YOUTUBE.as_str() { YOUTUBE } else { TWITCH };
    names.iter().find(|(_, ours)| ours.contains(&alert)).map(|(theirs, _)| *theirs)
}

fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn platform(name: &str) -> Result<Platform, Unknown> {
    Platform::new(name).map_err(|error| Unknown(format!("platform: {error}")))
}

fn type_of(name: &str) -> Result<(Option<Platform>, &'static str), Unknown> {
    let lower = name.to_ascii_lowercase();
    let (of, bare) = lower.split_once('.').map_or((None, lower.as_str()), |(of, bare)| (Some(of), bare));
    let of = of.map(platform).transpose()?;
    let names = match &of {
        None => &[TWITCH, YOUTUBE][..],
        Some(of) if *of == Platform::YOUTUBE => &[YOUTUBE],
        Some(_) => &[TWITCH],
    };
    let known = || names.iter().copied().flatten().map(|(theirs, _)| *theirs);
    let found = known().find(|theirs| *theirs == bare);
    let wrong = || Unknown(format!("type: {name} is none of {}", known().collect::<Vec<_>>().join(", ")));
    found.map(|theirs| (of.clone(), theirs)).ok_or_else(wrong)
}

/// An alert as they read it.
#[derive(Serialize)]
struct Told<'a> {
    id: String,
    platform: &'a str,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_channel: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_url: Option<String>,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    ts: i64,
}

fn told<'a>(event: &'a Event, theirs: &'static str) -> Told<'a> {
    let channel = &event.channel;
    let (author, text) = match &event.kind {
        Kind::Message(said) => (Some(&said.author), said.text.as_str()),
        Kind::Alert(told) => (told.author.as_ref(), told.text.as_str()),
        _ => (None, ""),
    };
    let (amount, currency) = amount(&event.kind);
    let is_youtube = channel.platform == Platform::YOUTUBE;
    Told {
        id: event.id.to_string(),
        platform: channel.platform.as_str(),
        r#type: theirs,
        username: author.map(|author| author.name.trim()).filter(|name| !name.is_empty()),
        source_channel: (!is_youtube && !channel.is_unnamed()).then_some(channel.login.as_str()),
        source_url: (is_youtube && !channel.is_unnamed()).then(|| channel.url()),
        message: text.trim(),
        amount,
        currency,
        ts: event.at.0,
    }
}

/// How much it was, and of which money.
fn amount(kind: &Kind) -> (Option<Value>, Option<&str>) {
    match kind {
        Kind::Message(Message { bits: Some(bits), .. }) if *bits > 0 => (Some((*bits).into()), None),
        Kind::Message(Message { money: Some(money), .. }) => (Some(sum(money)), Some(&money.currency)),
        Kind::Alert(told) => (count(&told.alert), None),
        _ => (None, None),
    }
}

/// How many came or were given.
fn count(alert: &AlertType) -> Option<Value> {
    match alert {
        AlertType::Gift(_) => Some(1.into()),
        AlertType::GiftBulk(bulk) => bulk.count.map(Value::from),
        AlertType::Raid(raid) => Some(raid.viewers.into()),
        _ => None,
    }
}

/// Whole units of the currency: 5 for five euros, 4.99 for a little less.
fn sum(money: &Money) -> Value {
    let micros = money.amount_micros;
    match micros % MICROS {
        0 => Value::from(micros / MICROS),
        _ => Value::from(micros as f64 / MICROS as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::alert::{Announcement, Raid};
    use crate::chat::subscription::{Gift, GiftBulk, Subscription};
    use crate::chat::{Alert, Author, Channel, EventId, Millis};

    fn event(platform: Platform, kind: Kind) -> Event {
        Event {
            id: EventId(7),
            channel: Channel::new(platform, "room"),
            native_id: None,
            at: Millis(1_767_225_600_000),
            received_at: Millis(0),
            shared: None,
            state: State::Visible,
            kind,
        }
    }

    fn ada() -> Author {
        let (login, name) = ("ada".to_owned(), " Ada ".to_owned());
        Author { id: None, login, name, color: None, roles: vec![], badges: vec![], first: false }
    }

    fn told(alert: AlertType) -> Kind {
        let (author, money, bits) = (Some(ada()), None, None);
        let (text, system_text) = (String::new(), "Ada did it".to_owned());
        Kind::Alert(Alert { alert, system_text, author, text, fragments: vec![], money, bits, flags: vec![] })
    }

    fn said(bits: Option<u64>, micros: Option<i64>) -> Kind {
        let money = micros.map(|amount_micros| Money {
            amount_micros,
            currency: "EUR".to_owned(),
            display: String::new(),
            tier: None,
        });
        let text = " go! ".to_owned();
        Kind::Message(Message { author: ada(), text, fragments: vec![], reply: None, money, bits, flags: vec![] })
    }

    /// Type and amount.
    fn shown(platform: Platform, kind: Kind) -> Option<(String, Value)> {
        let json = Filter::default().json(&event(platform, kind))?;
        let json: Value = serde_json::from_str(&json).expect("JSON");
        Some((json["type"].as_str().expect("a type").to_owned(), json["amount"].clone()))
    }

    #[test]
    fn each_alert_has_the_name_and_the_amount_they_know() {
        let bulk = || AlertType::GiftBulk(GiftBulk { count: Some(5), ..GiftBulk::default() });
        let single = |bulk_id: Option<&str>| {
            told(AlertType::Gift(Gift { bulk_id: bulk_id.map(str::to_owned), ..Gift::default() }))
        };
        let sub = || told(AlertType::Resub(Subscription::default()));
        let raid = || told(AlertType::Raid(Raid { viewers: 12, picture: None }));
        let some = |theirs: &str, amount: Value| Some((theirs.to_owned(), amount));
        let (twitch, youtube) = (Platform::TWITCH, Platform::YOUTUBE);

        assert_eq!(shown(twitch.clone(), sub()), some("subs", Value::Null));
        assert_eq!(shown(twitch.clone(), single(None)), some("gifted_subs", 1.into()));
        assert_eq!(shown(twitch.clone(), told(bulk())), some("gifted_subs", 5.into()));
        assert_eq!(shown(twitch.clone(), raid()), some("raids", 12.into()));
        assert_eq!(shown(twitch.clone(), said(Some(100), None)), some("bits", 100.into()));
        assert_eq!(shown(youtube.clone(), sub()), some("members", Value::Null));
        assert_eq!(shown(youtube.clone(), told(bulk())), some("gifted_members", 5.into()));
        assert_eq!(shown(youtube.clone(), said(None, Some(5_000_000))), some("super_chats", 5.into()));
        assert_eq!(shown(youtube.clone(), said(None, Some(4_990_000))), some("super_chats", 4.99.into()));
        for unnamed in [single(Some("b")), told(AlertType::Announcement(Announcement::default())), said(None, None)] {
            assert_eq!(shown(twitch.clone(), unnamed), None);
        }
        assert_eq!(shown(twitch, said(Some(0), Some(5_000_000))), None, "money is theirs on YouTube alone");
        assert_eq!(shown(youtube, raid()), None);
    }

    #[test]
    fn an_alert_says_who_and_where_and_is_gone_once_it_is_taken_away() {
        let mut paid = event(Platform::YOUTUBE, said(None, Some(5_000_000)));
        let json = |event: &Event| Filter::default().json(event);

        assert_eq!(
            json(&paid).expect("an alert"),
            r#"{"id":"7","platform":"youtube","type":"super_chats","username":"Ada","source_url":"https://www.youtube.com/watch?v=room","message":"go!","amount":5,"currency":"EUR","ts":1767225600000}"#
        );
        assert_eq!(
            json(&event(Platform::TWITCH, told(AlertType::Raid(Raid { viewers: 3, picture: None }))))
                .expect("an alert"),
            r#"{"id":"7","platform":"twitch","type":"raids","username":"Ada","source_channel":"room","amount":3,"ts":1767225600000}"#
        );
        paid.state = State::Removed;
        assert_eq!(json(&paid), None);
    }

    #[test]
    fn a_filter_takes_names_with_and_without_their_platform() {
        let passes = |platforms: &str, types: &str| {
            let filter = Filter::parse(platforms, types).expect("a good filter");
            [("twitch", "cheer"), ("twitch", "raid"), ("youtube", "paid"), ("youtube", "gift"), ("kick", "cheer")]
                .map(|(platform, alert)| u8::from(filter.passes(platform, alert)))
        };

        assert_eq!(passes("", ""), [1, 1, 1, 1, 1]);
        assert_eq!(passes("Twitch", ""), [1, 1, 0, 0, 0]);
        assert_eq!(passes("", "bits"), [1, 0, 0, 0, 1]);
        assert_eq!(passes("", "twitch.bits, YouTube.gifted_members"), [1, 0, 0, 1, 0]);
        assert_eq!(passes("twitch,youtube", "bits,super_chats"), [1, 0, 1, 0, 0]);
        assert_eq!(passes("youtube", "twitch.bits"), [0; 5]);
        assert_eq!(passes("kick", "raids"), [0; 5]);
    }

    #[test]
    fn a_name_that_nothing_has_is_told() {
        let why = |platforms, types| Filter::parse(platforms, types).expect_err("nonsense").to_string();

        assert_eq!(why("", "twitch.cheers"), "type: twitch.cheers is none of subs, gifted_subs, bits, raids");
        assert_eq!(why("", "youtube.bits"), "type: youtube.bits is none of members, super_chats, gifted_members");
        assert!(why("", "follows").contains("bits") && why("", "follows").contains("super_chats"));
        assert!(why("not a platform", "").starts_with("platform: "));
        assert!(why("", "no way.bits").starts_with("platform: "));
    }
}
