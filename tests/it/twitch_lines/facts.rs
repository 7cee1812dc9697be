//! What our parser made of a line, field by field and in plain text, so that others can be held against it.

use std::collections::BTreeMap;

use elora_chat::chat::{Alert, AlertType, Author, Cleared, Fragment, Kind, Message, NewEvent, Reply};
use elora_chat::platforms::twitch::irc::{Line, unescape};
use elora_chat::platforms::twitch::{Followers, Heard, RoomState, decode};

/// A field's name and its value. What a parser does not tell is not in it; what it says is absent is empty.
pub type Facts = BTreeMap<&'static str, String>;

/// The grammar's part: command, tags, parameters.
pub fn grammar(line: &str) -> Facts {
    let Some(line) = Line::parse(line) else {
        return Facts::from([("grammar", "refused".to_owned())]);
    };
    let tags = line.tags.into_iter().map(|(key, value)| (key.to_owned(), unescape(value).into_owned()));
    Facts::from([
        ("grammar", "read".to_owned()),
        ("command", line.command.to_owned()),
        ("tags", tag_map(tags)),
        ("params", list(line.params())),
        ("prefix", line.prefix.map(|prefix| prefix.as_str().to_owned()).unwrap_or_default()),
    ])
}

/// The meaning's part: what the event says.
pub fn meaning(line: &str) -> Facts {
    match decode(line, super::RECEIVED) {
        Heard::Event(heard) => event(&heard),
        Heard::RoomState(state) => room_state(&state),
        _ => Facts::new(),
    }
}

pub fn tag_map(tags: impl Iterator<Item = (String, String)>) -> String {
    format!("{:?}", tags.collect::<BTreeMap<_, _>>())
}

pub fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    format!("{:?}", items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>())
}

pub fn shown<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn event(event: &NewEvent) -> Facts {
    let mut facts = Facts::from([
        ("meaning", event.kind.name().to_owned()),
        ("channel", event.channel.login.clone()),
        ("room_id", shown(event.channel.id.as_ref())),
        ("at", shown(event.at.map(|at| at.0))),
    ]);
    match &event.kind {
        Kind::Message(said) => message(&mut facts, said, event),
        Kind::Alert(happened) => alert(&mut facts, happened, event),
        Kind::Cleared(cleared) => clear(&mut facts, cleared),
        Kind::Removed(removed) => {
            facts.insert("target_id", shown(removed.target.native_id.as_ref()));
            facts.insert("target_login", shown(removed.target.author_login.as_ref()));
        }
        _ => {}
    }
    facts
}

fn message(facts: &mut Facts, said: &Message, event: &NewEvent) {
    let is_action = said.flags.iter().any(|flag| flag.as_str() == "action");
    facts.insert("id", shown(event.native_id.as_ref()));
    facts.insert("text", said.text.clone());
    facts.insert("action", is_action.to_string());
    facts.insert("emotes", emotes(&said.fragments));
    facts.insert("bits", shown(said.bits));
    facts.insert("reply", shown(said.reply.as_ref().map(reply)));
    author(facts, &said.author);
}

fn alert(facts: &mut Facts, happened: &Alert, event: &NewEvent) {
    facts.insert("id", shown(event.native_id.as_ref()));
    facts.insert("text", happened.text.clone());
    facts.insert("emotes", emotes(&happened.fragments));
    facts.insert("system_text", happened.system_text.clone());
    facts.insert("alert", alert_type(&happened.alert));
    if let Some(who) = &happened.author {
        author(facts, who);
    }
}

fn author(facts: &mut Facts, author: &Author) {
    let badges = author.badges.iter().map(|badge| format!("{}/{}", badge.set, badge.version));
    let titles = author.badges.iter().filter_map(|badge| Some(format!("{}/{}", badge.set, badge.title.as_ref()?)));
    facts.insert("user_id", shown(author.id.as_ref()));
    facts.insert("login", author.login.clone());
    facts.insert("name", author.name.clone());
    facts.insert("color", shown(author.color.map(String::from)));
    facts.insert("badges", list(badges));
    facts.insert("titles", list(titles));
}

fn clear(facts: &mut Facts, cleared: &Cleared) {
    facts.insert("target_author", shown(cleared.target.author_id.as_ref()));
    facts.insert("target_login", shown(cleared.target.author_login.as_ref()));
    facts.insert("duration", shown(cleared.duration_s));
}

fn reply(reply: &Reply) -> String {
    let who = &reply.author;
    format!("{} {} {} {:?} {}", reply.native_id, shown(who.id.as_ref()), who.login, who.name, reply.text)
}

/// Where each emote stands, in code points, read back from the fragments.
fn emotes(fragments: &[Fragment]) -> String {
    let mut at = 0;
    let mut found = Vec::new();
    for fragment in fragments {
        let length = fragment.text().chars().count();
        if let Fragment::Emote { id, .. } = fragment {
            found.push(format!("{id}:{at}-{}", at + length - 1));
        }
        at += length;
    }
    list(found)
}

/// The fields that another parser reads too.
fn alert_type(alert: &AlertType) -> String {
    let person = |person: &Option<_>| {
        shown(person.as_ref().map(|p: &elora_chat::chat::Person| format!("{} {}", p.login, p.name)))
    };
    match alert {
        AlertType::Sub(sub) => {
            format!(
                "sub {} {} {} {}",
                shown(sub.months),
                shown(sub.streak),
                shown(sub.plan.as_ref()),
                shown(sub.plan_name.as_ref())
            )
        }
        AlertType::Resub(sub) => {
            format!(
                "resub {} {} {} {}",
                shown(sub.months),
                shown(sub.streak),
                shown(sub.plan.as_ref()),
                shown(sub.plan_name.as_ref())
            )
        }
        AlertType::Gift(gift) => format!(
            "gift {} {} {} {} {}",
            shown(gift.recipient_months),
            person(&gift.recipient),
            shown(gift.plan.as_ref()),
            shown(gift.plan_name.as_ref()),
            shown(gift.months)
        ),
        AlertType::GiftBulk(bulk) => {
            format!("bulk {} {} {}", shown(bulk.count), shown(bulk.total), shown(bulk.plan.as_ref()))
        }
        AlertType::GiftUpgrade(upgrade) => {
            format!(
                "upgrade {} {} {}",
                person(&upgrade.gifter),
                shown(upgrade.promo.as_ref()),
                shown(upgrade.promo_total)
            )
        }
        AlertType::Raid(raid) => format!("raid {} {}", raid.viewers, shown(raid.picture.as_ref())),
        AlertType::Ritual { name } => format!("ritual {name}"),
        AlertType::BitsBadge { threshold } => format!("bits {threshold}"),
        AlertType::Announcement(announcement) => format!("announcement {}", announcement.color),
        _ => "another".to_owned(),
    }
}

fn room_state(state: &RoomState) -> Facts {
    let followers = state.modes.followers_only.map(|followers| match followers {
        Followers::Off => "off".to_owned(),
        Followers::Minutes(minutes) => minutes.to_string(),
    });
    let modes = [
        shown(state.modes.emote_only),
        shown(followers),
        shown(state.modes.unique),
        shown(state.modes.slow_s),
        shown(state.modes.subscribers_only),
    ];
    Facts::from([
        ("meaning", "room_state".to_owned()),
        ("channel", state.channel.login.clone()),
        ("room_id", shown(state.channel.id.as_ref())),
        ("modes", list(modes)),
    ])
}
